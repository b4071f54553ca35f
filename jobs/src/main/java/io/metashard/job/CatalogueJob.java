package io.metashard.job;

import static org.apache.spark.sql.functions.bit_xor;
import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.when;
import static org.apache.spark.sql.functions.xxhash64;

import io.metashard.ObjectIds;
import io.metashard.catalogue.Catalogue;
import io.metashard.catalogue.Listing;
import io.metashard.catalogue.Objects;
import io.metashard.catalogue.RejectedObjects;
import io.metashard.catalogue.SegmentOptions;
import io.metashard.catalogue.SourceRoot;
import io.metashard.config.Settings;
import io.metashard.config.SettingsException;
import io.metashard.lake.Lake;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NotDirectoryException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.UnsupportedFileSystemException;
import org.apache.hadoop.security.AccessControlException;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.storage.StorageLevel;

/**
 * Lists the source roots into the {@code objects} table.
 *
 * <p>Everything that can stop it is found before anything is written: a root that is missing,
 * unreadable, empty or that lost too much, and an id that two roots hold.
 */
public final class CatalogueJob {
  private static final String MAX_MISSING = "objects.max-missing-percent";
  private static final String STAGE = "catalogue";

  private static final String ROOT = "root";
  private static final String KNOWN_BEFORE = "known_before";
  private static final String PRESENT_BEFORE = "present_before";
  private static final String PRESENT = "present";
  private static final String BYTES = "bytes";
  private static final String HASH = "hash";

  private final JobContext context;
  private final CatalogueOptions options;
  private final List<SourceRoot> roots;
  private final SegmentOptions segments;
  private final double maxMissingPercent;

  /**
   * @throws SettingsException if a setting of the catalogue cannot be used
   */
  public CatalogueJob(JobContext context, CatalogueOptions options) {
    this.context = context;
    this.options = options;
    this.roots = SourceRoot.from(context.settings());
    this.segments = SegmentOptions.from(context.settings());
    this.maxMissingPercent = context.settings().number(MAX_MISSING);
    if (maxMissingPercent < 0 || maxMissingPercent > 100) {
      throw new SettingsException(
          "Cannot use %s = %s (%s): it must be from 0 to 100"
              .formatted(MAX_MISSING, maxMissingPercent, context.settings().source()));
    }
    if (roots.isEmpty()) {
      throw new SettingsException(
          "Cannot list objects: objects.roots (%s) is empty; name at least one root"
              .formatted(context.settings().source()));
    }
  }

