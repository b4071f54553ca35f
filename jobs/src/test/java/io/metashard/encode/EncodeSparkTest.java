package io.metashard.encode;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.metashard.Block;
import io.metashard.Location;
import io.metashard.Shape;
import io.metashard.SharedSpark;
import io.metashard.lake.Lake;
import io.metashard.read.MetaShardReader;
import io.metashard.read.ReadOptions;
import io.metashard.read.UnreadableRangeException;
import io.metashard.shardmap.MapBackup;
import io.metashard.shardmap.MapMovedException;
import io.metashard.shardmap.ShardMap;
import io.metashard.shardmap.ShardMapTable;
import io.metashard.store.BackupFile;
import io.metashard.store.ContainerFooter;
import io.metashard.store.HadoopStore;
import java.io.ByteArrayOutputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** From a plan made by hand to bytes read back, with containers damaged and lost in between. */
class EncodeSparkTest {
  private static final long SEED = 20260101;
  private static final int FRAME = 1000;
  private static final Configuration HADOOP = new Configuration();
  private static final ReadOptions NO_FALLBACK = new ReadOptions(ReadOptions.Fallback.NONE);

  private final SparkSession spark = SharedSpark.session();
  private Path folder;
  private List<Location> locations;
  private Lake lake;
  private byte[][] contents;
  private List<Row> planned;

