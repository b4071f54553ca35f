package io.metashard.job;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.countDistinct;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.max_by;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.sum;

import io.metashard.ObjectIds;
import io.metashard.catalogue.Objects;
import io.metashard.simulate.Prices;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.storage.StorageLevel;

/** Looks at a plan and tells why it is what it is; sums and a few rows leave Spark, no more. */
final class PlanExplainer implements PlanJob.Audience {
  private static final String OBJECTS = "objects";
  private static final String SEGMENTS = "segments";
  private static final String HOTTEST = "hottest";
  private static final String READ_TIME = "read_time";

  private final JobContext context;
  private final ExplainOptions options;
  private Optional<ExplainedPlan> explained = Optional.empty();

  PlanExplainer(JobContext context, ExplainOptions options) {
    this.context = context;
    this.options = options;
  }

  /** What there is to tell; empty when nothing was planned. */
  Optional<ExplainedPlan> explained() {
    return explained;
  }

  /** An id that is not there is better said before hours of planning. */
  @Override
  public void begins(Dataset<Row> objects) {
    if (options.objectId().isEmpty()) {
      return;
    }
    String id = options.objectId().get();
    if (objects.where(col(Objects.OBJECT_ID).equalTo(lit(id))).isEmpty()) {
      throw new MetashardException(
          MetashardException.USAGE,
          "Cannot explain object %s: the catalogue has none of that id; plan --explain alone lists the hottest, and the table objects has all"
              .formatted(ObjectIds.printable(id)));
    }
  }

  @Override
  public void planned(PlanJob.Planned planned) {
    Dataset<Row> all = Explanations.of(planned).persist(StorageLevel.MEMORY_AND_DISK());
    try {
      List<ExplainedPlan.Kind> kinds = new ArrayList<>();
      List<ExplainedPlan.Line> lines;
      long further;
      if (options.objectId().isPresent()) {
        Dataset<Row> own =
            all.where(col(Explanations.OBJECT_ID).equalTo(lit(options.objectId().get())));
        lines = linesOf(own);
        if (lines.isEmpty()) {
          throw new MetashardException(
              MetashardException.USAGE,
              "Cannot explain object %s: its source is missing and the map does not serve it, so there is nothing to plan; bring its source back"
                  .formatted(ObjectIds.printable(options.objectId().get())));
        }
        further = own.count() - lines.size();
      } else {
        kinds.addAll(kinds(all));
        lines = hottest(all);
        further = 0;
      }
      explained =
          Optional.of(
              new ExplainedPlan(
                  planned.planner().options().policy().word(),
                  options.objectId().isPresent(),
                  PlanTotals.of(context, planned, Prices.from(context.settings())),
                  kinds,
                  lines,
                  further));
    } finally {
      all.unpersist();
    }
  }

  /** What objects have in common: rows by run, form and power of ten of heat, so some tens. */
  private static List<ExplainedPlan.Kind> kinds(Dataset<Row> all) {
    Column weighted = col(Explanations.READS).multiply(col(Explanations.READ_MILLIS));
    return all
        .groupBy(col(Explanations.FATE), col(Explanations.FORM), col(Explanations.HEAT))
        .agg(
            countDistinct(col(Explanations.OBJECT_ID)).as(OBJECTS),
            sum(segments()).as(SEGMENTS),
            sum(col(Explanations.BYTES)).as(Explanations.BYTES),
            sum(col(Explanations.STORED_BYTES)).as(Explanations.STORED_BYTES),
            sum(col(Explanations.REQUESTS)).as(Explanations.REQUESTS),
            sum(col(Explanations.READS)).as(Explanations.READS),
            sum(weighted).as(READ_TIME),
            sum(col(Explanations.SAVED_MILLIS)).as(Explanations.SAVED_MILLIS))
        .collectAsList()
        .stream()
        .map(
            row ->
                new ExplainedPlan.Kind(
                    row.getAs(Explanations.FATE),
                    row.getAs(Explanations.FORM),
                    row.<Integer>getAs(Explanations.HEAT),
                    row.<Long>getAs(OBJECTS),
                    row.<Long>getAs(SEGMENTS),
                    row.<Long>getAs(Explanations.BYTES),
                    Math.round(row.<Double>getAs(Explanations.STORED_BYTES)),
                    row.<Double>getAs(Explanations.REQUESTS),
                    row.<Double>getAs(READ_TIME) / row.<Double>getAs(Explanations.READS),
                    row.<Double>getAs(Explanations.SAVED_MILLIS)))
        .sorted(ExplainedPlan.Kind.ORDER)
        .toList();
  }

