package io.metashard.job;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;

import io.delta.exceptions.DeltaConcurrentModificationException;
import io.delta.tables.DeltaTable;
import io.metashard.ObjectIds;
import io.metashard.lake.Lake;
import io.metashard.lake.Lake.Commit;
import io.metashard.logs.IngestOptions;
import io.metashard.logs.IngestSteps;
import io.metashard.logs.IngestedFiles;
import io.metashard.logs.LogFiles;
import io.metashard.logs.LogListing;
import io.metashard.logs.ParsedRows;
import io.metashard.logs.ReadLogFiles;
import io.metashard.logs.Reasons;
import io.metashard.logs.Requests;
import io.metashard.logs.RequestsRejected;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.sql.Timestamp;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.apache.spark.SparkContext;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.functions;
import org.apache.spark.storage.StorageLevel;
import org.apache.spark.util.SerializableConfiguration;

/**
 * Reads log files that were not read before into {@code requests}.
 *
 * <p>Each file's requests get into {@code requests} exactly once, whenever a run is killed and
 * however many run at once:
 *
 * <ol>
 *   <li>A run <em>announces</em> its files: it appends them to {@code ingested_files} with
 *       transaction T, which Delta lets one run do.
 *   <li>It appends the rejected lines and then the requests, each as transaction T of its table,
 *       which Delta does at most once.
 *   <li>A file counts as seen only when {@code requests} holds its T. Who finds a T announced and
 *       not in {@code requests} does not guess whether the other run is dead or slow: it finishes T
 *       with the same files and the same limit of time. Whichever of both commits first, the rows
 *       are the same, and the second commit does nothing.
 * </ol>
 *
 * <p>An announced file that is gone before it was read is taken off the announcement.
 */
public final class IngestJob {
  /** Delta transactions of all three tables have this application id. */
  public static final String APP_ID = "metashard-ingest";

  /** Rows of a listing that the driver holds at a time. */
  private static final int LISTING_CHUNK = 20_000;

  /** Most bytes of logs that one task reads. */
  private static final long MOST_BYTES_PER_TASK = 256L << 20;

  private static final int FILES_NAMED = 5;
  private static final int REASONS_SHOWN = 8;
  private static final String STAGING = "ingest";
  private static final String FOUND = "found";

  /** What a run has done; a test stops it there. */
  enum Step {
    PARSED,
    ANNOUNCED,
    REJECTED_WRITTEN,
    REQUESTS_WRITTEN
  }

  private final JobContext context;
  private final IngestOptions options;
  private final Instant notAfter;
  private final Consumer<Step> after;
  private final int listingChunk;

  public IngestJob(JobContext context) {
    this(context, Instant.now(), step -> {}, LISTING_CHUNK);
  }

  /**
   * @param clock the time now: with the moment of planning it decides what lies in the future
   * @param after called after each step
   */
  IngestJob(JobContext context, Instant clock, Consumer<Step> after, int listingChunk) {
    this.context = context;
    this.options = IngestOptions.from(context.settings());
    Instant latest = clock.isAfter(context.at()) ? clock : context.at();
    // As exact as the table keeps it: who finishes our transaction must refuse the same.
    this.notAfter = latest.plus(options.maxClockSkew()).truncatedTo(ChronoUnit.MICROS);
    this.after = after;
    this.listingChunk = listingChunk;
  }

  /**
   * Ingests what is new.
   *
   * @throws MetashardException with exit code 2 if a path of {@code logs} is missing, two items
   *     name one file or a file changed after it was taken; 4 if another run took the files
   *     meanwhile
   */
  public StageReport run() {
    Lake lake = context.lake();
    lake.create(IngestedFiles.TABLE);
    lake.create(RequestsRejected.TABLE);
    lake.create(Requests.TABLE);
    try {
      Dataset<Row> found = found();
      refuse(
          IngestSteps.foundTwice(found),
          "more than one item of logs names them; each file must be found once");
      refuse(
          IngestSteps.changed(found, lake.read(IngestedFiles.TABLE)),
          "they changed after they were taken, and their requests would count twice; put what is"
              + " new into new files, and these back as they were or out of the path");
      Tally tally = new Tally();
      finishAnnounced(found, tally);
      takeNew(found, tally);
      return report(tally);
    } catch (DeltaConcurrentModificationException e) {
      throw new MetashardException(
          MetashardException.CONFLICT,
          "Cannot ingest: another run writes the same tables; run it again",
          e);
    } finally {
      deleteStaging();
    }
  }

