package io.metashard.job;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.when;

import io.metashard.Location;
import io.metashard.ObjectIds;
import io.metashard.config.Settings;
import io.metashard.shardmap.ShardMapTable;
import io.metashard.upkeep.Containers;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.storage.StorageLevel;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is looked at just before the shard map is switched: is the run young enough that vacuum has
 * let what it wrote alone, and is every container there that the new rows name.
 */
final class BeforeSwitch {
  private static final Logger LOG = LoggerFactory.getLogger(BeforeSwitch.class);

  /** Locations that messages name. */
  private static final int NAMED = 10;

  private final JobContext context;
  private final List<Location> locations;
  private final Clock clock;
  private final Instant began;

  /**
   * Make it before the first container is written.
   *
   * @param locations all locations of the lake
   */
  BeforeSwitch(JobContext context, List<Location> locations, Clock clock) {
    this.context = context;
    this.locations = locations;
    this.clock = clock;
    this.began = clock.instant();
  }

  /**
   * Refuses to go on with a run that took so long that vacuum may have removed what it wrote first.
   *
   * @throws MetashardException with exit code 1
   */
  void requireYoung() {
    Duration most = VacuumOptions.orphanAge(context.settings());
    Duration took = Duration.between(began, clock.instant());
    if (took.compareTo(most) > 0) {
      throw new MetashardException(
          MetashardException.FAILED,
          "Cannot switch the shard map: this attempt of run %s began at %s, longer ago than vacuum.orphan-age = %s, and vacuum may have removed what it wrote; the map stays as it is; run again with a smaller reshard.max-bytes-per-run, or raise vacuum.orphan-age for all commands"
              .formatted(context.runId(), began, Settings.durationText(most)));
    }
  }

  /**
   * Refuses rows of which a container is missing, even one that no block needs to be decoded: what
   * a switch makes is as safe as it says.
   *
   * @param rows that the map shall have
   * @param what cannot be done then, in words
   * @param advice what to do then
   * @return number of their containers
   * @throws MetashardException with exit code 1
   */
  long requireContainers(Dataset<Row> rows, String what, String advice) {
    Dataset<Row> containers = Containers.of(rows).persist(StorageLevel.MEMORY_AND_DISK());
    try {
      long all = containers.count();
      LOG.info("Looking whether {} containers are there", all);
      Dataset<Row> problems =
          Containers.problems(containers, all, locations, context.hadoop())
              .persist(StorageLevel.MEMORY_AND_DISK());
      try {
        long found = problems.count();
        if (found > 0) {
          throw missing(rows, all, problems, found, what, advice);
        }
      } finally {
        problems.unpersist();
      }
      return all;
    } finally {
      containers.unpersist();
    }
  }

  private static MetashardException missing(
      Dataset<Row> rows, long all, Dataset<Row> problems, long found, String what, String advice) {
    String lost = "lost";
    Row metaShards =
        rows.join(
                problems.select(Containers.LOCATION, Containers.PATH),
                new String[] {Containers.LOCATION, Containers.PATH},
                "left_semi")
            .groupBy(col(ShardMapTable.META_SHARD_ID))
            .agg(count(lit(1)).gt(max(col(ShardMapTable.M))).as(lost))
            .agg(count(lit(1)), coalesce(sum(when(col(lost), 1).otherwise(0)), lit(0L)))
            .first();
    String places =
        problems
            .groupBy(col(Containers.LOCATION))
            .agg(count(lit(1)))
            .orderBy(count(lit(1)).desc(), col(Containers.LOCATION))
            .limit(NAMED)
            .collectAsList()
            .stream()
            .map(row -> "%d at %s".formatted(row.getLong(1), ObjectIds.printable(row.getString(0))))
            .collect(Collectors.joining(", "));
    Row first = problems.orderBy(col(Containers.LOCATION), col(Containers.PATH)).limit(1).first();
    return new MetashardException(
        MetashardException.FAILED,
        "Cannot %s: missing, too short or out of reach: %d of the %d containers it names (%s), such as %s at %s: %s; meta-shards with blocks there: %d, of them no longer decodable: %d; nothing was changed; %s"
            .formatted(
                what,
                found,
                all,
                places,
                ObjectIds.printable(first.<String>getAs(Containers.PATH)),
                ObjectIds.printable(first.<String>getAs(Containers.LOCATION)),
                ObjectIds.printable(first.<String>getAs(Containers.PROBLEM), 400),
                metaShards.getLong(0),
                metaShards.getLong(1),
                advice));
  }
}
