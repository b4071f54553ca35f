package io.metashard.shardmap;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.not;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.when;
import static org.apache.spark.sql.functions.xxhash64;

import io.delta.exceptions.DeltaConcurrentModificationException;
import io.delta.kernel.exceptions.KernelException;
import io.metashard.lake.Lake;
import io.metashard.lake.TableDefinition;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataTypes;

/**
 * The shard map: read at a version, switched by one commit.
 *
 * <p>Every writer commits with application id {@link #APP_ID} (of the shadow map, {@link
 * #SHADOW_APP_ID}) and, as transaction version, the sequence it planned from plus one. Delta then
 * lets at most one of them through: a concurrent one fails, a late one returns as if done, having
 * done nothing. So every commit looks back at who won: commits are signed by generation and
 * attempt, because two attempts of one run may be alive, a scheduler's retry beside a driver that
 * was given up for dead.
 */
public final class ShardMap {
  /** Commits that {@link #switches} looks at; Delta keeps those of a month. */
  private static final int MOST_COMMITS = 1000;

  public static final String APP_ID = "metashard-map";

  /** The same of {@link ShardMapTable#SHADOW}. */
  public static final String SHADOW_APP_ID = "metashard-shadow-map";

  /**
   * What the commit of a switch bears: its generation, the attempt, and the floor that it sets, if
   * it does. Run ids have no spaces.
   */
  private static final Pattern SIGNED =
      Pattern.compile("(0[0-9]{19})-(\\S+) \\S+(?: floor=([0-9]{1,18}))?");

  private final Lake lake;
  private final TableDefinition table;
  private final String appId;

  /** The map that readers read. */
  public ShardMap(Lake lake) {
    this(lake, ShardMapTable.TABLE, APP_ID);
  }

  private ShardMap(Lake lake, TableDefinition table, String appId) {
    this.lake = lake;
    this.table = table;
    this.appId = appId;
  }

  /** What the map would be if shadow nights had moved bytes. */
  public static ShardMap shadow(Lake lake) {
    return new ShardMap(lake, ShardMapTable.SHADOW, SHADOW_APP_ID);
  }

  /** The table it is kept in. */
  public TableDefinition table() {
    return table;
  }

  /** Creates the table if it is not there. */
  public void create() {
    lake.create(table);
  }

  /** Number of the newest switch; 0 when there was none. */
  public long sequence() {
    return lake.transaction(table, appId);
  }

  public OptionalLong version() {
    return lake.version(table);
  }

  /** All rows, live and dead. */
  public Dataset<Row> rows() {
    return lake.read(table);
  }

  /** All rows as they were at a Delta version of the table. */
  public Dataset<Row> rowsAt(long version) {
    return lake.readAt(table, version);
  }

  /**
   * A switch that the table's history still has.
   *
   * @param sequence its number
   * @param version Delta version of the table that it made
   * @param runId of the run that switched
   * @param at when, by the clock of that run's driver
   * @param floor sequence of the oldest switch whose containers were whole from then on, if this is
   *     one of vacuum, which changed no row; 0 for all others
   */
  public record Switch(long sequence, long version, String runId, Instant at, long floor) {
    /** Whether it changed no row, and only says how far back a rollback can go. */
    public boolean isFloor() {
      return floor > 0;
    }
  }

  /** The switches among the table's newest commits, the newest first. */
  public List<Switch> switches() {
    return history(MOST_COMMITS).switches();
  }

  /** The newest of {@link #switches} that a run made. */
  public Optional<Switch> switchBy(String runId) {
    return switches().stream().filter(one -> one.runId().equals(runId)).findFirst();
  }

  /**
   * What the table's log tells of its past: one entry a version.
   *
   * @param commits moment of each version that it still has, by version
   * @param switches those of them that are switches, the newest first
   */
  public record History(SortedMap<Long, Instant> commits, List<Switch> switches) {
    public History {
      commits = Collections.unmodifiableSortedMap(new TreeMap<>(commits));
      switches = List.copyOf(switches);
    }

    /**
     * The oldest version that is in use: what was the map at a moment, and each since.
     *
     * @throws IllegalStateException if there is no version
     */
    public long oldestInUse(Instant moment) {
      if (commits.isEmpty()) {
        throw new IllegalStateException("Cannot tell which versions are in use: there is none");
      }
      long oldest = commits.firstKey();
      for (Map.Entry<Long, Instant> commit : commits.entrySet()) {
        if (!commit.getValue().isAfter(moment)) {
          oldest = commit.getKey();
        }
      }
      return oldest;
    }

