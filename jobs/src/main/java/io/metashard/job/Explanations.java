package io.metashard.job;

import io.metashard.plan.BucketInput;
import io.metashard.plan.BucketPlanner;
import io.metashard.plan.Explainer;
import io.metashard.plan.Explanation;
import java.util.Iterator;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** One row per {@link Explanation}: why segments of an object have their shape. */
final class Explanations {
  static final String OBJECT_ID = "object_id";
  static final String OBJECT_BYTES = "object_bytes";
  static final String FROM_SEGMENT = "from_segment";
  static final String TO_SEGMENT = "to_segment";
  static final String READ_WHOLE = "read_whole";

  /** {@code encoded}, {@code stays}, {@code waits} or {@code dropped}. */
  static final String FATE = "in_this_run";

  static final String FATE_WHY = "fate_why";
  static final String FORM = "form";
  static final String SHAPE = "shape";

  /** Power of ten of the requests that are expected of each segment: {@link #heatWord}. */
  static final String HEAT = "heat";

  static final String BYTES = "bytes";
  static final String STORED_BYTES = "stored_bytes";
  static final String REQUESTS = "requests";
  static final String READS = "reads";
  static final String READ_MILLIS = "read_millis";
  static final String PLAIN_MILLIS = "packed_read_millis";
  static final String SAVED_MILLIS = "saved_millis";
  static final String MORE_BYTES = "more_bytes";
  static final String OTHER = "next_best";
  static final String OTHER_MILLIS = "next_best_read_millis";
  static final String OTHER_MORE_BYTES = "next_best_more_bytes";
  static final String REASON = "reason";

  static final StructType SCHEMA =
      new StructType()
          .add(OBJECT_ID, DataTypes.StringType, false)
          .add(OBJECT_BYTES, DataTypes.LongType, false)
          .add(FROM_SEGMENT, DataTypes.IntegerType, false)
          .add(TO_SEGMENT, DataTypes.IntegerType, false)
          .add(READ_WHOLE, DataTypes.BooleanType, false)
          .add(FATE, DataTypes.StringType, false)
          .add(FATE_WHY, DataTypes.StringType, false)
          .add(FORM, DataTypes.StringType, false)
          .add(SHAPE, DataTypes.StringType, false)
          .add(HEAT, DataTypes.IntegerType, false)
          .add(BYTES, DataTypes.LongType, false)
          .add(STORED_BYTES, DataTypes.DoubleType, false)
          .add(REQUESTS, DataTypes.DoubleType, false)
          .add(READS, DataTypes.DoubleType, false)
          .add(READ_MILLIS, DataTypes.DoubleType, false)
          .add(PLAIN_MILLIS, DataTypes.DoubleType, false)
          .add(SAVED_MILLIS, DataTypes.DoubleType, false)
          .add(MORE_BYTES, DataTypes.DoubleType, false)
          .add(OTHER, DataTypes.StringType, false)
          .add(OTHER_MILLIS, DataTypes.DoubleType, false)
          .add(OTHER_MORE_BYTES, DataTypes.DoubleType, false)
          .add(REASON, DataTypes.StringType, false);

  private static final int COLDEST = -1;
  private static final int HOTTEST = 6;

  private Explanations() {}

  /** Explains every object of a plan. */
  static Dataset<Row> of(PlanJob.Planned planned) {
    return BucketRows.each(
        planned.rows(),
        planned.planner().options().isolateBy(),
        new ExplainTask(
            new Explainer(planned.planner(), planned.night().choice(), planned.night().step()),
            planned.placing()),
        SCHEMA);
  }

  /** The same blocks as the plan's come out of the same input: a plan is deterministic. */
  private record ExplainTask(Explainer explainer, BucketPlanner.Placing placing)
      implements BucketRows.BucketTask {
    @Override
    public Iterator<Row> rows(BucketInput input) {
      return explainer
          .explain(
              input, explainer.planner().plan(input, explainer.choice(), explainer.step(), placing))
          .stream()
          .map(Explanations::row)
          .iterator();
    }
  }

  private static Row row(Explanation e) {
    return RowFactory.create(
        e.objectId(),
        e.objectBytes(),
        e.fromSegment(),
        e.toSegment(),
        e.readWhole(),
        e.fate().word(),
        e.fate().why(),
        e.form(),
        e.shape(),
        heat(e.requests() / e.segments()),
        e.bytes(),
        e.storedBytes(),
        e.requests(),
        e.reads(),
        e.readMillis(),
        e.plainMillis(),
        e.savedMillis(),
        e.moreBytes(),
        e.other(),
        e.otherMillis(),
        e.otherMoreBytes(),
        e.reason());
  }

  private static int heat(double requests) {
    return requests < 0.1
        ? COLDEST - 1
        : Math.min(HOTTEST, (int) Math.floor(Math.log10(requests) + 1e-12));
  }

  /** {@code 10 to 100}. */
  static String heatWord(int heat) {
    if (heat < COLDEST) {
      return "under 0.1";
    }
    String from = heat < 0 ? "0.1" : "1" + "0".repeat(heat);
    return heat == HOTTEST ? from + " and more" : from + " to 1" + "0".repeat(heat + 1);
  }
}
