package io.metashard.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.metashard.Block;
import io.metashard.ObjectIds;
import java.io.EOFException;
import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32C;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class ContainerTest {
  private static final String PATH = "containers/run-1/p0-a0.msc";

  private final MemoryStore store = new MemoryStore();

  @Property(tries = 300)
  void readsEveryRangeOfWhatWasWritten(
      @ForAll @IntRange(min = 1, max = 40) int frameBytes,
      @ForAll @IntRange(min = 0, max = 6) int blockCount,
      @ForAll long seed)
      throws IOException {
    MemoryStore files = new MemoryStore();
    Random random = new Random(seed);
    List<byte[]> contents = new ArrayList<>();
    for (int i = 0; i < blockCount; i++) {
      byte[] content = new byte[random.nextInt(4) == 0 ? 0 : random.nextInt(300)];
      random.nextBytes(content);
      contents.add(content);
    }
    List<Block> rows = write(files, PATH, frameBytes, contents, random);
    BlockReader reader = new BlockReader(files);
    for (int i = 0; i < blockCount; i++) {
      byte[] content = contents.get(i);
      for (int range = 0; range < 10; range++) {
        int from = random.nextInt(content.length + 1);
        int length = random.nextInt(content.length - from + 1);
        byte[] target = new byte[length + 7];
        reader.read(rows.get(i), from, target, 4, length);
        byte[] expected = new byte[length + 7];
        System.arraycopy(content, from, expected, 4, length);
        assertThat(target).isEqualTo(expected);
      }
    }
    assertThat(ContainerFooter.read(files, PATH)).usingRecursiveComparison().isEqualTo(rows);
  }

  @Test
  void framesAreAsFormatMdSays() throws Exception {
    byte[] content = sample(250, 1);
    Block row = write(store, PATH, 100, List.of(new byte[3], content), new Random(1)).get(1);
    assertThat(row.containerOffset()).isEqualTo(4 + 3);
    byte[] container = store.content(PATH);
    int position = 7;
    for (int from = 0; from < 250; from += 100) {
      int length = Math.min(100, 250 - from);
      CRC32C crc = new CRC32C();
      crc.update(PATH.getBytes(StandardCharsets.UTF_8));
      crc.update(ByteBuffer.allocate(8).putLong(position).array());
      crc.update(content, from, length);
      assertThat(ByteBuffer.wrap(container).getInt(position)).isEqualTo((int) crc.getValue());
      assertThat(Arrays.copyOfRange(container, position + 4, position + 4 + length))
          .isEqualTo(Arrays.copyOfRange(content, from, from + length));
      position += 4 + length;
    }
    assertThat(position - 7).isEqualTo((int) row.physicalBytes());
    CRC32C whole = new CRC32C();
    whole.update(content);
    assertThat(row.crc32c()).isEqualTo(whole.getValue());
    assertThat(row.sha256()).isEqualTo(MessageDigest.getInstance("SHA-256").digest(content));
    assertThat(new String(container, container.length - 8, 8, StandardCharsets.US_ASCII))
        .isEqualTo("METASHRD");
  }

  @Test
  void hasNoSha256UnlessAskedFor() throws IOException {
    try (ContainerWriter writer = new ContainerWriter(store, PATH, 10, Digest.CRC32C)) {
      writer.beginBlock();
      assertThat(writer.endBlock()).isEqualTo(new WrittenBlock(0, 0, 0, null));
    }
  }

  @Test
  void everyFlippedByteIsNoticed() throws IOException {
    List<byte[]> contents = List.of(sample(25, 1), sample(7, 2), new byte[0]);
    List<Block> rows = write(store, PATH, 10, contents, new Random(2));
    byte[] sound = store.content(PATH);
    long frameEnd = rows.stream().mapToLong(Block::physicalBytes).sum();
    int inFrames = 0;
    int inFooter = 0;
    for (int position = 0; position < sound.length; position++) {
      for (int bit = 0; bit < 8; bit++) {
        byte[] changed = sound.clone();
        changed[position] ^= (byte) (1 << bit);
        store.replace(PATH, changed);
        if (position < frameEnd) {
          assertThatThrownBy(() -> readAll(rows))
              .as("byte %d bit %d", position, bit)
              .isInstanceOf(CorruptFrameException.class);
          inFrames++;
        } else {
          assertThatThrownBy(() -> ContainerFooter.read(store, PATH))
              .as("byte %d bit %d", position, bit)
              .isInstanceOf(CorruptFooterException.class);
          inFooter++;
        }
      }
    }
    assertThat(inFrames).isEqualTo(8 * (25 + 3 * 4 + 7 + 4));
    assertThat(inFrames + inFooter).isEqualTo(8 * sound.length);
  }

  @Test
  void aCorruptFrameIsNamed() throws IOException {
    List<Block> rows = write(store, PATH, 10, List.of(sample(25, 1)), new Random(2));
    byte[] changed = store.content(PATH);
    changed[20] ^= 1; // in the payload of the second frame, which begins at 14
    store.replace(PATH, changed);
    assertThatThrownBy(() -> new BlockReader(store).read(rows.get(0), 15, new byte[1], 0, 1))
        .isInstanceOfSatisfying(
            CorruptFrameException.class,
            e -> {
              assertThat(e.path()).isEqualTo(PATH);
              assertThat(e.position()).isEqualTo(14);
            })
        .hasMessageMatching(
            "Cannot use the frame at byte 14 of container containers/run-1/p0-a0.msc: its checksum is [0-9a-f]{8}, its bytes give [0-9a-f]{8}; rebuild the block from the others of its meta-shard");
    byte[] others = new byte[10];
    new BlockReader(store).read(rows.get(0), 0, others, 0, 10); // frames not touched do no harm
    assertThat(others).isEqualTo(Arrays.copyOf(sample(25, 1), 10));
  }

  @Test
  void swappedMovedAndForeignFramesFail() throws IOException {
    List<byte[]> contents = List.of(sample(10, 1), sample(10, 2));
    List<Block> rows = write(store, PATH, 10, contents, new Random(2));
    byte[] sound = store.content(PATH);
    byte[] swapped = sound.clone();
    System.arraycopy(sound, 0, swapped, 14, 14);
    System.arraycopy(sound, 14, swapped, 0, 14);
    store.replace(PATH, swapped);
    for (Block row : rows) {
      assertThatThrownBy(() -> readAll(List.of(row))).isInstanceOf(CorruptFrameException.class);
    }
    write(store, "containers/other.msc", 10, contents, new Random(2));
    store.replace(PATH, store.content("containers/other.msc")); // the same frames, another path
    for (Block row : rows) {
      assertThatThrownBy(() -> readAll(List.of(row))).isInstanceOf(CorruptFrameException.class);
    }
    assertThatThrownBy(() -> ContainerFooter.read(store, PATH))
        .isInstanceOf(CorruptFooterException.class)
        .hasMessageStartingWith("Cannot use the block rows in " + PATH + ": the checksum is ")
        .hasMessageEndingWith("it was changed, moved or renamed");
  }

  @Test
  void everyTruncationIsNoticed() throws IOException {
    List<Block> rows = write(store, PATH, 10, List.of(sample(25, 1)), new Random(2));
    byte[] sound = store.content(PATH);
    for (int length = 0; length < sound.length; length++) {
      store.replace(PATH, Arrays.copyOf(sound, length));
      assertThatThrownBy(() -> ContainerFooter.read(store, PATH))
          .as("cut at %d", length)
          .isInstanceOf(CorruptFooterException.class);
      if (length < rows.get(0).physicalBytes()) {
        assertThatThrownBy(() -> readAll(rows))
            .as("cut at %d", length)
            .isInstanceOf(EOFException.class);
      } else {
        readAll(rows);
      }
    }
  }

  @Test
  void neighbouringFramesAreOneReadOfBoundedSize() throws IOException {
    byte[] content = sample(3_000_000, 3);
    Block row = write(store, PATH, 65_536, List.of(content), new Random(3)).get(0);
    byte[] target = new byte[content.length];
    long before = store.reads();
    new BlockReader(store).read(row, 0, target, 0, target.length);
    assertThat(target).isEqualTo(content);
    assertThat(store.reads() - before).isEqualTo(4); // 46 frames, 15 in each MiB
    before = store.reads();
    new BlockReader(store).read(row, 65_535, target, 0, 2);
    assertThat(store.reads() - before).isEqualTo(1);
  }

  @Test
  void missingContainersAreNoSuchFile() throws IOException {
    List<Block> rows = write(store, PATH, 10, List.of(sample(25, 1)), new Random(2));
    store.delete(PATH);
    assertThatThrownBy(() -> readAll(rows)).isInstanceOf(NoSuchFileException.class);
    assertThatThrownBy(() -> ContainerFooter.read(store, PATH))
        .isInstanceOf(NoSuchFileException.class);
  }

  @Test
  void refusesRangesOutsideTheBlockOrTheTarget() throws IOException {
    Block row = write(store, PATH, 10, List.of(sample(25, 1)), new Random(2)).get(0);
    BlockReader reader = new BlockReader(store);
    byte[] target = new byte[30];
    assertThatThrownBy(() -> reader.read(row, 20, target, 0, 6))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> reader.read(row, -1, target, 0, 6))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> reader.read(row, 0, target, 10, 25))
        .isInstanceOf(IndexOutOfBoundsException.class);
  }

  @Test
  void closingWithoutFinishingLeavesNothing() throws IOException {
    try (ContainerWriter writer = new ContainerWriter(store, PATH, 10, Digest.CRC32C)) {
      writer.beginBlock();
      writer.append(sample(25, 1), 0, 25);
      assertThat(writer.position()).isEqualTo(28);
    }
    assertThatThrownBy(() -> store.length(PATH)).isInstanceOf(NoSuchFileException.class);
  }

  @Test
  void refusesToWriteAPathTwice() throws IOException {
    write(store, PATH, 10, List.of(), new Random(2));
    assertThatThrownBy(() -> new ContainerWriter(store, PATH, 10, Digest.CRC32C))
        .isInstanceOf(FileAlreadyExistsException.class);
  }

  @Test
  void refusesCallsOutOfOrder() throws IOException {
    ContainerWriter writer = new ContainerWriter(store, PATH, 10, Digest.CRC32C);
    assertThatThrownBy(() -> writer.append(new byte[1], 0, 1))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("Cannot append to a block in container " + PATH + ": none is open");
    assertThatThrownBy(writer::endBlock)
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("Cannot end a block in container " + PATH + ": none is open");
    writer.beginBlock();
    assertThatThrownBy(writer::beginBlock)
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("Cannot begin a block in container " + PATH + ": one is open");
    assertThatThrownBy(() -> writer.finish(List.of()))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("Cannot finish in container " + PATH + ": a block is open");
    writer.endBlock();
    writer.finish(List.of());
    assertThatThrownBy(writer::beginBlock)
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("Cannot begin a block in container " + PATH + ": it is closed");
  }

  @Test
  void refusesFramesOfSizesThatReadersRefuse() {
    for (int frameBytes : new int[] {0, -1, ContainerWriter.MAX_FRAME_BYTES + 1}) {
      assertThatThrownBy(() -> new ContainerWriter(store, PATH, frameBytes, Digest.CRC32C))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage(
              "Cannot write container %s: frames of %d bytes; they must be 1 to 16777216"
                  .formatted(PATH, frameBytes));
    }
  }

  @Test
  void refusesAFooterThatNamesWhatTheContainerDoesNotHold() throws IOException {
    Block elsewhere = write(store, "other.msc", 10, List.of(sample(9, 1)), new Random(1)).get(0);
    try (ContainerWriter writer = new ContainerWriter(store, PATH, 10, Digest.CRC32C)) {
      assertThatThrownBy(() -> writer.finish(List.of(elsewhere)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage(
              "Cannot finish container %s of 0 bytes: a row is of a block of 9 bytes at 0 of other.msc, which it does not hold"
                  .formatted(PATH));
    }
  }

  @Test
  void refusesAFooterOfAHigherFormat() throws IOException {
    write(store, PATH, 10, List.of(), new Random(1));
    byte[] changed = store.content(PATH);
    changed[changed.length - 9] = 2;
    store.replace(PATH, changed);
    assertThatThrownBy(() -> ContainerFooter.read(store, PATH))
        .isInstanceOf(CorruptFooterException.class)
        .hasMessage(
            "Cannot use the block rows in %s: it is of format 2, this code reads 1; use a newer Metashard"
                .formatted(PATH));
  }

  @Test
  void refusesLengthsThatTheFileCannotHold() throws IOException {
    for (long length : new long[] {13, -1, Long.MIN_VALUE, Long.MAX_VALUE, 1L << 40}) {
      ByteBuffer file = ByteBuffer.allocate(12 + 24);
      file.position(12);
      file.putLong(length).putInt(0).putInt(1).put("METASHRD".getBytes(StandardCharsets.US_ASCII));
      store.replace(PATH, file.array());
      assertThatThrownBy(() -> ContainerFooter.read(store, PATH))
          .isInstanceOf(CorruptFooterException.class)
          .hasMessage(
              "Cannot use the block rows in %s: the trailer says %d bytes of rows in a file of 36 bytes, and at most 268435456 are read"
                  .formatted(PATH, length));
    }
  }

  @Test
  void saysWhatIsTooShortOrForeign() {
    store.replace(PATH, new byte[23]);
    assertThatThrownBy(() -> ContainerFooter.read(store, PATH))
        .isInstanceOf(CorruptFooterException.class)
        .hasMessage(
            "Cannot use the block rows in %s: the file has 23 bytes, its trailer alone has 24; it was cut short or is not ours"
                .formatted(PATH));
    store.replace(PATH, new byte[100]);
    assertThatThrownBy(() -> ContainerFooter.read(store, PATH))
        .isInstanceOf(CorruptFooterException.class)
        .hasMessage(
            "Cannot use the block rows in %s: the file does not end in METASHRD; it was cut short or is not ours"
                .formatted(PATH));
  }

  @Test
  void backupsHoldRowsAndNothingElse() throws IOException {
    List<Block> rows = new ArrayList<>();
    Random random = new Random(4);
    for (int i = 0; i < 50; i++) {
      rows.add(Blocks.random(random));
    }
    String path = "map-backup/00000000000000000007/bucket-00000003.msb";
    BackupFile.write(store, path, rows);
    assertThat(BackupFile.read(store, path)).usingRecursiveComparison().isEqualTo(rows);
    assertThatThrownBy(() -> BackupFile.write(store, path, rows))
        .isInstanceOf(FileAlreadyExistsException.class);
    byte[] sound = store.content(path);
    for (int position = 0; position < sound.length; position++) {
      byte[] changed = sound.clone();
      changed[position] ^= 0x10;
      store.replace(path, changed);
      assertThatThrownBy(() -> BackupFile.read(store, path))
          .as("byte %d", position)
          .isInstanceOf(CorruptFooterException.class);
    }
    write(store, PATH, 10, List.of(sample(9, 1)), new Random(1));
    assertThatThrownBy(() -> BackupFile.read(store, PATH))
        .isInstanceOf(CorruptFooterException.class)
        .hasMessage(
            "Cannot use the block rows in %s: its rows begin at byte 13; a backup has nothing else"
                .formatted(PATH));
  }

  /** Bytes with a trailer that is right but for its content reach the decoder behind it. */
  @FuzzTest
  void anyFileIsReadOrRefused(byte[] bytes) throws IOException {
    readsOrRefuses(bytes);
    ByteBuffer sealed = ByteBuffer.allocate(bytes.length + 24);
    sealed.put(bytes).putLong(bytes.length);
    sealed.putInt(new FrameChecksum(PATH).of(0, bytes, 0, bytes.length));
    sealed.putInt(1).put("METASHRD".getBytes(StandardCharsets.US_ASCII));
    readsOrRefuses(sealed.array());
  }

  private static void readsOrRefuses(byte[] bytes) throws IOException {
    MemoryStore files = new MemoryStore();
    files.replace(PATH, bytes);
    List<Block> rows;
    try {
      rows = ContainerFooter.read(files, PATH);
    } catch (CorruptFooterException e) {
      return; // the one failure that is declared
    }
    BlockReader reader = new BlockReader(files);
    for (Block row : rows.subList(0, Math.min(rows.size(), 10))) {
      assertThat(row.path()).isEqualTo(PATH);
      assertThat(row.physicalBytes()).isLessThanOrEqualTo(bytes.length - row.containerOffset());
      if (row.frameBytes() <= ContainerWriter.MAX_FRAME_BYTES) {
        readsOrRefuses(reader, row);
      }
    }
  }

  private static void readsOrRefuses(BlockReader reader, Block row) throws IOException {
    try {
      reader.read(row, 0, new byte[(int) row.length()], 0, (int) row.length());
    } catch (CorruptFrameException e) {
      assertThat(e.path()).isEqualTo(PATH);
    }
  }

  /** One byte of a container is changed, it is cut, or another's bytes are put into it. */
  @FuzzTest
  void damagedFramesGiveWhatWasWrittenOrAreRefused(FuzzedDataProvider data) throws IOException {
    int frameBytes = data.consumeInt(1, 40);
    long seed = data.consumeLong();
    int cut = data.consumeInt(0, 400);
    int at = data.consumeInt(0, 400);
    byte[] patch = data.consumeRemainingAsBytes();
    MemoryStore files = new MemoryStore();
    Random random = new Random(seed);
    byte[] content = new byte[random.nextInt(300)];
    random.nextBytes(content);
    List<Block> rows = write(files, PATH, frameBytes, List.of(content, content), random);
    byte[] file = files.content(PATH);
    System.arraycopy(
        patch,
        0,
        file,
        Math.min(at, file.length),
        Math.min(patch.length, Math.max(0, file.length - at)));
    files.replace(PATH, cut == 0 ? file : Arrays.copyOf(file, Math.min(cut, file.length)));
    BlockReader reader = new BlockReader(files);
    for (Block row : rows) {
      byte[] target = new byte[content.length];
      try {
        reader.read(row, 0, target, 0, target.length);
      } catch (CorruptFrameException | EOFException e) {
        continue;
      }
      assertThat(target).isEqualTo(content);
    }
  }

  @FuzzTest
  void anyBackupFileIsReadOrRefused(byte[] bytes) throws IOException {
    String path = "map-backup/00000000000000000001/bucket-00000000.msb";
    ByteBuffer sealed = ByteBuffer.allocate(bytes.length + 24);
    sealed.put(bytes).putLong(bytes.length);
    sealed.putInt(new FrameChecksum(path).of(0, bytes, 0, bytes.length));
    sealed.putInt(1).put("METASHRD".getBytes(StandardCharsets.US_ASCII));
    for (byte[] file : List.of(bytes, sealed.array())) {
      MemoryStore files = new MemoryStore();
      files.replace(path, file);
      List<Block> rows;
      try {
        rows = BackupFile.read(files, path);
      } catch (CorruptFooterException e) {
        continue; // the one failure that is declared
      }
      assertThat(rows.size()).isLessThanOrEqualTo(file.length / 136);
      files.delete(path);
      BackupFile.write(files, path, rows);
      assertThat(BackupFile.read(files, path)).usingRecursiveComparison().isEqualTo(rows);
    }
  }

  @FuzzTest
  void aPathThatStoresTakeStaysBelowItsRoot(FuzzedDataProvider data) {
    String path = data.consumeRemainingAsString();
    if (!StorePaths.isSafe(path)) {
      return;
    }
    Path root = Path.of("/root/of/location");
    assertThat(root.resolve(path).normalize()).hasToString(root + "/" + path);
    assertThat(URI.create("s3a://bucket/root/").resolve(path))
        .hasToString("s3a://bucket/root/" + path);
    assertThat(ObjectIds.printable(path, path.length())).isEqualTo(path);
  }

  private void readAll(List<Block> rows) throws IOException {
    BlockReader reader = new BlockReader(store);
    for (Block row : rows) {
      reader.read(row, 0, new byte[(int) row.length()], 0, (int) row.length());
    }
  }

  private static List<Block> write(
      ObjectStore store, String path, int frameBytes, List<byte[]> contents, Random random)
      throws IOException {
    List<Block> rows = new ArrayList<>();
    try (ContainerWriter writer = new ContainerWriter(store, path, frameBytes, Digest.SHA256)) {
      for (byte[] content : contents) {
        writer.beginBlock();
        int from = 0;
        while (from < content.length) {
          int piece = 1 + random.nextInt(content.length - from);
          writer.append(content, from, piece);
          from += piece;
        }
        rows.add(Blocks.of(writer, frameBytes, writer.endBlock()));
      }
      writer.finish(rows);
    }
    return rows;
  }

  private static byte[] sample(int bytes, long seed) {
    byte[] sample = new byte[bytes];
    new Random(seed).nextBytes(sample);
    return sample;
  }
}