    /** Whether it says what the map was at a moment, be it that there was none yet. */
    public boolean reachesBackTo(Instant moment) {
      return commits.isEmpty()
          || commits.firstKey() == 0
          || !commits.get(commits.firstKey()).isAfter(moment);
    }

    /** The floor in force: sequence of the oldest switch that a rollback can go to; 0: of any. */
    public long floor() {
      return switches.stream().filter(Switch::isFloor).mapToLong(Switch::floor).max().orElse(0);
    }

    /** Switches that changed rows, the newest first. */
    public List<Switch> ofRows() {
      return switches.stream().filter(one -> !one.isFloor()).toList();
    }

    /**
     * The oldest switch that made a version or a later one: the last one up to it; if the log does
     * not have that one any more, the first after it. Empty: there is none.
     */
    public Optional<Switch> switchOf(long version) {
      List<Switch> all = ofRows();
      return all.stream()
          .filter(one -> one.version() <= version)
          .findFirst()
          .or(() -> all.isEmpty() ? Optional.empty() : Optional.of(all.get(all.size() - 1)));
    }
  }

  /** All that the table's log still has. */
  public History history() {
    return history(Integer.MAX_VALUE);
  }

  private History history(int mostCommits) {
    SortedMap<Long, Instant> commits = new TreeMap<>();
    List<Switch> switches = new ArrayList<>();
    if (version().isEmpty()) {
      return new History(commits, switches);
    }
    for (Row commit :
        io.delta.tables.DeltaTable.forPath(lake.spark(), lake.path(table))
            .history(mostCommits)
            .select("version", "timestamp", "userMetadata")
            .orderBy(col("version").desc())
            .collectAsList()) {
      Instant at = commit.getTimestamp(1).toInstant();
      commits.put(commit.getLong(0), at);
      Matcher signed = SIGNED.matcher(commit.isNullAt(2) ? "" : commit.getString(2));
      if (signed.matches()) {
        switches.add(
            new Switch(
                Long.parseLong(signed.group(1)),
                commit.getLong(0),
                signed.group(2),
                at,
                signed.group(3) == null ? 0 : Long.parseLong(signed.group(3))));
      }
    }
    return new History(commits, switches);
  }

  /** Rows that are served: data blocks of objects' current versions. */
  public static Dataset<Row> live(Dataset<Row> rows) {
    return rows.where(col(ShardMapTable.LIVE).and(col(ShardMapTable.OBJECT_ID).isNotNull()));
  }

  /** One row per live object: id and version. */
  public static Dataset<Row> liveVersions(Dataset<Row> rows) {
    return live(rows)
        .groupBy(col(ShardMapTable.OBJECT_ID))
        .agg(max(col(ShardMapTable.OBJECT_VERSION)).as(ShardMapTable.OBJECT_VERSION));
  }

  /** The buckets that rows are in, in order. */
  public static List<Integer> bucketsOf(Dataset<Row> rows) {
    return rows.select(ShardMapTable.BUCKET).distinct().collectAsList().stream()
        .map(row -> row.getInt(0)) // 65,536 buckets at most
        .sorted()
        .toList();
  }

  /** The buckets that rows of either are in, in order. */
  public static List<Integer> bucketsOf(Dataset<Row> some, Dataset<Row> others) {
    return bucketsOf(some.select(ShardMapTable.BUCKET).union(others.select(ShardMapTable.BUCKET)));
  }

  /**
   * The buckets whose rows are not the same in two versions of the map, in order.
   *
   * @param some all rows of one, as {@link ShardMapTable#SCHEMA}
   * @param others all rows of the other
   */
  public static List<Integer> differingBuckets(Dataset<Row> some, Dataset<Row> others) {
    String before = "before";
    String after = "after";
    return digests(some, before)
        .join(digests(others, after), new String[] {ShardMapTable.BUCKET}, "full_outer")
        .where(not(col(before).eqNullSafe(col(after))))
        .select(ShardMapTable.BUCKET)
        .collectAsList()
        .stream()
        .map(row -> row.getInt(0)) // 65,536 buckets at most
        .sorted()
        .toList();
  }

