package io.metashard.catalogue;

import static org.apache.spark.sql.functions.col;
import static org.assertj.core.api.Assertions.assertThat;

import io.metashard.Segmentation;
import io.metashard.SharedSpark;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.Test;

class CatalogueSparkTest {
  private static final Instant BEFORE = Instant.parse("2026-03-01T00:00:00Z");
  private static final Instant AT = Instant.parse("2026-03-02T00:00:00Z");
  private static final SegmentOptions SEGMENTS = new SegmentOptions(4, 100, 1000);

  private static Dataset<Row> objects(Row... rows) {
    return SharedSpark.session().createDataFrame(List.of(rows), Objects.SCHEMA);
  }

  private static Row object(String id, long bytes, String version, String source, String state) {
    Segmentation cut = SEGMENTS.of(bytes);
    return RowFactory.create(
        id,
        "file:/r/" + id,
        "r",
        bytes,
        version,
        BEFORE,
        BEFORE,
        cut.segments(),
        cut.segmentBytes(),
        source,
        source.equals(Objects.PRESENT) ? null : BEFORE,
        state);
  }

  private static Dataset<Row> listing(Row... rows) {
    return SharedSpark.session().createDataFrame(List.of(rows), Listing.SCHEMA);
  }

  private static Row listed(String id, long bytes, String version) {
    return listed(id, "r", bytes, version, 7, false);
  }

  private static Row listed(
      String id, String root, long bytes, String version, long modified, boolean waiting) {
    return RowFactory.create(id, "file:/r/" + id, root, bytes, version, modified, waiting);
  }

  private static TreeMap<String, Row> byId(Dataset<Row> rows) {
    TreeMap<String, Row> found = new TreeMap<>();
    for (Row row : rows.collectAsList()) {
      assertThat(found.put(row.getAs(Objects.OBJECT_ID), row)).isNull();
    }
    return found;
  }

  @Test
  void cutsObjectsAsSegmentationDoes() {
    Random random = new Random(11);
    List<Row> sizes = new ArrayList<>();
    for (long bytes :
        new long[] {0, 1, 2, 63, 64, 65, 1023, 1024, 1025, 1L << 53, (1L << 53) + 1}) {
      sizes.add(RowFactory.create(bytes));
    }
    for (int i = 0; i < 300; i++) {
      sizes.add(RowFactory.create(random.nextLong() >>> (1 + random.nextInt(62))));
    }
    Dataset<Row> rows =
        SharedSpark.session()
            .createDataFrame(
                sizes, new StructType().add(Objects.OBJECT_BYTES, DataTypes.LongType, false));
    int cases = 0;
    for (SegmentOptions options :
        List.of(
            new SegmentOptions(16, 64, 1L << 40),
            new SegmentOptions(1, 1, Long.MAX_VALUE),
            new SegmentOptions(7, 1L << 33, 1L << 33))) {
      Column segmentBytes = Catalogue.segmentBytes(col(Objects.OBJECT_BYTES), options);
      for (Row row :
          rows.select(
                  col(Objects.OBJECT_BYTES),
                  segmentBytes,
                  Catalogue.segments(col(Objects.OBJECT_BYTES), segmentBytes))
              .collectAsList()) {
        Segmentation expected = options.of(row.getLong(0));
        assertThat(row.getLong(1)).as("%s %s", options, row).isEqualTo(expected.segmentBytes());
        assertThat(row.getInt(2)).as("%s %s", options, row).isEqualTo(expected.segments());
        cases++;
      }
    }
    assertThat(cases).isEqualTo(3 * 311);
  }

