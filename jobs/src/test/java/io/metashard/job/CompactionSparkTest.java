package io.metashard.job;

import static org.assertj.core.api.Assertions.assertThat;

import io.metashard.SharedSpark;
import io.metashard.shardmap.ShardMapTable;
import io.metashard.upkeep.StoredFiles;
import java.util.List;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.Test;

class CompactionSparkTest {
  private static final StructType FILES =
      new StructType()
          .add(StoredFiles.PLACE, DataTypes.StringType)
          .add(StoredFiles.PATH, DataTypes.StringType)
          .add(StoredFiles.BYTES, DataTypes.LongType)
          .add(StoredFiles.KIND, DataTypes.StringType);

  private static final StructType MAP =
      new StructType()
          .add(ShardMapTable.LOCATION, DataTypes.StringType)
          .add(ShardMapTable.PATH, DataTypes.StringType)
          .add(ShardMapTable.OBJECT_ID, DataTypes.StringType)
          .add(ShardMapTable.LENGTH, DataTypes.LongType)
          .add(ShardMapTable.FRAME_BYTES, DataTypes.IntegerType);

  /** A third, two thirds and all of a container are in the map; of another, nothing. */
  private static final Dataset<Row> STORED =
      SharedSpark.session()
          .createDataFrame(
              List.of(
                  file("l0", "third", 3_000_000, StoredFiles.CONTAINER),
                  file("l0", "most", 1_500_000, StoredFiles.CONTAINER),
                  file("l1", "third", 1_000_000, StoredFiles.CONTAINER),
                  file("l1", "tiny", 1_000, StoredFiles.CONTAINER),
                  file("l1", "none", 5_000_000, StoredFiles.CONTAINER),
                  file("l1", "backup", 5_000_000, StoredFiles.BACKUP)),
              FILES);

  private static final Dataset<Row> ROWS =
      SharedSpark.session()
          .createDataFrame(
              List.of(
                  block("l0", "third", "a", 500_000),
                  block("l0", "third", null, 500_000),
                  block("l0", "most", "a", 1_000_000),
                  block("l1", "third", "b", 1_000_000),
                  // Less than what its footer says of it.
                  block("l1", "tiny", "c", 10),
                  block("l1", "backup", "c", 10),
                  block("l2", "third", "not listed", 10)),
              MAP);

  private static Row file(String place, String path, long bytes, String kind) {
    return RowFactory.create(place, path, bytes, kind);
  }

  private static Row block(String location, String path, String object, long bytes) {
    return RowFactory.create(location, path, object, bytes, 65_536);
  }

  private static List<String> sparse(double below, long maxBytes) {
    return Compaction.sparse(ROWS, STORED, below, maxBytes).collectAsList().stream()
        .map(row -> row.getString(0) + "/" + row.getString(1))
        .toList();
  }

  @Test
  void containersAreSparseByTheirShareInTheMapTheMostSparseFirst() {
    assertThat(sparse(0.5, Long.MAX_VALUE)).containsExactly("l0/third");
    assertThat(sparse(0.7, Long.MAX_VALUE)).containsExactly("l0/third", "l0/most");
    assertThat(sparse(0.3, Long.MAX_VALUE)).isEmpty();
    assertThat(sparse(0.9, Long.MAX_VALUE)).containsExactly("l0/third", "l0/most");
  }

  @Test
  void noMoreIsWrittenAnewThanIsAsked() {
    assertThat(sparse(0.9, 1_999_999)).containsExactly("l0/third");
    assertThat(sparse(0.9, 999_999)).isEmpty();
    Compaction.Totals totals =
        Compaction.Totals.of(Compaction.sparse(ROWS, STORED, 0.9, Long.MAX_VALUE));
    assertThat(totals.containers()).isEqualTo(2);
    assertThat(totals.bytes()).isEqualTo(4_500_000);
    // With frame checksums, and room for footers.
    assertThat(totals.liveBytes()).isBetween(2_000_000L, 2_010_000L);
    assertThat(Compaction.Totals.of(Compaction.sparse(ROWS, STORED, 0.1, 1)))
        .isEqualTo(new Compaction.Totals(0, 0, 0));
  }
}
