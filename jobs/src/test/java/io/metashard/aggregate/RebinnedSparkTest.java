package io.metashard.aggregate;

import static io.metashard.aggregate.RequestRows.object;
import static io.metashard.aggregate.RequestRows.objects;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.metashard.Segmentation;
import io.metashard.SharedSpark;
import java.sql.Date;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.junit.jupiter.api.Test;

class RebinnedSparkTest {
  private static Row demand(
      String id, int segment, long segmentBytes, double requests, double whole, long bytes) {
    return RowFactory.create(
        Date.valueOf("2026-03-01"),
        id,
        segment,
        segmentBytes,
        Timestamp.from(Instant.parse("2026-03-01T10:00:00Z")),
        requests,
        whole,
        bytes);
  }

  private static Dataset<Row> demand(Row... rows) {
    return SharedSpark.session().createDataFrame(List.of(rows), Demand.SCHEMA);
  }

  private static List<String> told(Dataset<Row> demand) {
    assertThat(demand.columns()).isEqualTo(Demand.SCHEMA.fieldNames());
    List<String> rows = new ArrayList<>();
    for (Row row : demand.collectAsList()) {
      rows.add(
          "%s %d/%d %.3f %.3f %d"
              .formatted(
                  row.getAs(Demand.OBJECT_ID),
                  row.<Integer>getAs(Demand.SEGMENT),
                  row.<Long>getAs(Demand.SEGMENT_BYTES),
                  row.<Double>getAs(Demand.REQUESTS),
                  row.<Double>getAs(Demand.WHOLE_REQUESTS),
                  row.<Long>getAs(Demand.BYTES)));
    }
    rows.sort(null);
    return rows;
  }

  @Test
  void leavesTheSameSegmentationAsItIs() {
    Row row = demand("a", 2, 100, 1.25, 0.5, 77);
    assertThat(Rebinned.toCurrent(demand(row), objects(object("a", 250, 100))).collectAsList())
        .containsExactly(row);
  }

  @Test
  void spreadsPartsByOverlap() {
    // 0..100, 100..200, 200..250 become 0..80, 80..160, 160..240, 240..250.
    assertThat(
            told(
                Rebinned.toCurrent(
                    demand(demand("a", 1, 100, 10, 0, 500), demand("a", 2, 100, 5, 0, 50)),
                    objects(object("a", 250, 80)))))
        .containsExactly(
            "a 1/80 6.000 0.000 300", "a 2/80 8.000 0.000 240", "a 3/80 1.000 0.000 10");
  }

  @Test
  void wholeReadsStayOneInEverySegment() {
    Row[] rows = {
      demand("a", 0, 100, 3, 3, 300), demand("a", 1, 100, 3, 3, 300), demand("a", 2, 100, 3, 3, 150)
    };
    assertThat(told(Rebinned.toCurrent(demand(rows), objects(object("a", 250, 200)))))
        .containsExactly("a 0/200 3.000 3.000 600", "a 1/200 3.000 3.000 150");
    assertThat(told(Rebinned.toCurrent(demand(rows), objects(object("a", 250, 60)))))
        .containsExactly(
            "a 0/60 3.000 3.000 180",
            "a 1/60 3.000 3.000 180",
            "a 2/60 3.000 3.000 180",
            "a 3/60 3.000 3.000 180",
            "a 4/60 3.000 3.000 30");
  }

  @Test
  void dropsWhatIsNotKnownAnyMoreAndWhatLiesBeyondTheEnd() {
    assertThat(
            told(
                Rebinned.toCurrent(
                    demand(
                        demand("gone", 0, 100, 1, 0, 1),
                        demand("shrunk", 0, 100, 1, 0, 10),
                        demand("shrunk", 1, 100, 1, 0, 10),
                        demand("shrunk-and-cut", 0, 100, 2, 0, 10),
                        demand("shrunk-and-cut", 5, 100, 1, 0, 10)),
                    objects(object("shrunk", 100, 100), object("shrunk-and-cut", 100, 50)))))
        .containsExactly(
            "shrunk 0/100 1.000 0.000 10",
            "shrunk-and-cut 0/50 1.000 0.000 5",
            "shrunk-and-cut 1/50 1.000 0.000 5");
  }

  @Test
  void objectsThatBecameEmptyKeepTheirFirstSegment() {
    assertThat(
            told(
                Rebinned.toCurrent(
                    demand(demand("a", 0, 100, 3, 1, 7), demand("a", 1, 100, 3, 1, 7)),
                    objects(object("a", 0, 64)))))
        .containsExactly("a 0/64 3.000 1.000 7");
  }

  @Test
  void objectsNearTheLargestLengthDoNotOverflow() {
    long bytes = Long.MAX_VALUE;
    long half = 1L << 62;
    assertThat(
            told(
                Rebinned.toCurrent(
                    demand(demand("a", 1, half, 4, 0, 8)), objects(object("a", bytes, half / 2)))))
        .containsExactly(
            "a 2/%d 2.000 0.000 4".formatted(half / 2), "a 3/%d 2.000 0.000 4".formatted(half / 2));
  }

  @Test
  void keepsTheSumOfPartsAndBytes() {
    Random random = new Random(5);
    for (int round = 0; round < 4; round++) {
      long bytes = 1 + random.nextInt(5000);
      Segmentation before = new Segmentation(bytes, 1 + random.nextInt(900));
      Segmentation now = new Segmentation(bytes, 1 + random.nextInt(900));
      Row[] rows = new Row[before.segments()];
      double requests = 0;
      long read = 0;
      for (int i = 0; i < rows.length; i++) {
        double part = random.nextInt(50);
        long sum = random.nextInt(10_000);
        rows[i] = demand("a", i, before.segmentBytes(), part, 0, sum);
        requests += part;
        read += sum;
      }
      double requestsNow = 0;
      long readNow = 0;
      for (Row row :
          Rebinned.toCurrent(demand(rows), objects(object("a", bytes, now.segmentBytes())))
              .collectAsList()) {
        requestsNow += row.<Double>getAs(Demand.REQUESTS);
        readNow += row.<Long>getAs(Demand.BYTES);
        assertThat(row.<Integer>getAs(Demand.SEGMENT)).isBetween(0, now.segments() - 1);
      }
      assertThat(requestsNow).as("round %d", round).isCloseTo(requests, within(1e-6));
      // Each of today's segments is rounded once.
      assertThat((double) readNow).isCloseTo(read, within(0.5 * now.segments() + 1));
    }
  }
}
