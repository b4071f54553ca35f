package io.metashard.job;

import static org.apache.spark.sql.functions.col;

import io.metashard.catalogue.Objects;
import io.metashard.encode.PlannedBlocks;
import io.metashard.lake.Lake;
import io.metashard.lake.TableDefinition;
import io.metashard.plan.DroppedObject;
import java.sql.Date;
import java.sql.Timestamp;
import java.util.List;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** One row per run and object that its plan drops from the map: its source is missing too long. */
final class PlannedDrops {
  static final String BUCKET = PlannedBlocks.BUCKET;
  static final String OBJECT_ID = Objects.OBJECT_ID;

  /** Of the version that the map has. */
  static final String OBJECT_BYTES = Objects.OBJECT_BYTES;

  static final String MISSING_SINCE = Objects.MISSING_SINCE;

  static final StructType SCHEMA =
      new StructType()
          .add(BUCKET, DataTypes.IntegerType, false)
          .add(OBJECT_ID, DataTypes.StringType, false)
          .add(OBJECT_BYTES, DataTypes.LongType, false)
          .add(MISSING_SINCE, DataTypes.TimestampType, false)
          .add(Plans.RUN_ID, DataTypes.StringType, false)
          .add(Plans.PLAN_DATE, DataTypes.DateType, false)
          .add(Plans.MAP_SEQUENCE, DataTypes.LongType, false)
          .add(Plans.MAP_TABLE, DataTypes.StringType, false);

  static final TableDefinition TABLE =
      new TableDefinition("planned_drops", SCHEMA, List.of(Plans.RUN_ID));

  private PlannedDrops() {}

  /** A row of {@link #SCHEMA}. */
  static Row row(
      DroppedObject dropped,
      int bucket,
      String runId,
      Date date,
      long mapSequence,
      String mapTable) {
    return RowFactory.create(
        bucket,
        dropped.objectId(),
        dropped.objectBytes(),
        Timestamp.from(dropped.missingSince()),
        runId,
        date,
        mapSequence,
        mapTable);
  }

  /** Makes a run's rows these; nothing is written where there are none and were none. */
  static void replace(JobContext context, Dataset<Row> drops, long count) {
    context.lake().create(TABLE);
    if (count > 0 || !of(context, context.runId()).isEmpty()) {
      // The context has checked the id: no letter of it needs an escape.
      String thisRun = Plans.RUN_ID + " = '" + context.runId() + "'";
      context.lake().replaceWhere(TABLE, drops, thisRun, Lake.Commit.PLAIN);
    }
  }

  private static Dataset<Row> of(JobContext context, String planId) {
    return context.lake().read(TABLE).where(col(Plans.RUN_ID).equalTo(planId));
  }

  /**
   * The objects that a plan drops, but for those whose sources are back since, by the catalogue as
   * it is now.
   */
  static Dataset<Row> stillMissing(JobContext context, String planId) {
    Dataset<Row> missing =
        context
            .lake()
            .readPinned(Objects.TABLE) // looked at more than once, while others list
            .where(col(Objects.SOURCE_STATE).equalTo(Objects.MISSING))
            .select(Objects.OBJECT_ID, Objects.MISSING_SINCE);
    return of(context, planId).join(missing, new String[] {OBJECT_ID, MISSING_SINCE}, "left_semi");
  }
}