  /**
   * Lists, compares, and writes if anything changed.
   *
   * @throws MetashardException with {@link MetashardException#USAGE} if a root cannot be listed, is
   *     empty or lost too much, or an id is in two roots; nothing is changed then
   */
  public StageReport run() {
    Configuration hadoop = context.hadoop();
    Path staging = new Path(context.stagingPath(STAGE));
    try {
      try {
        Map<SourceRoot, StagedListing.Found> found = listed(staging, hadoop);
        return compared(staging, found);
      } finally {
        context.discardStaged(STAGE);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(
          "Cannot stage the listing in %s: %s; make lake.root writable"
              .formatted(Settings.withoutUserInfo(staging.toString()), e.getMessage()),
          e);
    }
  }

  private Map<SourceRoot, StagedListing.Found> listed(Path staging, Configuration hadoop)
      throws IOException {
    Map<SourceRoot, StagedListing.Found> found = new LinkedHashMap<>();
    try (StagedListing listing =
        new StagedListing(staging, hadoop, context.at(), context.runId())) {
      for (SourceRoot root : roots) {
        found.put(root, listed(root, staging, listing, hadoop));
      }
    }
    return found;
  }

  private StagedListing.Found listed(
      SourceRoot root, Path staging, StagedListing listing, Configuration hadoop) {
    try {
      if (root.hasInventory()) {
        return inventory()
            .stage(
                root, inventory(staging, root), context.lake().read(Objects.TABLE), context.at());
      }
      Path path = new Path(JobContext.qualified(root.uri(), hadoop));
      return listing.add(root, path, hadoop);
    } catch (FileNotFoundException e) {
      throw unusable(root, root.hasInventory() ? e.getMessage() : "there is no such folder", e);
    } catch (NotDirectoryException e) {
      throw unusable(root, "it is a file, not a folder", e);
    } catch (AccessDeniedException | AccessControlException e) {
      throw unusable(root, "it cannot be read, " + e.getMessage(), e);
    } catch (UnsupportedFileSystemException | UncheckedIOException | IllegalArgumentException e) {
      throw unusable(root, e.getMessage(), e);
    } catch (IOException e) {
      // Not the configuration's fault, as far as can be told: a retry may do.
      throw new MetashardException(
          MetashardException.FAILED,
          "Cannot list root %s at %s: %s; nothing was changed, try again"
              .formatted(root.name(), shown(root), printable(e.getMessage())),
          e);
    }
  }

  private InventoryListing inventory() {
    return new InventoryListing(context.spark(), context.hadoop());
  }

  private static Path inventory(Path staging, SourceRoot root) {
    return new Path(staging, "inventory-" + root.name());
  }

  private static MetashardException unusable(SourceRoot root, String why, Exception cause) {
    return new MetashardException(
        MetashardException.USAGE,
        "Cannot list root %s at %s: %s; correct objects.roots or restore the folder, nothing was changed"
            .formatted(root.name(), shown(root), printable(why)),
        cause);
  }

  private static String shown(SourceRoot root) {
    return printable(root.uri());
  }

  private static String printable(String text) {
    return ObjectIds.printable(Settings.withoutUserInfo(String.valueOf(text)));
  }

  private StageReport compared(Path staging, Map<SourceRoot, StagedListing.Found> found) {
    Lake lake = context.lake();
    Dataset<Row> all =
        context
            .spark()
            .read()
            .schema(Listing.SCHEMA)
            .option("mode", "FAILFAST")
            .json(StagedListing.listed(staging).toString());
    for (SourceRoot root : found.keySet()) {
      if (root.hasInventory()) {
        all = all.unionByName(inventory().listed(inventory(staging, root)));
      }
    }
    Dataset<Row> listing = Catalogue.byId(all);
    Dataset<Row> former = lake.read(Objects.TABLE);
    requireOneRoot(listing);
    Dataset<Row> compared =
        Catalogue.released(
                Catalogue.compared(former, listing, segments, context.at()),
                SourceDeletions.approved(lake))
            .persist(StorageLevel.MEMORY_AND_DISK());
    try {
      List<Row> perRoot = perRoot(compared);
      requireObjects(found, perRoot);
      requireFewMissing(perRoot);
      long rejected = found.values().stream().mapToLong(StagedListing.Found::rejected).sum();
      if (rejected > 0) {
        keepRejected(staging, found.keySet());
      }
      boolean changed =
          total(perRoot, Catalogue.IS_NEW)
                  + total(perRoot, Catalogue.IS_CHANGED)
                  + total(perRoot, Catalogue.IS_MISSING)
                  + total(perRoot, Catalogue.IS_BACK)
                  + total(perRoot, Catalogue.IS_TOUCHED)
              > 0;
      if (changed) {
        lake.overwrite(Objects.TABLE, Catalogue.objects(compared), Lake.Commit.PLAIN);
      }
      return report(changed, rejected, perRoot, found);
    } finally {
      compared.unpersist();
    }
  }

  private static void requireOneRoot(Dataset<Row> listing) {
    List<Row> conflicts =
        Catalogue.inTwoRoots(listing)
            .select(Listing.OBJECT_ID, Listing.ROOT, Catalogue.OTHER_ROOT)
            .orderBy(Listing.OBJECT_ID)
            .takeAsList(1);
    if (!conflicts.isEmpty()) {
      Row conflict = conflicts.get(0);
      throw new MetashardException(
          MetashardException.USAGE,
          "Cannot list objects: id %s is in roots %s and %s; exclude it in one of them, nothing was changed"
              .formatted(
                  ObjectIds.printable(conflict.getString(0)),
                  conflict.getString(1),
                  conflict.getString(2)));
    }
  }

  /** One row per root: what it held before and holds now. */
  private static List<Row> perRoot(Dataset<Row> compared) {
    Column present = col(Objects.SOURCE_STATE).equalTo(Objects.PRESENT);
    return compared
        .groupBy(coalesce(col(Catalogue.FORMER_ROOT), col(Objects.ROOT)).as(ROOT))
        .agg(
            count(col(Catalogue.FORMER_ROOT)).as(KNOWN_BEFORE),
            count(when(col(Catalogue.WAS_PRESENT), 1)).as(PRESENT_BEFORE),
            counted(Catalogue.IS_NEW),
            counted(Catalogue.IS_CHANGED),
            counted(Catalogue.IS_MISSING),
            counted(Catalogue.IS_BACK),
            counted(Catalogue.IS_TOUCHED),
            count(when(present, 1)).as(PRESENT),
            sum(when(present, col(Objects.OBJECT_BYTES)).otherwise(lit(0L))).as(BYTES),
            bit_xor(
                    xxhash64(
                        col(Objects.OBJECT_ID),
                        col(Objects.URI),
                        col(Objects.OBJECT_VERSION),
                        col(Objects.SOURCE_STATE),
                        col(Objects.SEGMENT_BYTES)))
                .as(HASH))
        .orderBy(ROOT)
        .collectAsList();
  }

  private static Column counted(String flag) {
    return count(when(col(flag), 1)).as(flag);
  }

  private static long total(List<Row> perRoot, String column) {
    return perRoot.stream().mapToLong(row -> row.<Long>getAs(column)).sum();
  }

  /** A root that never held anything is a mistake; {@link #requireFewMissing} judges the others. */
  private static void requireObjects(
      Map<SourceRoot, StagedListing.Found> found, List<Row> perRoot) {
    found.forEach(
        (root, names) -> {
          boolean held =
              perRoot.stream()
                  .anyMatch(
                      row ->
                          row.<String>getAs(ROOT).equals(root.name())
                              && row.<Long>getAs(KNOWN_BEFORE) > 0);
          if (names.taken() + names.waiting() == 0 && !held) {
            String why =
                names.left() + names.rejected() == 0
                    ? "it is empty"
                    : "none of its %d files is taken: %d left out by include, exclude or min-bytes, %d refused by name"
                        .formatted(names.left() + names.rejected(), names.left(), names.rejected());
            throw unusable(root, why, null);
          }
        });
  }

  private void requireFewMissing(List<Row> perRoot) {
    List<String> losers = new ArrayList<>();
    for (Row row : perRoot) {
      long lost = row.<Long>getAs(Catalogue.IS_MISSING);
      long before = row.<Long>getAs(PRESENT_BEFORE);
      if (lost > before * (maxMissingPercent / 100) || (lost > 0 && lost == before)) {
        losers.add("root %s lost %d of %d objects".formatted(row.getAs(ROOT), lost, before));
      }
    }
    long lost = total(perRoot, Catalogue.IS_MISSING);
    if (!losers.isEmpty() && lost > options.allowMissing()) {
      throw new MetashardException(
          MetashardException.USAGE,
          "Cannot take the catalogue over: %s, more than %s = %s; restore them, or run again with --allow-missing %d, nothing was changed"
              .formatted(String.join(", ", losers), MAX_MISSING, maxMissingPercent, lost));
    }
  }

  private void keepRejected(Path staging, Set<SourceRoot> listed) {
    Dataset<Row> rejected =
        context
            .spark()
            .read()
            .schema(RejectedObjects.SCHEMA)
            .option("mode", "FAILFAST")
            .json(StagedListing.rejected(staging).toString())
            .drop(RejectedObjects.AT);
    for (SourceRoot root : listed) {
      if (root.hasInventory()) {
        rejected =
            rejected.unionByName(inventory().refused(inventory(staging, root), context.runId()));
      }
    }
    // A retry of the same run finds the same names: kept once.
    context
        .lake()
        .append(
            RejectedObjects.TABLE,
            rejected.withColumn(RejectedObjects.AT, lit(context.at())),
            Lake.Commit.once("metashard-catalogue-" + context.runId(), 1, null));
  }

  private StageReport report(
      boolean changed,
      long rejected,
      List<Row> perRoot,
      Map<SourceRoot, StagedListing.Found> found) {
    long objects = total(perRoot, PRESENT);
    long bytes = total(perRoot, BYTES);
    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("objects", objects);
    figures.put("bytes", bytes);
    figures.put("new", total(perRoot, Catalogue.IS_NEW));
    figures.put("changed", total(perRoot, Catalogue.IS_CHANGED));
    figures.put("missing", total(perRoot, Catalogue.IS_MISSING));
    figures.put("reappeared", total(perRoot, Catalogue.IS_BACK));
    figures.put("rejected", rejected);
    figures.put("waiting", found.values().stream().mapToLong(StagedListing.Found::waiting).sum());
    figures.put("left_out", found.values().stream().mapToLong(StagedListing.Found::left).sum());
    long listed = found.values().stream().mapToLong(names -> names.taken() + names.waiting()).sum();
    long hash = perRoot.stream().mapToLong(row -> row.<Long>getAs(HASH)).reduce(0, (a, b) -> a ^ b);
    return new StageReport(
        STAGE,
        changed ? StageReport.DONE : StageReport.UNCHANGED,
        changed ? "the roots or the segmentation changed" : "nothing changed in the roots",
        "%016x".formatted(hash),
        listed + rejected,
        objects,
        bytes,
        0,
        figures);
  }
}
