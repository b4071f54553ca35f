package io.metashard.lake;

import io.delta.kernel.DataWriteContext;
import io.delta.kernel.Operation;
import io.delta.kernel.Snapshot;
import io.delta.kernel.Table;
import io.delta.kernel.Transaction;
import io.delta.kernel.TransactionBuilder;
import io.delta.kernel.data.FilteredColumnarBatch;
import io.delta.kernel.defaults.engine.DefaultEngine;
import io.delta.kernel.defaults.internal.data.DefaultRowBasedColumnarBatch;
import io.delta.kernel.engine.Engine;
import io.delta.kernel.exceptions.TableNotFoundException;
import io.delta.kernel.expressions.Literal;
import io.delta.kernel.expressions.Predicate;
import io.delta.kernel.hook.PostCommitHook;
import io.delta.kernel.hook.PostCommitHook.PostCommitHookType;
import io.delta.kernel.internal.SnapshotImpl;
import io.delta.kernel.internal.types.DataTypeJsonSerDe;
import io.delta.kernel.internal.util.Utils;
import io.delta.kernel.utils.CloseableIterable;
import io.delta.kernel.utils.CloseableIterator;
import io.delta.kernel.utils.DataFileStatus;
import io.delta.tables.DeltaOptimizeBuilder;
import io.delta.tables.DeltaTable;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RemoteIterator;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.DataFrameWriter;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.delta.DeltaLog;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import scala.Console;

/**
 * The Delta tables below {@code lake.root}.
 *
 * <p>Tables keep to Delta's reader version 1 and writer version 2, which delta-rs, DuckDB and Trino
 * read: no deletion vectors, no column mapping, no checkpoint v2.
 */
public final class Lake {
  /** How commits of Delta Kernel are signed. */
  private static final String ENGINE = "metashard";

  private final SparkSession spark;
  private final String root;

  /**
   * What a session is told that works on a lake, so that nothing on an object store is renamed or
   * deleted. Values that somebody chose stay.
   *
   * @param root of the lake
   */
  public static Map<String, String> sessionOptions(String root) {
    if (!StorageKinds.isObjectStore(root)) {
      return Map.of();
    }
    return Map.of(
        // Delta writes a checksum file beside each commit under another name and renames it.
        "spark.databricks.delta.writeChecksumFile.enabled",
        "false",
        "spark.sql.sources.commitProtocolClass",
        InPlaceCommitProtocol.class.getName());
  }

  /**
   * @param root a Hadoop file system URI, qualified by the caller
   */
  public Lake(SparkSession spark, String root) {
    this.spark = spark;
    // One spelling of a path (file:/a, not file:///a): Delta takes two spellings for two tables.
    this.root = new Path(root).toString();
  }

  public SparkSession spark() {
    return spark;
  }

  public String root() {
    return root;
  }

  /** Where the table is. */
  public String path(TableDefinition table) {
    return root + "/" + table.name();
  }

  /** Whether the table was ever created. */
  public boolean exists(TableDefinition table) {
    return version(table).isPresent();
  }

  /**
   * Creates the table if it is not there. Call before several writers may meet.
   *
   * <p>By a commit of Delta Kernel: Spark would take half a second for each, and its CREATE TABLE
   * refuses a folder that has files and no commit yet, as another writer leaves it that is about to
   * create the same table, or was killed before it did.
   */
  public void create(TableDefinition table) {
    if (exists(table)) {
      return;
    }
    StructType nullable = new StructType();
    for (StructField field : table.schema().fields()) {
      nullable = nullable.add(field.name(), field.dataType(), true);
    }
    Engine engine = engine();
    TransactionBuilder creation =
        Table.forPath(engine, path(table))
            .createTransactionBuilder(engine, ENGINE, Operation.CREATE_TABLE)
            // Both write schemas as the protocol says.
            .withSchema(engine, DataTypeJsonSerDe.deserializeStructType(nullable.json()))
            .withTableProperties(engine, Map.of("delta.enableDeletionVectors", "false"));
    if (!table.partitionBy().isEmpty()) {
      creation = creation.withPartitionColumns(engine, table.partitionBy());
    }
    try {
      commit(engine, creation.build(engine), CloseableIterable.emptyIterable());
    } catch (RuntimeException e) {
      // Another writer was first: then it is there.
      if (!exists(table)) {
        throw e;
      }
    }
  }

