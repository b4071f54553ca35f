package io.metashard.catalogue;

import static org.apache.spark.sql.functions.call_function;
import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.greatest;
import static org.apache.spark.sql.functions.least;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.min;
import static org.apache.spark.sql.functions.not;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.timestamp_millis;
import static org.apache.spark.sql.functions.when;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;

/** From what the roots hold now and what the catalogue held before to the next catalogue. */
public final class Catalogue {
  /** Of {@link #byId}: the last root, by name, that holds the id; the first is {@code root}. */
  public static final String OTHER_ROOT = "other_root";

  /** Of {@link #compared}: the root that held the object before; null when it is new. */
  public static final String FORMER_ROOT = "former_root";

  /** Of {@link #compared}: whether its source was present before. */
  public static final String WAS_PRESENT = "was_present";

  public static final String IS_NEW = "is_new";

  /** The source's version differs. */
  public static final String IS_CHANGED = "is_changed";

  /** Present before, not listed now. */
  public static final String IS_MISSING = "is_missing";

  /** Missing or released before, listed now. */
  public static final String IS_BACK = "is_back";

  /** Anything else differs: its segmentation by new settings, its root or its uri. */
  public static final String IS_TOUCHED = "is_touched";

  private static final String NEWEST = "newest";
  private static final String BEFORE = "before";
  private static final String NOW = "now";

  private Catalogue() {}

  /**
   * One row per id. Two names of one root may give one id (object stores know {@code a//b}, Hadoop
   * paths do not): the newest is taken, as whatever opens the uri gets one of them at most.
   *
   * @param listing as {@link Listing#SCHEMA}
   * @return {@link Listing#SCHEMA} and {@link #OTHER_ROOT}
   */
  public static Dataset<Row> byId(Dataset<Row> listing) {
    Dataset<Row> grouped =
        listing
            .groupBy(col(Listing.OBJECT_ID))
            .agg(
                max(struct(
                        col(Listing.MODIFIED_MILLIS),
                        col(Listing.OBJECT_VERSION),
                        col(Listing.OBJECT_BYTES),
                        col(Listing.URI),
                        col(Listing.WAITING)))
                    .as(NEWEST),
                min(col(Listing.ROOT)).as(Listing.ROOT),
                max(col(Listing.ROOT)).as(OTHER_ROOT));
    return grouped.select(
        col(Listing.OBJECT_ID),
        col(NEWEST).getField(Listing.URI).as(Listing.URI),
        col(Listing.ROOT),
        col(NEWEST).getField(Listing.OBJECT_BYTES).as(Listing.OBJECT_BYTES),
        col(NEWEST).getField(Listing.OBJECT_VERSION).as(Listing.OBJECT_VERSION),
        col(NEWEST).getField(Listing.MODIFIED_MILLIS).as(Listing.MODIFIED_MILLIS),
        col(NEWEST).getField(Listing.WAITING).as(Listing.WAITING),
        col(OTHER_ROOT));
  }

  /** The ids that two roots hold, of {@link #byId}. */
  public static Dataset<Row> inTwoRoots(Dataset<Row> byId) {
    return byId.where(not(col(Listing.ROOT).equalTo(col(OTHER_ROOT))));
  }

