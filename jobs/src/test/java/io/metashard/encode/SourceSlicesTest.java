package io.metashard.encode;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.metashard.ObjectVersions;
import io.metashard.plan.PlannedBlock;
import io.metashard.store.SourceFiles;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SourceSlicesTest {
  private static final int BYTES = 1000;

  @TempDir private Path folder;
  private Path spool;
  private final byte[] content = new byte[BYTES];

  @BeforeEach
  void writeSource() throws IOException {
    spool = Files.createDirectory(folder.resolve("spool"));
    new Random(1).nextBytes(content);
    Files.write(folder.resolve("source"), content);
  }

  /** A map that has the content at the version {@code 1}. */
  private final class ContentInMap implements MapSource.Reader {
    private int copies;

    @Override
    public void copy(
        int bucket, String objectId, String objectVersion, long from, long to, OutputStream out)
        throws IOException {
      assertThat(List.of(Integer.toString(bucket), objectId, objectVersion))
          .containsExactly("0", "id", "1");
      out.write(content, (int) from, (int) (to - from));
      copies++;
    }

    @Override
    public void close() {}
  }

  private final ContentInMap map = new ContentInMap();

  private static PlannedBlock withoutSource(int index, long offset, long length) {
    return new PlannedBlock(
        0, "m", "rs", 1, 0, index, "id", "1", null, BYTES, index, offset, length, length, "a", "g",
        "striped", 1, 0);
  }

  private PlannedBlock block(int index, long offset, long length) throws IOException {
    Path source = folder.resolve("source");
    return new PlannedBlock(
        0,
        "m",
        "rs",
        1,
        0,
        index,
        "id",
        ObjectVersions.of(null, BYTES, Files.getLastModifiedTime(source).toMillis()),
        source.toUri().toString(),
        BYTES,
        index,
        offset,
        length,
        length,
        "a",
        "g",
        "striped",
        1,
        0);
  }

  private SourceSlices slices(List<PlannedBlock> blocks) {
    return new SourceSlices(List.of(blocks), new Configuration(), map, spool);
  }

  private long spooled() throws IOException {
    try (Stream<Path> files = Files.list(spool)) {
      return files.count();
    }
  }

  @Test
  void blocksReadSideBySideAreTheirRangesOfTheSource() throws IOException {
    List<PlannedBlock> blocks =
        new ArrayList<>(List.of(block(0, 0, 300), block(1, 300, 300), block(2, 600, 400)));
    // A segment that is drawn twice, and neighbours in any order.
    blocks.add(block(3, 300, 300));
    Collections.shuffle(blocks, new Random(2));
    try (SourceSlices slices = slices(blocks)) {
      List<InputStream> streams = new ArrayList<>();
      for (PlannedBlock block : blocks) {
        streams.add(slices.open(block));
      }
      assertThat(spooled()).as("files of one request").isEqualTo(1);
      byte[][] read = new byte[blocks.size()][0];
      for (int cell = 0; cell < BYTES; cell += 70) {
        for (int i = 0; i < read.length; i++) {
          byte[] more = streams.get(i).readNBytes(70);
          int before = read[i].length;
          read[i] = Arrays.copyOf(read[i], before + more.length);
          System.arraycopy(more, 0, read[i], before, more.length);
        }
      }
      for (int i = 0; i < read.length; i++) {
        PlannedBlock block = blocks.get(i);
        int from = (int) block.objectOffset();
        assertThat(read[i])
            .isEqualTo(Arrays.copyOfRange(content, from, from + (int) block.length()));
        assertThat(streams.get(i).read()).isEqualTo(-1);
        streams.get(i).close();
        streams.get(i).close();
      }
      assertThat(spooled()).as("files after the last block").isZero();
    }
  }

  @Test
  void aBlockAloneIsReadAsItComes() throws IOException {
    PlannedBlock first = block(0, 0, 100);
    PlannedBlock apart = block(1, 500, 100);
    try (SourceSlices slices = slices(List.of(first, apart));
        InputStream in = slices.open(apart)) {
      assertThat(spooled()).isZero();
      assertThat(in.readNBytes(100)).isEqualTo(Arrays.copyOfRange(content, 500, 600));
    }
  }

  @Test
  void whatHasNoSourceIsReadFromTheMapOnceForAllNeighbours() throws IOException {
    List<PlannedBlock> blocks =
        List.of(withoutSource(0, 0, 300), withoutSource(1, 300, 300), withoutSource(2, 900, 100));
    try (SourceSlices slices = slices(blocks)) {
      for (PlannedBlock block : blocks) {
        int from = (int) block.objectOffset();
        try (InputStream in = slices.open(block)) {
          assertThat(in.readAllBytes())
              .isEqualTo(Arrays.copyOfRange(content, from, from + (int) block.length()));
        }
      }
      assertThat(map.copies).isEqualTo(2);
      assertThat(spooled()).isZero();
    }
  }

  @Test
  void whatIsNotReadToItsEndLeavesNoFile() throws IOException {
    PlannedBlock first = block(0, 0, 100);
    PlannedBlock second = block(1, 100, 100);
    try (SourceSlices slices = slices(List.of(first, second))) {
      slices.open(first).close();
      assertThat(spooled()).isEqualTo(1);
    }
    assertThat(spooled()).isZero();
  }

  @Test
  void aSourceThatChangedOrShrankIsToldAndLeavesNoFile() throws IOException {
    List<PlannedBlock> beyond = List.of(block(0, 0, 600), block(1, 600, 600));
    try (SourceSlices slices = slices(beyond)) {
      assertThatThrownBy(() -> slices.open(beyond.get(0)))
          .isInstanceOf(SourceFiles.SourceChangedException.class)
          .hasMessageContaining("ended early");
    }
    List<PlannedBlock> blocks = List.of(block(0, 0, 300), block(1, 300, 300));
    Files.write(folder.resolve("source"), new byte[10]);
    try (SourceSlices slices = slices(blocks)) {
      assertThatThrownBy(() -> slices.open(blocks.get(0)))
          .isInstanceOf(SourceFiles.SourceChangedException.class)
          .hasMessageContaining("run catalogue and plan again");
    }
    assertThat(spooled()).isZero();
  }

  @Test
  void aBlockThatWasNotAnnouncedIsRefused() throws IOException {
    PlannedBlock other = block(0, 1, 2);
    try (SourceSlices slices = slices(List.of(block(0, 0, 100)))) {
      assertThatThrownBy(() -> slices.open(other)).isInstanceOf(IllegalStateException.class);
    }
  }

  @Test
  void windowsHoldWholeMetaShardsUpToTheirBytes() throws IOException {
    List<List<PlannedBlock>> metaShards = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      metaShards.add(List.of(block(0, 0, 100)));
    }
    List<Integer> sizes = new ArrayList<>();
    new Windows(metaShards.iterator(), 250).forEachRemaining(window -> sizes.add(window.size()));
    assertThat(sizes).containsExactly(3, 3, 3, 1);
  }
}
