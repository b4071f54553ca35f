package io.metashard.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.metashard.Block;
import io.metashard.Shape;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class BlockRecordsTest {
  private static final int HEADER_BYTES = 8; // format, number of strings

  @Property(tries = 200)
  void decodesWhatItEncoded(@ForAll @IntRange(min = 0, max = 40) int count, @ForAll long seed) {
    List<Block> rows = randomRows(count, seed);
    byte[] bytes = BlockRecords.encode(rows);
    assertThat(BlockRecords.decode(bytes)).usingRecursiveComparison().isEqualTo(rows);
    assertThat(BlockRecords.encode(BlockRecords.decode(bytes))).isEqualTo(bytes);
  }

  @Test
  void isTheBytesThatFormatMdDescribes() {
    Block row =
        new Block(
            1,
            2,
            4,
            "o",
            null,
            9,
            true,
            -1,
            5,
            6,
            "ms",
            7,
            8,
            "rs",
            10,
            11,
            "l",
            "p",
            12,
            13,
            0xfffffffeL,
            null,
            "none",
            "g",
            Instant.ofEpochSecond(14, 15),
            0.5,
            16);
    String expected =
        "00000001 00000007 00016f 00026d73 00027273 00016c 000170 00046e6f6e65 000167" // strings
            + "00000001 0086" // one row of 134 bytes
            + "00000001 00000002 00000004 00000000 ffffffff 0000000000000009 01 ffffffff"
            + "0000000000000005 0000000000000006 00000001 00000007 00000008 00000002 0000000a"
            + "000000000000000b 00000003 00000004 000000000000000c 0000000d fffffffe"
            + "00000005 00000006 000000000000000e 0000000f 3fe0000000000000 00000010 00";
    assertThat(BlockRecords.encode(List.of(row))).asHexString().isEqualTo(hex(expected));
  }

  @Test
  void aDeadRowSaysSinceWhenAtItsEndAndALiveOneIsAsItAlwaysWas() {
    Block live = row("o", 7);
    Block dead = dead(live, Instant.ofEpochSecond(14, 15));
    String before = HexFormat.of().formatHex(BlockRecords.encode(List.of(live)));
    int rowLength = before.indexOf("0086", before.length() - 2 * 136);
    String expected =
        before.substring(0, rowLength)
            + "0093" // 134 bytes and 13 more
            + before.substring(rowLength + 4)
            + "01 000000000000000e 0000000f";
    assertThat(BlockRecords.encode(List.of(dead))).asHexString().isEqualTo(hex(expected));
    assertThat(BlockRecords.decode(HexFormat.of().parseHex(before)).get(0).deadSince()).isNull();
  }

  private static Block dead(Block b, Instant since) {
    return new Block(
        b.format(),
        b.bucket(),
        b.buckets(),
        b.objectId(),
        b.objectVersion(),
        b.objectBytes(),
        b.live(),
        b.segment(),
        b.objectOffset(),
        b.length(),
        b.metaShardId(),
        b.k(),
        b.m(),
        b.codec(),
        b.blockIndex(),
        b.blockBytes(),
        b.location(),
        b.path(),
        b.containerOffset(),
        b.frameBytes(),
        b.crc32c(),
        b.sha256(),
        b.encryption(),
        b.generation(),
        b.writtenAt(),
        b.expectedRequests(),
        b.heatClass(),
        since);
  }

  @Test
  void writesEqualStringsOnce() {
    Block row = randomRows(1, 1).get(0);
    int one = BlockRecords.encode(List.of(row)).length;
    int two = BlockRecords.encode(List.of(row, row)).length;
    int three = BlockRecords.encode(List.of(row, row, row)).length;
    assertThat(two - one).isEqualTo(three - two).isBetween(136, 136 + 32 + 13);
  }

  @Test
  void anEmptyListIsTwelveBytes() {
    byte[] bytes = BlockRecords.encode(List.of());
    assertThat(bytes).hasSize(HEADER_BYTES + 4);
    assertThat(BlockRecords.decode(bytes)).isEmpty();
  }

  @Test
  void skipsFieldsThatWereAddedToRowsLater() {
    List<Block> rows = randomRows(3, 77);
    byte[] bytes = BlockRecords.encode(rows);
    ByteBuffer in = ByteBuffer.wrap(bytes);
    in.getInt();
    for (int strings = in.getInt(); strings > 0; strings--) {
      in.position(in.position() + 2 + in.getShort(in.position()));
    }
    int count = in.getInt();
    ByteBuffer longer = ByteBuffer.allocate(bytes.length + 5 * count);
    longer.put(bytes, 0, in.position());
    for (int row = 0; row < count; row++) {
      short length = in.getShort();
      longer.putShort((short) (length + 5)).put(bytes, in.position(), length).put(new byte[5]);
      in.position(in.position() + length);
    }
    assertThat(BlockRecords.decode(longer.array())).usingRecursiveComparison().isEqualTo(rows);
  }

  @Test
  void everyTruncationIsRefused() {
    byte[] bytes = BlockRecords.encode(randomRows(4, 5));
    for (int length = 0; length < bytes.length; length++) {
      byte[] cut = Arrays.copyOf(bytes, length);
      assertThatThrownBy(() -> BlockRecords.decode(cut))
          .as("cut at %d", length)
          .isInstanceOf(CorruptRecordsException.class)
          .hasMessageStartingWith("Cannot decode block rows: ");
    }
  }

  @Test
  void refusesWhatFollows() {
    byte[] bytes = BlockRecords.encode(randomRows(2, 6));
    assertThatThrownBy(() -> BlockRecords.decode(Arrays.copyOf(bytes, bytes.length + 3)))
        .isInstanceOf(CorruptRecordsException.class)
        .hasMessage("Cannot decode block rows: 3 bytes follow the last of 2 rows");
  }

  @Test
  void refusesAHigherFormat() {
    byte[] bytes = BlockRecords.encode(List.of());
    bytes[3] = 2;
    assertThatThrownBy(() -> BlockRecords.decode(bytes))
        .isInstanceOf(CorruptRecordsException.class)
        .hasMessage(
            "Cannot decode block rows: they are of format 2, this code reads 1; use a newer Metashard");
  }

  @Test
  void claimsOfManyRowsTakeNoMemory() {
    byte[] strings = ByteBuffer.allocate(12).putInt(1).putInt(Integer.MAX_VALUE).array();
    assertThatThrownBy(() -> BlockRecords.decode(strings))
        .isInstanceOf(CorruptRecordsException.class)
        .hasMessage(
            "Cannot decode block rows: they claim 2147483647 strings, but only 4 bytes follow");
    byte[] rows = ByteBuffer.allocate(12).putInt(1).putInt(0).putInt(-1).array();
    assertThatThrownBy(() -> BlockRecords.decode(rows))
        .isInstanceOf(CorruptRecordsException.class)
        .hasMessage("Cannot decode block rows: they claim -1 rows, but only 0 bytes follow");
  }

  @Test
  void refusesRowsThatContradictThemselves() {
    byte[] bytes = BlockRecords.encode(List.of(row("o", 0)));
    // Of the 134 bytes of the row, 65 are before its blockIndex.
    int blockIndex = bytes.length - 134 + 65;
    ByteBuffer.wrap(bytes).putInt(blockIndex, 99);
    assertThatThrownBy(() -> BlockRecords.decode(bytes))
        .isInstanceOf(CorruptRecordsException.class)
        .hasMessage(
            "Cannot decode block rows: a row contradicts itself: Cannot use block 99 of meta-shard ms: it has 2+1 blocks");
  }

  @Test
  void refusesToEncodeWhatReadersCouldNotDecode() {
    assertThatThrownBy(() -> BlockRecords.encode(List.of(row("\ud800", 0))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Cannot encode the string \\ud800: it is not valid Unicode");
    assertThatThrownBy(() -> BlockRecords.encode(List.of(row("x".repeat(65_536), 0))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("Cannot encode the string xxxx")
        .hasMessageEndingWith("it has 65536 bytes, at most 65535 fit");
    assertThatThrownBy(() -> BlockRecords.encode(List.of(row("o", 1L << 32))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Cannot encode block 0 of meta-shard ms: its crc32c is 4294967296");
  }

  @Test
  void longestStringsSurvive() {
    List<Block> rows = List.of(row("x".repeat(65_535), 0));
    assertThat(BlockRecords.decode(BlockRecords.encode(rows)))
        .usingRecursiveComparison()
        .isEqualTo(rows);
  }

  @Property(tries = 500)
  void changedBytesDecodeOrAreRefused(@ForAll long seed) {
    Random random = new Random(seed);
    byte[] bytes = BlockRecords.encode(randomRows(1 + random.nextInt(5), seed));
    for (int changes = 1 + random.nextInt(4); changes > 0; changes--) {
      bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
    }
    decodesOrRefuses(bytes);
  }

  @FuzzTest
  void anyBytesDecodeOrAreRefused(byte[] bytes) {
    decodesOrRefuses(bytes);
  }

  private static void decodesOrRefuses(byte[] bytes) {
    List<Block> rows;
    try {
      rows = BlockRecords.decode(bytes);
    } catch (CorruptRecordsException e) {
      return; // the one failure that is declared
    }
    assertThat(rows.size()).isLessThanOrEqualTo(bytes.length / 136);
    assertThat(BlockRecords.decode(BlockRecords.encode(rows)))
        .usingRecursiveComparison()
        .isEqualTo(rows);
  }

  private static List<Block> randomRows(int count, long seed) {
    Random random = new Random(seed);
    List<Block> rows = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      rows.add(i > 0 && random.nextBoolean() ? rows.get(i - 1) : Blocks.random(random));
    }
    return Collections.unmodifiableList(rows);
  }

  private static Block row(String objectId, long crc32c) {
    return new Block(
        1,
        0,
        1,
        objectId,
        "v",
        9,
        true,
        0,
        0,
        9,
        "ms",
        2,
        1,
        Shape.RS,
        0,
        9,
        "l",
        "p",
        0,
        4,
        crc32c,
        null,
        "none",
        "g",
        Instant.EPOCH,
        0,
        0);
  }

  private static String hex(String spaced) {
    return spaced.replace(" ", "").toUpperCase(Locale.ROOT);
  }
}