  /**
   * The next catalogue, each row with what happened to it.
   *
   * <p>An object that is not listed is missing from {@code at} on; a released one stays released;
   * one that waits is left as it was, and left out if it was not known. {@link Objects#STATE} is
   * carried on (a changed version makes {@code encoded} {@code stale}); {@link ObjectStates} sets
   * it by the map.
   *
   * @param former as {@link Objects#SCHEMA}, one row per id
   * @param listing of {@link #byId}
   * @param at when the roots were listed
   * @return {@link Objects#SCHEMA}, {@link #FORMER_ROOT}, {@link #WAS_PRESENT} and the {@code IS_}
   *     columns
   */
  public static Dataset<Row> compared(
      Dataset<Row> former, Dataset<Row> listing, SegmentOptions segments, Instant at) {
    Column known = before(Objects.OBJECT_ID).isNotNull();
    Column found = now(Listing.OBJECT_ID).isNotNull();
    Column taken = found.and(not(now(Listing.WAITING)));
    Column wasPresent = coalesce(before(Objects.SOURCE_STATE).equalTo(Objects.PRESENT), lit(false));
    Column goes = wasPresent.and(not(found));
    Column objectBytes = either(taken, Objects.OBJECT_BYTES);
    Column segmentBytes = segmentBytes(objectBytes, segments);
    Column changes =
        taken
            .and(known)
            .and(not(now(Listing.OBJECT_VERSION).equalTo(before(Objects.OBJECT_VERSION))));
    Column moment = lit(at);

    List<Column> columns = new ArrayList<>();
    columns.add(coalesce(now(Listing.OBJECT_ID), before(Objects.OBJECT_ID)).as(Objects.OBJECT_ID));
    columns.add(either(taken, Objects.URI).as(Objects.URI));
    columns.add(either(taken, Objects.ROOT).as(Objects.ROOT));
    columns.add(objectBytes.as(Objects.OBJECT_BYTES));
    columns.add(either(taken, Objects.OBJECT_VERSION).as(Objects.OBJECT_VERSION));
    columns.add(
        when(taken, timestamp_millis(now(Listing.MODIFIED_MILLIS)))
            .otherwise(before(Objects.MODIFIED_AT))
            .as(Objects.MODIFIED_AT));
    columns.add(coalesce(before(Objects.FIRST_SEEN), moment).as(Objects.FIRST_SEEN));
    columns.add(segments(objectBytes, segmentBytes).as(Objects.SEGMENTS));
    columns.add(segmentBytes.as(Objects.SEGMENT_BYTES));
    columns.add(
        when(taken, Objects.PRESENT)
            .when(goes, Objects.MISSING)
            .otherwise(before(Objects.SOURCE_STATE))
            .as(Objects.SOURCE_STATE));
    columns.add(
        when(taken, lit(null).cast(DataTypes.TimestampType))
            .when(goes, moment)
            .otherwise(before(Objects.MISSING_SINCE))
            .as(Objects.MISSING_SINCE));
    columns.add(
        when(not(known), Objects.PENDING)
            .when(changes.and(before(Objects.STATE).equalTo(Objects.ENCODED)), Objects.STALE)
            .otherwise(before(Objects.STATE))
            .as(Objects.STATE));
    columns.add(before(Objects.ROOT).as(FORMER_ROOT));
    columns.add(wasPresent.as(WAS_PRESENT));
    columns.add(flag(taken.and(not(known)), IS_NEW));
    columns.add(flag(changes, IS_CHANGED));
    columns.add(flag(goes, IS_MISSING));
    columns.add(flag(taken.and(known).and(not(wasPresent)), IS_BACK));
    columns.add(
        flag(
            known.and(
                not(segmentBytes.equalTo(before(Objects.SEGMENT_BYTES)))
                    .or(
                        taken.and(
                            differs(Objects.URI)
                                .or(differs(Objects.ROOT))
                                .or(differs(Objects.OBJECT_BYTES))))),
            IS_TOUCHED));

    return former
        .as(BEFORE)
        .join(
            listing.as(NOW),
            before(Objects.OBJECT_ID).equalTo(now(Listing.OBJECT_ID)),
            "full_outer")
        .where(known.or(taken))
        .select(columns.toArray(Column[]::new));
  }

  private static Column before(String column) {
    return col(BEFORE + "." + column);
  }

  private static Column now(String column) {
    return col(NOW + "." + column);
  }

  private static Column either(Column taken, String column) {
    return when(taken, now(column)).otherwise(before(column));
  }

  private static Column differs(String column) {
    return not(now(column).equalTo(before(column)));
  }

  private static Column flag(Column condition, String name) {
    return coalesce(condition, lit(false)).as(name);
  }

  /** {@link io.metashard.Segmentation#of} as a column. */
  public static Column segmentBytes(Column objectBytes, SegmentOptions segments) {
    Column even =
        when(objectBytes.leq(0), lit(1L))
            .otherwise(
                quotient(objectBytes.minus(1L), lit((long) segments.perObject())).plus(lit(1L)));
    return least(lit(segments.maxBytes()), greatest(lit(segments.minBytes()), even));
  }

  /** {@link io.metashard.Segmentation#segments} as a column. */
  public static Column segments(Column objectBytes, Column segmentBytes) {
    return when(objectBytes.equalTo(0L), lit(1))
        .otherwise(
            quotient(objectBytes.minus(1L), segmentBytes)
                .plus(lit(1L))
                .cast(DataTypes.IntegerType));
  }

  /** Whole division: {@code /} would go through double and lose digits above 2^53. */
  private static Column quotient(Column dividend, Column divisor) {
    return call_function("div", dividend, divisor);
  }

  /**
   * {@link #compared}, in which what is not listed any more is released instead of missing, if it
   * was approved that its source be deleted.
   *
   * @param approved {@link Objects#OBJECT_ID} and {@link Objects#OBJECT_VERSION}, each pair once
   */
  public static Dataset<Row> released(Dataset<Row> compared, Dataset<Row> approved) {
    String isApproved = "is_approved";
    Column released = col(IS_MISSING).and(coalesce(col(isApproved), lit(false)));
    List<Column> columns = new ArrayList<>();
    for (String name : compared.columns()) {
      columns.add(
          switch (name) {
            case Objects.SOURCE_STATE ->
                when(released, Objects.RELEASED).otherwise(col(name)).as(name);
            case Objects.MISSING_SINCE -> when(not(released), col(name)).as(name);
            case IS_MISSING -> col(name).and(not(released)).as(name);
            case IS_TOUCHED -> col(name).or(released).as(name);
            default -> col(name);
          });
    }
    return compared
        .join(
            approved.withColumn(isApproved, lit(true)),
            new String[] {Objects.OBJECT_ID, Objects.OBJECT_VERSION},
            "left")
        .select(columns.toArray(Column[]::new));
  }

  /** The columns of the catalogue alone, of {@link #compared}. */
  public static Dataset<Row> objects(Dataset<Row> compared) {
    List<Column> columns = new ArrayList<>();
    for (StructField field : Objects.SCHEMA.fields()) {
      columns.add(col(field.name()));
    }
    return compared.select(columns.toArray(Column[]::new));
  }
}
