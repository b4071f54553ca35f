package io.metashard.logs;

import static org.apache.spark.sql.functions.broadcast;
import static org.apache.spark.sql.functions.ceil;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.floor;
import static org.apache.spark.sql.functions.hash;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.pmod;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.timestamp_micros;
import static org.apache.spark.sql.functions.to_date;
import static org.apache.spark.sql.functions.when;

import java.time.LocalDate;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.expressions.Window;

/** What ingest computes, table to table. */
public final class IngestSteps {
  /** Column of {@link #packed}: files of one number are read by one task. */
  public static final String TASK = "task";

  /** What opening a file costs, in bytes that could be read meanwhile; as Spark's own default. */
  static final long OPEN_COST_BYTES = 4L << 20;

  /** Requests of a day are spread over files of about so many. */
  static final long REQUESTS_PER_FILE = 4_000_000;

  private static final String SALT = "salt";
  private static final String DAY_COUNT = "day_count";

  private IngestSteps() {}

  /** Found files, as {@link LogFiles}, that are not among the taken, as {@link IngestedFiles}. */
  public static Dataset<Row> notTaken(Dataset<Row> found, Dataset<Row> taken) {
    return found.join(
        taken.select(col(IngestedFiles.PATH).as("taken")),
        col(LogFiles.PATH).equalTo(col("taken")),
        "left_anti");
  }

  /** Found files that are among the taken. */
  public static Dataset<Row> taken(Dataset<Row> found, Dataset<Row> taken) {
    return found.join(
        taken.select(col(IngestedFiles.PATH).as("taken")),
        col(LogFiles.PATH).equalTo(col("taken")),
        "left_semi");
  }

  /** Taken files that are found no more. */
  public static Dataset<Row> vanished(Dataset<Row> found, Dataset<Row> taken) {
    return taken.join(
        found.select(col(LogFiles.PATH).as("found")),
        col(IngestedFiles.PATH).equalTo(col("found")),
        "left_anti");
  }

  /** Found files whose size or time is not what it was when they were taken. */
  public static Dataset<Row> changed(Dataset<Row> found, Dataset<Row> taken) {
    return found
        .join(
            taken.select(
                col(IngestedFiles.PATH).as("taken"),
                col(IngestedFiles.BYTES).as("taken_bytes"),
                col(IngestedFiles.MODIFIED_AT).as("taken_modified_at")),
            col(LogFiles.PATH).equalTo(col("taken")))
        .where(
            col(LogFiles.BYTES)
                .notEqual(col("taken_bytes"))
                .or(col(LogFiles.MODIFIED_AT).notEqual(col("taken_modified_at"))))
        .select(col(LogFiles.PATH));
  }

  /** Paths that more than one item of {@code logs} names. */
  public static Dataset<Row> foundTwice(Dataset<Row> found) {
    return found
        .groupBy(col(LogFiles.PATH))
        .agg(count(lit(1)).as("times"))
        .where(col("times").gt(1))
        .select(col(LogFiles.PATH));
  }

  /**
   * Adds {@link #TASK}: consecutive files until a task has enough. A file is never cut: gzip cannot
   * be, and the numbers of lines would be lost.
   *
   * @param bytesPerTask from {@link #bytesPerTask}
   */
  public static Dataset<Row> packed(Dataset<Row> found, long bytesPerTask) {
    Column cost = col(LogFiles.BYTES).plus(lit(OPEN_COST_BYTES));
    // One window over the whole listing: a row per file, never a row per line.
    Column before = sum(cost).over(Window.orderBy(col(LogFiles.PATH))).minus(cost);
    return found.withColumn(TASK, floor(before.divide(lit(bytesPerTask))).cast("int"));
  }

  /**
   * Packed files with those of task n in partition n.
   *
   * <p>A hash of the task would put several into one partition and leave others empty. {@code
   * Dataset.repartitionById} does just this, but only since Spark 4.1.
   */
  public static Dataset<Row> onePartitionPerTask(Dataset<Row> packed, int tasks) {
    TaskPartitioner.TaskOf task = new TaskPartitioner.TaskOf(packed.schema().fieldIndex(TASK));
    return packed
        .sparkSession()
        .createDataFrame(
            packed.javaRDD().keyBy(task).partitionBy(new TaskPartitioner(tasks)).values(),
            packed.schema());
  }

