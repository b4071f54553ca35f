package io.metashard.aggregate;

import static org.apache.spark.sql.functions.array;
import static org.apache.spark.sql.functions.bit_xor;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.concat;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.explode;
import static org.apache.spark.sql.functions.floor;
import static org.apache.spark.sql.functions.greatest;
import static org.apache.spark.sql.functions.lead;
import static org.apache.spark.sql.functions.least;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.pow;
import static org.apache.spark.sql.functions.rand;
import static org.apache.spark.sql.functions.sequence;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.when;
import static org.apache.spark.sql.functions.xxhash64;

import io.metashard.SharedSpark;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.UnaryOperator;
import org.apache.spark.executor.ShuffleWriteMetrics;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerStageCompleted;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.expressions.Window;
import org.apache.spark.sql.expressions.WindowSpec;
import org.apache.spark.storage.StorageLevel;

/**
 * Compares ways of counting ranges per segment: seconds, and rows and bytes shuffled.
 *
 * <p>Run after {@code mvn test-compile} with the test class path: {@code java @jobs/jvm.options -cp
 * ... io.metashard.aggregate.AggregateBenchmark [requests [input...]]}. Input: made here, 24
 * buckets, 200 objects of which one has half of the requests; "whole": whole reads of 16 segments;
 * "narrow": one or two of 4,096 segments; "wide": ranges of any length of 256 segments. The best of
 * three runs each.
 *
 * <p>Rows shuffled, which do not depend on the machine. "whole", 300,000 requests: counted,
 * partitioned, spread 23,692; partitioned, counted, spread 300,000; counted, spread, shuffled
 * 96,052; spread, shuffled 301,888; starts and ends 47,384. "wide", 40,000 requests, hardly two of
 * them equal: 79,683; 40,000; 718,421; 1,112,906; 101,047. The first way was taken: it is the least
 * where requests repeat, at most two rows a request where they do not, and it counts one hot
 * object's requests before they meet in one task. Spreading many different wide ranges costs time
 * in it that starts and ends does not.
 */
public final class AggregateBenchmark {
  private static final String OBJECT = Reads.OBJECT_ID;
  private static final String BUCKET = Reads.BUCKET_START;
  private static final String SEGMENT = Demand.SEGMENT;
  private static final String REQUESTS = Reads.REQUESTS;
  private static final String EVENT = "event";
  private static final String AT = "at";
  private static final String CHANGE = "change";
  private static final String NEXT = "next";
  private static final int RUNS = 3;

  private AggregateBenchmark() {}

  public static void main(String[] args) throws TimeoutException {
    long requests = args.length > 0 ? Long.parseLong(args[0]) : 1_000_000;
    Map<String, UnaryOperator<Dataset<Row>>> ways = new LinkedHashMap<>();
    ways.put("counted, partitioned, spread", AggregateBenchmark::countedPartitionedSpread);
    ways.put("partitioned, counted, spread", AggregateBenchmark::partitionedCountedSpread);
    ways.put("counted, spread, shuffled", AggregateBenchmark::countedSpreadShuffled);
    ways.put("spread, shuffled", AggregateBenchmark::spreadShuffled);
    ways.put("starts and ends", AggregateBenchmark::startsAndEnds);
    Shuffled shuffled = new Shuffled();
    SharedSpark.session().sparkContext().addSparkListener(shuffled);
    System.out.printf("%-8s %-30s %8s %12s %12s%n", "input", "way", "seconds", "rows", "bytes");
    List<String> inputs =
        args.length > 1
            ? List.of(args).subList(1, args.length)
            : List.of("whole", "narrow", "wide");
    for (String input : inputs) {
      Dataset<Row> rows = input(input, requests).persist(StorageLevel.MEMORY_AND_DISK());
      rows.count();
      Long expected = null;
      for (Map.Entry<String, UnaryOperator<Dataset<Row>>> way : ways.entrySet()) {
        Dataset<Row> result = way.getValue().apply(rows);
        double best = Double.MAX_VALUE;
        for (int run = 0; run < RUNS; run++) {
          shuffled.reset();
          long start = System.nanoTime();
          result.write().format("noop").mode("overwrite").save();
          best = Math.min(best, (System.nanoTime() - start) / 1e9);
          SharedSpark.session()
              .sparkContext()
              .listenerBus()
              .waitUntilEmpty(TimeUnit.SECONDS.toMillis(60));
        }
        System.out.printf(
            "%-8s %-30s %8.2f %12d %12d%n",
            input, way.getKey(), best, shuffled.rows.get(), shuffled.bytes.get());
        long hash =
            result
                .select(
                    bit_xor(
                        xxhash64(
                            col(OBJECT),
                            col(BUCKET),
                            col(SEGMENT).cast("long"),
                            col(REQUESTS).cast("long"))))
                .first()
                .getLong(0);
        if (expected != null && expected != hash) {
          throw new IllegalStateException(way.getKey() + " counts differently on " + input);
        }
        expected = hash;
      }
      rows.unpersist();
    }
    SharedSpark.session().stop();
  }

