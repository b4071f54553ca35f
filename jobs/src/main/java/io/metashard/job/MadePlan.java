package io.metashard.job;

import io.metashard.plan.BucketPlanner;
import io.metashard.plan.Deadlines;
import io.metashard.plan.Night;
import io.metashard.plan.NightPlanner;
import io.metashard.plan.Places;
import io.metashard.plan.PlanOptions;
import io.metashard.plan.PlanRefusedException;
import io.metashard.plan.Site;
import io.metashard.plan.TierRooms;
import io.metashard.plan.Width;
import java.sql.Date;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/**
 * A plan: the passes over all buckets that decide it, and the blocks that follow.
 *
 * @param blocks as {@link Plans#SCHEMA}; each use of them plans every bucket, unless they are kept
 * @param drops objects that leave the map, as {@link PlannedDrops#SCHEMA}
 */
record MadePlan(
    BucketPlanner planner,
    Night night,
    BucketPlanner.Placing placing,
    Dataset<Row> blocks,
    Dataset<Row> drops) {

  /**
   * What a plan is made for.
   *
   * @param sites that new blocks may go to
   * @param places where blocks are
   * @param deadlines of what blocks may be kept
   * @param name tells the plan apart from others of the run
   */
  record Target(
      List<Site> sites,
      Places places,
      Deadlines deadlines,
      boolean storeNothing,
      String name,
      long mapSequence,
      int buckets,
      String mapTable) {}

  /**
   * Decides.
   *
   * @param rows objects and stored blocks, as {@link BucketRows#of} gives them
   * @throws PlanRefusedException if no plan holds to the limits; a task of the blocks may throw it
   *     too
   */
  static MadePlan of(JobContext context, Dataset<Row> rows, PlanOptions options, Target target) {
    Width width = Width.of(options, target.sites());
    BucketPlanner planner =
        BucketPlanner.of(
            options,
            width,
            target.places(),
            target.deadlines(),
            any -> new SparkBuckets(rows, any, target.storeNothing()));
    SparkBuckets buckets = new SparkBuckets(rows, planner, target.storeNothing());
    NightPlanner planning =
        new NightPlanner(options, width, new TierRooms(target.places(), target.sites()));
    Night night = planning.plan(buckets);
    BucketPlanner.Placing placing =
        planning.placing(buckets, night, target.sites(), context.runId() + " " + target.name());
    Date date = Date.valueOf(context.at().atZone(ZoneOffset.UTC).toLocalDate());
    return new MadePlan(
        planner,
        night,
        placing,
        buckets.plan(
            new SparkBuckets.PlanTask(
                planner,
                night.choice(),
                night.step(),
                placing,
                context.runId(),
                date,
                target.mapSequence(),
                target.buckets(),
                target.mapTable())),
        buckets.dropped(
            new SparkBuckets.DropTask(
                planner, context.runId(), date, target.mapSequence(), target.mapTable())));
  }

  /**
   * Does what may be refused.
   *
   * @throws MetashardException in the words of the refusal, be it thrown here or, wrapped by Spark,
   *     in a task
   */
  static <T> T orRefusal(Supplier<T> work) {
    try {
      return work.get();
    } catch (Exception e) { // Spark throws checked exceptions that it does not declare
      Optional<MetashardException> refusal = refusal(e);
      if (refusal.isPresent()) {
        throw refusal.get();
      }
      throw e;
    }
  }

  private static Optional<MetashardException> refusal(Throwable thrown) {
    for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
      if (cause instanceof PlanRefusedException) {
        return Optional.of(
            new MetashardException(MetashardException.USAGE, cause.getMessage(), thrown));
      }
    }
    return Optional.empty();
  }
}
