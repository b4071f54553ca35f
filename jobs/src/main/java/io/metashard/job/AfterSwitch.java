package io.metashard.job;

import io.metashard.Location;
import io.metashard.catalogue.ObjectStates;
import io.metashard.catalogue.Objects;
import io.metashard.lake.Lake;
import io.metashard.plan.PlanOptions;
import io.metashard.shardmap.MapBackup;
import io.metashard.shardmap.ShardMap;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is left to do when the shard map was switched: its backup, the objects' states, and what the
 * run staged. Repeating it is safe.
 */
final class AfterSwitch {
  private static final Logger LOG = LoggerFactory.getLogger(AfterSwitch.class);

  private final JobContext context;
  private final int copies;
  private final MapBackup backup;

  /**
   * Make it before the switch: where no backup can go, nothing should be switched.
   *
   * @param locations all locations of the lake
   * @throws IllegalArgumentException if fewer failure domains are active than backups are made
   */
  AfterSwitch(JobContext context, List<Location> locations) {
    this.context = context;
    this.copies = PlanOptions.from(context.settings()).survive() + 1;
    this.backup = new MapBackup(locations, copies, context.hadoop());
  }

  /** Ends what a run left that died after its switch, the map's newest. */
  void finish(ShardMap map) {
    Dataset<Row> rows = map.rows();
    finish(map.sequence(), rows, ShardMap.bucketsOf(rows));
  }

  /**
   * @param sequence of the switch
   * @param rows all rows of the map after it
   * @param changed its buckets
   */
  void finish(long sequence, Dataset<Row> rows, List<Integer> changed) {
    backUp(sequence, rows, changed);
    refreshStates(rows);
    deleteStaging();
  }

  private void backUp(long sequence, Dataset<Row> rows, List<Integer> changed) {
    try {
      if (backup.newest() < sequence) {
        backup.write(rows, sequence, changed);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(
          "Cannot back the shard map up at %d locations: %s; the map itself is switched, run again to back it up"
              .formatted(copies, e.getMessage()),
          e);
    }
  }

  /** Sets each object's state by what the map serves. */
  private void refreshStates(Dataset<Row> rows) {
    Dataset<Row> objects = context.lake().read(Objects.TABLE);
    Dataset<Row> refreshed = ObjectStates.refresh(objects, ShardMap.liveVersions(rows));
    context.lake().overwrite(Objects.TABLE, refreshed, Lake.Commit.PLAIN);
  }

  private void deleteStaging() {
    try {
      context.discardAllStaged();
    } catch (IOException e) {
      LOG.warn(
          "Cannot delete what run {} staged: {}; it is no longer needed",
          context.runId(),
          e.getMessage());
    }
  }
}
