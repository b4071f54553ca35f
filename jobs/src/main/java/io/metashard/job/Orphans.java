package io.metashard.job;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.concat;
import static org.apache.spark.sql.functions.lit;

import io.metashard.Location;
import io.metashard.encode.Findings;
import io.metashard.shardmap.ShardMap;
import io.metashard.shardmap.ShardMap.History;
import io.metashard.shardmap.ShardMap.Switch;
import io.metashard.upkeep.Containers;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.StructField;

/** Files where containers are that no version of the map names which can still be gone back to. */
final class Orphans {
  private Orphans() {}

  /**
   * Lists them, as {@link Findings#SCHEMA}: in tasks, a location each.
   *
   * @param locations all locations of the lake
   */
  static Dataset<Row> of(JobContext context, ShardMap map, List<Location> locations) {
    Dataset<Row> orphans =
        Containers.stored(context.spark(), locations, context.hadoop())
            .join(named(map), new String[] {Containers.LOCATION, Containers.PATH}, "left_anti");
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

  /** The containers that the map names, now and after each switch that can be gone back to. */
  private static Dataset<Row> named(ShardMap map) {
    // Before the history: what is switched in between is among the former then.
    OptionalLong now = map.version();
    if (now.isEmpty()) {
      return map.rows().select(Containers.LOCATION, Containers.PATH);
    }
    History history = map.history();
    Optional<Switch> current =
        history
            .switchOf(now.getAsLong())
            .filter(one -> one.version() <= now.getAsLong()); // not if the log begins later
    Set<Long> former =
        history.ofRows().stream()
            .filter(one -> one.sequence() >= history.floor() && !Optional.of(one).equals(current))
            .map(Switch::version)
            .collect(Collectors.toCollection(TreeSet::new));
    return map.rowsAt(now.getAsLong())
        .select(Containers.LOCATION, Containers.PATH)
        .union(FormerMaps.containers(map, former, rows -> rows))
        .distinct();
  }
}
