package io.metashard.job;

import io.metashard.shardmap.ShardMap;
import io.metashard.upkeep.Containers;
import java.util.Collection;
import java.util.function.UnaryOperator;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.storage.StorageLevel;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What versions of the map name that may not be readable any more. */
final class FormerMaps {
  private static final Logger LOG = LoggerFactory.getLogger(FormerMaps.class);

  private FormerMaps() {}

  /**
   * The containers of some rows of some versions, each once: {@link Containers#LOCATION}, {@link
   * Containers#PATH}. A version whose files vacuum has removed counts for nothing, which shows only
   * when it is read: so each is, at once, and what it names is kept on disk.
   *
   * @param rows which rows of a version
   */
  static Dataset<Row> containers(
      ShardMap map, Collection<Long> versions, UnaryOperator<Dataset<Row>> rows) {
    Dataset<Row> all = map.rows().select(Containers.LOCATION, Containers.PATH).limit(0);
    for (long version : versions) {
      try {
        Dataset<Row> named =
            rows.apply(map.rowsAt(version))
                .select(Containers.LOCATION, Containers.PATH)
                .distinct()
                .persist(StorageLevel.DISK_ONLY());
        named.count();
        all = all.union(named);
      } catch (Exception e) { // Spark throws checked ones through methods that declare none
        LOG.info(
            "Version {} of the shard map cannot be read any more: {}",
            version,
            Failures.message(e));
      }
    }
    return all.distinct();
  }
}