  @BeforeEach
  void makeSourcesAndPlan() throws IOException {
    folder = SharedSpark.tempFolder("encode");
    locations = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      locations.add(
          new Location(
              "l" + i,
              folder.resolve("l" + i).toUri().toString().replaceAll("/$", ""),
              "domain" + i,
              "standard",
              Long.MAX_VALUE,
              Location.ACTIVE));
    }
    lake = new Lake(spark, folder.resolve("lake").toUri().toString());
    // Three lengths around frames' ends, an empty object, and one that two meta-shards cover.
    int[] lengths = {2500, 3000, 999, 0, 4001};
    Random random = new Random(SEED);
    contents = new byte[lengths.length][];
    planned = new ArrayList<>();
    Files.createDirectories(folder.resolve("objects"));
    for (int i = 0; i < lengths.length; i++) {
      contents[i] = new byte[lengths[i]];
      random.nextBytes(contents[i]);
      Files.write(source(i), contents[i]);
    }
    plan("aa-1", new Shape(Shape.RS, 3, 2), new int[][] {{0, 0, 2500}, {1, 0, 3000}, {2, 0, 999}});
    plan("bb-1", new Shape(Shape.COPY, 1, 2), new int[][] {{3, 0, 0}});
    plan("cc-1", new Shape(Shape.XOR, 2, 1), new int[][] {{4, 0, 2000}, {4, 2000, 2001}});
  }

  private Path source(int object) {
    return folder.resolve("objects").resolve("o" + object);
  }

  private String version(int object) {
    try {
      return Files.size(source(object))
          + "-"
          + Files.getLastModifiedTime(source(object)).toMillis();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private void plan(String metaShard, Shape shape, int[][] data) {
    long blockBytes = Arrays.stream(data).mapToLong(d -> d[2]).max().orElseThrow();
    int first = planned.size();
    for (int i = 0; i < shape.blocks(); i++) {
      boolean parity = i >= shape.k();
      planned.add(
          RowFactory.create(
              0,
              metaShard,
              shape.codec(),
              shape.k(),
              shape.m(),
              i,
              parity ? null : "o" + data[i][0],
              parity ? null : version(data[i][0]),
              parity ? null : source(data[i][0]).toUri().toString(),
              parity ? 0L : (long) contents[data[i][0]].length,
              parity ? -1 : (data[i][1] == 0 ? 0 : 1),
              parity ? 0L : (long) data[i][1],
              parity ? blockBytes : (long) data[i][2],
              blockBytes,
              "l" + (first + i) % 6,
              "g",
              "packed",
              1.0,
              0));
    }
  }

  private Encoding encoding() {
    return new Encoding(
        new EncodeOptions("long", FRAME, 1 << 20, 1 << 20, "all", "on"), locations, HADOOP);
  }

  private Dataset<Row> plannedRows() {
    return spark.createDataFrame(planned, PlannedBlocks.SCHEMA);
  }

  /** Writes the plan's blocks and materialises their rows. */
  private Dataset<Row> write(String run) {
    String staging = folder.resolve("staging-" + run).toUri().toString();
    encoding()
        .write(plannedRows(), 12_500, run, ShardMap.generation(1, run), 1, Instant.EPOCH)
        .write()
        .format("delta")
        .save(staging);
    return spark.read().format("delta").load(staging);
  }

  /** The moment of planning of the run that switched to the sequence after this one. */
  private static Instant diesAt(long sequence) {
    return Instant.parse("2026-01-0%dT00:00:00Z".formatted(1 + sequence));
  }

  private void commit(Dataset<Row> written, long sequence, String run) {
    ShardMap map = new ShardMap(lake);
    map.create();
    map.commit(
        ShardMap.switched(
            map.rows(),
            written,
            written.select("object_id").where("object_id is not null"),
            diesAt(sequence)),
        List.of(0),
        sequence,
        run,
        "attempt-1");
    StructType schema =
        new StructType()
            .add("name", DataTypes.StringType)
            .add("uri", DataTypes.StringType)
            .add("since", DataTypes.TimestampType);
    spark
        .createDataFrame(
            locations.stream()
                .map(l -> RowFactory.create(l.name(), l.uri(), Timestamp.from(Instant.EPOCH)))
                .toList(),
            schema)
        .write()
        .format("delta")
        .mode("overwrite")
        .save(lake.root() + "/locations");
  }

  private byte[] read(int object, long from, long to) throws IOException {
    try (MetaShardReader reader = MetaShardReader.open(lake.root(), NO_FALLBACK, HADOOP)) {
      return read(reader, object, from, to);
    }
  }

  private static byte[] read(MetaShardReader reader, int object, long from, long to)
      throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    reader.copy("o" + object, from, to, out);
    return out.toByteArray();
  }

  private void lose(int... lost) throws IOException {
    for (int location : lost) {
      Files.move(folder.resolve("l" + location), folder.resolve("gone-l" + location));
    }
  }

  private void bringBack(int... lost) throws IOException {
    for (int location : lost) {
      Files.move(folder.resolve("gone-l" + location), folder.resolve("l" + location));
    }
  }

  @Test
  void whatIsWrittenReadsBackWithEveryLossThatTheShapesAllow() throws IOException {
    Dataset<Row> written = write("r1");
    assertThat(written.count()).isEqualTo(5 + 3 + 3);
    assertThat(encoding().check(written, 2).count()).isZero();
    assertThat(encoding().checkSources(plannedRows()).count()).isZero();
    commit(written, 0, "r1");
    int reads = 0;
    for (int a = -1; a < 6; a++) {
      if (a >= 0) {
        lose(a);
      }
      // A reader of its own for each loss: open files would still be readable.
      try (MetaShardReader reader = MetaShardReader.open(lake.root(), NO_FALLBACK, HADOOP)) {
        reader.lookup().objects(0);
        for (int object = 0; object < contents.length; object++) {
          assertThat(read(reader, object, 0, contents[object].length))
              .as("object %d without location %d", object, a)
              .isEqualTo(contents[object]);
          int from = contents[object].length / 3;
          int to = contents[object].length / 2;
          assertThat(read(reader, object, from, to))
              .isEqualTo(Arrays.copyOfRange(contents[object], from, to));
          reads++;
        }
      }
      if (a >= 0) {
        bringBack(a);
      }
    }
    assertThat(reads).isEqualTo(7 * 5);
  }

  @Test
  void aRangePastWhatIsLeftIsAnErrorThatNamesAll() throws IOException {
    commit(write("r2"), 0, "r2");
    // o0 to o2 are the data blocks of a 3+2 at l0 to l4.
    lose(0, 1, 2);
    assertThatThrownBy(() -> read(0, 10, 20))
        .isInstanceOf(UnreadableRangeException.class)
        .hasMessageContaining("bytes 10 to 20 of object o0")
        .hasMessageContaining("block 0 of aa-1 at location l0")
        .hasMessageContaining("2 of its 5 blocks can be read, 3 are needed");
    bringBack(0, 1, 2);
  }

  @Test
  void everyFlippedByteOfAContainerIsFoundAndReadsAreStillRight() throws IOException {
    Dataset<Row> written = write("r3");
    commit(written, 0, "r3");
    Row block = written.where("meta_shard_id = 'aa-1' and block_index = 0").first();
    Path container =
        folder.resolve(block.<String>getAs("location")).resolve(block.<String>getAs("path"));
    long offset = block.getAs("container_offset");
    for (long at : new long[] {offset, offset + 3, offset + 4, offset + 1003, offset + 1004}) {
      flip(container, at);
      List<Row> findings = encoding().check(written, 2).collectAsList();
      assertThat(findings).hasSize(1);
      assertThat(findings.get(0).<String>getAs(Findings.PROBLEM)).isEqualTo(Findings.CORRUPT);
      assertThat(findings.get(0).<Integer>getAs(Findings.SPARE_BLOCKS)).isEqualTo(1);
      assertThat(read(0, 0, 2500)).isEqualTo(contents[0]);
      flip(container, at);
    }
    assertThat(encoding().check(written, 2).count()).isZero();
  }

  private static void flip(Path file, long at) throws IOException {
    try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
      open.seek(at);
      int value = open.read();
      open.seek(at);
      open.write(value ^ 0x40);
    }
  }

  @Test
  void parityOfOtherBytesIsFoundByDecoding() throws IOException {
    Dataset<Row> written = write("r4");
    // A map that takes the parity of one meta-shard for that of other data: frames are all right.
    Dataset<Row> wrong =
        written
            .where("meta_shard_id = 'aa-1'")
            .withColumn(
                "block_index",
                org.apache.spark.sql.functions.expr(
                    "case block_index when 3 then 4 when 4 then 3 else block_index end"));
    List<Row> findings = encoding().check(wrong, 1).collectAsList();
    assertThat(findings)
        .extracting(row -> row.<String>getAs(Findings.PROBLEM))
        .containsOnly(Findings.DECODE_MISMATCH);
  }

  @Test
  void aSourceThatChangedIsNotEncoded() throws IOException {
    Files.write(source(1), new byte[] {1, 2, 3});
    assertThat(encoding().checkSources(plannedRows()).collectAsList())
        .hasSize(1)
        .first()
        .extracting(row -> row.<String>getAs(Findings.OBJECT_ID))
        .isEqualTo("o1");
    assertThatThrownBy(() -> write("r5"))
        .hasStackTraceContaining("Cannot read object o1: its source is at version 3-");
  }

  @Test
  void footersSayWhatTheMapSays() throws IOException {
    Dataset<Row> written = write("r6");
    List<Block> rows = written.collectAsList().stream().map(ShardMapTable::block).toList();
    int found = 0;
    for (String path : rows.stream().map(Block::path).distinct().toList()) {
      Block any = rows.stream().filter(b -> b.path().equals(path)).findFirst().orElseThrow();
      try (HadoopStore store =
          new HadoopStore(folder.resolve(any.location()).toUri().toString(), HADOOP)) {
        for (Block block : ContainerFooter.read(store, path)) {
          Block row =
              rows.stream()
                  .filter(
                      b ->
                          b.metaShardId().equals(block.metaShardId())
                              && b.blockIndex() == block.blockIndex())
                  .findFirst()
                  .orElseThrow();
          assertThat(ShardMapTable.row(block)).isEqualTo(ShardMapTable.row(row));
          assertThat(block.sha256()).hasSize(32);
          found++;
        }
      }
    }
    assertThat(found).isEqualTo(11);
  }

  @Test
  void aSecondWriterOfTheSameSequenceIsTold() throws IOException {
    Dataset<Row> written = write("r7");
    commit(written, 0, "r7");
    long version = new ShardMap(lake).version().orElseThrow();
    assertThatThrownBy(() -> commit(written, 0, "other"))
        .isInstanceOf(MapMovedException.class)
        .hasMessageContaining("moved on to sequence 1 since it was planned from at 0");
    assertThat(new ShardMap(lake).version()).hasValue(version);
    assertThat(new ShardMap(lake).lastSwitchWasBy("r7")).isTrue();
    assertThat(new ShardMap(lake).lastSwitchWasBy("other")).isFalse();
  }

  @Test
  void replacedObjectsAreDeadOrGoneAndTheOthersStay() throws IOException {
    commit(write("r8"), 0, "r8");
    // o0 and o4 are written anew: o0's old block stays dead beside o1 and o2, o4's are gone.
    planned.clear();
    plan("dd-2", new Shape(Shape.COPY, 1, 1), new int[][] {{0, 0, 2500}});
    plan("ee-2", new Shape(Shape.RS, 2, 2), new int[][] {{4, 0, 2000}, {4, 2000, 2001}});
    Dataset<Row> again = write("r9");
    commit(again, 1, "r9");
    Dataset<Row> map = new ShardMap(lake).rows();
    assertThat(map.where("meta_shard_id = 'cc-1'").count()).isZero();
    assertThat(map.where("meta_shard_id = 'aa-1'").count()).isEqualTo(5);
    assertThat(map.where("meta_shard_id = 'aa-1' and object_id = 'o0' and not live").count())
        .isEqualTo(1);
    for (int object = 0; object < contents.length; object++) {
      assertThat(read(object, 0, contents[object].length)).isEqualTo(contents[object]);
    }
  }

  @Test
  void aMapFromBeforeItSaidSinceWhenBlocksAreDeadSaysItFromItsNextSwitchOn() {
    ShardMap map = new ShardMap(lake);
    write("r13")
        .drop("dead_since")
        .write()
        .format("delta")
        .partitionBy("bucket")
        .save(lake.path(map.table()));
    Dataset<Row> deleted = map.rows().where("object_id = 'o1'").select("object_id");
    map.commit(
        ShardMap.switched(map.rows(), map.rows().limit(0), deleted, diesAt(0)),
        List.of(0),
        0,
        "r14",
        "attempt-1");
    assertThat(map.rows().where("dead_since is not null").collectAsList())
        .extracting(
            row -> row.getAs("object_id") + " " + row.<Timestamp>getAs("dead_since").toInstant())
        .containsExactly("o1 " + diesAt(0));
  }

  @Test
  void aChangedAndADeletedObjectOfAMetaShardLeaveTheOtherRightAndAreServedNoMore()
      throws IOException {
    commit(write("r10"), 0, "r10");
    contents[0] = new byte[1700];
    new Random(SEED + 1).nextBytes(contents[0]);
    Files.write(source(0), contents[0]);
    planned.clear();
    plan("dd-2", new Shape(Shape.COPY, 1, 1), new int[][] {{0, 0, 1700}});
    commit(write("r11"), 1, "r11");
    ShardMap map = new ShardMap(lake);
    Dataset<Row> deleted = map.rows().where("object_id = 'o1'").select("object_id");
    map.commit(
        ShardMap.switched(map.rows(), map.rows().limit(0), deleted, diesAt(2)),
        List.of(0),
        2,
        "r12",
        "attempt-1");
    Dataset<Row> shared = new ShardMap(lake).rows().where("meta_shard_id = 'aa-1'");
    assertThat(shared.count()).isEqualTo(5); // dead blocks are there to rebuild the other from
    assertThat(shared.where("object_id in ('o0', 'o1') and live").count()).isZero();
    // Each since the switch that it died by: the later one left the earlier one's as it was.
    assertThat(
            shared
                .where("object_id is not null")
                .select("object_id", "dead_since")
                .orderBy("object_id")
                .collectAsList())
        .extracting(
            row ->
                row.getString(0) + " " + (row.isNullAt(1) ? "" : row.getTimestamp(1).toInstant()))
        .containsExactly("o0 " + diesAt(1), "o1 " + diesAt(2), "o2 ");
    assertThat(shared.where("object_id is null and dead_since is not null").count()).isZero();
    assertThat(read(0, 0, 1700)).isEqualTo(contents[0]);
    assertThatThrownBy(() -> read(1, 0, 3000)).isInstanceOf(FileNotFoundException.class);
    for (int other = 0; other < 5; other++) {
      if (other != 2) {
        lose(2, other);
        assertThat(read(2, 0, 999)).as("without l2 and l%d", other).isEqualTo(contents[2]);
        bringBack(2, other);
      }
    }
  }

  @Test
  void theMapIsBackedUpRowForRow() throws IOException {
    commit(write("r10"), 0, "r10");
    Dataset<Row> map = new ShardMap(lake).rows();
    MapBackup backup = new MapBackup(locations, 3, HADOOP);
    backup.write(map, 1, List.of(0));
    backup.write(map, 1, List.of(0)); // a retry is harmless
    assertThat(backup.newest()).isEqualTo(1);
    List<Row> expected =
        map.collectAsList().stream().map(ShardMapTable::block).map(ShardMapTable::row).toList();
    int copies = 0;
    for (Location location : locations) {
      Path file =
          folder
              .resolve(location.name())
              .resolve("map-backup/00000000000000000001/bucket-00000000.msb");
      if (Files.exists(file)) {
        try (HadoopStore store = new HadoopStore(location.uri(), HADOOP)) {
          List<Block> rows =
              BackupFile.read(store, "map-backup/00000000000000000001/bucket-00000000.msb");
          assertThat(rows.stream().map(ShardMapTable::row).toList())
              .containsExactlyInAnyOrderElementsOf(expected);
        }
        copies++;
      }
    }
    assertThat(copies).isEqualTo(3);
  }

  @Test
  void aKilledAttemptLeavesOnlyFilesThatNobodyNames() throws IOException {
    Dataset<Row> first = write("r11");
    Dataset<Row> second = write("r12");
    assertThat(first.select("path").distinct().intersect(second.select("path").distinct()).count())
        .isZero();
    try (Stream<Path> files = Files.walk(folder.resolve("l0"))) {
      assertThat(files.filter(Files::isRegularFile).map(Path::toString))
          .allMatch(name -> name.endsWith(".msc"));
    }
  }
}
