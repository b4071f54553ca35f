package io.metashard.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.metashard.Block;
import io.metashard.codec.BlockCoder;
import io.metashard.codec.CodingEngine;
import java.io.IOException;
import java.io.InputStream;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;

/** Files of every released format, as they were written, are still read. Never regenerate them. */
class GoldenTest {
  private static final String CONTAINER = "containers/golden/format-1.msc";
  private static final String BACKUP = "map-backup/00000000000000000001/bucket-00000005.msb";
  private static final int[] LENGTHS = {1000, 1000, 700, 0, 1000, 1000};

  private final MemoryStore store = new MemoryStore();

  @Test
  void readsTheFooterOfAContainerOfFormat1() throws IOException {
    store.replace(CONTAINER, resource("container-format-1.msc"));
    List<Block> rows = ContainerFooter.read(store, CONTAINER);
    assertThat(rows)
        .extracting(Block::length)
        .containsExactly(1000L, 1000L, 700L, 0L, 1000L, 1000L);
    Block first = rows.get(0);
    assertThat(first)
        .usingRecursiveComparison()
        .isEqualTo(
            new Block(
                1,
                5,
                16,
                "données/0 of 4.bin",
                "\"etag-0\"",
                1000,
                true,
                0,
                0,
                1000,
                "0a1b2c3d-golden",
                4,
                2,
                "rs",
                0,
                1000,
                "loc-0",
                CONTAINER,
                0,
                256,
                3199756050L,
                first.sha256(),
                "none",
                "00000000000000000001-golden",
                Instant.parse("2026-11-23T16:00:00.123456Z"),
                0.25,
                -1));
    assertThat(rows.get(2).live()).isFalse();
    assertThat(rows.get(4).objectId()).isNull();
  }

  @Test
  void readsAndDecodesTheBlocksOfAContainerOfFormat1() throws IOException {
    store.replace(CONTAINER, resource("container-format-1.msc"));
    List<Block> rows = ContainerFooter.read(store, CONTAINER);
    BlockReader reader = new BlockReader(store);
    Random random = new Random(2026);
    byte[][] blocks = new byte[6][1000];
    for (int i = 0; i < 6; i++) {
      byte[] block = new byte[LENGTHS[i]];
      reader.read(rows.get(i), 0, block, 0, block.length);
      if (i < 4) {
        byte[] written = new byte[LENGTHS[i]];
        random.nextBytes(written);
        assertThat(block).as("block %d", i).isEqualTo(written);
      }
      CRC32C crc = new CRC32C();
      crc.update(block);
      assertThat(crc.getValue()).as("block %d", i).isEqualTo(rows.get(i).crc32c());
      System.arraycopy(block, 0, blocks[i], 0, block.length);
    }
    byte[][] damaged = blocks.clone();
    damaged[0] = new byte[1000];
    damaged[2] = new byte[1000];
    boolean[] present = {false, true, false, true, true, true};
    boolean[] wanted = {true, false, true, false, false, false};
    BlockCoder.of(rows.get(0).shape(), CodingEngine.named("long"))
        .rebuild(damaged, present, wanted, 0, 1000);
    assertThat(Arrays.deepEquals(damaged, blocks)).isTrue();
  }

  @Test
  void readsABackupOfFormat1() throws IOException {
    store.replace(CONTAINER, resource("container-format-1.msc"));
    store.replace(BACKUP, resource("bucket-format-1.msb"));
    assertThat(BackupFile.read(store, BACKUP))
        .hasSize(6)
        .usingRecursiveComparison()
        .isEqualTo(ContainerFooter.read(store, CONTAINER));
  }

  @Test
  void writesFormat1AsItAlwaysWas() throws IOException {
    store.replace(BACKUP, resource("bucket-format-1.msb"));
    MemoryStore today = new MemoryStore();
    BackupFile.write(today, BACKUP, BackupFile.read(store, BACKUP));
    assertThat(today.content(BACKUP)).isEqualTo(store.content(BACKUP));
  }

  private static byte[] resource(String name) throws IOException {
    try (InputStream in = GoldenTest.class.getResourceAsStream("/golden/" + name)) {
      return Objects.requireNonNull(in, name).readAllBytes();
    }
  }
}
