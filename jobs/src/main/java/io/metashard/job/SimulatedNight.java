package io.metashard.job;

import static org.apache.spark.sql.functions.avg;
import static org.apache.spark.sql.functions.call_function;
import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.exp;
import static org.apache.spark.sql.functions.floor;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.log2;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.min;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.udf;
import static org.apache.spark.sql.functions.unix_micros;
import static org.apache.spark.sql.functions.when;

import io.metashard.Location;
import io.metashard.LocationModel;
import io.metashard.ObjectIds;
import io.metashard.Tier;
import io.metashard.aggregate.Demand;
import io.metashard.aggregate.Reads;
import io.metashard.aggregate.Rebinned;
import io.metashard.catalogue.Objects;
import io.metashard.catalogue.SegmentOptions;
import io.metashard.config.Settings;
import io.metashard.forecast.Forecasts;
import io.metashard.logs.Requests;
import io.metashard.plan.Deadlines;
import io.metashard.plan.Places;
import io.metashard.plan.PlanOptions;
import io.metashard.plan.Reading;
import io.metashard.plan.Site;
import io.metashard.shardmap.ShardMap;
import io.metashard.shardmap.ShardMapTable;
import io.metashard.simulate.Baselines;
import io.metashard.simulate.Heat;
import io.metashard.simulate.LayoutRule;
import io.metashard.simulate.PlacedBlock;
import io.metashard.simulate.ReadRequest;
import io.metashard.simulate.Replay;
import io.metashard.simulate.SimulatedObject;
import java.io.IOException;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.storage.StorageLevel;

/**
 * Replays the requests that a log says came after a forecast through layouts of the lake's objects:
 * what the plan would have been worth, beside other layouts and other forecasts.
 */
final class SimulatedNight {
  static final String CURRENT = "current";
  static final String PERSISTENCE = "persistence";

  /** All layouts, in the order of the table. */
  static final List<String> NAMES =
      List.of(
          SimulatedLayouts.SOURCE,
          CURRENT,
          SimulatedLayouts.PLANNED,
          PERSISTENCE,
          SimulatedLayouts.ORACLE,
          "copies-3",
          "rs-6-3",
          "rs-10-4",
          "selective",
          "ec-cache",
          "sp-cache");

  private static final String COUNTED = "counted";
  private static final String OBJECT_BYTES = Objects.OBJECT_BYTES;

  /** Objects are told apart by their reads and bytes to parts of a factor of two. */
  private static final int HEATS_PER_OCTAVE = 8;

  private static final int SIZES_PER_OCTAVE = 4;

  /**
   * What is asked.
   *
   * @param requests path of Parquet files or a Delta table with the columns of {@code requests}
   * @param bytesFactor objects and ranges are taken for so many times as long
   * @param rateFactor requests are taken to come so many times as fast
   * @param locations how many there are, each a domain of its own; 0: those of the lake
   * @param mostReads of the log, the earliest ones; 0: all
   * @param layouts some of {@link #NAMES}
   * @param leavesOut whether a layout that cannot be had is left out, with a note, not refused
   * @param dump where what was simulated is written, if anywhere
   */
  record Question(
      String requests,
      long bytesFactor,
      double rateFactor,
      int locations,
      int mostReads,
      long seed,
      List<String> models,
      List<String> layouts,
      boolean leavesOut,
      Optional<SimulationDump> dump) {}

  /**
   * What came of it.
   *
   * @param notes what is to be known beside the table
   */
  record Answer(List<SimulateCommand.Line> lines, List<String> notes, Map<String, Object> facts) {}

  private final JobContext context;
  private final Question question;
  private final Function<List<String>, Settings> settings;
  private final List<Location> lakeLocations;
  private final Map<String, Tier> tiers; // by location
  private final ShardMap map;
  private final List<String> notes = new ArrayList<>();
  private Pilot pilot; // once a layout has asked for it

  /** All that is the same for every layout. */
  private record Asked(
      Dataset<Row> objects,
      ChosenForecast forecast,
      Dataset<Row> demandThatCame,
      Dataset<Row> heats,
      List<Heat> heatClasses,
      List<String> names,
      List<Site> sites,
      long logicalBytes) {}

  /**
   * @param settings of the run, with some overridden
   */
  SimulatedNight(JobContext context, Question question, Function<List<String>, Settings> settings) {
    this.context = context;
    this.question = question;
    this.settings = settings;
    this.lakeLocations =
        Locations.merged(
            context.lake(), Locations.configured(context.settings(), context.hadoop()));
    this.tiers = Tiers.from(context.settings()).of(lakeLocations);
    this.map = new ShardMap(context.lake());
  }