  private static Column segments() {
    return col(Explanations.TO_SEGMENT).minus(col(Explanations.FROM_SEGMENT)).cast("long");
  }

  /** The objects of the most requests, each told by its part of the most. */
  private List<ExplainedPlan.Line> hottest(Dataset<Row> all) {
    Column[] told =
        java.util.Arrays.stream(Explanations.SCHEMA.fieldNames())
            .map(name -> col(name))
            .toArray(Column[]::new);
    return all
        .groupBy(col(Explanations.OBJECT_ID))
        .agg(
            sum(col(Explanations.REQUESTS)).as(Explanations.REQUESTS),
            max_by(
                    struct(told),
                    struct(col(Explanations.REQUESTS), col(Explanations.FROM_SEGMENT).multiply(-1)))
                .as(HOTTEST),
            coalesce(sum(col(Explanations.SAVED_MILLIS)), lit(0.0)).as(Explanations.SAVED_MILLIS),
            sum(col(Explanations.STORED_BYTES)).as(Explanations.STORED_BYTES),
            max(col(Explanations.OBJECT_BYTES)).as(Explanations.BYTES),
            sum(segments()).as(SEGMENTS),
            count(lit(1)).as(OBJECTS))
        .orderBy(col(Explanations.REQUESTS).desc(), col(Explanations.OBJECT_ID))
        .limit(options.rows())
        .collectAsList()
        .stream()
        .map(
            row ->
                line(row.getStruct(row.fieldIndex(HOTTEST)))
                    .ofAll(
                        row.<Long>getAs(SEGMENTS),
                        row.<Long>getAs(OBJECTS),
                        row.<Long>getAs(Explanations.BYTES),
                        Math.round(row.<Double>getAs(Explanations.STORED_BYTES)),
                        row.<Double>getAs(Explanations.REQUESTS),
                        row.<Double>getAs(Explanations.SAVED_MILLIS)))
        .toList();
  }

  /** The hottest parts of one object, in the order of its bytes. */
  private List<ExplainedPlan.Line> linesOf(Dataset<Row> own) {
    return own
        .orderBy(col(Explanations.REQUESTS).desc(), col(Explanations.FROM_SEGMENT))
        .limit(options.rows())
        .collectAsList()
        .stream()
        .map(PlanExplainer::line)
        .sorted(Comparator.comparingInt(ExplainedPlan.Line::fromSegment))
        .toList();
  }

  private static ExplainedPlan.Line line(Row row) {
    return new ExplainedPlan.Line(
        row.getAs(Explanations.OBJECT_ID),
        row.<Integer>getAs(Explanations.FROM_SEGMENT),
        row.<Integer>getAs(Explanations.TO_SEGMENT),
        row.<Integer>getAs(Explanations.TO_SEGMENT) - row.<Integer>getAs(Explanations.FROM_SEGMENT),
        1,
        row.<Boolean>getAs(Explanations.READ_WHOLE),
        row.getAs(Explanations.FATE),
        row.getAs(Explanations.FATE_WHY),
        row.getAs(Explanations.SHAPE),
        row.<Long>getAs(Explanations.BYTES),
        Math.round(row.<Double>getAs(Explanations.STORED_BYTES)),
        row.<Double>getAs(Explanations.REQUESTS),
        row.<Double>getAs(Explanations.READ_MILLIS),
        row.<Double>getAs(Explanations.PLAIN_MILLIS),
        row.<Double>getAs(Explanations.SAVED_MILLIS),
        row.getAs(Explanations.OTHER),
        row.<Double>getAs(Explanations.OTHER_MILLIS),
        row.<Double>getAs(Explanations.OTHER_MORE_BYTES),
        row.getAs(Explanations.REASON));
  }
}
