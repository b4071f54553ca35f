package io.metashard.job;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.udf;
import static org.apache.spark.sql.functions.when;

import io.metashard.ObjectIds;
import io.metashard.plan.PlannedBlock;
import io.metashard.simulate.Baselines;
import io.metashard.simulate.LayoutRule;
import io.metashard.simulate.PlacedBlock;
import java.io.IOException;
import java.util.Iterator;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * What a simulated night is made of, for another simulator to check: objects, locations, reads and
 * the blocks of every layout, each a folder of CSV that Spark writes, whatever its size.
 *
 * <p>What a layout does not hold is read from where the layout {@code source} has it, which is
 * written, too.
 *
 * @param folder where to
 */
record SimulationDump(String folder) {
  /** Of the blocks of a layout. */
  static final StructType BLOCKS =
      new StructType()
          .add("object_id", DataTypes.StringType, true)
          .add("object_offset", DataTypes.LongType, false)
          .add("length", DataTypes.LongType, false)
          .add("meta_shard_id", DataTypes.StringType, false)
          .add("bundle", DataTypes.StringType, false)
          .add("k", DataTypes.IntegerType, false)
          .add("block_index", DataTypes.IntegerType, false)
          .add("location", DataTypes.IntegerType, false);

  private static final StructType LOCATIONS =
      new StructType()
          .add("location", DataTypes.IntegerType, false)
          .add("name", DataTypes.StringType, false)
          .add("speed", DataTypes.DoubleType, false);

  /**
   * To a folder that is not there yet.
   *
   * @throws MetashardException if it is
   */
  static SimulationDump to(String folder, Configuration hadoop) throws IOException {
    Path path = new Path(JobContext.qualified(folder, hadoop));
    if (path.getFileSystem(hadoop).exists(path)) {
      throw new MetashardException(
          MetashardException.USAGE,
          "Cannot use --dump %s: it must be a folder that does not exist yet"
              .formatted(ObjectIds.printable(folder)));
    }
    return new SimulationDump(path.toString());
  }

  /**
   * All that is the same for every layout and model.
   *
   * @param heats as {@link SimulatedReads#throughRule} takes them
   * @param names of the locations, by number
   */
  void night(Dataset<Row> heats, SimulatedReads reads, List<String> names, LayoutRule source) {
    write(
        heats.select(col(SimulatedReads.OBJECT_ID), col(SimulatedReads.BYTES).as("object_bytes")),
        "objects");
    List<Row> locations =
        IntStream.range(0, names.size())
            .mapToObj(i -> RowFactory.create(i, names.get(i), reads.speeds().get(i)))
            .toList();
    write(heats.sparkSession().createDataFrame(locations, LOCATIONS), "locations");
    write(
        reads
            .rows()
            .select(
                col(SimulatedReads.AT),
                col(SimulatedReads.OBJECT_ID),
                col(SimulatedReads.FROM).as("range_start"),
                col(SimulatedReads.TO).as("range_end"))
            .orderBy("at_millis", "object_id", "range_start", "range_end"),
        "reads");
    rule(heats, reads, source, SimulatedLayouts.SOURCE);
  }

  /**
   * @param blocks as {@link SimulatedReads#BLOCKS}
   */
  void blocks(Dataset<Row> blocks, String model, String layout) {
    Column bundle =
        udf((UDF1<String, String>) PlannedBlock::bundle, DataTypes.StringType)
            .apply(col("meta_shard_id"));
    write(
        blocks
            .withColumn("object_id", when(col(SimulatedReads.LIVE), col(SimulatedReads.OBJECT_ID)))
            .withColumn("bundle", bundle)
            .withColumnRenamed(SimulatedReads.SITE, "location")
            .select(columns()),
        model + "-" + layout);
  }

  void rule(
      Dataset<Row> heats, SimulatedReads reads, LayoutRule rule, String model, String layout) {
    rule(heats, reads, rule, model + "-" + layout);
  }

  private void rule(Dataset<Row> heats, SimulatedReads reads, LayoutRule rule, String name) {
    write(
        heats.flatMap(new OfRule(rule, reads.locations(), reads.seed()), Encoders.row(BLOCKS)),
        name);
  }

  private record OfRule(LayoutRule rule, int locations, long seed)
      implements FlatMapFunction<Row, Row> {
    @Override
    public Iterator<Row> call(Row object) {
      return Baselines.blocks(SimulatedReads.object(object), rule, locations, seed).stream()
          .map(OfRule::row)
          .iterator();
    }

    private static Row row(PlacedBlock block) {
      return RowFactory.create(
          block.objectId(),
          block.objectOffset(),
          block.length(),
          block.metaShardId(),
          block.bundle(),
          block.k(),
          block.blockIndex(),
          block.location());
    }
  }

  private static Column[] columns() {
    return java.util.Arrays.stream(BLOCKS.fieldNames())
        .map(name -> col(name))
        .toArray(Column[]::new);
  }

  private void write(Dataset<Row> rows, String name) {
    // Ids may hold anything; a quote is doubled, as RFC 4180 has it.
    rows.write().option("header", true).option("escape", "\"").csv(folder + "/" + name);
  }
}
