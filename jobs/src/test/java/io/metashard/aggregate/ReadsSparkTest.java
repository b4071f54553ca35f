package io.metashard.aggregate;

import static io.metashard.aggregate.RequestRows.object;
import static io.metashard.aggregate.RequestRows.objects;
import static io.metashard.aggregate.RequestRows.part;
import static io.metashard.aggregate.RequestRows.request;
import static io.metashard.aggregate.RequestRows.requests;
import static io.metashard.aggregate.RequestRows.unplaced;
import static io.metashard.aggregate.RequestRows.whole;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.metashard.Segmentation;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Test;

class ReadsSparkTest {
  private static final Duration HOUR = Duration.ofHours(1);
  private static final String T = "2026-03-01T10:59:59.999999Z";

  /** 250 bytes: segments of 100, 100 and 50. */
  private static final Row A = object("a", 250, 100);

  private static List<String> demand(Dataset<Row> requests, Row... objects) {
    Dataset<Row> reads = Reads.of(requests, objects(objects), HOUR);
    Dataset<Row> demand = Unplaced.added(reads, Reads.placed(reads));
    assertThat(demand.columns()).isEqualTo(Demand.SCHEMA.fieldNames());
    return told(demand);
  }

  /** Object, segment, hour, requests, whole requests, bytes. */
  private static List<String> told(Dataset<Row> demand) {
    List<String> rows = new ArrayList<>();
    for (Row row : demand.collectAsList()) {
      rows.add(
          "%s %d %s %s %s %d"
              .formatted(
                  row.getAs(Demand.OBJECT_ID),
                  row.<Integer>getAs(Demand.SEGMENT),
                  row.<java.sql.Timestamp>getAs(Demand.BUCKET_START).toInstant(),
                  row.<Double>getAs(Demand.REQUESTS),
                  row.<Double>getAs(Demand.WHOLE_REQUESTS),
                  row.<Long>getAs(Demand.BYTES)));
    }
    rows.sort(null);
    return rows;
  }

  private static Map<String, Long> kinds(Dataset<Row> requests, Row... objects) {
    Map<String, Long> kinds = new TreeMap<>();
    for (Row row : Reads.of(requests, objects(objects), HOUR).collectAsList()) {
      kinds.merge(row.getAs(Reads.KIND), row.<Long>getAs(Reads.REQUESTS), Long::sum);
    }
    return kinds;
  }

  @Test
  void countsEverySegmentThatARangeTouches() {
    assertThat(
            demand(
                requests(
                    part(T, "a", 99, 201),
                    part(T, "a", 100, 200),
                    part(T, "a", 199, 200),
                    part(T, "a", 240, 1000)),
                A))
        .containsExactly(
            "a 0 2026-03-01T10:00:00Z 1.0 0.0 1",
            "a 1 2026-03-01T10:00:00Z 3.0 0.0 201",
            "a 2 2026-03-01T10:00:00Z 2.0 0.0 11");
  }

  @Test
  void wholeReadsTouchAllSegments() {
    assertThat(
            demand(
                requests(
                    whole(T, "a"),
                    part(T, "a", 0, 250),
                    part(T, "a", 0, Long.MAX_VALUE),
                    request(T, "a", 0L, null, 206, 250L, "GET"),
                    request(T, "a", 0L, 250L, 200, 250L, "GET")),
                A))
        .containsExactly(
            "a 0 2026-03-01T10:00:00Z 5.0 5.0 500",
            "a 1 2026-03-01T10:00:00Z 5.0 5.0 500",
            "a 2 2026-03-01T10:00:00Z 5.0 5.0 250");
  }

  @Test
  void aRangeWithoutAnEndGoesToTheObjectsEnd() {
    assertThat(demand(requests(request(T, "a", 150L, null, 206, 100L, "GET")), A))
        .containsExactly(
            "a 1 2026-03-01T10:00:00Z 1.0 0.0 50", "a 2 2026-03-01T10:00:00Z 1.0 0.0 50");
  }