  private static Dataset<Row> input(String name, long requests) {
    int segments = name.equals("whole") ? 16 : name.equals("narrow") ? 4096 : 256;
    Column anywhere = floor(rand(3).multiply(segments)).cast("int");
    Column other = floor(rand(4).multiply(segments)).cast("int");
    Column first;
    Column last;
    if (name.equals("whole")) {
      first = lit(0);
      last = lit(segments - 1);
    } else if (name.equals("narrow")) {
      first = anywhere;
      last = least(lit(segments - 1), anywhere.plus(floor(rand(4).multiply(2)).cast("int")));
    } else {
      first = least(anywhere, other);
      last = greatest(anywhere, other);
    }
    return SharedSpark.session()
        .range(0, requests, 1, 4)
        .select(
            when(rand(1).lt(0.5), lit("objects/hot"))
                .otherwise(
                    concat(lit("objects/"), floor(pow(rand(5), 3).multiply(200)).cast("string")))
                .as(OBJECT),
            floor(rand(2).multiply(24)).as(BUCKET),
            first.as(Reads.FIRST),
            last.as(Reads.LAST));
  }

  private static Dataset<Row> counted(Dataset<Row> rows) {
    return rows.groupBy(col(OBJECT), col(BUCKET), col(Reads.FIRST), col(Reads.LAST))
        .agg(count(lit(1)).as(REQUESTS));
  }

  private static Dataset<Row> spread(Dataset<Row> rows) {
    return rows.withColumn(SEGMENT, explode(sequence(col(Reads.FIRST), col(Reads.LAST))));
  }

  private static Dataset<Row> summed(Dataset<Row> rows) {
    return rows.groupBy(col(OBJECT), col(BUCKET), col(SEGMENT)).agg(sum(REQUESTS).as(REQUESTS));
  }

  /** What {@link Reads} does. */
  private static Dataset<Row> countedPartitionedSpread(Dataset<Row> rows) {
    return summed(spread(counted(rows).repartition(col(OBJECT), col(BUCKET))));
  }

  private static Dataset<Row> partitionedCountedSpread(Dataset<Row> rows) {
    return summed(spread(counted(rows.repartition(col(OBJECT), col(BUCKET)))));
  }

  private static Dataset<Row> countedSpreadShuffled(Dataset<Row> rows) {
    return summed(spread(counted(rows)));
  }

  private static Dataset<Row> spreadShuffled(Dataset<Row> rows) {
    return summed(spread(rows).withColumn(REQUESTS, lit(1L)));
  }

  /** +1 where a range begins, -1 after its end; between two changes the running sum holds. */
  private static Dataset<Row> startsAndEnds(Dataset<Row> rows) {
    WindowSpec order = Window.partitionBy(col(OBJECT), col(BUCKET)).orderBy(col(AT));
    return rows.withColumn(
            EVENT,
            explode(
                array(
                    struct(col(Reads.FIRST).as(AT), lit(1L).as(CHANGE)),
                    struct(col(Reads.LAST).plus(1).as(AT), lit(-1L).as(CHANGE)))))
        .groupBy(col(OBJECT), col(BUCKET), col(EVENT).getField(AT).as(AT))
        .agg(sum(col(EVENT).getField(CHANGE)).as(CHANGE))
        .withColumn(REQUESTS, sum(col(CHANGE)).over(order))
        .withColumn(NEXT, lead(col(AT), 1).over(order))
        .where(col(REQUESTS).gt(0))
        .withColumn(SEGMENT, explode(sequence(col(AT), col(NEXT).minus(1))))
        .select(col(OBJECT), col(BUCKET), col(SEGMENT), col(REQUESTS));
  }

  private static final class Shuffled extends SparkListener {
    private final AtomicLong rows = new AtomicLong();
    private final AtomicLong bytes = new AtomicLong();

    void reset() {
      rows.set(0);
      bytes.set(0);
    }

    @Override
    public void onStageCompleted(SparkListenerStageCompleted stage) {
      ShuffleWriteMetrics written = stage.stageInfo().taskMetrics().shuffleWriteMetrics();
      rows.addAndGet(written.recordsWritten());
      bytes.addAndGet(written.bytesWritten());
    }
  }
}
