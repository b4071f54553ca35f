package io.metashard.job;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.timestamp_millis;
import static org.apache.spark.sql.functions.when;

import io.metashard.ObjectIds;
import io.metashard.catalogue.InventoryEntries;
import io.metashard.catalogue.Listing;
import io.metashard.catalogue.Objects;
import io.metashard.catalogue.RejectedObjects;
import io.metashard.catalogue.SourceRoot;
import io.metashard.config.Settings;
import java.io.IOException;
import java.net.URI;
import java.util.Arrays;
import java.util.Locale;
import java.util.Set;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.SparkSession;

/**
 * What a root holds by an S3 Inventory, in place of listing it.
 *
 * <p>A report is hours or days old. What the catalogue learnt since by looking at the source itself
 * (see {@link InventorySources}) is newer than it, and stays.
 */
final class InventoryListing {
  private static final Set<String> WITH_ETAGS = Set.of("s3", "s3a", "s3n");

  private final SparkSession spark;
  private final Configuration hadoop;

  InventoryListing(SparkSession spark, Configuration hadoop) {
    this.spark = spark;
    this.hadoop = hadoop;
  }

  /**
   * Stages the entries of a root.
   *
   * @param staging a folder of this root's own; it is written over
   * @param former the catalogue before
   * @return how many are taken, wait, are left out and refused
   * @throws IllegalArgumentException if the inventory cannot be used, or is of another bucket
   * @throws IOException if it cannot be read
   */
  StagedListing.Found stage(
      SourceRoot root, Path staging, Dataset<Row> former, java.time.Instant at) throws IOException {
    Path rootPath = new Path(JobContext.qualified(root.uri(), hadoop));
    InventoryManifest manifest =
        InventoryManifest.load(new Path(JobContext.qualified(root.inventory(), hadoop)), hadoop);
    URI named = logUri(root, rootPath);
    String prefix = prefix(named);
    requireBucket(root, named, manifest);
    boolean etags =
        WITH_ETAGS.contains(String.valueOf(rootPath.toUri().getScheme()).toLowerCase(Locale.ROOT));
    Dataset<Row> entries =
        manifest.entries(
            spark, etags ? InventoryManifest.Etags.USED : InventoryManifest.Etags.UNKNOWN);
    String rootUri = rootPath.toString();
    Dataset<Row> sorted =
        InventoryEntries.sorted(
            entries, root, prefix, rootUri.endsWith("/") ? rootUri : rootUri + "/", at);
    unlessNewerIsKnown(sorted, former, manifest)
        .write()
        .mode(SaveMode.Overwrite)
        .parquet(staging.toString());
    Row counts =
        staged(staging)
            .agg(
                counted(InventoryEntries.TAKEN),
                counted(InventoryEntries.WAITS),
                counted(InventoryEntries.LEFT),
                counted(InventoryEntries.REFUSED))
            .first();
    return new StagedListing.Found(
        counts.getLong(0), counts.getLong(1), counts.getLong(2), counts.getLong(3));
  }

  private static Column counted(String kind) {
    return count(when(col(InventoryEntries.KIND).equalTo(kind), 1)).as(kind);
  }

  /** What access logs and inventories call the root. */
  private static URI logUri(SourceRoot root, Path rootPath) {
    return root.logUri().equals(root.uri()) ? rootPath.toUri() : new Path(root.logUri()).toUri();
  }

  private static String prefix(URI named) {
    if (named.getAuthority() == null) {
      return ""; // a root on no bucket: its inventory lists it alone
    }
    String path = named.getPath().replaceAll("^/+|/+$", "");
    return path.isEmpty() ? "" : path + "/";
  }

  private static void requireBucket(SourceRoot root, URI named, InventoryManifest manifest) {
    if (named.getAuthority() != null && !named.getAuthority().equals(manifest.sourceBucket())) {
      throw new IllegalArgumentException(
          "its inventory %s is of bucket %s, the root is in bucket %s"
              .formatted(
                  Settings.withoutUserInfo(manifest.manifest().toString()),
                  ObjectIds.printable(manifest.sourceBucket()),
                  named.getAuthority()));
    }
  }

  /** Entries that are older than what the catalogue knows wait: what it holds of them stays. */
  private static Dataset<Row> unlessNewerIsKnown(
      Dataset<Row> sorted, Dataset<Row> former, InventoryManifest manifest) {
    Dataset<Row> known =
        former.select(
            col(Objects.OBJECT_ID).as("known_id"),
            col(Objects.MODIFIED_AT).as("known_modified_at"),
            col(Objects.MISSING_SINCE).as("known_missing_since"));
    Column newer =
        col("known_modified_at")
            .gt(timestamp_millis(col(Listing.MODIFIED_MILLIS)))
            .or(col("known_missing_since").gt(lit(manifest.createdAt())));
    Column stays =
        col(InventoryEntries.KIND).equalTo(InventoryEntries.TAKEN).and(coalesce(newer, lit(false)));
    Column[] columns =
        Arrays.stream(InventoryEntries.SORTED.fieldNames())
            .map(
                name ->
                    switch (name) {
                      case Listing.WAITING -> when(stays, lit(true)).otherwise(col(name)).as(name);
                      case InventoryEntries.KIND ->
                          when(stays, lit(InventoryEntries.WAITS)).otherwise(col(name)).as(name);
                      default -> col(name);
                    })
            .toArray(Column[]::new);
    return sorted
        .join(known, sorted.col(Listing.OBJECT_ID).equalTo(known.col("known_id")), "left_outer")
        .select(columns);
  }

  private Dataset<Row> staged(Path staging) {
    return spark.read().schema(InventoryEntries.SORTED).parquet(staging.toString());
  }

  /** The staged entries that count as listed, as {@link Listing#SCHEMA}. */
  Dataset<Row> listed(Path staging) {
    return staged(staging)
        .where(col(InventoryEntries.KIND).isin(InventoryEntries.TAKEN, InventoryEntries.WAITS))
        .select(columns(Listing.SCHEMA.fieldNames()));
  }

  /** The staged entries that were refused, as {@link RejectedObjects#SCHEMA} without its time. */
  Dataset<Row> refused(Path staging, String runId) {
    return staged(staging)
        .where(col(InventoryEntries.KIND).equalTo(InventoryEntries.REFUSED))
        .select(
            lit(runId).as(RejectedObjects.RUN_ID),
            col(Listing.ROOT).as(RejectedObjects.ROOT),
            col(InventoryEntries.REASON).as(RejectedObjects.REASON),
            col(InventoryEntries.NAME).as(RejectedObjects.NAME));
  }

  private static Column[] columns(String[] names) {
    return Arrays.stream(names).map(org.apache.spark.sql.functions::col).toArray(Column[]::new);
  }
}
