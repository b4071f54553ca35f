package io.metashard.job;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.sum;

import io.metashard.encode.PlannedBlocks;
import io.metashard.plan.AllBuckets;
import io.metashard.plan.BucketInput;
import io.metashard.plan.BucketPlanner;
import io.metashard.plan.Candidate;
import io.metashard.plan.Choice;
import io.metashard.plan.Hot;
import io.metashard.plan.Ideal;
import io.metashard.plan.Pressure;
import io.metashard.plan.Tally;
import io.metashard.plan.TierColumn;
import io.metashard.plan.TierDemand;
import io.metashard.plan.Unit;
import io.metashard.plan.Units;
import java.sql.Date;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** The buckets as a table: each question is one pass over it, and its answer a small sum. */
record SparkBuckets(Dataset<Row> rows, BucketPlanner planner, boolean storeNothing)
    implements AllBuckets {
  private static final String MEASURE = "measure";
  private static final String VALUE = "value";
  private static final String RANK = "rank";
  private static final String BYTES = "bytes";
  private static final String PRIORITY = "priority";
  private static final String OBJECT_ID = PlannedBlocks.OBJECT_ID;

  private static final String SUM = "sum/";
  private static final String NEW = "new/";
  private static final String KEPT = "kept/";

  private static final StructType TALLY =
      new StructType()
          .add(MEASURE, DataTypes.StringType, false)
          .add(VALUE, DataTypes.LongType, false);

  private static final String COLUMNS = "columns/";
  private static final String RISING = "rising/";
  private static final String AT = "at/";

  private static final String PARTS = "parts";
  private static final String SIZE = "size_class";
  private static final String READS = "reads_class";
  private static final String READ_PARTS = "read_parts";

  private static final StructType UNITS =
      new StructType()
          .add(PARTS, DataTypes.IntegerType, false)
          .add(SIZE, DataTypes.IntegerType, false)
          .add(READS, DataTypes.IntegerType, false)
          .add(VALUE, DataTypes.LongType, false)
          .add(BYTES, DataTypes.LongType, false)
          .add(READ_PARTS, DataTypes.LongType, false);

  private static final String META_SHARD = "meta_shard";
  private static final String HOTTEST_MILLIS = "hottest_millis";

  private static final StructType HOT =
      new StructType()
          .add(META_SHARD, DataTypes.StringType, false)
          .add(HOTTEST_MILLIS, DataTypes.DoubleType, false)
          .add("shards", DataTypes.IntegerType, false)
          .add("data", DataTypes.IntegerType, false)
          .add(BYTES, DataTypes.LongType, false)
          .add("plain_millis", DataTypes.DoubleType, false)
          .add(
              "columns",
              DataTypes.createArrayType(
                  new StructType()
                      .add("index", DataTypes.IntegerType, false)
                      .add(BYTES, DataTypes.LongType, false)
                      .add("read_millis", DataTypes.DoubleType, false)
                      .add("first", DataTypes.IntegerType, false)
                      .add("last", DataTypes.IntegerType, false)
                      .add("heat", DataTypes.IntegerType, false)
                      .add("location", DataTypes.StringType, false),
                  false),
              false);

  private static final StructType CANDIDATES =
      new StructType()
          .add(OBJECT_ID, DataTypes.StringType, false)
          .add(PRIORITY, DataTypes.StringType, false)
          .add(RANK, DataTypes.IntegerType, false)
          .add(BYTES, DataTypes.LongType, false);

  @Override
  public Units units() {
    Map<Unit, Units.Sum> sums = new HashMap<>();
    each(new UnitsTask(planner), UNITS)
        .groupBy(col(PARTS), col(SIZE), col(READS))
        .agg(sum(col(VALUE)), sum(col(BYTES)), sum(col(READ_PARTS)))
        .collectAsList() // classes of length and heat: some hundred
        .forEach(
            row ->
                sums.put(
                    new Unit(row.getInt(0), row.getInt(1), row.getInt(2)),
                    new Units.Sum(row.getLong(3), row.getLong(4), row.getLong(5))));
    return new Units(sums);
  }

  @Override
  public Tally tallyFromScratch(List<Integer> steps) {
    return total(new ScratchTask(planner, List.copyOf(steps)), steps);
  }

  @Override
  public Tally tally(Choice choice, List<Integer> steps) {
    return total(new TallyTask(planner, choice, List.copyOf(steps)), steps);
  }

  @Override
  public List<Hot> hottest(Choice choice, int step, String runKey) {
    return each(new HottestTask(planner, choice, step, runKey), HOT)
        .orderBy(col(HOTTEST_MILLIS).desc(), col(META_SHARD))
        .limit(Hot.MOST)
        .collectAsList()
        .stream()
        .map(SparkBuckets::hot)
        .toList();
  }

  @Override
  public NavigableMap<Integer, Long> bytesByRank(
      Pressure pressure, Ideal ideal, long longestBytes) {
    NavigableMap<Integer, Long> bytes = new TreeMap<>();
    candidates(pressure, ideal)
        .where(col(BYTES).leq(longestBytes))
        .groupBy(col(RANK))
        .agg(sum(col(BYTES)).as(BYTES))
        .collectAsList() // at most Candidate.RANKS rows
        .forEach(row -> bytes.put(row.<Integer>getAs(RANK), row.<Long>getAs(BYTES)));
    return bytes;
  }

  @Override
  public List<Candidate> next(
      Pressure pressure, Ideal ideal, int fromRank, long longestBytes, int limit) {
    return candidates(pressure, ideal)
        .where(col(BYTES).leq(longestBytes).and(col(RANK).geq(fromRank)))
        .orderBy(col(RANK), col(OBJECT_ID))
        .limit(limit)
        .collectAsList()
        .stream()
        .map(SparkBuckets::candidate)
        .toList();
  }

  private Dataset<Row> candidates(Pressure pressure, Ideal ideal) {
    return each(new CandidatesTask(planner, pressure, ideal), CANDIDATES);
  }

  /** The planned blocks of all buckets, as {@link Plans#SCHEMA}. */
  Dataset<Row> plan(PlanTask task) {
    return each(task, Plans.SCHEMA);
  }

  /** The objects that leave the map for want of a source, as {@link PlannedDrops#SCHEMA}. */
  Dataset<Row> dropped(DropTask task) {
    return each(task, PlannedDrops.SCHEMA);
  }

  private Dataset<Row> each(BucketRows.BucketTask task, StructType result) {
    return BucketRows.each(rows, planner.options().isolateBy(), task, result);
  }

  @Override
  public TierDemand tierDemandOfAll(int step) {
    return demand(new AllDemandTask(planner, step));
  }

  @Override
  public TierDemand tierDemand(Choice choice, int step) {
    return demand(new DemandTask(planner, choice, step));
  }

  private TierDemand demand(BucketRows.BucketTask task) {
    Map<TierColumn, Long> columns = new HashMap<>();
    Map<TierColumn, Long> rising = new HashMap<>();
    Map<String, Long> storedAt = new HashMap<>();
    each(task, TALLY)
        .groupBy(col(MEASURE))
        .agg(sum(col(VALUE)).as(VALUE))
        .collectAsList() // classes of heat, some hundred, and locations
        .forEach(
            row -> {
              String measure = row.getAs(MEASURE);
              long value = row.<Long>getAs(VALUE);
              String name = measure.substring(measure.indexOf('/') + 1);
              if (measure.startsWith(COLUMNS)) {
                columns.put(column(name), value);
              } else if (measure.startsWith(RISING)) {
                rising.put(column(name), value);
              } else {
                storedAt.put(name, value);
              }
            });
    return new TierDemand(columns, rising, storedAt);
  }

  private static TierColumn column(String name) {
    String[] parts = name.split("/");
    return new TierColumn(
        Integer.parseInt(parts[0]), Integer.parseInt(parts[1]), Integer.parseInt(parts[2]));
  }

  private static Iterator<Row> rows(TierDemand demand) {
    List<Row> rows = new ArrayList<>();
    demand.columns().forEach((column, value) -> rows.add(row(COLUMNS, column, value)));
    demand.rising().forEach((column, value) -> rows.add(row(RISING, column, value)));
    demand.storedAt().forEach((at, value) -> rows.add(RowFactory.create(AT + at, value)));
    return rows.iterator();
  }

  private static Row row(String kind, TierColumn column, long value) {
    return RowFactory.create(
        kind + "%d/%d/%d".formatted(column.first(), column.last(), column.heat()), value);
  }

  private Tally total(BucketRows.BucketTask task, List<Integer> steps) {
    Map<Tally.Measure, Long> sums = new HashMap<>();
    Map<Integer, Long> newBytes = new HashMap<>();
    steps.forEach(step -> newBytes.put(step, 0L)); // also when there is no bucket
    Map<String, Long> keptBytesAt = new HashMap<>();
    each(task, TALLY)
        .groupBy(col(MEASURE))
        .agg(sum(col(VALUE)).as(VALUE))
        .collectAsList() // measures, steps and locations: tens of rows
        .forEach(
            row -> {
              String measure = row.getAs(MEASURE);
              long value = row.<Long>getAs(VALUE);
              String name = measure.substring(measure.indexOf('/') + 1);
              if (measure.startsWith(SUM)) {
                sums.put(Tally.Measure.valueOf(name), value);
              } else if (measure.startsWith(NEW)) {
                newBytes.put(Integer.valueOf(name), value);
              } else {
                keptBytesAt.put(name, value);
              }
            });
    return new Tally(sums, newBytes, keptBytesAt);
  }

  private static Iterator<Row> rows(Tally tally) {
    List<Row> rows = new ArrayList<>();
    tally.sums().forEach((m, value) -> rows.add(RowFactory.create(SUM + m.name(), value)));
    tally.newBytes().forEach((step, value) -> rows.add(RowFactory.create(NEW + step, value)));
    tally.keptBytesAt().forEach((at, value) -> rows.add(RowFactory.create(KEPT + at, value)));
    return rows.iterator();
  }

  private static Candidate candidate(Row row) {
    return new Candidate(
        row.getAs(OBJECT_ID),
        Candidate.Priority.valueOf(row.getAs(PRIORITY)),
        row.<Integer>getAs(RANK),
        row.<Long>getAs(BYTES));
  }

  private record UnitsTask(BucketPlanner planner) implements BucketRows.BucketTask {
    @Override
    public Iterator<Row> rows(BucketInput input) {
      return planner.units(input).sums().entrySet().stream()
          .map(
              e ->
                  RowFactory.create(
                      e.getKey().parts(),
                      e.getKey().sizeClass(),
                      e.getKey().readsClass(),
                      e.getValue().count(),
                      e.getValue().bytes(),
                      e.getValue().readParts()))
          .iterator();
    }
  }

  private record ScratchTask(BucketPlanner planner, List<Integer> steps)
      implements BucketRows.BucketTask {
    @Override
    public Iterator<Row> rows(BucketInput input) {
      return SparkBuckets.rows(planner.tallyFromScratch(input, steps));
    }
  }

  private record TallyTask(BucketPlanner planner, Choice choice, List<Integer> steps)
      implements BucketRows.BucketTask {
    @Override
    public Iterator<Row> rows(BucketInput input) {
      return SparkBuckets.rows(planner.tally(input, choice, steps));
    }
  }

  private record AllDemandTask(BucketPlanner planner, int step) implements BucketRows.BucketTask {
    @Override
    public Iterator<Row> rows(BucketInput input) {
      return SparkBuckets.rows(planner.tierDemandOfAll(input, step));
    }
  }

  private record DemandTask(BucketPlanner planner, Choice choice, int step)
      implements BucketRows.BucketTask {
    @Override
    public Iterator<Row> rows(BucketInput input) {
      return SparkBuckets.rows(planner.tierDemand(input, choice, step));
    }
  }

  private record HottestTask(BucketPlanner planner, Choice choice, int step, String runKey)
      implements BucketRows.BucketTask {
    @Override
    public Iterator<Row> rows(BucketInput input) {
      return planner.hottest(input, choice, step, runKey).stream()
          .map(
              hot ->
                  RowFactory.create(
                      hot.id(),
                      hot.hottestMillis(),
                      hot.shards(),
                      hot.data(),
                      hot.bytes(),
                      hot.plainMillis(),
                      hot.columns().stream()
                          .map(
                              column ->
                                  RowFactory.create(
                                      column.index(),
                                      column.bytes(),
                                      column.readMillis(),
                                      column.tiers().first(),
                                      column.tiers().last(),
                                      column.tiers().heat(),
                                      column.location()))
                          .toArray(Row[]::new)))
          .iterator();
    }
  }

  private static Hot hot(Row row) {
    return new Hot(
        row.getString(0),
        row.getInt(2),
        row.getInt(3),
        row.getLong(4),
        row.getDouble(5),
        row.<Row>getList(6).stream()
            .map(
                column ->
                    new Hot.Column(
                        column.getInt(0),
                        column.getLong(1),
                        column.getDouble(2),
                        new TierColumn(column.getInt(3), column.getInt(4), column.getInt(5)),
                        column.getString(6)))
            .toList());
  }

  private record CandidatesTask(BucketPlanner planner, Pressure pressure, Ideal ideal)
      implements BucketRows.BucketTask {
    @Override
    public Iterator<Row> rows(BucketInput input) {
      return planner.candidates(input, pressure, ideal).stream()
          .map(c -> RowFactory.create(c.objectId(), c.priority().name(), c.rank(), c.bytes()))
          .iterator();
    }
  }

  /** Finds the objects of a bucket that leave it for want of a source. */
  record DropTask(BucketPlanner planner, String runId, Date date, long mapSequence, String mapTable)
      implements BucketRows.BucketTask {
    @Override
    public Iterator<Row> rows(BucketInput input) {
      return planner.dropped(input).stream()
          .map(
              dropped ->
                  PlannedDrops.row(dropped, input.bucket(), runId, date, mapSequence, mapTable))
          .iterator();
    }
  }

  /** Plans a bucket's blocks. */
  record PlanTask(
      BucketPlanner planner,
      Choice choice,
      int step,
      BucketPlanner.Placing placing,
      String runId,
      Date date,
      long mapSequence,
      int buckets,
      String mapTable)
      implements BucketRows.BucketTask {
    @Override
    public Iterator<Row> rows(BucketInput input) {
      String policy = planner.options().policy().word();
      return planner.plan(input, choice, step, placing).stream()
          .map(block -> Plans.row(block, runId, date, mapSequence, policy, buckets, mapTable))
          .iterator();
    }
  }
}
