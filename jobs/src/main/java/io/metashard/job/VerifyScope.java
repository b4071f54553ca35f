package io.metashard.job;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.pmod;
import static org.apache.spark.sql.functions.xxhash64;

import io.metashard.config.SettingsException;
import io.metashard.shardmap.ShardMapTable;
import java.time.Instant;
import java.time.ZoneOffset;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/** Which meta-shards are verified: always whole ones. */
sealed interface VerifyScope {
  /** Of all rows of the map, those that are looked at. */
  Dataset<Row> of(Dataset<Row> rows);

  /** What it is, in words; others are called otherwise. */
  String text();

  /** All of them; then files that no map names are looked for, too. */
  record All() implements VerifyScope {
    @Override
    public Dataset<Row> of(Dataset<Row> rows) {
      return rows;
    }

    @Override
    public String text() {
      return "all";
    }
  }

  /**
   * Some, chosen by the run's id: a retry reads the same, another run others.
   *
   * @param percent more than 0, up to 100
   */
  record Sample(double percent, String runId) implements VerifyScope {
    /** Meta-shards fall into this many lots; a sample is some of them. */
    private static final int LOTS = 1_000_000;

    static final int WHOLE = 100;

    public Sample {
      if (!(percent > 0 && percent <= WHOLE)) {
        throw new SettingsException(
            "Cannot verify a sample of %s percent: it must be more than 0 and at most 100"
                .formatted(percent));
      }
    }

    @Override
    public Dataset<Row> of(Dataset<Row> rows) {
      return rows.where(
          pmod(xxhash64(col(ShardMapTable.META_SHARD_ID), lit(runId)), lit(LOTS))
              .lt(lit(percent / WHOLE * LOTS)));
    }

    @Override
    public String text() {
      return "a sample of %s percent".formatted(percent);
    }
  }

  /**
   * One part of many, another one each day: as many nights in a row, one a day, look at all.
   *
   * @param parts 1 or more
   * @param part of them, from 0
   */
  record Share(int parts, int part) implements VerifyScope {
    private static final int MOST = 10_000;

    public Share {
      if (parts < 1 || parts > MOST) {
        throw new SettingsException(
            "Cannot verify one share of %d: it must be 1 to %d".formatted(parts, MOST));
      }
    }

    /** The share of a night that plans at a moment: {@code --date D} is its end. */
    static Share of(int parts, Instant at) {
      if (parts < 1) {
        return new Share(parts, 0); // which is refused
      }
      return new Share(
          parts, Math.floorMod(at.atZone(ZoneOffset.UTC).toLocalDate().toEpochDay(), parts));
    }

    @Override
    public Dataset<Row> of(Dataset<Row> rows) {
      return rows.where(
          pmod(xxhash64(col(ShardMapTable.META_SHARD_ID)), lit((long) parts))
              .equalTo(lit((long) part)));
    }

    @Override
    public String text() {
      return "share %d of %d".formatted(part + 1, parts);
    }
  }
}
