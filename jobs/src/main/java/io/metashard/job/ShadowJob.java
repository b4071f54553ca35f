package io.metashard.job;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;

import io.metashard.Block;
import io.metashard.encode.EncodeOptions;
import io.metashard.shardmap.MapMovedException;
import io.metashard.shardmap.ShardMap;
import io.metashard.shardmap.ShardMapTable;
import java.sql.Timestamp;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;

/**
 * Carries out a plan on the shadow map only: commits what the map would be had the blocks been
 * written, for the next shadow night to plan from.
 *
 * <p>Sources are not read and locations not touched. The objects' states stay what the shard map
 * makes them, so that a night which moves bytes begins where readers are.
 */
final class ShadowJob {
  static final String STAGE = "shadow";

  /** Columns that are the plan's own, under the same names. */
  private static final Set<String> PLANNED =
      Set.of(
          ShardMapTable.BUCKET,
          ShardMapTable.BUCKETS,
          ShardMapTable.OBJECT_ID,
          ShardMapTable.OBJECT_VERSION,
          ShardMapTable.OBJECT_BYTES,
          ShardMapTable.SEGMENT,
          ShardMapTable.OBJECT_OFFSET,
          ShardMapTable.LENGTH,
          ShardMapTable.META_SHARD_ID,
          ShardMapTable.K,
          ShardMapTable.M,
          ShardMapTable.CODEC,
          ShardMapTable.BLOCK_INDEX,
          ShardMapTable.BLOCK_BYTES,
          ShardMapTable.LOCATION,
          ShardMapTable.EXPECTED_REQUESTS,
          ShardMapTable.HEAT_CLASS);

  private final JobContext context;
  private final ShardMap map;

  ShadowJob(JobContext context) {
    this.context = context;
    this.map = ShardMap.shadow(context.lake());
  }

  /**
   * Executes the plan of this run in shadow.
   *
   * @throws MapMovedException if the shadow map is not the one that was planned from
   */
  StageReport run() {
    Dataset<Row> planned =
        context.lake().read(Plans.TABLE).where(col(Plans.RUN_ID).equalTo(context.runId()));
    Plans.Totals totals = Plans.Totals.of(planned);
    long blocks = totals.blocks();
    Dataset<Row> drops = PlannedDrops.stillMissing(context, context.runId());
    long dropped = drops.count();
    if (map.lastSwitchWasBy(context.runId())) {
      return unchanged("this run has switched the shadow map already; a retry commits once");
    }
    if (blocks == 0 && dropped == 0) {
      return unchanged("the plan would move nothing");
    }
    Dataset<Row> basis = blocks > 0 ? planned : drops;
    Plans.requireFor(map.table(), basis, context.runId());
    long sequence = basis.select(Plans.MAP_SEQUENCE).first().getLong(0);
    if (map.sequence() != sequence) {
      throw new MapMovedException(
          "Cannot execute plan %s in shadow: it was made from sequence %d, the shadow map is at %d; plan again"
              .formatted(context.runId(), sequence, map.sequence()));
    }
    map.create();
    Dataset<Row> would =
        wouldBeWritten(context, planned, sequence + 1, Clock.systemUTC().instant());
    List<Integer> changed = ShardMap.bucketsOf(would, drops);
    Dataset<Row> replaced = replaced(would, drops);
    map.commit(
        ShardMap.switched(
            map.rows().where(col(ShardMapTable.BUCKET).isInCollection(changed)),
            would,
            replaced,
            context.at()),
        changed,
        sequence,
        context.runId(),
        context.attempt());
    MapStatistics statistics = MapStatistics.of(map.rows());
    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("objects_encoded", totals.objects());
    figures.put("objects_dropped", dropped);
    figures.put("meta_shards", totals.metaShards());
    figures.put("blocks", blocks);
    figures.put("source_bytes", totals.sourceBytes());
    figures.put("written_bytes", totals.writtenBytes());
    figures.put("map_sequence", sequence + 1);
    figures.put("objects_in_map", statistics.objects());
    figures.put("stored_bytes_per_byte", statistics.storageRatio());
    figures.put("survives_domains", statistics.survives());
    return new StageReport(
        STAGE,
        StageReport.DONE,
        "nothing was moved: what would be is in the table " + map.table().name(),
        ReshardJob.FINISHED,
        blocks,
        statistics.blocks(),
        0,
        0,
        figures);
  }

  private static StageReport unchanged(String reason) {
    return new StageReport(
        STAGE, StageReport.UNCHANGED, reason, ReshardJob.FINISHED, 0, 0, 0, 0, Map.of());
  }

  /**
   * The map that carrying a plan out will make, without what only writing can tell.
   *
   * @param map all its rows, as {@link ShardMapTable#SCHEMA}
   * @param planned as {@link Plans#SCHEMA}, made from that map
   * @param drops of the same plan, as {@link PlannedDrops#SCHEMA}
   */
  static Dataset<Row> mapAfter(
      JobContext context,
      Dataset<Row> map,
      Dataset<Row> planned,
      Dataset<Row> drops,
      long sequence) {
    Dataset<Row> written = wouldBeWritten(context, planned, sequence + 1, Instant.EPOCH);
    return ShardMap.switched(map, written, replaced(written, drops), context.at());
  }

  /** Ids of the objects whose former rows are no longer served, some more than once. */
  static Dataset<Row> replaced(Dataset<Row> written, Dataset<Row> drops) {
    return written
        .where(col(ShardMapTable.OBJECT_ID).isNotNull())
        .select(ShardMapTable.OBJECT_ID)
        .union(drops.select(PlannedDrops.OBJECT_ID));
  }

  /** The map's rows of planned blocks: all that is known without writing them. */
  static Dataset<Row> wouldBeWritten(
      JobContext context, Dataset<Row> planned, long sequence, Instant now) {
    int frameBytes = EncodeOptions.from(context.settings()).frameBytes();
    Dataset<Row> rows = planned;
    for (StructField field : ShardMapTable.SCHEMA.fields()) {
      if (!PLANNED.contains(field.name())) {
        rows =
            rows.withColumn(
                field.name(),
                switch (field.name()) {
                  case ShardMapTable.FORMAT -> lit(Block.FORMAT);
                  case ShardMapTable.LIVE -> lit(true);
                  case ShardMapTable.PATH -> lit("");
                  case ShardMapTable.CONTAINER_OFFSET, ShardMapTable.CRC32C -> lit(0L);
                  case ShardMapTable.FRAME_BYTES -> lit(frameBytes);
                  case ShardMapTable.SHA256 -> lit(null).cast(DataTypes.BinaryType);
                  case ShardMapTable.DEAD_SINCE -> lit(null).cast(DataTypes.TimestampType);
                  case ShardMapTable.ENCRYPTION -> lit("none");
                  case ShardMapTable.GENERATION ->
                      lit(ShardMap.generation(sequence, context.runId()));
                  case ShardMapTable.WRITTEN_AT ->
                      lit(Timestamp.from(now.truncatedTo(ChronoUnit.MICROS)));
                  default ->
                      throw new IllegalStateException(
                          "Cannot tell what a block that was not written has as " + field.name());
                });
      }
    }
    return rows.select(
        Arrays.stream(ShardMapTable.SCHEMA.fieldNames())
            .map(name -> col(name))
            .toArray(Column[]::new));
  }
}
