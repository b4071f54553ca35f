package io.metashard.plan;

import io.metashard.config.Settings;
import io.metashard.config.SettingsException;
import java.io.Serializable;
import java.util.Locale;

/**
 * How policy {@code weighted-random} draws.
 *
 * @param metaShards fewest meta-shards of a group; a group of fewer segments has as many as
 *     segments
 * @param weight what the draw is weighted by
 * @param maxK most data blocks of a meta-shard
 * @param code {@code rs} or {@code xor}
 * @param seed of the draw
 */
public record DrawOptions(int metaShards, Weight weight, int maxK, Code code, long seed)
    implements Serializable {
  private static final String KEY = "plan.weighted-random.";

  /** What a segment's chance to be drawn grows with. */
  public enum Weight {
    /** The chance of at least one request. */
    P_REQUESTED,
    /** The number of requests expected. */
    EXPECTED_REQUESTS
  }

  /** The code of drawn meta-shards. */
  public enum Code {
    RS,
    XOR
  }

  public DrawOptions {
    if (metaShards < 1) {
      throw new SettingsException(
          "Cannot use %smeta-shards = %d: it must be 1 or more".formatted(KEY, metaShards));
    }
    PlanOptions.checkMaxK(KEY + "max-k", maxK);
  }

  public static DrawOptions from(Settings settings) {
    return new DrawOptions(
        settings.integer(KEY + "meta-shards"),
        Weight.valueOf(
            settings
                .oneOf(KEY + "weight", "p_requested", "expected_requests")
                .toUpperCase(Locale.ROOT)),
        settings.integer(KEY + "max-k"),
        Code.valueOf(settings.oneOf(KEY + "code", "rs", "xor").toUpperCase(Locale.ROOT)),
        settings.longInteger(KEY + "seed"));
  }
}