  /**
   * Replays.
   *
   * @throws MetashardException if there is no forecast, or no read in its horizon
   */
  Answer run() throws IOException {
    Dataset<Row> objects =
        scaledObjects(
                context
                    .lake()
                    .read(Objects.TABLE)
                    .where(col(Objects.SOURCE_STATE).equalTo(Objects.PRESENT)))
            .persist(StorageLevel.MEMORY_AND_DISK());
    ChosenForecast forecast = ChosenForecast.of(context, objects);
    Dataset<Row> requests = requests(forecast);
    Dataset<Row> reads = reads(requests, objects, forecast).persist(StorageLevel.MEMORY_AND_DISK());
    try {
      long found = reads.count();
      if (found == 0) {
        throw new MetashardException(
            MetashardException.USAGE,
            "Cannot simulate: %s has no read of an object of the catalogue from %s to %s, which run %s forecast; name another moment with --at, or another log"
                .formatted(
                    ObjectIds.printable(question.requests()),
                    forecast.horizonStart(),
                    forecast.horizonEnd(),
                    forecast.runId()));
      }
      Dataset<Row> came =
          Reads.placed(Reads.of(requests, objects, Duration.ofHours(1)))
              .persist(StorageLevel.MEMORY_AND_DISK());
      try {
        return replayed(objects, forecast, reads, came);
      } finally {
        came.unpersist();
      }
    } finally {
      reads.unpersist();
      objects.unpersist();
    }
  }

  private Answer replayed(
      Dataset<Row> objects, ChosenForecast forecast, Dataset<Row> reads, Dataset<Row> came) {
    Dataset<Row> heats = heats(objects, forecastRows(objects, forecast)).persist();
    List<Site> sites = sites();
    List<String> names =
        question.locations() > 0
            ? sites.stream().map(Site::name).toList()
            : lakeLocations.stream().map(Location::name).sorted().toList();
    Asked night =
        new Asked(
            objects,
            forecast,
            came,
            heats,
            heatClasses(heats),
            names,
            sites,
            heats.agg(coalesce(sum(col(SimulatedReads.BYTES)), lit(0L))).first().getLong(0));
    List<SimulateCommand.Line> lines = new ArrayList<>();
    try {
      question
          .dump()
          .ifPresent(
              dump -> dump.night(heats, reads(reads, night, 0), names, baselines(night).source()));
      for (String model : question.models()) {
        lines.addAll(lines(model, night, reads));
      }
    } finally {
      heats.unpersist();
    }
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("forecast_run_id", forecast.runId());
    facts.put("horizon_start", forecast.horizonStart().toString());
    facts.put("horizon_end", forecast.horizonEnd().toString());
    facts.put("locations", names.size());
    facts.put("bytes_factor", question.bytesFactor());
    facts.put("rate_factor", question.rateFactor());
    write(lines, forecast, names.size());
    return new Answer(lines, notes, facts);
  }

  private List<SimulateCommand.Line> lines(String model, Asked night, Dataset<Row> rows) {
    Duration horizon =
        Duration.between(night.forecast().horizonStart(), night.forecast().horizonEnd());
    Settings of =
        settings.apply(
            List.of(
                "plan.read-model=" + model,
                "reshard.max-bytes-per-run=" + Long.MAX_VALUE, // all of it is simulated
                "forecast.horizon=%dms"
                    .formatted(
                        Math.max(1, Math.round(horizon.toMillis() / question.rateFactor())))));
    PlanOptions options = PlanOptions.from(of);
    Reading reading = options.reading();
    SimulatedReads reads = reads(rows, night, reading.extraReads());
    List<SimulateCommand.Line> lines = new ArrayList<>();
    for (String layout : question.layouts()) {
      try {
        line(layout, model, options, night, reads).ifPresent(lines::add);
      } catch (IllegalArgumentException e) {
        if (!question.leavesOut()) {
          throw new MetashardException(
              MetashardException.USAGE,
              "Cannot simulate layout %s: %s".formatted(layout, e.getMessage()),
              e);
        }
        note("%s is left out: %s".formatted(layout, e.getMessage()));
      }
    }
    return lines;
  }

  private SimulatedReads reads(Dataset<Row> rows, Asked night, int extraReads) {
    return new SimulatedReads(rows, speeds(night.names()), extraReads, question.seed());
  }

