package io.metashard.generate;

import io.metashard.Segmentation;
import io.metashard.aggregate.Demand;
import io.metashard.catalogue.Objects;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import java.util.function.LongFunction;
import java.util.stream.Collectors;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;
import org.apache.parquet.schema.Types;

/**
 * The demand of a workload's requests, and the origins to forecast it from: what a forecast can be
 * scored on with neither objects nor Spark.
 *
 * <ul>
 *   <li>{@code demand.parquet}: the columns of the table {@code demand}, a row for each segment and
 *       hour in which it was read, counted as {@code aggregate} does;
 *   <li>{@code objects.parquet}: of the table {@code objects}, the columns that do not need a file;
 *   <li>{@code backtest.json}: length of a bucket, first bucket, end, start of the test, and the
 *       origins of each horizon in hours; a day's are the last {@value #TEST_DAYS} midnights.
 * </ul>
 */
public final class BacktestTrace {
  /** Days that forecasts are scored on, each from the midnight that it begins with. */
  public static final int TEST_DAYS = 14;

  /** As many days again must be there to learn from. */
  public static final int LEAST_DAYS = 2 * TEST_DAYS;

  static final String DEMAND = "demand.parquet";
  static final String OBJECTS = "objects.parquet";
  static final String BACKTEST = "backtest.json";

  private static final Duration BUCKET = Duration.ofHours(1);
  private static final String MADE = "\"made\"";
  private static final String ROOT = "objects";

  private static final MessageType DEMAND_SCHEMA =
      Types.buildMessage()
          .required(PrimitiveTypeName.INT32)
          .as(LogicalTypeAnnotation.dateType())
          .named(Demand.DATE)
          .required(PrimitiveTypeName.BINARY)
          .as(LogicalTypeAnnotation.stringType())
          .named(Demand.OBJECT_ID)
          .required(PrimitiveTypeName.INT32)
          .named(Demand.SEGMENT)
          .required(PrimitiveTypeName.INT64)
          .named(Demand.SEGMENT_BYTES)
          .required(PrimitiveTypeName.INT64)
          .as(DemoParquet.TIMESTAMP)
          .named(Demand.BUCKET_START)
          .required(PrimitiveTypeName.DOUBLE)
          .named(Demand.REQUESTS)
          .required(PrimitiveTypeName.DOUBLE)
          .named(Demand.WHOLE_REQUESTS)
          .required(PrimitiveTypeName.INT64)
          .named(Demand.BYTES)
          .named("demand");

  private static final MessageType OBJECTS_SCHEMA =
      Types.buildMessage()
          .required(PrimitiveTypeName.BINARY)
          .as(LogicalTypeAnnotation.stringType())
          .named(Objects.OBJECT_ID)
          .required(PrimitiveTypeName.BINARY)
          .as(LogicalTypeAnnotation.stringType())
          .named(Objects.ROOT)
          .required(PrimitiveTypeName.INT64)
          .named(Objects.OBJECT_BYTES)
          .required(PrimitiveTypeName.INT64)
          .as(DemoParquet.TIMESTAMP)
          .named(Objects.MODIFIED_AT)
          .required(PrimitiveTypeName.INT64)
          .as(DemoParquet.TIMESTAMP)
          .named(Objects.FIRST_SEEN)
          .required(PrimitiveTypeName.INT32)
          .named(Objects.SEGMENTS)
          .required(PrimitiveTypeName.INT64)
          .named(Objects.SEGMENT_BYTES)
          .required(PrimitiveTypeName.BINARY)
          .as(LogicalTypeAnnotation.stringType())
          .named(Objects.SOURCE_STATE)
          .required(PrimitiveTypeName.BINARY)
          .as(LogicalTypeAnnotation.stringType())
          .named(Objects.STATE)
          .named("objects");

  private final GenerateOptions options;
  private final LongFunction<Segmentation> cut;

