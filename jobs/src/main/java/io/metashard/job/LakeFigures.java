package io.metashard.job;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.not;

import io.metashard.catalogue.ObjectStates;
import io.metashard.catalogue.Objects;
import io.metashard.lake.Lake;
import io.metashard.shardmap.ShardMap;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/**
 * What a lake holds, in a handful of numbers.
 *
 * @param values by name, in the order in which they are printed
 */
record LakeFigures(Map<String, Object> values) {
  /** Names that are metrics. */
  static final List<String> METRICS =
      List.of(
          "objects_encoded",
          "objects_pending",
          "objects_stale",
          "meta_shards",
          "logical_bytes",
          "stored_bytes",
          "stored_per_logical",
          "survives_lost_domains");

  /** Names that are left out when there are no such objects. */
  static final Set<String> ABSENT_IS_ZERO =
      Set.of("objects_encoded", "objects_pending", "objects_stale");

  LakeFigures {
    values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
  }

  static LakeFigures of(Lake lake) {
    return of(lake.read(Objects.TABLE), new ShardMap(lake).rows());
  }

  /** What it would hold by another map than that which readers read. */
  static LakeFigures of(Lake lake, ShardMap map) {
    Dataset<Row> rows = map.rows();
    return of(ObjectStates.refresh(lake.read(Objects.TABLE), ShardMap.liveVersions(rows)), rows);
  }

  private static LakeFigures of(Dataset<Row> objects, Dataset<Row> rows) {
    Map<String, Object> values = new LinkedHashMap<>();
    // What was dropped, or went before its night came, has no source to be encoded from.
    objects
        .where(
            not(
                col(Objects.STATE)
                    .equalTo(Objects.PENDING)
                    .and(col(Objects.SOURCE_STATE).equalTo(Objects.MISSING))))
        .groupBy(col(Objects.STATE))
        .agg(count(lit(1)))
        .orderBy(col(Objects.STATE))
        .collectAsList()
        .forEach(row -> values.put("objects_" + row.getString(0), row.getLong(1)));
    MapStatistics map = MapStatistics.of(rows);
    values.put("meta_shards", map.metaShards());
    values.put("logical_bytes", map.logicalBytes());
    values.put("stored_bytes", map.storedBytes());
    values.put("stored_per_logical", map.storageRatio());
    values.put("survives_lost_domains", map.survives());
    return new LakeFigures(values);
  }
}