  private void note(String text) {
    if (!notes.contains(text)) {
      notes.add(text);
    }
  }

  private Optional<SimulateCommand.Line> line(
      String layout, String model, PlanOptions options, Asked night, SimulatedReads reads) {
    LocationModel of = options.reading().model();
    switch (layout) {
      case CURRENT -> {
        if (!usesMap() || map.rows().isEmpty()) {
          note(
              usesMap()
                  ? "current is left out: the shard map is empty"
                  : "current is left out: the shard map is of the objects and locations as they are, not of --scale-bytes or --locations");
          return Optional.empty();
        }
        Dataset<Row> blocks = SimulatedReads.numbered(map.rows(), night.names());
        question.dump().ifPresent(dump -> dump.blocks(blocks, model, layout));
        double ratio = MapStatistics.of(map.rows()).storageRatio();
        return Optional.of(
            new SimulateCommand.Line(model, layout, reads.throughBlocks(blocks, of, ratio), 0));
      }
      case SimulatedLayouts.PLANNED -> {
        return Optional.of(
            planned(
                layout,
                model,
                options,
                night,
                reads,
                forecastRows(night.objects(), night.forecast())));
      }
      case PERSISTENCE -> {
        return Optional.of(
            planned(layout, model, options, night, reads, asForecast(lastCounts(night), night)));
      }
      case SimulatedLayouts.ORACLE -> {
        return Optional.of(
            planned(
                layout, model, options, night, reads, asForecast(night.demandThatCame(), night)));
      }
      default -> {
        LayoutRule rule =
            SimulatedLayouts.rule(
                layout,
                baselines(night),
                options.storageBudget(),
                tried ->
                    pilot(night, reads).meanMillis(tried, of, reads.speeds(), question.seed()));
        double stored =
            night
                .heats()
                .map(
                    new StoredBytes(rule, night.names().size()),
                    org.apache.spark.sql.Encoders.LONG())
                .agg(sum(col("value")))
                .first()
                .getLong(0);
        question.dump().ifPresent(dump -> dump.rule(night.heats(), reads, rule, model, layout));
        Replay replay =
            reads.throughRule(night.heats(), rule, of, stored / Math.max(1, night.logicalBytes()));
        return Optional.of(
            new SimulateCommand.Line(
                model, layout, replay, layout.equals(SimulatedLayouts.SOURCE) ? 0 : (long) stored));
      }
    }
  }

  private static Baselines baselines(Asked night) {
    return new Baselines(night.heatClasses(), night.names().size());
  }

  /** Bytes that a rule stores of an object. */
  private record StoredBytes(LayoutRule rule, int locations)
      implements org.apache.spark.api.java.function.MapFunction<Row, Long> {
    @Override
    public Long call(Row row) {
      return Baselines.blocks(SimulatedReads.object(row), rule, locations, 0).stream()
          .mapToLong(PlacedBlock::length)
          .sum();
    }
  }

  /** The first reads, some thousand, with their objects, in memory. */
  private record Pilot(List<ReadRequest> reads, List<SimulatedObject> objects) {
    static Pilot of(Dataset<Row> heats, Dataset<Row> reads) {
      List<Row> first =
          reads
              .orderBy(SimulatedReads.AT, SimulatedReads.OBJECT_ID, SimulatedReads.FROM)
              .limit(SimulatedLayouts.PILOT_READS)
              .collectAsList();
      Dataset<Row> ids =
          heats
              .sparkSession()
              .createDataFrame(first, SimulatedReads.READS)
              .select(SimulatedReads.OBJECT_ID)
              .distinct();
      return new Pilot(
          first.stream()
              .map(
                  row ->
                      new ReadRequest(
                          row.getDouble(0), row.getString(1), row.getLong(2), row.getLong(3)))
              .toList(),
          heats.join(ids, SimulatedReads.OBJECT_ID).collectAsList().stream()
              .map(SimulatedReads::object)
              .sorted(java.util.Comparator.comparing(SimulatedObject::objectId))
              .toList());
    }

    double meanMillis(LayoutRule rule, LocationModel model, List<Double> speeds, long seed) {
      return Replay.of(
              Baselines.blocks(objects, rule, speeds.size(), seed),
              reads.iterator(),
              model,
              speeds,
              0,
              seed)
          .meanMillis();
    }
  }

  /** Read once, and only where a layout asks for it. */
  private Pilot pilot(Asked night, SimulatedReads reads) {
    if (pilot == null) {
      pilot = Pilot.of(night.heats(), reads.rows());
    }
    return pilot;
  }