  /** Commits, and does what Spark's Delta would do afterwards. */
  private void commit(
      Engine engine, Transaction transaction, CloseableIterable<io.delta.kernel.data.Row> actions) {
    boolean checksums =
        Boolean.parseBoolean(
            spark.conf().get("spark.databricks.delta.writeChecksumFile.enabled", "true"));
    for (PostCommitHook hook : transaction.commit(engine, actions).getPostCommitHooks()) {
      if (hook.getType() == PostCommitHookType.CHECKPOINT
          || hook.getType() == PostCommitHookType.CHECKSUM_SIMPLE && checksums) {
        try {
          hook.threadSafeInvoke(engine);
        } catch (IOException | RuntimeException e) {
          // The commit stands. Both only make reading the log faster, and later commits make them.
        }
      }
    }
  }

  /**
   * Appends one row to a table without partitions, by Delta Kernel: Spark would take half a second.
   * A table of an older schema gets its new columns as by {@link #append}.
   *
   * @param row as the table's schema
   */
  public void append(TableDefinition table, Row row) {
    Engine engine = engine();
    Snapshot newest;
    try {
      newest = snapshot(engine, table);
    } catch (TableNotFoundException e) {
      create(table);
      newest = snapshot(engine, table);
    }
    Transaction transaction =
        newest.buildUpdateTableTransaction(ENGINE, Operation.WRITE).build(engine);
    io.delta.kernel.types.StructType is = transaction.getSchema(engine);
    if (!is.fieldNames().containsAll(List.of(table.schema().fieldNames()))) {
      append(table, spark.createDataFrame(List.of(row), table.schema()).coalesce(1), Commit.PLAIN);
      return;
    }
    io.delta.kernel.data.Row state = transaction.getTransactionState(engine);
    DataWriteContext context = Transaction.getWriteContext(engine, state, Map.of());
    FilteredColumnarBatch batch =
        new FilteredColumnarBatch(
            new DefaultRowBasedColumnarBatch(is, List.of(new KernelRow(is, table.schema(), row))),
            Optional.empty());
    try (CloseableIterator<FilteredColumnarBatch> rows =
            Transaction.transformLogicalData(
                engine, state, Utils.singletonCloseableIterator(batch), Map.of());
        CloseableIterator<DataFileStatus> files =
            engine
                .getParquetHandler()
                .writeParquetFiles(
                    context.getTargetDirectory(), rows, context.getStatisticsColumns());
        CloseableIterator<io.delta.kernel.data.Row> added =
            Transaction.generateAppendActions(engine, state, files, context)) {
      commit(engine, transaction, CloseableIterable.inMemoryIterable(added));
    } catch (IOException e) {
      throw new UncheckedIOException(
          "Cannot append to %s: %s".formatted(path(table), e.getMessage()), e);
    }
  }

  /** The table's newest version; an empty table of its schema if it is not there. */
  public Dataset<Row> read(TableDefinition table) {
    if (!exists(table)) {
      return spark.createDataFrame(List.of(), table.schema());
    }
    return select(table, spark.read().format("delta").load(path(table)));
  }

  /**
   * The newest version of now, whatever others commit while it is read again and again; an empty
   * table of its schema if it is not there.
   */
  public Dataset<Row> readPinned(TableDefinition table) {
    OptionalLong version = version(table);
    return version.isPresent() ? readAt(table, version.getAsLong()) : read(table);
  }

  /** The table as it was at a version, as long as its files are there. */
  public Dataset<Row> readAt(TableDefinition table, long version) {
    // Delta refuses what was committed longer ago than delta.deletedFileRetentionDuration, though a
    // version's files stay until so long after the commit that replaced it.
    return with(
        Map.of(
            "spark.databricks.delta.vacuum.enforceTimeTravelWithinDeletedFileRetentionDuration",
            "false"),
        () ->
            select(
                table,
                spark.read().format("delta").option("versionAsOf", version).load(path(table))));
  }