  /**
   * What one task reads, the cost of opening files included: two tasks a core when there is little,
   * at most {@code mostBytes} when there is much.
   */
  public static long bytesPerTask(long files, long bytes, long cores, long mostBytes) {
    double cost = bytes + (double) files * OPEN_COST_BYTES;
    return (long) Math.min(mostBytes, Math.max(OPEN_COST_BYTES, cost / (2 * cores)));
  }

  /**
   * Lines, requests and rejected of each file, counted from its rows; {@link ParsedRows#LINES} is
   * the reader's own count.
   */
  public static Dataset<Row> fileCounts(Dataset<Row> parsed) {
    return parsed
        .groupBy(col(ParsedRows.SOURCE_FILE).as(IngestedFiles.PATH))
        .agg(
            max(col(ParsedRows.LINES)).as(IngestedFiles.LINES),
            count(when(isRequest(), lit(1))).as(IngestedFiles.REQUESTS),
            count(col(ParsedRows.REASON)).as(IngestedFiles.REJECTED));
  }

  /** Number of rejected lines by reason. */
  public static Dataset<Row> reasonCounts(Dataset<Row> parsed) {
    return parsed
        .where(col(ParsedRows.REASON).isNotNull())
        .groupBy(col(ParsedRows.REASON))
        .agg(count(lit(1)).as("count"))
        .orderBy(col("count").desc(), col(ParsedRows.REASON));
  }

  private static Column isRequest() {
    return col(ParsedRows.LINE).isNotNull().and(col(ParsedRows.REASON).isNull());
  }

  /** The requests among parsed rows, as {@link Requests}. */
  public static Dataset<Row> requests(Dataset<Row> parsed) {
    return parsed
        .where(isRequest())
        .withColumn(Requests.TS, timestamp_micros(col(ParsedRows.TS_MICROS)))
        .select(
            to_date(col(Requests.TS)).as(Requests.DATE),
            col(Requests.TS),
            col(Requests.OBJECT_ID),
            col(Requests.RANGE_START),
            col(Requests.RANGE_END),
            col(Requests.STATUS),
            col(Requests.BYTES_SENT),
            col(Requests.OPERATION),
            col(Requests.CLIENT),
            col(ParsedRows.SOURCE_FILE).as(Requests.SOURCE_FILE));
  }

  /** The rejected lines among parsed rows, as {@link RequestsRejected}. */
  public static Dataset<Row> rejected(Dataset<Row> parsed, LocalDate date, long transaction) {
    return parsed
        .where(col(ParsedRows.REASON).isNotNull())
        .select(
            lit(date).as(RequestsRejected.DATE),
            col(ParsedRows.REASON).as(RequestsRejected.REASON),
            col(ParsedRows.SOURCE_FILE).as(RequestsRejected.SOURCE_FILE),
            col(ParsedRows.LINE).as(RequestsRejected.LINE),
            col(ParsedRows.TEXT).as(RequestsRejected.TEXT),
            lit(transaction).as(RequestsRejected.TRANSACTION));
  }

  /**
   * Requests arranged for writing: few files a day, sorted by object and time. A day with more than
   * {@link #REQUESTS_PER_FILE} is spread by object, so that one busy day is not one task.
   */
  public static Dataset<Row> arranged(Dataset<Row> requests) {
    return arranged(requests, REQUESTS_PER_FILE);
  }

  static Dataset<Row> arranged(Dataset<Row> requests, long requestsPerFile) {
    Dataset<Row> days =
        requests
            .groupBy(col(Requests.DATE).as("day"))
            .agg(ceil(count(lit(1)).divide(lit(requestsPerFile))).as(DAY_COUNT));
    return requests
        .join(broadcast(days), col(Requests.DATE).equalTo(col("day")))
        .withColumn(
            SALT,
            pmod(hash(col(Requests.OBJECT_ID), col(Requests.TS)).cast("long"), col(DAY_COUNT)))
        .repartition(col(Requests.DATE), col(SALT))
        .sortWithinPartitions(
            col(Requests.DATE),
            col(SALT),
            col(Requests.OBJECT_ID),
            col(Requests.TS),
            col(Requests.RANGE_START),
            col(Requests.SOURCE_FILE))
        .drop("day", DAY_COUNT, SALT);
  }
}