  @Test
  void saysWhatHappenedToEachObject() {
    Dataset<Row> former =
        objects(
            object("same", 400, "v1", Objects.PRESENT, Objects.ENCODED),
            object("changed", 400, "v1", Objects.PRESENT, Objects.ENCODED),
            object("changed-pending", 400, "v1", Objects.PRESENT, Objects.PENDING),
            object("gone", 400, "v1", Objects.PRESENT, Objects.ENCODED),
            object("still-gone", 400, "v1", Objects.MISSING, Objects.ENCODED),
            object("back", 400, "v1", Objects.MISSING, Objects.ENCODED),
            object("released", 400, "v1", Objects.RELEASED, Objects.ENCODED),
            object("waits", 400, "v1", Objects.PRESENT, Objects.ENCODED));
    Dataset<Row> listing =
        Catalogue.byId(
            listing(
                listed("same", 400, "v1"),
                listed("changed", 0, "v2"),
                listed("changed-pending", 500, "v2"),
                listed("back", 400, "v1"),
                listed("new", 1, "v1"),
                listed("waits", "r", 900, "v2", 9, true),
                listed("new-but-waits", "r", 900, "v2", 9, true)));

    Dataset<Row> compared = Catalogue.compared(former, listing, SEGMENTS, AT);

    TreeMap<String, Row> rows = byId(compared);
    TreeMap<String, String> told = new TreeMap<>();
    rows.forEach(
        (id, row) -> {
          StringBuilder flags = new StringBuilder();
          for (String flag :
              List.of(
                  Catalogue.IS_NEW,
                  Catalogue.IS_CHANGED,
                  Catalogue.IS_MISSING,
                  Catalogue.IS_BACK,
                  Catalogue.IS_TOUCHED)) {
            flags.append(row.<Boolean>getAs(flag) ? flag + " " : "");
          }
          told.put(
              id,
              flags
                  + row.<String>getAs(Objects.SOURCE_STATE)
                  + " "
                  + row.<String>getAs(Objects.STATE)
                  + " "
                  + row.<String>getAs(Objects.OBJECT_VERSION));
        });
    assertThat(told)
        .containsExactly(
            java.util.Map.entry("back", "is_back present encoded v1"),
            java.util.Map.entry("changed", "is_changed is_touched present stale v2"),
            java.util.Map.entry("changed-pending", "is_changed is_touched present pending v2"),
            java.util.Map.entry("gone", "is_missing missing encoded v1"),
            java.util.Map.entry("new", "is_new present pending v1"),
            java.util.Map.entry("released", "released encoded v1"),
            java.util.Map.entry("same", "present encoded v1"),
            java.util.Map.entry("still-gone", "missing encoded v1"),
            java.util.Map.entry("waits", "present encoded v1"));
    assertThat(since(rows, "gone")).isEqualTo(AT);
    assertThat(since(rows, "still-gone")).isEqualTo(BEFORE);
    assertThat(since(rows, "back")).isNull();
    assertThat(time(rows, "changed", Objects.FIRST_SEEN)).isEqualTo(BEFORE);
    assertThat(time(rows, "new", Objects.FIRST_SEEN)).isEqualTo(AT);
    assertThat(time(rows, "new", Objects.MODIFIED_AT)).isEqualTo(Instant.ofEpochMilli(7));
    assertThat(time(rows, "waits", Objects.MODIFIED_AT)).isEqualTo(BEFORE);
    assertThat(rows.get("changed").<Integer>getAs(Objects.SEGMENTS)).isEqualTo(1);
    assertThat(Catalogue.objects(compared).columns()).isEqualTo(Objects.SCHEMA.fieldNames());
  }

  private static Instant since(TreeMap<String, Row> rows, String id) {
    return time(rows, id, Objects.MISSING_SINCE);
  }

  private static Instant time(TreeMap<String, Row> rows, String id, String column) {
    java.sql.Timestamp time = rows.get(id).getAs(column);
    return time == null ? null : time.toInstant();
  }