  private SimulateCommand.Line planned(
      String layout,
      String model,
      PlanOptions options,
      Asked night,
      SimulatedReads reads,
      Dataset<Row> forecastRows) {
    Dataset<Row> stored =
        usesMap() ? map.rows() : context.spark().createDataFrame(List.of(), ShardMapTable.SCHEMA);
    boolean storeNothing = stored.isEmpty();
    int buckets =
        storeNothing ? NightlyJob.bucketsFor(night.objects()) : map.buckets().orElseThrow();
    int partitions =
        Integer.parseInt(context.spark().conf().get("spark.sql.shuffle.partitions", "200"));
    Dataset<Row> rows =
        BucketRows.of(night.objects(), forecastRows, stored, buckets, partitions)
            .persist(StorageLevel.MEMORY_AND_DISK());
    try {
      return MadePlan.orRefusal(
          () -> {
            MadePlan made =
                MadePlan.of(
                    context,
                    rows,
                    options,
                    new MadePlan.Target(
                        night.sites(),
                        places(night.sites()),
                        Deadlines.NONE,
                        storeNothing,
                        layout,
                        0,
                        buckets,
                        map.table().name()));
            return replayed(layout, model, options, night, reads, stored, made);
          });
    } finally {
      rows.unpersist();
    }
  }

  private SimulateCommand.Line replayed(
      String layout,
      String model,
      PlanOptions options,
      Asked night,
      SimulatedReads reads,
      Dataset<Row> stored,
      MadePlan made) {
    Dataset<Row> plan = made.blocks().persist(StorageLevel.MEMORY_AND_DISK());
    try {
      Dataset<Row> blocks =
          SimulatedReads.numbered(
              ShadowJob.mapAfter(context, stored, plan, made.drops(), 0), night.names());
      question.dump().ifPresent(dump -> dump.blocks(blocks, model, layout));
      Replay replay =
          reads.throughBlocks(blocks, options.reading().model(), made.night().ratioAfter());
      return new SimulateCommand.Line(model, layout, replay, made.night().newBytes());
    } finally {
      plan.unpersist();
    }
  }

  /** Whether objects and locations are what the shard map is of. */
  private boolean usesMap() {
    return question.bytesFactor() == 1 && question.locations() == 0;
  }

  private List<Site> sites() {
    return question.locations() > 0
        ? IntStream.range(0, question.locations())
            .mapToObj(i -> new Site("%04d".formatted(i), "%04d".formatted(i), Long.MAX_VALUE))
            .toList()
        : Site.of(lakeLocations, tiers);
  }

  /**
   * How fast locations are: those that {@code --locations} makes up are all as fast as the model.
   */
  private List<Double> speeds(List<String> names) {
    return names.stream()
        .map(name -> question.locations() > 0 ? 1 : tiers.getOrDefault(name, Tier.ONLY).speed())
        .toList();
  }

  private Places places(List<Site> sites) {
    return question.locations() > 0 ? Places.ofSites(sites) : Places.of(lakeLocations, tiers);
  }

  private Dataset<Row> scaledObjects(Dataset<Row> objects) {
    if (question.bytesFactor() == 1) {
      return objects;
    }
    SegmentOptions segments = SegmentOptions.from(context.settings());
    Column bytes = col(OBJECT_BYTES);
    return objects
        .withColumn(OBJECT_BYTES, bytes.multiply(question.bytesFactor()))
        .withColumn(
            Objects.SEGMENT_BYTES,
            udf(
                    new SegmentBytes(
                        segments.perObject(), segments.minBytes(), segments.maxBytes()),
                    DataTypes.LongType)
                .apply(bytes))
        .withColumn(
            Objects.SEGMENTS,
            when(bytes.equalTo(0L), lit(1))
                .otherwise(
                    call_function("div", bytes.minus(1L), col(Objects.SEGMENT_BYTES))
                        .plus(1)
                        .cast(DataTypes.IntegerType)));
  }

  private record SegmentBytes(int perObject, long minBytes, long maxBytes)
      implements UDF1<Long, Long> {
    @Override
    public Long call(Long objectBytes) {
      return new SegmentOptions(perObject, minBytes, maxBytes).of(objectBytes).segmentBytes();
    }
  }