  @Test
  void wholeReadsOfEmptyAndOneByteObjectsCountInTheirOnlySegment() {
    assertThat(
            demand(
                requests(whole(T, "empty"), whole(T, "empty"), whole(T, "one")),
                object("empty", 0, 100),
                object("one", 1, 100)))
        .containsExactly(
            "empty 0 2026-03-01T10:00:00Z 2.0 2.0 0", "one 0 2026-03-01T10:00:00Z 1.0 1.0 1");
  }

  @Test
  void bucketsBeginAtWholeMultiplesOfTheirLength() {
    assertThat(
            demand(
                requests(
                    part("2026-03-01T00:00:00Z", "a", 0, 1),
                    part("2026-03-01T00:59:59.999999Z", "a", 0, 1),
                    part("2026-03-01T01:00:00Z", "a", 0, 1),
                    part("2026-03-01T23:59:59.999999Z", "a", 0, 1),
                    part("1969-12-31T23:30:00Z", "a", 0, 1)),
                A))
        .containsExactly(
            "a 0 1969-12-31T23:00:00Z 1.0 0.0 1",
            "a 0 2026-03-01T00:00:00Z 2.0 0.0 2",
            "a 0 2026-03-01T01:00:00Z 1.0 0.0 1",
            "a 0 2026-03-01T23:00:00Z 1.0 0.0 1");
  }

  @Test
  void sortsOutWhatDoesNotCount() {
    Dataset<Row> requests =
        requests(
            request(T, "a", null, null, 200, 0L, "HEAD"),
            request(T, "a", null, null, 200, 250L, "maintenance"),
            request(T, "a", null, null, 304, 0L, "GET"),
            request(T, "a", null, null, 404, 0L, "GET"),
            request(T, "a", null, null, 200, 0L, "PUT"),
            whole(T, "unknown"),
            unplaced(T, "unknown", 5),
            part(T, "unknown", 900, 901),
            part(T, "a", 250, 251),
            part(T, "a", Long.MAX_VALUE - 1, Long.MAX_VALUE),
            part(T, "a", 20, 10),
            part(T, "a", 20, 20),
            part(T, "a", -9, -1),
            part(T, "empty", 0, 1),
            request(T, "a", 300L, null, 206, 0L, "GET"));

    assertThat(demand(requests, A, object("empty", 0, 100))).isEmpty();
    assertThat(kinds(requests, A, object("empty", 0, 100)))
        .isEqualTo(Map.of(Reads.NOT_READ, 5L, Reads.UNKNOWN_OBJECT, 3L, Reads.PAST_END, 7L));
  }

  @Test
  void clipsRangesThatBeginBeforeTheObject() {
    assertThat(demand(requests(part(T, "a", -50, 10)), A))
        .containsExactly("a 0 2026-03-01T10:00:00Z 1.0 0.0 10");
  }

  @Test
  void spreadsUnplacedPartsAsTheDaysPlacedReadsAre() {
    assertThat(
            demand(
                requests(
                    part("2026-03-01T05:00:00Z", "a", 0, 10),
                    part("2026-03-01T05:00:00Z", "a", 5, 10),
                    part("2026-03-01T06:00:00Z", "a", 0, 10),
                    part("2026-03-01T05:00:00Z", "a", 200, 210),
                    part("2026-03-02T05:00:00Z", "a", 100, 110),
                    unplaced(T, "a", 60),
                    unplaced(T, "a", 40)),
                A))
        .containsExactly(
            "a 0 2026-03-01T05:00:00Z 2.0 0.0 15",
            "a 0 2026-03-01T06:00:00Z 1.0 0.0 10",
            "a 0 2026-03-01T10:00:00Z 1.5 0.0 75",
            "a 1 2026-03-02T05:00:00Z 1.0 0.0 10",
            "a 2 2026-03-01T05:00:00Z 1.0 0.0 10",
            "a 2 2026-03-01T10:00:00Z 0.5 0.0 25");
  }