  /** Does something while the session has some options, which are as before afterwards. */
  private <T> T with(Map<String, String> options, Supplier<T> work) {
    Map<String, String> before = new HashMap<>();
    options.forEach(
        (key, value) -> {
          before.put(key, spark.conf().getOption(key).getOrElse(() -> null));
          spark.conf().set(key, value);
        });
    try {
      return work.get();
    } finally {
      before.forEach(
          (key, value) -> {
            if (value == null) {
              spark.conf().unset(key);
            } else {
              spark.conf().set(key, value);
            }
          });
    }
  }

  private static Dataset<Row> select(TableDefinition table, Dataset<Row> rows) {
    List<String> present = List.of(rows.columns());
    // A column added after the table was written reads as null.
    Column[] columns =
        java.util.Arrays.stream(table.schema().fields())
            .map(
                field ->
                    present.contains(field.name())
                        ? functions.col("`" + field.name() + "`")
                        : functions.lit(null).cast(field.dataType()).as(field.name()))
            .toArray(Column[]::new);
    return rows.select(columns);
  }

  /** Newest version of the table; empty if it is not there. */
  public OptionalLong version(TableDefinition table) {
    try {
      return OptionalLong.of(snapshot(table).getVersion());
    } catch (TableNotFoundException e) {
      return OptionalLong.empty();
    }
  }

  /**
   * Newest {@code txnVersion} that was committed to the table under an application id; 0 if none.
   */
  public long transaction(TableDefinition table, String appId) {
    try {
      Engine engine = engine();
      return ((SnapshotImpl) snapshot(engine, table))
          .getLatestTransactionVersion(engine, appId)
          .orElse(0L);
    } catch (TableNotFoundException e) {
      return 0L;
    }
  }

  /**
   * Whether rows of the table may lie before a moment, as far as the statistics in its log tell:
   * asking Spark for them takes it a second or more.
   *
   * @param column of dates or timestamps
   * @return false, too, if there is no such table
   */
  public boolean mayHaveBefore(TableDefinition table, String column, Instant moment) {
    boolean isDate = table.schema().apply(column).dataType().sameType(DataTypes.DateType);
    Literal bound =
        isDate
            ? Literal.ofDate((int) LocalDate.ofInstant(moment, ZoneOffset.UTC).toEpochDay())
            : Literal.ofTimestamp(KernelRow.micros(moment));
    Engine engine = engine();
    try (CloseableIterator<FilteredColumnarBatch> files =
        snapshot(engine, table)
            .getScanBuilder()
            .withFilter(new Predicate("<", new io.delta.kernel.expressions.Column(column), bound))
            .build()
            .getScanFiles(engine)) {
      while (files.hasNext()) {
        try (CloseableIterator<io.delta.kernel.data.Row> rows = files.next().getRows()) {
          if (rows.hasNext()) {
            return true;
          }
        }
      }
      return false;
    } catch (TableNotFoundException e) {
      return false;
    } catch (IOException e) {
      throw new UncheckedIOException(
          "Cannot read the log of %s: %s".formatted(path(table), e.getMessage()), e);
    }
  }

  private Snapshot snapshot(TableDefinition table) {
    return snapshot(engine(), table);
  }

  private Snapshot snapshot(Engine engine, TableDefinition table) {
    return Table.forPath(engine, path(table)).getLatestSnapshot(engine);
  }

  /** Delta Kernel, with the log store that the session has for the lake. */
  private Engine engine() {
    Configuration hadoop = spark.sessionState().newHadoopConf();
    String scheme = new Path(root).toUri().getScheme();
    String store =
        spark
            .conf()
            .get(
                "spark.delta.logStore.%s.impl".formatted(scheme),
                spark.conf().get("spark.delta.logStore.class", null));
    if (store != null) {
      hadoop.set("io.delta.kernel.logStore.%s.impl".formatted(scheme), store);
    }
    return DefaultEngine.create(hadoop);
  }

  /** How one commit is made. */
  public record Commit(String appId, long txnVersion, String userMetadata) {
    /** A commit without a transaction: repeating it repeats its effect. */
    public static final Commit PLAIN = new Commit(null, 0, null);

    /**
     * A commit that Delta makes at most once per (appId, txnVersion). A late duplicate returns as
     * if done: the caller checks who won.
     */
    public static Commit once(String appId, long txnVersion, String userMetadata) {
      return new Commit(appId, txnVersion, userMetadata);
    }
  }