  /** Finishes the transactions that killed, or slow, runs announced. */
  private void finishAnnounced(Dataset<Row> found, Tally tally) {
    Lake lake = context.lake();
    while (true) {
      long committed = lake.transaction(Requests.TABLE, APP_ID);
      Row first =
          lake.read(IngestedFiles.TABLE)
              .where(col(IngestedFiles.TRANSACTION).gt(committed))
              .agg(
                  functions.min(col(IngestedFiles.TRANSACTION)),
                  functions.min_by(col(IngestedFiles.NOT_AFTER), col(IngestedFiles.TRANSACTION)))
              .first();
      if (first.isNullAt(0)) {
        return;
      }
      long transaction = first.getLong(0);
      Dataset<Row> announced =
          lake.read(IngestedFiles.TABLE).where(col(IngestedFiles.TRANSACTION).equalTo(transaction));
      if (withdrawVanished(found, announced, transaction)) {
        continue; // nothing may be left of it
      }
      Instant limit = first.<Timestamp>getAs(1).toInstant();
      tally.finished++;
      Dataset<Row> files =
          staged(IngestSteps.taken(found, announced), "transaction-" + transaction);
      try (Parsed parsed = parse(files, limit)) {
        write(parsed, transaction, tally);
      }
    }
  }

  /** Whether there were any. */
  private boolean withdrawVanished(Dataset<Row> found, Dataset<Row> announced, long transaction) {
    Dataset<Row> vanished =
        IngestSteps.vanished(found, announced)
            .select(col(IngestedFiles.PATH))
            .distinct()
            .persist(StorageLevel.DISK_ONLY());
    try {
      if (vanished.isEmpty()) {
        return false;
      }
      DeltaTable.forPath(context.spark(), context.lake().path(IngestedFiles.TABLE))
          .as("files")
          .merge(
              vanished.as("vanished"),
              col("files." + IngestedFiles.PATH)
                  .equalTo(col("vanished." + IngestedFiles.PATH))
                  .and(col("files." + IngestedFiles.TRANSACTION).equalTo(transaction)))
          .whenMatched()
          .delete()
          .execute();
      return true;
    } finally {
      vanished.unpersist();
    }
  }

  private void takeNew(Dataset<Row> found, Tally tally) {
    Lake lake = context.lake();
    long committed = lake.transaction(Requests.TABLE, APP_ID);
    // Past a transaction that was announced and withdrawn, too. Taken before the table is read: who
    // announces in between either shows in it or gets the same number, of which Delta allows one.
    long transaction = Math.max(committed, lake.transaction(IngestedFiles.TABLE, APP_ID)) + 1;
    Dataset<Row> taken = lake.read(IngestedFiles.TABLE);
    if (!taken.where(col(IngestedFiles.TRANSACTION).gt(committed)).isEmpty()) {
      throw conflict(transaction);
    }
    Dataset<Row> fresh = staged(IngestSteps.notTaken(found, taken), "transaction-" + transaction);
    if (fresh.isEmpty()) {
      return;
    }
    try (Parsed parsed = parse(fresh, notAfter)) {
      announce(fresh, parsed, transaction);
      write(parsed, transaction, tally);
    }
  }

  private static MetashardException conflict(long transaction) {
    return new MetashardException(
        MetashardException.CONFLICT,
        "Cannot ingest: another run took log files at the same time (transaction %d); run it again"
            .formatted(transaction));
  }

  /** Parsed lines, kept on disk until closed. */
  private record Parsed(Dataset<Row> rows, Dataset<Row> counts, long files, long bytes)
      implements AutoCloseable {
    @Override
    public void close() {
      counts.unpersist();
      rows.unpersist();
    }
  }

