package io.metashard.job;

import io.metashard.ObjectIds;
import io.metashard.config.Settings;
import io.metashard.config.SettingsException;
import io.metashard.lake.Lake;
import io.metashard.lake.StorageKinds;
import java.io.IOException;
import java.time.Instant;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.UnsupportedFileSystemException;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.SparkSession;

/**
 * What every job of one run shares.
 *
 * @param at the moment of planning: logs before it are used, time after it is forecast
 * @param runId id of this run, safe in paths and predicates; a retry of the same run has the same
 * @param attempt id of this process' work on the run; a retry has another
 */
public record JobContext(
    SparkSession spark, Lake lake, Settings settings, Instant at, String runId, String attempt) {
  private static final String S3A = "org.apache.hadoop.fs.s3a.S3AFileSystem";
  private static final int LONGEST_RUN_ID = 128;
  private static final String SAFE_RUN_ID =
      "[A-Za-z0-9][A-Za-z0-9._-]{0,%d}".formatted(LONGEST_RUN_ID - 1);

  /**
   * @throws MetashardException if no run can have the id
   */
  public JobContext {
    if (!isRunId(runId)) {
      throw new MetashardException(
          MetashardException.USAGE,
          "Cannot run as %s: a run id is 1 to 128 of A-Z a-z 0-9 . _ - and begins with a letter or digit; use another --run-id"
              .formatted(ObjectIds.printable(runId)));
    }
  }

  /** Whether a run can have the id: it is safe in paths and predicates. */
  static boolean isRunId(String id) {
    return id.matches(SAFE_RUN_ID);
  }

  /** A new attempt of a run. */
  public JobContext(SparkSession spark, Lake lake, Settings settings, Instant at, String runId) {
    this(spark, lake, settings, at, runId, UUID.randomUUID().toString());
  }

  /**
   * A part of this run that switches the map by itself, under another name: a switch is known by
   * its run.
   *
   * @param suffix of the run id; a retry has the same
   */
  JobContext step(String suffix) {
    int most = LONGEST_RUN_ID - suffix.length();
    String id =
        runId.length() <= most
            ? runId
            : runId.substring(0, most - 9) + "-" + CommonOptions.sha256(runId);
    return new JobContext(spark, lake, settings, at, id + suffix, attempt);
  }

  /** The same work with another value of a setting. */
  JobContext with(String key, Object value) {
    return new JobContext(spark, lake, settings.with(key, value), at, runId, attempt);
  }

  /** The Hadoop configuration of the session, {@code hadoop { }} settings included. */
  public Configuration hadoop() {
    return spark.sessionState().newHadoopConf();
  }

  /**
   * A folder for what lives only as long as this attempt; below the lake, so that executors see it.
   * No other attempt has it: one that is not dead, only slow, reads on what it staged.
   */
  public String stagingPath(String name) {
    return runStagingPath() + "/" + attempt + "/" + name;
  }

  /**
   * A folder that all attempts of this run share: for work that a retry need not do again. Two
   * attempts may be at it at once.
   */
  String sharedStagingPath(String name) {
    return runStagingPath() + "/shared/" + name;
  }

  /**
   * Rows as they are now, kept on disk: they are computed once, and stay the same while the tables
   * change that they come from. Parquet: no other attempt sees the folder, so that it needs no log.
   *
   * @param mode whether to replace what is there or to add to it
   * @return what is there afterwards
   */
  Dataset<Row> staged(Dataset<Row> rows, String name, SaveMode mode) {
    String path = stagingPath(name);
    rows.write().mode(mode).parquet(path);
    return spark.read().schema(rows.schema()).parquet(path);
  }

  /** The same; what is there already is replaced. */
  Dataset<Row> staged(Dataset<Row> rows, String name) {
    return staged(rows, name, SaveMode.Overwrite);
  }

  /** Removes what {@link #sharedStagingPath} has, whatever {@code lake.staging} says. */
  void forgetShared(String name) throws IOException {
    Path shared = new Path(sharedStagingPath(name));
    shared.getFileSystem(hadoop()).delete(shared, true);
  }

  private String runStagingPath() {
    return lake.root() + "/_staging/" + runId;
  }

  /**
   * Removes what this attempt staged below {@link #stagingPath}, as {@code lake.staging} says: on
   * object stores, where a folder is deleted request by request, an expiry rule does it.
   */
  void discardStaged(String name) throws IOException {
    discard(stagingPath(name));
  }

  /** Removes what all attempts of this run staged: it is finished, none of them can do more. */
  void discardAllStaged() throws IOException {
    discard(runStagingPath());
  }

  private void discard(String path) throws IOException {
    if (!keepsStaged()) {
      Path staged = new Path(path);
      staged.getFileSystem(hadoop()).delete(staged, true);
    }
  }

  private boolean keepsStaged() {
    return switch (settings.oneOf("lake.staging", "auto", "delete", "keep")) {
      case "delete" -> false;
      case "keep" -> true;
      default -> StorageKinds.isObjectStore(lake.root());
    };
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
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(
          "Cannot open %s: %s".formatted(Settings.withoutUserInfo(uri), e.getMessage()), e);
    }
  }
}
