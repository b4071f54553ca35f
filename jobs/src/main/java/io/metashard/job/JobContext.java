package io.metashard.job;

import io.metashard.config.Settings;
import io.metashard.config.SettingsException;
import io.metashard.lake.Lake;
import java.time.Instant;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.UnsupportedFileSystemException;
import org.apache.spark.sql.SparkSession;

/**
 * What every job of one run shares.
 *
 * @param at the moment of planning: logs before it are used, time after it is forecast
 * @param runId id of this run; a retry of the same run has the same
 */
public record JobContext(
    SparkSession spark, Lake lake, Settings settings, Instant at, String runId) {
  private static final String S3A = "org.apache.hadoop.fs.s3a.S3AFileSystem";

  /** The Hadoop configuration of the session, {@code hadoop { }} settings included. */
  public Configuration hadoop() {
    return spark.sessionState().newHadoopConf();
  }

  /** A folder for what lives only as long as this run; below the lake, so that executors see it. */
  public String stagingPath(String name) {
    return lake.root() + "/_staging/" + runId + "/" + name;
  }

  /**
   * A path made absolute, with its scheme: relative ones are below the working folder. Where {@code
   * s3://} is S3A it is spelt {@code s3a://}, so that a place has one name.
   */
  public static String qualified(String uri, Configuration hadoop) {
    try {
      boolean other = uri.startsWith("s3://") && S3A.equals(hadoop.get("fs.s3.impl"));
      Path path = new Path(other ? "s3a" + uri.substring(2) : uri);
      return path.getFileSystem(hadoop).makeQualified(path).toString();
    } catch (UnsupportedFileSystemException e) {
      throw new SettingsException(
          "Cannot use %s: %s; correct the URI, or put the file system's jar on the class path"
              .formatted(Settings.withoutUserInfo(uri), e.getMessage()),
          e);
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(
          "Cannot open %s: %s".formatted(Settings.withoutUserInfo(uri), e.getMessage()), e);
    }
  }
}