  /**
   * A trace yet to be written.
   *
   * @param options whose folder gets the files
   * @param cut how an object of so many bytes is cut into segments
   */
  public BacktestTrace(GenerateOptions options, LongFunction<Segmentation> cut) {
    if (options.days() < LEAST_DAYS) {
      throw new IllegalArgumentException(
          "Cannot make a back-test of %d days: its last %d days are the test and as many must come before; give --days %d or more"
              .formatted(options.days(), TEST_DAYS, LEAST_DAYS));
    }
    this.options = options;
    this.cut = cut;
  }

  private record Cell(Instant bucketStart, String objectId, int segment) {
    static final Comparator<Cell> IN_ORDER =
        Comparator.comparing(Cell::bucketStart)
            .thenComparing(Cell::objectId)
            .thenComparingInt(Cell::segment);
  }

  private static final class Count {
    private final long segmentBytes;
    private long requests;
    private long wholeRequests;
    private long bytes;

    Count(long segmentBytes) {
      this.segmentBytes = segmentBytes;
    }
  }

  /**
   * Writes the files, in place of what this wrote before.
   *
   * @return figures, in the order to print them
   * @throws IllegalStateException if the folder holds such files that this did not make
   */
  public Map<String, Object> write() throws IOException {
    claim();
    List<DemoObject> objects = new ArrayList<>();
    Map<Cell, Count> demand = new TreeMap<>(Cell.IN_ORDER);
    long reads = 0;
    for (Workload workload : Workload.of(options)) {
      Map<String, Segmentation> known = new HashMap<>();
      for (DemoObject object : workload.objects()) {
        objects.add(object);
        known.put(object.id(), cut.apply(object.bytes()));
      }
      for (DemoRequest request : workload.requests()) {
        if (isRead(request)) {
          count(demand, request, known.get(request.objectId()));
          reads++;
        }
      }
    }
    objects.sort(Comparator.comparing(DemoObject::id));
    int segments = objects.stream().mapToInt(o -> cut.apply(o.bytes()).segments()).sum();
    replace(DEMAND, DEMAND_SCHEMA, demand.entrySet(), BacktestTrace::fill);
    replace(OBJECTS, OBJECTS_SCHEMA, objects, this::fill);
    // Last: with it, the folder is complete.
    Files.writeString(options.out().resolve(BACKTEST), backtest(segments));

    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("folder", options.out().toString());
    figures.put("made", options.describe());
    figures.put("objects", objects.size());
    figures.put("segments", segments);
    figures.put("days", options.days());
    figures.put("test_days", TEST_DAYS);
    figures.put("reads", reads);
    figures.put("demand_rows", demand.size());
    return figures;
  }

  /** Only what this made is overwritten. */
  private void claim() throws IOException {
    Path out = options.out();
    Path backtest = out.resolve(BACKTEST);
    boolean ours = Files.exists(backtest) && Files.readString(backtest).contains(MADE);
    for (String file : List.of(DEMAND, OBJECTS, BACKTEST)) {
      if (Files.exists(out.resolve(file)) && !ours) {
        throw new IllegalStateException(
            "Cannot write a back-test into %s: %s was not made by generate; name another folder, or move it away"
                .formatted(out, out.resolve(file)));
      }
    }
    Files.createDirectories(out);
  }

  private <T> void replace(
      String name, MessageType schema, Collection<T> items, BiConsumer<Group, T> fill)
      throws IOException {
    Path partial = options.out().resolve("." + name + ".partial");
    Files.deleteIfExists(partial);
    DemoParquet.write(partial, schema, items, fill);
    Files.move(partial, options.out().resolve(name), StandardCopyOption.REPLACE_EXISTING);
  }

  /** As {@code aggregate} has it. */
  private static boolean isRead(DemoRequest request) {
    return request.operation().equals(DemoRequest.GET)
        && (request.status() == 200 || request.status() == 206);
  }

