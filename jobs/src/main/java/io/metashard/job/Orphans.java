package io.metashard.job;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.concat;
import static org.apache.spark.sql.functions.lit;

import io.metashard.Location;
import io.metashard.encode.Findings;
import io.metashard.shardmap.ShardMap;
import io.metashard.upkeep.Containers;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.StructField;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Files where containers are that no version of the map names which can still be gone back to. */
final class Orphans {
  private static final Logger LOG = LoggerFactory.getLogger(Orphans.class);

  private Orphans() {}

  /**
   * Lists them, as {@link Findings#SCHEMA}: in tasks, a location each.
   *
   * @param locations all locations of the lake
   */
  static Dataset<Row> of(JobContext context, ShardMap map, List<Location> locations) {
    Dataset<Row> orphans =
        Containers.stored(context.spark(), locations, context.hadoop())
            .join(
                named(context, map),
                new String[] {Containers.LOCATION, Containers.PATH},
                "left_anti");
    return orphans.select(
        Arrays.stream(Findings.SCHEMA.fields()).map(Orphans::column).toArray(Column[]::new));
  }

  private static Column column(StructField field) {
    return switch (field.name()) {
      case Findings.LOCATION, Findings.PATH -> col(field.name());
      case Findings.PROBLEM -> lit(Findings.ORPHAN).as(field.name());
      case Findings.DETAIL ->
          concat(
                  lit("No version of the map names this file; it was written at "),
                  col(Containers.MODIFIED_AT).cast("string"))
              .as(field.name());
      case Findings.LENGTH -> col(Containers.STORED_BYTES).as(field.name());
      default -> lit(null).cast(field.dataType()).as(field.name());
    };
  }

  /** The containers that the map names, now and after each switch that its history has. */
  private static Dataset<Row> named(JobContext context, ShardMap map) {
    Set<Long> versions = new TreeSet<>();
    OptionalLong now = map.version();
    now.ifPresent(versions::add);
    map.switches().forEach(one -> versions.add(one.version()));
    Dataset<Row> named = map.rows().select(Containers.LOCATION, Containers.PATH).distinct();
    for (long version : versions) {
      if (now.isPresent() && version == now.getAsLong()) {
        continue;
      }
      try {
        named =
            named.union(
                map.rowsAt(version).select(Containers.LOCATION, Containers.PATH).distinct());
      } catch (Exception e) { // Spark throws checked ones through methods that declare none
        LOG.info("Version {} of the map cannot be read any more: {}", version, Failures.message(e));
      }
    }
    return named.distinct();
  }
}
