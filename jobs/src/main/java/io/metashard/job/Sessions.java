package io.metashard.job;

import io.metashard.config.Settings;
import io.metashard.lake.Lake;
import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.sql.SparkSession;

/** Makes the Spark session: local by itself, or the one that spark-submit describes. */
final class Sessions {
  private static final String METRICS_NAMESPACE = "spark.metrics.namespace";

  private Sessions() {}

  /**
   * Opens the session.
   *
   * @throws MetashardException of exit code 2 if Spark or Delta Lake is of a version that is not
   *     supported; none of their classes has been loaded then
   */
  static SparkSession open(Settings settings, String name) {
    Platform.found()
        .problem()
        .ifPresent(
            problem -> {
              throw new MetashardException(MetashardException.USAGE, problem);
            });
    boolean submitted = Submitted.here().bySparkSubmit();
    Map<String, String> options = new TreeMap<>();
    // What the tables and their reading rest on, wherever the session comes from.
    options.put("spark.sql.session.timeZone", "UTC");
    options.put("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension");
    options.put(
        "spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog");
    if (System.getProperty(METRICS_NAMESPACE) == null) {
      // Not the application id: every night would be a new set of series.
      options.put(METRICS_NAMESPACE, StageMetrics.SOURCE);
    }
    SparkSession.Builder builder = SparkSession.builder().appName("metashard " + name);
    if (!submitted) {
      int cores = Runtime.getRuntime().availableProcessors();
      // A failed task is tried again, as on a cluster.
      builder = builder.master("local[" + cores + ",3]");
      options.put("spark.ui.enabled", "false");
      options.put("spark.ui.showConsoleProgress", "false");
      options.put("spark.driver.bindAddress", "127.0.0.1");
      options.put("spark.driver.host", "127.0.0.1");
      options.put("spark.sql.shuffle.partitions", Integer.toString(2 * cores));
      options.put("spark.databricks.delta.snapshotPartitions", "2");
      options.put("spark.sql.catalogImplementation", "in-memory");
      options.putAll(settings.open("spark"));
    }
    HadoopSettings.of(settings).forEach((key, value) -> options.put("spark.hadoop." + key, value));
    LogStores.defaults(options::get).forEach(options::put);
    Lake.sessionOptions(settings.string("lake.root"))
        .forEach(
            (key, value) -> {
              if (System.getProperty(key) == null) { // spark-submit's
                options.putIfAbsent(key, value);
              }
            });
    for (Map.Entry<String, String> option : options.entrySet()) {
      builder = builder.config(option.getKey(), option.getValue());
    }
    return builder.getOrCreate();
  }
}