  /** A request counts once in every segment that it touches. */
  private static void count(
      Map<Cell, Count> demand, DemoRequest request, Segmentation segmentation) {
    long from = request.start() == null ? 0 : request.start();
    long to = request.start() == null ? segmentation.objectBytes() : request.end();
    boolean whole = from == 0 && to == segmentation.objectBytes();
    long second = request.ts().getEpochSecond();
    Instant bucketStart = Instant.ofEpochSecond(second - second % BUCKET.toSeconds());
    int last = segmentation.segmentAt(to - 1);
    for (int segment = segmentation.segmentAt(from); segment <= last; segment++) {
      Count count =
          demand.computeIfAbsent(
              new Cell(bucketStart, request.objectId(), segment),
              cell -> new Count(segmentation.segmentBytes()));
      long start = segmentation.offset(segment);
      count.requests++;
      count.wholeRequests += whole ? 1 : 0;
      count.bytes += Math.min(to, start + segmentation.length(segment)) - Math.max(from, start);
    }
  }

  private static void fill(Group row, Map.Entry<Cell, Count> entry) {
    Cell cell = entry.getKey();
    Count count = entry.getValue();
    row.add(
        Demand.DATE, (int) LocalDate.ofInstant(cell.bucketStart(), ZoneOffset.UTC).toEpochDay());
    row.add(Demand.OBJECT_ID, cell.objectId());
    row.add(Demand.SEGMENT, cell.segment());
    row.add(Demand.SEGMENT_BYTES, count.segmentBytes);
    row.add(Demand.BUCKET_START, micros(cell.bucketStart()));
    row.add(Demand.REQUESTS, (double) count.requests);
    row.add(Demand.WHOLE_REQUESTS, (double) count.wholeRequests);
    row.add(Demand.BYTES, count.bytes);
  }

  private void fill(Group row, DemoObject object) {
    Segmentation segmentation = cut.apply(object.bytes());
    row.add(Objects.OBJECT_ID, object.id());
    row.add(Objects.ROOT, ROOT);
    row.add(Objects.OBJECT_BYTES, object.bytes());
    row.add(Objects.MODIFIED_AT, micros(object.modifiedAt()));
    row.add(Objects.FIRST_SEEN, micros(firstSeen(object.modifiedAt())));
    row.add(Objects.SEGMENTS, segmentation.segments());
    row.add(Objects.SEGMENT_BYTES, segmentation.segmentBytes());
    row.add(Objects.SOURCE_STATE, Objects.PRESENT);
    row.add(Objects.STATE, Objects.PENDING);
  }

  /** The first midnight with the object there: that night's catalogue found it. */
  private Instant firstSeen(Instant modifiedAt) {
    Instant first = midnight(options.firstDay());
    LocalDate day = LocalDate.ofInstant(modifiedAt, ZoneOffset.UTC);
    Instant next = midnight(day).equals(modifiedAt) ? modifiedAt : midnight(day.plusDays(1));
    return next.isBefore(first) ? first : next;
  }

  private String backtest(int segments) {
    List<LocalDate> days = new ArrayList<>();
    for (int day = TEST_DAYS; day > 0; day--) {
      days.add(options.end().minusDays(day));
    }
    String origins =
        days.stream().map(day -> quoted(midnight(day))).collect(Collectors.joining(",\n"));
    return """
        {
        %s: "%s",
        "bucket_seconds": %d,
        "segments": %d,
        "first_bucket": %s,
        "end": %s,
        "test_from": %s,
        "origins": {
        "24": [
        %s
        ]
        }
        }
        """
        .formatted(
            MADE,
            options.describe(),
            BUCKET.toSeconds(),
            segments,
            quoted(midnight(options.firstDay())),
            quoted(midnight(options.end())),
            quoted(midnight(days.get(0))),
            origins);
  }

  private static String quoted(Instant instant) {
    return "\"" + instant + "\"";
  }

  private static Instant midnight(LocalDate day) {
    return day.atStartOfDay().toInstant(ZoneOffset.UTC);
  }

  private static long micros(Instant instant) {
    return instant.getEpochSecond() * 1_000_000L;
  }
}
