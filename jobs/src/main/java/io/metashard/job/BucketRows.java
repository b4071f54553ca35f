package io.metashard.job;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.collect_list;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.not;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.when;

import io.metashard.Buckets;
import io.metashard.Segmentation;
import io.metashard.catalogue.Objects;
import io.metashard.encode.PlannedBlocks;
import io.metashard.forecast.Forecasts;
import io.metashard.plan.BucketInput;
import io.metashard.plan.Isolation;
import io.metashard.plan.MissingObject;
import io.metashard.plan.PlanObject;
import io.metashard.plan.PlanSegment;
import io.metashard.plan.StoredBlock;
import java.sql.Timestamp;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.stream.Stream;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * Objects with their forecasts, and blocks of the map, brought together by bucket: one shuffle,
 * from which every pass of planning reads.
 */
final class BucketRows {
  /** Of the shard map; its other columns are named as in {@link Plans}. */
  private static final String LIVE = "live";

  private static final String DEAD_SINCE = "dead_since";
  private static final String WRITTEN_AT = "written_at";

  private static final String BUCKET = PlannedBlocks.BUCKET;
  private static final String OBJECT = "object";
  private static final String BLOCK = "block";
  private static final String FORECASTS = "forecasts";

  private static final List<String> BLOCK_COLUMNS =
      List.of(
          PlannedBlocks.OBJECT_ID,
          PlannedBlocks.OBJECT_VERSION,
          PlannedBlocks.OBJECT_BYTES,
          LIVE,
          PlannedBlocks.SEGMENT,
          PlannedBlocks.OBJECT_OFFSET,
          PlannedBlocks.LENGTH,
          PlannedBlocks.META_SHARD_ID,
          PlannedBlocks.CODEC,
          PlannedBlocks.K,
          PlannedBlocks.M,
          PlannedBlocks.BLOCK_INDEX,
          PlannedBlocks.LOCATION,
          PlannedBlocks.EXPECTED_REQUESTS);

  private BucketRows() {}

  /**
   * One row per object or block, whole buckets in a partition, rows of a bucket one after another.
   *
   * @param objects of any state, as {@link Objects#SCHEMA}
   * @param forecasts of one run, as {@link Forecasts#SCHEMA}; those of another segmentation than
   *     the catalogue's are not used
   * @param map blocks as {@code shard_map}
   */
  static Dataset<Row> of(
      Dataset<Row> objects, Dataset<Row> forecasts, Dataset<Row> map, int buckets, int partitions) {
    Column bucketOf =
        functions.udf(new BucketOf(buckets), DataTypes.IntegerType).apply(col(Objects.OBJECT_ID));
    Dataset<Row> byObject =
        forecasts
            .groupBy(col(Forecasts.OBJECT_ID), col(Forecasts.SEGMENT_BYTES))
            .agg(
                collect_list(
                        struct(
                            col(Forecasts.SEGMENT),
                            col(Forecasts.EXPECTED_REQUESTS),
                            col(Forecasts.P_REQUESTED),
                            col(Forecasts.WHOLE_SHARE)))
                    .as(FORECASTS));
    Column[] blockColumns =
        Stream.concat(BLOCK_COLUMNS.stream().map(functions::col), Stream.of(deadSince()))
            .toArray(Column[]::new);
    Dataset<Row> blockRows = map.select(col(BUCKET), struct(blockColumns).as(BLOCK));
    Dataset<Row> objectRows =
        objects
            .join(
                byObject,
                scala.jdk.javaapi.CollectionConverters.asScala(
                        List.of(Objects.OBJECT_ID, Objects.SEGMENT_BYTES))
                    .toSeq(),
                "left")
            .select(
                bucketOf.as(BUCKET),
                struct(
                        col(Objects.OBJECT_ID),
                        col(Objects.OBJECT_VERSION),
                        col(Objects.URI),
                        col(Objects.ROOT),
                        col(Objects.OBJECT_BYTES),
                        col(Objects.SEGMENT_BYTES),
                        col(Objects.SOURCE_STATE),
                        col(Objects.MISSING_SINCE),
                        col(FORECASTS))
                    .as(OBJECT));
    StructType objectType = (StructType) objectRows.schema().apply(OBJECT).dataType();
    StructType blockType = (StructType) blockRows.schema().apply(BLOCK).dataType();
    return objectRows
        .select(col(BUCKET), col(OBJECT), lit(null).cast(blockType).as(BLOCK))
        .union(blockRows.select(col(BUCKET), lit(null).cast(objectType).as(OBJECT), col(BLOCK)))
        .repartition(Math.min(buckets, partitions), col(BUCKET))
        .sortWithinPartitions(col(BUCKET));
  }