  /** Requests within the horizon; ranges as long as the objects are taken to be. */
  private Dataset<Row> requests(ChosenForecast forecast) throws IOException {
    return requests(context, question.requests(), forecast.horizonStart(), forecast.horizonEnd())
        .withColumn(
            Requests.RANGE_START, col(Requests.RANGE_START).multiply(question.bytesFactor()))
        .withColumn(Requests.RANGE_END, col(Requests.RANGE_END).multiply(question.bytesFactor()));
  }

  /**
   * The requests of a log within a span.
   *
   * @param log path of Parquet files or a Delta table
   * @throws MetashardException if there is none, or it lacks a column (exit code 2)
   */
  static Dataset<Row> requests(JobContext context, String log, Instant from, Instant to)
      throws IOException {
    Path path = new Path(JobContext.qualified(log, context.hadoop()));
    FileSystem files = path.getFileSystem(context.hadoop());
    if (!files.exists(path)) {
      throw new MetashardException(
          MetashardException.USAGE,
          "Cannot simulate: there is nothing at %s; name Parquet files or a Delta table with the columns of requests"
              .formatted(ObjectIds.printable(log)));
    }
    boolean isDelta = files.exists(new Path(path, "_delta_log"));
    Dataset<Row> all =
        isDelta
            ? context.spark().read().format("delta").load(path.toString())
            : context.spark().read().parquet(path.toString());
    for (String column :
        List.of(
            Requests.TS,
            Requests.OBJECT_ID,
            Requests.RANGE_START,
            Requests.RANGE_END,
            Requests.STATUS,
            Requests.BYTES_SENT,
            Requests.OPERATION)) {
      if (!Arrays.asList(all.columns()).contains(column)) {
        throw new MetashardException(
            MetashardException.USAGE,
            "Cannot simulate: %s has no column %s; it must have the columns of the table requests (jobs/TABLES.md)"
                .formatted(ObjectIds.printable(log), column));
      }
    }
    Column time = col(Requests.TS);
    return all.withColumn(Requests.TS, time.cast(DataTypes.TimestampType))
        .where(time.geq(lit(Timestamp.from(from))).and(time.lt(lit(Timestamp.from(to)))))
        .withColumn(Requests.DATE, time.cast(DataTypes.DateType));
  }

  private Dataset<Row> reads(Dataset<Row> requests, Dataset<Row> objects, ChosenForecast forecast) {
    long startMicros =
        Math.multiplyExact(forecast.horizonStart().getEpochSecond(), 1_000_000L)
            + forecast.horizonStart().getNano() / 1000;
    Dataset<Row> reads =
        Reads.ranges(requests, objects)
            .select(
                unix_micros(col(Requests.TS))
                    .minus(startMicros)
                    .divide(1000.0 * question.rateFactor())
                    .as(SimulatedReads.AT),
                col(Reads.OBJECT_ID),
                col(Reads.RANGE_FROM).as(SimulatedReads.FROM),
                col(Reads.RANGE_TO).as(SimulatedReads.TO));
    return question.mostReads() > 0
        ? reads
            .orderBy(
                SimulatedReads.AT, SimulatedReads.OBJECT_ID, SimulatedReads.FROM, SimulatedReads.TO)
            .limit(question.mostReads())
        : reads;
  }

  /** The forecast, in the segmentation of the objects as they are taken to be. */
  private Dataset<Row> forecastRows(Dataset<Row> objects, ChosenForecast forecast) {
    if (question.bytesFactor() == 1) {
      return forecast.rows();
    }
    Column expected = col(Forecasts.EXPECTED_REQUESTS);
    Dataset<Row> demand =
        forecast
            .rows()
            .select(
                col(Forecasts.RUN_DATE).as(Demand.DATE),
                col(Forecasts.OBJECT_ID),
                col(Forecasts.SEGMENT),
                col(Forecasts.SEGMENT_BYTES),
                col(Forecasts.HORIZON_START).as(Demand.BUCKET_START),
                expected.as(Demand.REQUESTS),
                expected.multiply(col(Forecasts.WHOLE_SHARE)).as(Demand.WHOLE_REQUESTS),
                lit(0L).as(Demand.BYTES));
    return asForecast(rebinned(demand, objects));
  }

  /** Counts of the span before the horizon, as long as it: what a plan of yesterday's is. */
  private Dataset<Row> lastCounts(Asked night) {
    Instant start = night.forecast().horizonStart();
    Duration span = Duration.between(start, night.forecast().horizonEnd());
    Column bucket = col(Demand.BUCKET_START);
    Dataset<Row> counts =
        context
            .lake()
            .read(Demand.TABLE)
            .where(
                bucket
                    .geq(lit(Timestamp.from(start.minus(span))))
                    .and(bucket.lt(lit(Timestamp.from(start)))));
    return rebinned(counts, night.objects());
  }

