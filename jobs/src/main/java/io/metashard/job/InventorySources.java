package io.metashard.job;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.timestamp_millis;
import static org.apache.spark.sql.functions.when;

import io.metashard.catalogue.Catalogue;
import io.metashard.catalogue.Objects;
import io.metashard.catalogue.SegmentOptions;
import io.metashard.catalogue.SourceRoot;
import io.metashard.encode.PlannedBlocks;
import io.metashard.lake.Lake;
import io.metashard.store.SourceFiles;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.storage.StorageLevel;
import org.apache.spark.util.SerializableConfiguration;

/**
 * Looks at the sources that a plan is about to read, where the catalogue knows them by an inventory
 * alone.
 *
 * <p>A listing is minutes old when objects are encoded; an inventory may be days old. What changed
 * since is written into the catalogue, and the run is to be tried again with it: a retry that only
 * read the same inventory would fail for ever.
 */
final class InventorySources {
  private static final String BYTES = "bytes_now";
  private static final String VERSION = "version_now";
  private static final String MODIFIED_MILLIS = "modified_millis_now";

  /** One row per source that differs; nulls when it is gone. */
  private static final StructType DIFFERENT =
      new StructType()
          .add("id", DataTypes.StringType, false)
          .add(BYTES, DataTypes.LongType, true)
          .add(VERSION, DataTypes.StringType, true)
          .add(MODIFIED_MILLIS, DataTypes.LongType, true);

  private final JobContext context;

  InventorySources(JobContext context) {
    this.context = context;
  }

  /**
   * Checks the planned sources of roots with an inventory.
   *
   * @throws MetashardException with {@link MetashardException#CONFLICT} if any differs from the
   *     catalogue; the catalogue has them as they are then
   */
  void requireCurrent(Dataset<Row> planned) {
    List<String> roots =
        SourceRoot.from(context.settings()).stream()
            .filter(SourceRoot::hasInventory)
            .map(SourceRoot::name)
            .toList();
    if (roots.isEmpty()) {
      return;
    }
    Lake lake = context.lake();
    Dataset<Row> objects = lake.read(Objects.TABLE);
    Dataset<Row> sources =
        planned
            .where(col(PlannedBlocks.URI).isNotNull())
            .select(PlannedBlocks.OBJECT_ID, PlannedBlocks.URI, PlannedBlocks.OBJECT_VERSION)
            .distinct()
            .join(
                objects
                    .where(col(Objects.ROOT).isInCollection(roots))
                    .select(col(Objects.OBJECT_ID)),
                PlannedBlocks.OBJECT_ID);
    Dataset<Row> different =
        sources
            .mapPartitions(
                new Look(new SerializableConfiguration(context.hadoop())), Encoders.row(DIFFERENT))
            .persist(StorageLevel.MEMORY_AND_DISK());
    try {
      long changed = different.count();
      if (changed == 0) {
        return;
      }
      lake.overwrite(Objects.TABLE, corrected(objects, different), Lake.Commit.PLAIN);
      throw new MetashardException(
          MetashardException.CONFLICT,
          "Cannot execute the plan: %d sources changed since the inventory was made; the catalogue now has them as they are, run again to plan with it"
              .formatted(changed));
    } finally {
      different.unpersist();
    }
  }

  private Dataset<Row> corrected(Dataset<Row> objects, Dataset<Row> different) {
    Column differs = col("id").isNotNull();
    Column gone = differs.and(col(VERSION).isNull());
    Column changed = differs.and(col(VERSION).isNotNull());
    Column bytes = when(changed, col(BYTES)).otherwise(col(Objects.OBJECT_BYTES));
    SegmentOptions segments = SegmentOptions.from(context.settings());
    Column segmentBytes =
        when(changed, Catalogue.segmentBytes(bytes, segments))
            .otherwise(col(Objects.SEGMENT_BYTES));
    return objects
        .join(different, objects.col(Objects.OBJECT_ID).equalTo(different.col("id")), "left_outer")
        .select(
            col(Objects.OBJECT_ID),
            col(Objects.URI),
            col(Objects.ROOT),
            bytes.as(Objects.OBJECT_BYTES),
            when(changed, col(VERSION))
                .otherwise(col(Objects.OBJECT_VERSION))
                .as(Objects.OBJECT_VERSION),
            when(changed, timestamp_millis(col(MODIFIED_MILLIS)))
                .otherwise(col(Objects.MODIFIED_AT))
                .as(Objects.MODIFIED_AT),
            col(Objects.FIRST_SEEN),
            when(changed, Catalogue.segments(bytes, segmentBytes))
                .otherwise(col(Objects.SEGMENTS))
                .as(Objects.SEGMENTS),
            segmentBytes.as(Objects.SEGMENT_BYTES),
            when(gone, Objects.MISSING)
                .otherwise(col(Objects.SOURCE_STATE))
                .as(Objects.SOURCE_STATE),
            // Now, not the moment of planning: it is compared with when inventories were made.
            when(gone, lit(java.time.Instant.now()))
                .otherwise(col(Objects.MISSING_SINCE))
                .as(Objects.MISSING_SINCE),
            when(
                    changed.and(coalesce(col(Objects.STATE).equalTo(Objects.ENCODED), lit(false))),
                    Objects.STALE)
                .otherwise(col(Objects.STATE))
                .as(Objects.STATE));
  }

  /** One look at each source of a partition. */
  private record Look(SerializableConfiguration hadoop) implements MapPartitionsFunction<Row, Row> {
    @Override
    public Iterator<Row> call(Iterator<Row> sources) throws IOException {
      List<Row> different = new ArrayList<>(); // few: what changed since the inventory
      while (sources.hasNext()) {
        Row source = sources.next();
        Optional<SourceFiles.State> now =
            SourceFiles.state(hadoop.value(), source.getAs(PlannedBlocks.URI));
        String version = source.getAs(PlannedBlocks.OBJECT_VERSION);
        if (now.isEmpty()) {
          different.add(RowFactory.create(source.getAs(PlannedBlocks.OBJECT_ID), null, null, null));
        } else if (!now.get().version().equals(version)) {
          different.add(
              RowFactory.create(
                  source.getAs(PlannedBlocks.OBJECT_ID),
                  now.get().bytes(),
                  now.get().version(),
                  now.get().modifiedMillis()));
        }
      }
      return different.iterator();
    }
  }
}