  /** Of dead blocks; of those that died before the map kept it, no later than they did. */
  private static Column deadSince() {
    return when(not(col(LIVE)), coalesce(col(DEAD_SINCE), col(WRITTEN_AT))).as(DEAD_SINCE);
  }

  /** Present objects of which the forecast says nothing; they are planned as never requested. */
  static long withoutForecast(Dataset<Row> rows) {
    Column object = col(OBJECT);
    return rows.where(
            object
                .isNotNull()
                .and(object.getField(Objects.SOURCE_STATE).equalTo(Objects.PRESENT))
                .and(object.getField(FORECASTS).isNull()))
        .count();
  }

  /** What is done with one bucket. */
  interface BucketTask extends java.io.Serializable {
    Iterator<Row> rows(BucketInput input);
  }

  /** Runs a task on every bucket. */
  static Dataset<Row> each(
      Dataset<Row> rows, Isolation isolation, BucketTask task, StructType result) {
    return rows.mapPartitions(new EachBucket(isolation, task), Encoders.row(result));
  }

  private record BucketOf(int buckets) implements UDF1<String, Integer> {
    @Override
    public Integer call(String objectId) {
      return Buckets.of(objectId, buckets);
    }
  }

  private record EachBucket(Isolation isolation, BucketTask task)
      implements MapPartitionsFunction<Row, Row> {
    @Override
    public Iterator<Row> call(Iterator<Row> rows) {
      return new BucketIterator(rows, isolation, task);
    }
  }

  /** One bucket in memory at a time: thousands of segments. */
  private static final class BucketIterator implements Iterator<Row> {
    private final Iterator<Row> rows;
    private final Isolation isolation;
    private final BucketTask task;
    private Row ahead;
    private Iterator<Row> results = List.<Row>of().iterator();

    private BucketIterator(Iterator<Row> rows, Isolation isolation, BucketTask task) {
      this.rows = rows;
      this.isolation = isolation;
      this.task = task;
      this.ahead = rows.hasNext() ? rows.next() : null;
    }

    @Override
    public boolean hasNext() {
      while (!results.hasNext() && ahead != null) {
        results = task.rows(nextBucket());
      }
      return results.hasNext();
    }

    @Override
    public Row next() {
      if (!hasNext()) {
        throw new NoSuchElementException();
      }
      return results.next();
    }

    private BucketInput nextBucket() {
      int bucket = ahead.<Integer>getAs(BUCKET);
      List<PlanObject> objects = new ArrayList<>();
      List<Row> withoutSource = new ArrayList<>();
      List<StoredBlock> blocks = new ArrayList<>();
      while (ahead != null && ahead.<Integer>getAs(BUCKET) == bucket) {
        Row object = ahead.getAs(OBJECT);
        if (object != null) {
          if (object.<String>getAs(Objects.SOURCE_STATE).equals(Objects.PRESENT)) {
            objects.add(object(object, isolation));
          } else {
            withoutSource.add(object);
          }
        } else {
          blocks.add(block(ahead.getAs(BLOCK)));
        }
        ahead = rows.hasNext() ? rows.next() : null;
      }
      Map<String, StoredBlock> served = served(withoutSource, blocks);
      List<MissingObject> missing = new ArrayList<>();
      for (Row object : withoutSource) {
        StoredBlock block = served.get(object.<String>getAs(Objects.OBJECT_ID));
        if (block == null) {
          continue; // neither the map nor a source has it
        }
        PlanObject planned =
            object(object, isolation, block.objectVersion(), block.objectBytes(), null);
        if (planned.source() == PlanObject.Source.MISSING) {
          missing.add(
              new MissingObject(
                  planned, object.<Timestamp>getAs(Objects.MISSING_SINCE).toInstant()));
        } else {
          objects.add(planned);
        }
      }
      return new BucketInput(bucket, objects, missing, blocks);
    }