  private Dataset<Row> rebinned(Dataset<Row> demand, Dataset<Row> objects) {
    return Rebinned.toCurrent(
        demand.withColumn(
            Demand.SEGMENT_BYTES, col(Demand.SEGMENT_BYTES).multiply(question.bytesFactor())),
        objects);
  }

  private Dataset<Row> asForecast(Dataset<Row> demand, Asked night) {
    return asForecast(Rebinned.toCurrent(demand, night.objects()));
  }

  /** Counts taken for what will come. */
  private static Dataset<Row> asForecast(Dataset<Row> demand) {
    Column requests = col(Demand.REQUESTS);
    return demand
        .groupBy(col(Demand.OBJECT_ID), col(Demand.SEGMENT), col(Demand.SEGMENT_BYTES))
        .agg(
            sum(requests).as(Demand.REQUESTS),
            sum(col(Demand.WHOLE_REQUESTS)).as(Demand.WHOLE_REQUESTS))
        .where(requests.gt(0))
        .select(
            col(Forecasts.OBJECT_ID),
            col(Forecasts.SEGMENT),
            col(Forecasts.SEGMENT_BYTES),
            requests.as(Forecasts.EXPECTED_REQUESTS),
            lit(1.0).minus(exp(requests.multiply(-1.0))).as(Forecasts.P_REQUESTED),
            col(Demand.WHOLE_REQUESTS).divide(requests).as(Forecasts.WHOLE_SHARE));
  }

  /** Objects with the reads that are forecast of them: whole ones count once. */
  private static Dataset<Row> heats(Dataset<Row> objects, Dataset<Row> forecastRows) {
    Column expected = col(Forecasts.EXPECTED_REQUESTS);
    Column whole = expected.multiply(col(Forecasts.WHOLE_SHARE));
    Dataset<Row> counted =
        forecastRows
            .groupBy(col(Forecasts.OBJECT_ID))
            .agg(max(whole).plus(sum(expected.minus(whole))).as(COUNTED));
    return objects
        .join(counted, new String[] {Objects.OBJECT_ID}, "left")
        .select(
            col(Objects.OBJECT_ID),
            col(OBJECT_BYTES).as(SimulatedReads.BYTES),
            coalesce(col(COUNTED), lit(0.0)).as(SimulatedReads.EXPECTED));
  }

  private static List<Heat> heatClasses(Dataset<Row> heats) {
    Column requests = col(SimulatedReads.EXPECTED);
    Column bytes = col(SimulatedReads.BYTES);
    return heats
        .groupBy(
            when(requests.gt(0), floor(log2(requests).multiply(HEATS_PER_OCTAVE))),
            floor(log2(bytes.plus(1L)).multiply(SIZES_PER_OCTAVE)))
        .agg(min(requests), avg(bytes), count(lit(1)))
        .collectAsList() // classes: thousands at most
        .stream()
        .map(row -> new Heat(row.getDouble(2), row.getDouble(3), row.getLong(4)))
        .sorted(
            java.util.Comparator.comparingDouble(Heat::requests).thenComparingDouble(Heat::bytes))
        .toList();
  }

  /** A retried run replaces its own rows. */
  private void write(List<SimulateCommand.Line> lines, ChosenForecast forecast, int locations) {
    List<Row> rows = new ArrayList<>();
    for (SimulateCommand.Line line : lines) {
      Replay replay = line.replay();
      rows.add(
          RowFactory.create(
              context.runId(),
              forecast.runId(),
              Timestamp.from(forecast.horizonStart()),
              Timestamp.from(forecast.horizonEnd()),
              question.bytesFactor(),
              question.rateFactor(),
              locations,
              line.model(),
              line.layout(),
              replay.reads(),
              replay.meanMillis(),
              replay.p50Millis(),
              replay.p95Millis(),
              replay.p99Millis(),
              replay.imbalance(),
              replay.busyShare(),
              replay.storageRatio(),
              line.movedBytes()));
    }
    // The context has checked the id: no letter of it needs an escape.
    context
        .lake()
        .replaceWhere(
            Simulations.TABLE,
            context.spark().createDataFrame(rows, Simulations.SCHEMA),
            Simulations.RUN_ID + " = '" + context.runId() + "'",
            io.metashard.lake.Lake.Commit.PLAIN);
  }
}
