package io.metashard.catalogue;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.min;
import static org.apache.spark.sql.functions.not;
import static org.apache.spark.sql.functions.when;

import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;

/** What the shard map says of each object. */
public final class ObjectStates {
  private static final String LIVE_ID = "live_object_id";
  private static final String LOWEST = "lowest_live_version";
  private static final String HIGHEST = "highest_live_version";

  private ObjectStates() {}

  /**
   * The objects with {@link Objects#STATE} as the map has it: {@code encoded} if its live blocks
   * are of the catalogue's version, {@code stale} if they are of another, {@code pending} if there
   * are none. Of an object whose source is missing or released the map has the newest: with live
   * blocks of any version it is {@code encoded}.
   *
   * @param objects as {@link Objects#SCHEMA}
   * @param liveVersions {@link Objects#OBJECT_ID} and {@link Objects#OBJECT_VERSION} of the map's
   *     live rows, in any number; other columns are ignored
   */
  public static Dataset<Row> refresh(Dataset<Row> objects, Dataset<Row> liveVersions) {
    Dataset<Row> live =
        liveVersions
            .where(col(Objects.OBJECT_ID).isNotNull())
            .groupBy(col(Objects.OBJECT_ID).as(LIVE_ID))
            .agg(
                min(col(Objects.OBJECT_VERSION)).as(LOWEST),
                max(col(Objects.OBJECT_VERSION)).as(HIGHEST));
    Column current =
        coalesce(
            col(LOWEST)
                .equalTo(col(Objects.OBJECT_VERSION))
                .and(col(HIGHEST).equalTo(col(Objects.OBJECT_VERSION))),
            lit(false));
    Column state =
        when(col(LIVE_ID).isNull(), Objects.PENDING)
            .when(
                current.or(not(col(Objects.SOURCE_STATE).equalTo(Objects.PRESENT))),
                Objects.ENCODED)
            .otherwise(Objects.STALE);
    return objects
        .join(live, col(Objects.OBJECT_ID).equalTo(col(LIVE_ID)), "left")
        .withColumn(Objects.STATE, state)
        .select(
            java.util.Arrays.stream(Objects.SCHEMA.fieldNames())
                .map(functions::col)
                .toArray(Column[]::new));
  }
}
