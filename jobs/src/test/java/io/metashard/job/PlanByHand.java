package io.metashard.job;

import static org.apache.spark.sql.functions.col;

import io.metashard.Buckets;
import io.metashard.Shape;
import io.metashard.catalogue.Objects;
import io.metashard.lake.Lake;
import io.metashard.plan.PlannedBlock;
import io.metashard.shardmap.ShardMap;
import java.sql.Date;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.spark.sql.Row;

/**
 * Plans that encode what a test names: objects of one bucket two to a meta-shard, with two parity
 * blocks, at the locations {@code l0} to {@code l5}.
 */
final class PlanByHand {
  static final int BUCKETS = 4;
  static final int LOCATIONS = 6;

  private PlanByHand() {}

  /** Adds the plan of a run to the table, made from the map as it is. */
  static void write(Lake lake, String runId, int night, List<String> encoded) {
    ShardMap map = new ShardMap(lake);
    Map<Integer, List<Row>> byBucket =
        lake
            .read(Objects.TABLE)
            .where(col(Objects.OBJECT_ID).isInCollection(encoded))
            .orderBy(Objects.OBJECT_ID)
            .collectAsList()
            .stream()
            .collect(
                Collectors.groupingBy(
                    row -> Buckets.of(row.getAs(Objects.OBJECT_ID), BUCKETS),
                    TreeMap::new,
                    Collectors.toList()));
    List<Row> plan = new ArrayList<>();
    byBucket.forEach(
        (bucket, objects) -> {
          for (int first = 0; first < objects.size(); first += 2) {
            List<Row> data = objects.subList(first, Math.min(first + 2, objects.size()));
            metaShard("%016x-%d".formatted(plan.size(), night), bucket, data, runId, map, plan);
          }
        });
    lake.append(Plans.TABLE, lake.spark().createDataFrame(plan, Plans.SCHEMA), Lake.Commit.PLAIN);
  }

  private static void metaShard(
      String id, int bucket, List<Row> data, String runId, ShardMap map, List<Row> plan) {
    int k = data.size();
    int before = plan.size();
    long blockBytes =
        data.stream().mapToLong(row -> row.<Long>getAs(Objects.OBJECT_BYTES)).max().orElseThrow();
    for (int i = 0; i < k + 2; i++) {
      Row object = i < k ? data.get(i) : null;
      plan.add(
          Plans.row(
              new PlannedBlock(
                  bucket,
                  id,
                  k == 1 ? Shape.COPY : Shape.RS,
                  k,
                  2,
                  i,
                  object == null ? null : object.getAs(Objects.OBJECT_ID),
                  object == null ? null : object.getAs(Objects.OBJECT_VERSION),
                  object == null ? null : object.getAs(Objects.URI),
                  object == null ? 0 : object.<Long>getAs(Objects.OBJECT_BYTES),
                  object == null ? -1 : 0,
                  0,
                  object == null ? blockBytes : object.<Long>getAs(Objects.OBJECT_BYTES),
                  blockBytes,
                  "l" + (before + i) % LOCATIONS,
                  "root0",
                  "packed",
                  1.0,
                  0),
              runId,
              Date.valueOf("2026-03-02"),
              map.sequence(),
              "by hand",
              BUCKETS,
              map.table().name()));
    }
  }
}