  @Test
  void cutsEveryObjectAnewWhenTheSettingsChange() {
    Dataset<Row> former =
        objects(
            object("here", 400, "v1", Objects.PRESENT, Objects.ENCODED),
            object("gone", 400, "v1", Objects.MISSING, Objects.ENCODED));

    TreeMap<String, Row> rows =
        byId(
            Catalogue.compared(
                former,
                Catalogue.byId(listing(listed("here", 400, "v1"))),
                new SegmentOptions(2, 100, 1000),
                AT));

    assertThat(rows.values())
        .hasSize(2)
        .allSatisfy(
            row -> {
              assertThat(row.<Long>getAs(Objects.SEGMENT_BYTES)).isEqualTo(200);
              assertThat(row.<Integer>getAs(Objects.SEGMENTS)).isEqualTo(2);
              assertThat(row.<Boolean>getAs(Catalogue.IS_TOUCHED)).isTrue();
              assertThat(row.<Boolean>getAs(Catalogue.IS_CHANGED)).isFalse();
            });
  }

  @Test
  void findsIdsInTwoRootsAndTakesTheNewestOfOneRoot() {
    Dataset<Row> byId =
        Catalogue.byId(
            listing(
                listed("both", "b", 1, "v1", 1, false),
                listed("both", "a", 1, "v1", 1, false),
                listed("twice", "a", 1, "older", 1, false),
                listed("twice", "a", 2, "newer", 2, false),
                listed("once", "a", 1, "v1", 1, false)));

    assertThat(
            Catalogue.inTwoRoots(byId)
                .select(Listing.OBJECT_ID, Listing.ROOT, Catalogue.OTHER_ROOT)
                .collectAsList())
        .containsExactly(RowFactory.create("both", "a", "b"));
    assertThat(byId(byId).get("twice").<String>getAs(Listing.OBJECT_VERSION)).isEqualTo("newer");
    assertThat(byId.count()).isEqualTo(3);
  }

  @Test
  void statesFollowTheMap() {
    Dataset<Row> objects =
        objects(
            object("equal", 1, "v2", Objects.PRESENT, Objects.PENDING),
            object("older", 1, "v2", Objects.PRESENT, Objects.ENCODED),
            object("mixed", 1, "v2", Objects.PRESENT, Objects.ENCODED),
            object("none", 1, "v2", Objects.PRESENT, Objects.ENCODED),
            object("gone-older", 1, "v2", Objects.MISSING, Objects.STALE),
            object("gone-none", 1, "v2", Objects.MISSING, Objects.ENCODED),
            object("released", 1, "v2", Objects.RELEASED, Objects.ENCODED));
    Dataset<Row> live =
        SharedSpark.session()
            .createDataFrame(
                List.of(
                    RowFactory.create("equal", "v2"),
                    RowFactory.create("equal", "v2"),
                    RowFactory.create("older", "v1"),
                    RowFactory.create("mixed", "v1"),
                    RowFactory.create("mixed", "v2"),
                    RowFactory.create("gone-older", "v1"),
                    RowFactory.create("released", "v2"),
                    RowFactory.create("unknown", "v2"),
                    RowFactory.create(null, null)),
                new StructType()
                    .add(Objects.OBJECT_ID, DataTypes.StringType)
                    .add(Objects.OBJECT_VERSION, DataTypes.StringType));

    Dataset<Row> refreshed = ObjectStates.refresh(objects, live);

    TreeMap<String, String> states = new TreeMap<>();
    byId(refreshed).forEach((id, row) -> states.put(id, row.getAs(Objects.STATE)));
    assertThat(states)
        .containsOnly(
            java.util.Map.entry("equal", Objects.ENCODED),
            java.util.Map.entry("older", Objects.STALE),
            java.util.Map.entry("mixed", Objects.STALE),
            java.util.Map.entry("none", Objects.PENDING),
            java.util.Map.entry("gone-older", Objects.ENCODED),
            java.util.Map.entry("gone-none", Objects.PENDING),
            java.util.Map.entry("released", Objects.ENCODED));
    assertThat(refreshed.columns()).isEqualTo(Objects.SCHEMA.fieldNames());
  }
}