  /** Per bucket a digest of its rows, which their order does not change. */
  private static Dataset<Row> digests(Dataset<Row> rows, String name) {
    // A hash leaves nulls out: that a column is null is hashed beside it.
    Column[] hashed =
        Arrays.stream(ShardMapTable.SCHEMA.fieldNames())
            .flatMap(column -> Stream.of(col(column), col(column).isNull()))
            .toArray(Column[]::new);
    return rows.groupBy(col(ShardMapTable.BUCKET))
        .agg(
            count(lit(1)).as("rows"),
            sum(xxhash64(hashed).cast(DataTypes.createDecimalType(20, 0))).as("sum"))
        .select(col(ShardMapTable.BUCKET), struct(col("rows"), col("sum")).as(name));
  }

  /** The number of buckets the map was created with; empty while it has no rows. */
  public OptionalInt buckets() {
    List<Row> first = rows().select(ShardMapTable.BUCKETS).limit(1).collectAsList();
    return first.isEmpty() ? OptionalInt.empty() : OptionalInt.of(first.get(0).getInt(0));
  }

  /** The generation of the {@code sequence}-th switch by a run. */
  public static String generation(long sequence, String runId) {
    return "%020d-%s".formatted(sequence, runId);
  }

  /** Whether a row was written by a run in the switch that a plan from a sequence led to. */
  public static Column writtenBy(long plannedSequence, String runId) {
    return col(ShardMapTable.GENERATION).startsWith(generation(plannedSequence + 1, runId));
  }

  /** Whether the newest switch was this run's own, by whichever of its attempts. */
  public boolean lastSwitchWasBy(String runId) {
    long sequence = sequence();
    String signature = sequence == 0 ? null : signature(sequence);
    return signature != null && signature.split(" ", 2)[0].equals(runId);
  }

  /** What a switch is signed with; run ids have no spaces. */
  private static String signature(String runId, String attempt) {
    return runId + " " + attempt;
  }

  /** How a switch is signed, from the commit's user metadata; null if it is not found. */
  private String signature(long sequence) {
    String wanted = generation(sequence, "");
    List<Row> commits =
        io.delta.tables.DeltaTable.forPath(lake.spark(), lake.path(table))
            .history(20)
            .where(col("userMetadata").startsWith(wanted))
            .select("userMetadata")
            .limit(1)
            .collectAsList();
    return commits.isEmpty() ? null : commits.get(0).getString(0).substring(wanted.length());
  }

  /**
   * The map's rows of some buckets after new blocks were written: what the new ones replace is dead
   * from now on, meta-shards without a live block are gone.
   *
   * @param current the buckets' rows now, as {@link ShardMapTable#SCHEMA}
   * @param written new rows, as {@link ShardMapTable#SCHEMA}
   * @param replacedIds one column {@code object_id}: objects whose former rows are no longer served
   * @param now the run's moment of planning, since when they are dead; what was dead stays so since
   *     it was
   */
  public static Dataset<Row> switched(
      Dataset<Row> current, Dataset<Row> written, Dataset<Row> replacedIds, Instant now) {
    String replaced = "replaced";
    String served = "served";
    Column isData = col(ShardMapTable.OBJECT_ID).isNotNull();
    Column dies = col(ShardMapTable.LIVE).and(col(replaced).isNotNull());
    Dataset<Row> marked =
        current
            .join(
                replacedIds
                    .select(col(ShardMapTable.OBJECT_ID))
                    .distinct()
                    .withColumn(replaced, lit(true)),
                new String[] {ShardMapTable.OBJECT_ID},
                "left")
            .withColumn(
                ShardMapTable.DEAD_SINCE,
                when(dies, lit(now.truncatedTo(ChronoUnit.MICROS)))
                    .otherwise(col(ShardMapTable.DEAD_SINCE)))
            .withColumn(ShardMapTable.LIVE, col(ShardMapTable.LIVE).and(col(replaced).isNull()));
    Dataset<Row> kept =
        marked
            .where(isData)
            .groupBy(col(ShardMapTable.META_SHARD_ID))
            .agg(max(col(ShardMapTable.LIVE)).as(served))
            .where(col(served));
    return marked
        .join(
            kept.select(ShardMapTable.META_SHARD_ID),
            new String[] {ShardMapTable.META_SHARD_ID},
            "left_semi")
        .select(columns())
        .unionByName(written.select(columns()));
  }

  private static Column[] columns() {
    return Arrays.stream(ShardMapTable.SCHEMA.fieldNames())
        .map(name -> col(name))
        .toArray(Column[]::new);
  }

