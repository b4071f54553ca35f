package io.metashard.job;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.sum;

import io.metashard.catalogue.Objects;
import io.metashard.plan.Durability;
import io.metashard.shardmap.ShardMap;
import io.metashard.shardmap.ShardMapTable;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/**
 * What a map holds, how it would serve a forecast, and how likely it is to lose bytes.
 *
 * @param reading of the forecast; from the sources alone where the map holds nothing
 * @param bytesAt stored, by location, with checksums of frames
 * @param replacedSourceBytes of sources that the map holds at their version, so that they could go
 * @param nines of the meta-shard that is most easily lost; NaN without any
 * @param lostPerYear meta-shards that are expected to be lost in a year
 */
record MapTotals(
    MapStatistics statistics,
    LayoutScore reading,
    Map<String, Long> bytesAt,
    long replacedSourceBytes,
    double nines,
    double lostPerYear) {

  /** Name of the read times that count: of the map, and of sources for what it does not hold. */
  String layout() {
    return isEmpty() ? NightScores.SOURCE : NightScores.PLANNED;
  }

  boolean isEmpty() {
    return statistics.objects() == 0;
  }

  /** Milliseconds by a model; NaN when nothing is expected to be read. */
  LayoutScore.Time time(String layout, String model) {
    return reading.times().stream()
        .filter(time -> time.layout().equals(layout) && time.model().equals(model))
        .findFirst()
        .orElse(new LayoutScore.Time(layout, model, Double.NaN, Double.NaN));
  }

  double blockReads() {
    return reading.blockReads().getOrDefault(layout(), 0.0);
  }

  /** A code, and how many meta-shards have it. */
  private record Code(int k, int m, long metaShards) {}

  /**
   * Works it out, in a few passes.
   *
   * @param objects present ones, as {@link Objects#SCHEMA}
   * @param map as {@link ShardMapTable#SCHEMA}
   */
  static MapTotals of(
      Dataset<Row> objects, Dataset<Row> map, LayoutScore reading, Durability durability) {
    List<Code> codes = new ArrayList<>();
    map.groupBy(col(ShardMapTable.META_SHARD_ID))
        .agg(
            max(col(ShardMapTable.K)).as(ShardMapTable.K),
            max(col(ShardMapTable.M)).as(ShardMapTable.M))
        .groupBy(ShardMapTable.K, ShardMapTable.M)
        .agg(count(lit(1)))
        .collectAsList() // one a code: tens
        .forEach(row -> codes.add(new Code(row.getInt(0), row.getInt(1), row.getLong(2))));
    double worst = 0;
    double lost = 0;
    for (Code code : codes) {
      double annual = durability.annualLoss(code.k(), code.m());
      worst = Math.max(worst, annual);
      lost += annual * code.metaShards();
    }
    long replaced =
        objects
            .join(
                ShardMap.liveVersions(map),
                new String[] {Objects.OBJECT_ID, Objects.OBJECT_VERSION},
                "left_semi")
            .agg(coalesce(sum(col(Objects.OBJECT_BYTES)), lit(0L)))
            .first()
            .getLong(0);
    Map<String, Long> bytesAt = new TreeMap<>();
    map.groupBy(col(ShardMapTable.LOCATION))
        .agg(sum(ShardMapTable.physicalBytes()))
        .collectAsList() // one a location
        .forEach(row -> bytesAt.put(row.getString(0), row.getLong(1)));
    return new MapTotals(
        MapStatistics.of(map),
        reading,
        bytesAt,
        replaced,
        codes.isEmpty() ? Double.NaN : Durability.nines(worst),
        lost);
  }
}