  /** Adds rows. */
  public void append(TableDefinition table, Dataset<Row> rows, Commit commit) {
    create(table);
    writer(table, rows, commit).mode(SaveMode.Append).save(path(table));
  }

  /** Replaces all rows, in one commit. */
  public void overwrite(TableDefinition table, Dataset<Row> rows, Commit commit) {
    create(table);
    writer(table, rows, commit).mode(SaveMode.Overwrite).save(path(table));
  }

  /**
   * Replaces the rows that match a predicate by rows that all match it, in one commit.
   *
   * @param predicate SQL over the table's columns, made of our own constants only
   */
  public void replaceWhere(
      TableDefinition table, Dataset<Row> rows, String predicate, Commit commit) {
    create(table);
    writer(table, rows, commit)
        .option("replaceWhere", predicate)
        .mode(SaveMode.Overwrite)
        .save(path(table));
  }

  /**
   * Removes rows, in one commit; none if no row matches.
   *
   * @param condition over the table's columns, of our own constants only
   */
  public void delete(TableDefinition table, Column condition) {
    DeltaTable.forPath(spark, path(table)).delete(condition);
  }

  /**
   * Says for how long the table's former versions can be read: files that none of them names are
   * removed by {@link #removeUnnamedFiles}, log entries by Delta itself whenever it makes a
   * checkpoint. One commit, if that is not what the table says already.
   *
   * @param files since a file was removed from the table
   * @param log since a version was committed
   */
  public void keepFormerVersionsFor(TableDefinition table, Duration files, Duration log) {
    String interval = "interval %d seconds";
    Map<String, String> wanted =
        Map.of(
            "delta.deletedFileRetentionDuration", interval.formatted(files.toSeconds()),
            "delta.logRetentionDuration", interval.formatted(log.toSeconds()));
    // Of the log alone: Delta's DESCRIBE DETAIL adds up the table's files, by Spark.
    Map<String, String> is = ((SnapshotImpl) snapshot(table)).getTableProperties();
    if (!is.entrySet().containsAll(wanted.entrySet())) {
      spark.sql(
          "ALTER TABLE delta.`%s` SET TBLPROPERTIES (%s)"
              .formatted(
                  path(table).replace("`", "``"),
                  wanted.entrySet().stream()
                      .sorted(Map.Entry.comparingByKey())
                      .map(entry -> "'%s' = '%s'".formatted(entry.getKey(), entry.getValue()))
                      .collect(Collectors.joining(", "))));
    }
  }

  /**
   * Removes the files below the table that no version within {@link #keepFormerVersionsFor} names,
   * by Delta's VACUUM. No commit.
   *
   * @param retention what {@link #keepFormerVersionsFor} was told
   */
  public void removeUnnamedFiles(TableDefinition table, Duration retention) {
    if (allAreNamedOrYounger(table, Instant.now().minus(retention))) {
      return;
    }
    with(
        Map.of(
            // Two commits of their own each time, which nobody reads.
            "spark.databricks.delta.vacuum.logging.enabled",
            "false",
            "spark.databricks.delta.vacuum.parallelDelete.enabled",
            "true",
            // Tasks of its listing, 10,000 by default for whatever table: nearly all are empty.
            "spark.sql.sources.parallelPartitionDiscovery.parallelism",
            Integer.toString(Math.max(8, 2 * spark.sparkContext().defaultParallelism()))),
        // It says on the console how much it deleted, amid what a command prints there.
        () ->
            Console.withOut(
                OutputStream.nullOutputStream(),
                () -> DeltaTable.forPath(spark, path(table)).vacuum()));
  }

  /**
   * Whether VACUUM, which takes Spark seconds for whatever table, would surely remove nothing:
   * there are just as many files as the newest version has, or all are too young.
   */
  private boolean allAreNamedOrYounger(TableDefinition table, Instant before) {
    try {
      Path folder = new Path(path(table));
      FolderCount count = new FolderCount(before.toEpochMilli());
      count.add(folder.getFileSystem(spark.sessionState().newHadoopConf()), folder);
      return count.emptyFolders == 0
          && (count.oldFiles == 0 || files(table).equals(OptionalLong.of(count.files)));
    } catch (IOException e) {
      return false; // VACUUM says what is the matter
    }
  }

