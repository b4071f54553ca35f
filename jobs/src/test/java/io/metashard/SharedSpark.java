package io.metashard;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.spark.sql.SparkSession;

/** The one local session of all Spark tests of a JVM. */
public final class SharedSpark {
  private static SparkSession session;

  private SharedSpark() {}

  /** Local, two cores, two shuffle partitions, no UI, UTC, with Delta. */
  public static synchronized SparkSession session() {
    if (session == null) {
      session =
          SparkSession.builder()
              .master("local[2]")
              .appName("tests")
              .config("spark.ui.enabled", "false")
              .config("spark.sql.shuffle.partitions", "2")
              .config("spark.default.parallelism", "2")
              .config("spark.sql.session.timeZone", "UTC")
              .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
              .config(
                  "spark.sql.catalog.spark_catalog",
                  "org.apache.spark.sql.delta.catalog.DeltaCatalog")
              .config("spark.databricks.delta.snapshotPartitions", "1")
              .config("spark.ui.showConsoleProgress", "false")
              // Its stages are jobs of their own, a tenth of the time; commands have it on.
              .config("spark.sql.adaptive.enabled", "false")
              // Small tables and lists are read in one task.
              .config("spark.sql.leafNodeDefaultParallelism", "1")
              // Tables of tests have tens of rows: compiling code for them takes longer than they
              // do.
              .config("spark.sql.codegen.wholeStage", "false")
              .config("spark.sql.codegen.factoryMode", "NO_CODEGEN")
              .config("spark.sql.warehouse.dir", tempFolder("warehouse").toUri().toString())
              .config("spark.local.dir", tempFolder("spark").toString())
              .getOrCreate();
    }
    return session;
  }

  /** A new folder below the build's temporary folder. */
  public static Path tempFolder(String prefix) {
    try {
      Path base = Path.of(System.getProperty("java.io.tmpdir"));
      Files.createDirectories(base);
      return Files.createTempDirectory(base, prefix);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