  /**
   * Replaces the rows of some buckets in one commit.
   *
   * @param rows all rows that the buckets shall have
   * @param changedBuckets the buckets
   * @param plannedSequence the map's sequence that the caller planned from
   * @param attempt of the run, of no other process
   * @return the new sequence
   * @throws MapMovedException if another writer came first, be it another attempt of this run; the
   *     map is as that one left it
   */
  public long commit(
      Dataset<Row> rows,
      List<Integer> changedBuckets,
      long plannedSequence,
      String runId,
      String attempt) {
    String predicate =
        changedBuckets.stream()
            .map(bucket -> Integer.toString(bucket))
            .collect(Collectors.joining(",", ShardMapTable.BUCKET + " in (", ")"));
    return commit(
        plannedSequence,
        plannedSequence + 1,
        signature(runId, attempt),
        once -> {
          Dataset<Row> sorted =
              rows.repartition(Math.min(changedBuckets.size(), 64), col(ShardMapTable.BUCKET))
                  .sortWithinPartitions(
                      ShardMapTable.BUCKET, ShardMapTable.META_SHARD_ID, ShardMapTable.BLOCK_INDEX);
          lake.replaceWhere(table, sorted, predicate, once);
        });
  }

  /**
   * Says, by a switch that changes no row, how far back a rollback can go from now on: who planned
   * one from the map before finds that the map moved.
   *
   * @param floor sequence of the oldest switch whose containers are kept
   * @param plannedSequence the map's sequence that the caller looked at
   * @param attempt of the run, of no other process
   * @return the new sequence
   * @throws MapMovedException if another writer came first
   */
  public long moveFloor(long floor, long plannedSequence, String runId, String attempt) {
    if (floor < 1 || floor > plannedSequence) {
      throw new IllegalArgumentException(
          "Cannot set the floor to sequence %d: the map is at %d"
              .formatted(floor, plannedSequence));
    }
    return commit(
        plannedSequence,
        plannedSequence + 1,
        "%s floor=%d".formatted(signature(runId, attempt), floor),
        once ->
            lake.append(
                table,
                lake.spark().createDataFrame(List.of(), ShardMapTable.SCHEMA).coalesce(1),
                once));
  }

  /**
   * Replaces all rows in one commit, those of a map that was lost or cannot be read, too: the rows
   * that were are not read.
   *
   * @param rows all rows that the map shall have
   * @param foundSequence the map's sequence that the caller looked at; 0 where there was no map
   * @param sequence the new one: higher than any that was ever used
   * @param attempt of the run, of no other process
   * @throws MapMovedException if another writer came first, be it another attempt of this run
   */
  public void replaceAll(
      Dataset<Row> rows, long foundSequence, long sequence, String runId, String attempt) {
    if (sequence <= foundSequence) {
      throw new IllegalArgumentException(
          "Cannot switch the map from sequence %d to %d: numbers go up"
              .formatted(foundSequence, sequence));
    }
    Dataset<Row> sorted =
        rows.repartition(64, col(ShardMapTable.BUCKET))
            .sortWithinPartitions(
                ShardMapTable.BUCKET, ShardMapTable.META_SHARD_ID, ShardMapTable.BLOCK_INDEX);
    commit(
        foundSequence,
        sequence,
        signature(runId, attempt),
        commit -> lake.overwrite(table, sorted, commit));
  }

  private long commit(
      long plannedSequence, long sequence, String signature, Consumer<Lake.Commit> write) {
    if (sequence() != plannedSequence) {
      throw moved(plannedSequence, null);
    }
    try {
      write.accept(Lake.Commit.once(appId, sequence, generation(sequence, signature)));
    } catch (RuntimeException e) {
      if (e instanceof DeltaConcurrentModificationException
          || e.getClass().getName().contains("Concurrent")
          || e instanceof KernelException) {
        throw moved(plannedSequence, e);
      }
      throw e;
    }
    if (sequence() != sequence || !signature.equals(signature(sequence))) {
      throw moved(plannedSequence, null);
    }
    return sequence;
  }

  private MapMovedException moved(long plannedSequence, Throwable cause) {
    return new MapMovedException(
        "Cannot switch the %s of %s: it moved on to sequence %d since it was planned from at %d; run again, the plan is made anew"
            .formatted(table.name().replace('_', ' '), lake.root(), sequence(), plannedSequence),
        cause);
  }
}