  private Parsed parse(Dataset<Row> files, Instant limit) {
    SparkContext sparkContext = context.spark().sparkContext();
    Row sums =
        files
            .agg(
                functions.count(lit(1)),
                functions.coalesce(functions.sum(col(LogFiles.BYTES)), lit(0L)))
            .first();
    long parallelism = Math.max(1, sparkContext.defaultParallelism());
    long bytesPerTask =
        IngestSteps.bytesPerTask(
            sums.getLong(0), sums.getLong(1), parallelism, MOST_BYTES_PER_TASK);
    Dataset<Row> packed = IngestSteps.packed(files, bytesPerTask).persist(StorageLevel.DISK_ONLY());
    int tasks = 1 + packed.agg(functions.max(col(IngestSteps.TASK))).first().getInt(0);
    Broadcast<SerializableConfiguration> hadoop =
        JavaSparkContext.fromSparkContext(sparkContext)
            .broadcast(new SerializableConfiguration(context.hadoop()));
    Dataset<Row> rows =
        IngestSteps.onePartitionPerTask(packed, tasks)
            .mapPartitions(
                new ReadLogFiles(options, limit, hadoop), Encoders.row(ParsedRows.SCHEMA))
            .persist(StorageLevel.DISK_ONLY());
    Dataset<Row> counts = IngestSteps.fileCounts(rows).persist(StorageLevel.DISK_ONLY());
    requireThatCountsAddUp(counts, sums.getLong(0));
    packed.unpersist();
    after.accept(Step.PARSED);
    return new Parsed(rows, counts, sums.getLong(0), sums.getLong(1));
  }

  /** Every line must be a request or rejected, by the reader's count and by the rows'. */
  private static void requireThatCountsAddUp(Dataset<Row> counts, long files) {
    Dataset<Row> wrong =
        counts.where(
            functions.not(
                functions.coalesce(
                    col(IngestedFiles.LINES)
                        .equalTo(col(IngestedFiles.REQUESTS).plus(col(IngestedFiles.REJECTED))),
                    lit(false))));
    List<Row> first = wrong.limit(1).collectAsList();
    if (!first.isEmpty() || counts.count() != files) {
      throw new MetashardException(
          MetashardException.FAILED,
          "Cannot ingest: lines do not add up to requests and rejected lines, %s; nothing was written"
              .formatted(
                  first.isEmpty()
                      ? "%d files were found and %d read".formatted(files, counts.count())
                      : ObjectIds.printable(first.get(0).toString(), 1000)));
    }
  }

  private void announce(Dataset<Row> files, Parsed parsed, long transaction) {
    Lake lake = context.lake();
    Dataset<Row> rows =
        files
            .join(parsed.counts(), LogFiles.PATH)
            .withColumn(IngestedFiles.TRANSACTION, lit(transaction))
            .withColumn(IngestedFiles.RUN_ID, lit(context.runId()))
            .withColumn(IngestedFiles.ATTEMPT, lit(context.attempt()))
            .withColumn(IngestedFiles.NOT_AFTER, lit(notAfter));
    lake.append(IngestedFiles.TABLE, rows, Commit.once(APP_ID, transaction, context.runId()));
    // Delta returns as if done when another run was first.
    boolean othersOnly =
        lake.read(IngestedFiles.TABLE)
            .where(
                col(IngestedFiles.TRANSACTION)
                    .equalTo(transaction)
                    .and(col(IngestedFiles.ATTEMPT).equalTo(context.attempt())))
            .isEmpty();
    if (othersOnly) {
      throw conflict(transaction);
    }
    after.accept(Step.ANNOUNCED);
  }

  private void write(Parsed parsed, long transaction, Tally tally) {
    Lake lake = context.lake();
    Commit once = Commit.once(APP_ID, transaction, context.runId());
    LocalDate day = LocalDate.ofInstant(context.at(), ZoneOffset.UTC);
    lake.append(
        RequestsRejected.TABLE, IngestSteps.rejected(parsed.rows(), day, transaction), once);
    after.accept(Step.REJECTED_WRITTEN);
    lake.append(Requests.TABLE, IngestSteps.arranged(IngestSteps.requests(parsed.rows())), once);
    long committed = lake.transaction(Requests.TABLE, APP_ID);
    if (committed < transaction) {
      throw new MetashardException(
          MetashardException.FAILED,
          "Cannot ingest: transaction %d is not in %s after its commit, the newest is %d; run it again"
              .formatted(transaction, lake.path(Requests.TABLE), committed));
    }
    long announced =
        lake.read(IngestedFiles.TABLE)
            .where(col(IngestedFiles.TRANSACTION).equalTo(transaction))
            .count();
    if (announced != parsed.files()) {
      throw conflict(transaction); // some were gone when another run finished it for us
    }
    after.accept(Step.REQUESTS_WRITTEN);
    tally.add(parsed);
  }

