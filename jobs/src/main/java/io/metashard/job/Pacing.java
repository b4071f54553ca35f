package io.metashard.job;

import org.apache.spark.SparkConf;
import org.apache.spark.sql.SparkSession;

/** Divides a rate of the whole cluster over the tasks that run at once. */
final class Pacing {
  private Pacing() {}

  /**
   * Bytes a second of one task.
   *
   * @param bytesPerSecond of all; 0: no limit
   * @param tasks of the Spark stage
   * @return 0: no limit
   */
  static long perTask(SparkSession spark, long bytesPerSecond, int tasks) {
    SparkConf conf = spark.sparkContext().getConf();
    return perTask(
        bytesPerSecond, tasks, mostAtOnce(conf, spark.sparkContext().defaultParallelism()));
  }

  static long perTask(long bytesPerSecond, int tasks, long mostAtOnce) {
    return bytesPerSecond == 0
        ? 0
        : Math.max(1, bytesPerSecond / Math.max(1, Math.min(tasks, mostAtOnce)));
  }

  /** Tasks that can run at once, also when executors have yet to come. */
  static long mostAtOnce(SparkConf conf, int defaultParallelism) {
    if (!conf.getBoolean("spark.dynamicAllocation.enabled", false)) {
      return defaultParallelism;
    }
    long executors = conf.getInt("spark.dynamicAllocation.maxExecutors", Integer.MAX_VALUE);
    return Math.max(defaultParallelism, executors * conf.getInt("spark.executor.cores", 1));
  }
}