  @Test
  void spreadsUnplacedPartsEvenlyWhenNothingIsKnown() {
    assertThat(
            demand(
                requests(
                    unplaced(T, "b", 400),
                    // Only an end: a part, and who knows of what.
                    request(T, "b", null, 10L, 206, Long.MAX_VALUE, "GET"),
                    request(T, "b", null, null, 206, null, "GET")),
                object("b", 400, 100)))
        .containsExactly(
            "b 0 2026-03-01T10:00:00Z 0.75 0.0 200",
            "b 1 2026-03-01T10:00:00Z 0.75 0.0 200",
            "b 2 2026-03-01T10:00:00Z 0.75 0.0 200",
            "b 3 2026-03-01T10:00:00Z 0.75 0.0 200");
  }

  @Test
  void countsEqualPlacesBeforeTheyAreSpread() {
    Row[] rows = new Row[50];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = part(T, "a", i, 210 + i % 2);
    }
    List<Row> reads = Reads.of(requests(rows), objects(A), HOUR).collectAsList();
    assertThat(reads).hasSize(1);
    assertThat(reads.get(0).<Long>getAs(Reads.REQUESTS)).isEqualTo(50);
  }

  @Test
  void shufflesOnceAfterCounting() {
    Dataset<Row> reads = Reads.of(requests(whole(T, "a")), objects(A), HOUR);
    Dataset<Row> kept = reads.sparkSession().createDataFrame(reads.collectAsList(), reads.schema());

    String plan = Reads.placed(kept).queryExecution().executedPlan().toString();

    assertThat(plan.split("Exchange ", -1)).as(plan).hasSize(2);
  }

  @Test
  void agreesWithCountingOneByOne() {
    for (long seed = 1; seed <= 3; seed++) {
      Random random = new Random(seed);
      Map<String, Segmentation> objects = new HashMap<>();
      List<Row> objectRows = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        long bytes = i == 0 ? 0 : i == 1 ? 1 : 1 + random.nextInt(3000);
        Segmentation cut = new Segmentation(bytes, 1 + random.nextInt(400));
        objects.put("o" + i, cut);
        objectRows.add(object("o" + i, bytes, cut.segmentBytes()));
      }
      List<Row> requestRows = new ArrayList<>();
      OneByOne expected = new OneByOne(objects);
      for (int i = 0; i < 2000; i++) {
        // Half of all requests are for one object.
        String id = random.nextBoolean() ? "o7" : "o" + random.nextInt(9);
        Instant ts = Instant.parse("2026-03-01T00:00:00Z").plusSeconds(random.nextInt(2 * 86_400));
        boolean ranged = random.nextInt(4) > 0;
        Long from = ranged ? (long) random.nextInt(3500) - 100 : null;
        Long to = ranged && random.nextInt(10) > 0 ? from + random.nextInt(2500) - 20 : null;
        int status = List.of(200, 206, 206, 206, 404).get(random.nextInt(5));
        String operation = random.nextInt(10) == 0 ? "HEAD" : "GET";
        long sent = random.nextInt(2000);
        requestRows.add(request(ts.toString(), id, from, to, status, sent, operation));
        expected.add(ts, id, from, to, status, sent, operation);
      }

      Dataset<Row> reads =
          Reads.of(
              requests(requestRows.toArray(Row[]::new)),
              objects(objectRows.toArray(Row[]::new)),
              HOUR);
      List<Row> found = Unplaced.added(reads, Reads.placed(reads)).collectAsList();

      Map<List<Object>, double[]> cells = expected.cells();
      assertThat(cells).as("seed %d", seed).hasSizeGreaterThan(100);
      assertThat(found).as("seed %d", seed).hasSize(cells.size());
      for (Row row : found) {
        List<Object> key =
            List.of(
                row.getAs(Demand.OBJECT_ID),
                row.getAs(Demand.SEGMENT),
                row.<java.sql.Timestamp>getAs(Demand.BUCKET_START).toInstant());
        double[] cell = cells.get(key);
        assertThat(cell).as("seed %d, %s", seed, key).isNotNull();
        assertThat(row.<Double>getAs(Demand.REQUESTS))
            .as("seed %d, %s", seed, key)
            .isCloseTo(cell[0], within(1e-9));
        assertThat(row.<Double>getAs(Demand.WHOLE_REQUESTS)).isEqualTo(cell[1]);
        // One rounding of the unplaced bytes of a cell.
        assertThat((double) row.<Long>getAs(Demand.BYTES))
            .as("seed %d, %s", seed, key)
            .isCloseTo(cell[2], within(0.5 + 1e-6));
        assertThat(row.<java.sql.Date>getAs(Demand.DATE).toString())
            .isEqualTo(key.get(2).toString().substring(0, 10));
      }
    }
  }

  /** The definition of a read, one request, one segment and one byte range at a time. */
  private static final class OneByOne {
    private final Map<String, Segmentation> objects;
    private final Map<List<Object>, double[]> cells = new HashMap<>();
    private final List<Object[]> unplaced = new ArrayList<>();

    OneByOne(Map<String, Segmentation> objects) {
      this.objects = objects;
    }

    void add(Instant ts, String id, Long from, Long to, int status, long sent, String operation) {
      Segmentation cut = objects.get(id);
      if (!operation.equals("GET") || (status != 200 && status != 206) || cut == null) {
        return;
      }
      Instant bucket = Instant.ofEpochSecond(ts.getEpochSecond() / 3600 * 3600);
      if (from == null && status == 206) {
        unplaced.add(new Object[] {id, bucket, Math.min(sent, cut.objectBytes())});
        return;
      }
      long first = from == null ? 0 : Math.max(0, from);
      long end = to == null ? cut.objectBytes() : Math.min(to, cut.objectBytes());
      boolean whole = from == null || (first == 0 && end == cut.objectBytes() && end > 0);
      for (int segment = 0; segment < cut.segments(); segment++) {
        long overlap =
            Math.min(end, cut.offset(segment) + cut.length(segment))
                - Math.max(first, cut.offset(segment));
        if (overlap > 0 || (whole && cut.objectBytes() == 0)) {
          double[] cell = cell(id, segment, bucket);
          cell[0]++;
          cell[1] += whole ? 1 : 0;
          cell[2] += overlap;
        }
      }
    }

    private double[] cell(String id, int segment, Instant bucket) {
      return cells.computeIfAbsent(List.of(id, segment, bucket), key -> new double[3]);
    }

    Map<List<Object>, double[]> cells() {
      Map<List<Object>, double[]> placed = new HashMap<>();
      cells.forEach((key, cell) -> placed.put(key, cell.clone()));
      for (Object[] part : unplaced) {
        String id = (String) part[0];
        Instant bucket = (Instant) part[1];
        String day = bucket.toString().substring(0, 10);
        double[] weights = new double[objects.get(id).segments()];
        double total = 0;
        for (Map.Entry<List<Object>, double[]> entry : placed.entrySet()) {
          if (entry.getKey().get(0).equals(id)
              && entry.getKey().get(2).toString().startsWith(day)) {
            weights[(Integer) entry.getKey().get(1)] += entry.getValue()[0];
            total += entry.getValue()[0];
          }
        }
        for (int segment = 0; segment < weights.length; segment++) {
          double share = total == 0 ? 1.0 / weights.length : weights[segment] / total;
          if (share > 0) {
            double[] cell = cell(id, segment, bucket);
            cell[0] += share;
            cell[2] += share * (long) part[2];
          }
        }
      }
      return cells;
    }
  }
}