  /** The listing, staged in chunks. */
  private Dataset<Row> found() {
    List<Row> chunk = new ArrayList<>();
    try {
      LogListing.list(
          options.sources(),
          context.hadoop(),
          file -> {
            if (chunk.size() == listingChunk) {
              stage(chunk);
              chunk.clear();
            }
            chunk.add(
                RowFactory.create(
                    file.path(), file.bytes(), Timestamp.from(file.modifiedAt()), file.source()));
          });
    } catch (FileNotFoundException e) {
      throw new MetashardException(MetashardException.USAGE, e.getMessage(), e);
    } catch (IOException e) {
      throw new MetashardException(
          MetashardException.USAGE,
          "Cannot list the logs: %s; correct their paths or permissions".formatted(e.getMessage()),
          e);
    }
    return stage(chunk);
  }

  private Dataset<Row> stage(List<Row> chunk) {
    return context.staged(
        context.spark().createDataFrame(List.copyOf(chunk), LogFiles.SCHEMA).coalesce(1),
        STAGING + "/" + FOUND,
        SaveMode.Append);
  }

  /**
   * The files of one transaction, frozen. What is read is kept while the tables change that say
   * what is new, and Spark computes again whatever it keeps that was made from a table just
   * written: from {@code ingested_files} nothing would be new any more once they are announced.
   */
  private Dataset<Row> staged(Dataset<Row> files, String name) {
    return context.staged(files.coalesce(1), STAGING + "/" + name);
  }

  private void deleteStaging() {
    try {
      context.discardStaged(STAGING);
    } catch (IOException e) {
      throw new MetashardException(
          MetashardException.FAILED,
          "Cannot delete %s: %s".formatted(context.stagingPath(STAGING), e.getMessage()),
          e);
    }
  }

  private static void refuse(Dataset<Row> files, String why) {
    List<Row> first = files.orderBy(col(LogFiles.PATH)).limit(FILES_NAMED).collectAsList();
    if (!first.isEmpty()) {
      String names =
          first.stream()
              .map(row -> ObjectIds.printable(row.getString(0), 1000))
              .collect(Collectors.joining(", "));
      throw new MetashardException(
          MetashardException.USAGE,
          "Cannot ingest %d log files (%s%s): %s"
              .formatted(files.count(), names, first.size() < FILES_NAMED ? "" : ", ...", why));
    }
  }

  /** Sums over the transactions of a run. */
  private static final class Tally {
    private int finished;
    private long files;
    private long bytes;
    private long lines;
    private long requests;
    private long rejected;
    private final Map<String, Long> reasons = new LinkedHashMap<>();

    void add(Parsed parsed) {
      files += parsed.files();
      bytes += parsed.bytes();
      Row sums =
          parsed
              .counts()
              .agg(
                  functions.sum(col(IngestedFiles.LINES)),
                  functions.sum(col(IngestedFiles.REQUESTS)),
                  functions.sum(col(IngestedFiles.REJECTED)))
              .first();
      lines += sums.getLong(0);
      requests += sums.getLong(1);
      rejected += sums.getLong(2);
      // As many rows as there are reasons.
      for (Row row : IngestSteps.reasonCounts(parsed.rows()).collectAsList()) {
        reasons.merge(row.getString(0), row.getLong(1), Math::addExact);
      }
    }
  }

  private StageReport report(Tally tally) {
    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("files", tally.files);
    figures.put("lines", tally.lines);
    figures.put("requests", tally.requests);
    figures.put("rejected", tally.rejected);
    figures.put("outside", tally.reasons.getOrDefault(Reasons.OUTSIDE, 0L));
    tally.reasons.entrySet().stream()
        .sorted(
            Map.Entry.<String, Long>comparingByValue()
                .reversed()
                .thenComparing(Map.Entry.comparingByKey()))
        .limit(REASONS_SHOWN)
        .forEach(reason -> figures.put("rejected_" + reason.getKey(), reason.getValue()));
    if (tally.finished > 0) {
      figures.put("finished_for_killed_runs", tally.finished);
    }
    boolean unchanged = tally.files == 0;
    String newest = "transaction " + context.lake().transaction(Requests.TABLE, APP_ID);
    return new StageReport(
        "ingest",
        unchanged ? StageReport.UNCHANGED : StageReport.DONE,
        unchanged ? "no new log files" : "%d new log files".formatted(tally.files),
        newest,
        tally.lines,
        tally.requests,
        tally.bytes,
        0,
        figures);
  }
}