    /** A block of each of the objects that the map serves. */
    private static Map<String, StoredBlock> served(List<Row> objects, List<StoredBlock> blocks) {
      Map<String, StoredBlock> served = new HashMap<>();
      objects.forEach(object -> served.put(object.getAs(Objects.OBJECT_ID), null));
      for (StoredBlock block : blocks) {
        if (block.live() && served.containsKey(block.objectId())) {
          served.put(block.objectId(), block);
        }
      }
      return served;
    }
  }

  private static PlanObject object(Row row, Isolation isolation) {
    return object(
        row,
        isolation,
        row.getAs(Objects.OBJECT_VERSION),
        row.<Long>getAs(Objects.OBJECT_BYTES),
        row.getAs(Objects.URI));
  }

  /** An object of the catalogue, as its source or the map has it. */
  private static PlanObject object(
      Row row, Isolation isolation, String version, long bytes, String uri) {
    Segmentation segmentation = new Segmentation(bytes, row.<Long>getAs(Objects.SEGMENT_BYTES));
    PlanSegment[] segments = new PlanSegment[segmentation.segments()];
    for (int i = 0; i < segments.length; i++) {
      segments[i] = new PlanSegment(i, 0, 0);
    }
    double[] requests = new double[segments.length];
    double[] wholeRequests = new double[segments.length];
    if (!row.isNullAt(row.fieldIndex(FORECASTS))) {
      for (Row forecast : row.<Row>getList(row.fieldIndex(FORECASTS))) {
        int segment = forecast.<Integer>getAs(Forecasts.SEGMENT);
        if (segment < segments.length) {
          double expected = forecast.<Double>getAs(Forecasts.EXPECTED_REQUESTS);
          segments[segment] =
              new PlanSegment(segment, expected, forecast.<Double>getAs(Forecasts.P_REQUESTED));
          requests[segment] = expected;
          wholeRequests[segment] = expected * forecast.<Double>getAs(Forecasts.WHOLE_SHARE);
        }
      }
    }
    String id = row.getAs(Objects.OBJECT_ID);
    return new PlanObject(
        id,
        version,
        uri,
        isolation.group(row.getAs(Objects.ROOT), id),
        segmentation,
        share(wholeRequests, requests),
        List.of(segments),
        switch (row.<String>getAs(Objects.SOURCE_STATE)) {
          case Objects.PRESENT -> PlanObject.Source.PRESENT;
          case Objects.RELEASED -> PlanObject.Source.RELEASED;
          default -> PlanObject.Source.MISSING;
        });
  }

  private static double share(double[] parts, double[] wholes) {
    double part = 0;
    double whole = 0;
    for (int i = 0; i < parts.length; i++) { // in segment order: sums do not depend on the shuffle
      part += parts[i];
      whole += wholes[i];
    }
    return whole == 0 ? 0 : Math.min(1, part / whole);
  }

  private static StoredBlock block(Row row) {
    Timestamp deadSince = row.getAs(DEAD_SINCE);
    return new StoredBlock(
        row.getAs(PlannedBlocks.OBJECT_ID),
        row.getAs(PlannedBlocks.OBJECT_VERSION),
        row.<Long>getAs(PlannedBlocks.OBJECT_BYTES),
        row.<Boolean>getAs(LIVE),
        row.<Integer>getAs(PlannedBlocks.SEGMENT),
        row.<Long>getAs(PlannedBlocks.OBJECT_OFFSET),
        row.<Long>getAs(PlannedBlocks.LENGTH),
        row.getAs(PlannedBlocks.META_SHARD_ID),
        row.getAs(PlannedBlocks.CODEC),
        row.<Integer>getAs(PlannedBlocks.K),
        row.<Integer>getAs(PlannedBlocks.M),
        row.<Integer>getAs(PlannedBlocks.BLOCK_INDEX),
        row.getAs(PlannedBlocks.LOCATION),
        row.<Double>getAs(PlannedBlocks.EXPECTED_REQUESTS),
        deadSince == null ? null : deadSince.toInstant());
  }
}
