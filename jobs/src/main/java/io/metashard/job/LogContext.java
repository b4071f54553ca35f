package io.metashard.job;

import org.apache.spark.SparkContext;
import org.slf4j.MDC;

/**
 * Which run and stage a log line belongs to.
 *
 * <p>The keys begin with {@code mdc.}, as Spark's own do: it hands local properties of that name to
 * the tasks of a job, so that lines of executors have them, too.
 */
final class LogContext {
  static final String RUN_ID = "mdc.run_id";
  static final String STAGE = "mdc.stage";

  private LogContext() {}

  static void run(String runId) {
    MDC.put(RUN_ID, runId);
  }

  static void run(SparkContext spark, String runId) {
    spark.setLocalProperty(RUN_ID, runId);
  }

  static void stage(SparkContext spark, String stage) {
    MDC.put(STAGE, stage);
    spark.setLocalProperty(STAGE, stage);
  }

  static void clear() {
    MDC.remove(RUN_ID);
    MDC.remove(STAGE);
  }
}