  /** Number of files of the newest version, if its log says so without being replayed. */
  private OptionalLong files(TableDefinition table) {
    return scala.jdk.javaapi.OptionConverters.toJava(newest(table).numOfFilesIfKnown())
        .map(files -> OptionalLong.of((Long) files))
        .orElseGet(OptionalLong::empty);
  }

  private org.apache.spark.sql.delta.Snapshot newest(TableDefinition table) {
    return DeltaLog.forTable(spark, path(table))
        .update(false, scala.Option.empty(), scala.Option.empty());
  }

  /** What lies below a folder of a table, but for what Delta keeps there itself. */
  private static final class FolderCount {
    private final long beforeMillis;
    private long files;

    /** Last modified before then. */
    private long oldFiles;

    private long emptyFolders;

    FolderCount(long beforeMillis) {
      this.beforeMillis = beforeMillis;
    }

    void add(FileSystem system, Path folder) throws IOException {
      RemoteIterator<FileStatus> entries = system.listStatusIterator(folder);
      emptyFolders += entries.hasNext() ? 0 : 1;
      while (entries.hasNext()) {
        FileStatus entry = entries.next();
        String name = entry.getPath().getName();
        // As VACUUM passes over them; the values of a partition column may begin so.
        if (name.startsWith(".") || (name.startsWith("_") && !name.contains("="))) {
          continue;
        }
        if (entry.isDirectory()) {
          add(system, entry.getPath());
        } else {
          files++;
          oldFiles += entry.getModificationTime() < beforeMillis ? 1 : 0;
        }
      }
    }
  }

  /**
   * Folders of the table with more small files than it pays to keep: the values of its partition
   * column; of a table that is not partitioned, one null.
   *
   * @param mostFiles that a folder may have
   * @param smallBytes mean length of its files below which they count as small
   */
  public List<String> crowdedFolders(TableDefinition table, int mostFiles, long smallBytes) {
    OptionalLong all = files(table);
    if (all.isPresent() && all.getAsLong() <= mostFiles) {
      return List.of();
    }
    Column folder =
        table.partitionBy().isEmpty()
            ? functions.lit(null).cast("string")
            : functions.col("partitionValues").getItem(table.partitionBy().get(0));
    return newest(table)
        .allFiles()
        .toDF()
        .groupBy(folder.as("folder"))
        .agg(
            functions.count(functions.lit(1)).as("files"),
            functions.avg(functions.col("size")).as("mean"))
        .where(
            functions.col("files").gt(mostFiles).and(functions.col("mean").lt((double) smallBytes)))
        .select("folder")
        .orderBy("folder")
        .collectAsList() // a folder a day
        .stream()
        .map(row -> row.getString(0))
        .toList();
  }

  /**
   * Joins the small files of a table that is partitioned by days or not at all, by Delta's
   * OPTIMIZE: rows stay as they are, and whoever appends meanwhile is not disturbed.
   *
   * @param folders of {@link #crowdedFolders}
   */
  public void joinSmallFiles(TableDefinition table, List<String> folders) {
    if (folders.isEmpty()) {
      return;
    }
    DeltaOptimizeBuilder optimize = DeltaTable.forPath(spark, path(table)).optimize();
    if (!table.partitionBy().isEmpty()) {
      optimize =
          optimize.where(
              folders.stream()
                  .map(day -> "DATE'%s'".formatted(LocalDate.parse(day)))
                  .collect(Collectors.joining(", ", table.partitionBy().get(0) + " IN (", ")")));
    }
    optimize.executeCompaction();
  }

  private static DataFrameWriter<Row> writer(
      TableDefinition table, Dataset<Row> rows, Commit commit) {
    DataFrameWriter<Row> writer =
        select(table, rows).write().format("delta").option("mergeSchema", "true");
    if (!table.partitionBy().isEmpty()) {
      writer = writer.partitionBy(table.partitionBy().toArray(String[]::new));
    }
    if (commit.appId() != null) {
      writer = writer.option("txnAppId", commit.appId()).option("txnVersion", commit.txnVersion());
    }
    if (commit.userMetadata() != null) {
      writer = writer.option("userMetadata", commit.userMetadata());
    }
    return writer;
  }
}
