package io.metashard.plan;

import io.metashard.Shape;
import io.metashard.config.Settings;
import io.metashard.config.SettingsException;
import java.io.Serializable;

/**
 * Limits and choices of one planning run.
 *
 * @param storageBudget most physical bytes per logical byte, 1 or more
 * @param survive failure domains that may be lost without losing a byte
 * @param maxK most data blocks of a meta-shard
 * @param moreParity parity blocks beyond {@code survive} that a meta-shard of one object may have
 * @param isolateBy which objects may share a meta-shard
 * @param stripedWholeShare share of whole reads from which an object is striped, 0 to 1
 * @param hysteresisClasses heat classes a segment must move before its form is chosen anew
 * @param moveCost milliseconds of reading that a millisecond of moving must save, over the
 *     forecast's horizon, 0 or more
 * @param buckets of the shard map, a power of two; 0 when to be chosen at creation
 * @param draw options of policy {@code weighted-random}
 * @param full whether every object is encoded anew, whatever there is to be gained
 * @param maxBytesPerRun most logical bytes of the objects chosen in one run; there is no limit to a
 *     full one, of which no later run could tell what is left
 * @param reading what shapes are compared by
 */
public record PlanOptions(
    Policy policy,
    double storageBudget,
    int survive,
    int maxK,
    int moreParity,
    Isolation isolateBy,
    double stripedWholeShare,
    int hysteresisClasses,
    double moveCost,
    int buckets,
    DrawOptions draw,
    boolean full,
    long maxBytesPerRun,
    Reading reading)
    implements Serializable {
  /**
   * Domains that may be lost at least once the map alone has an object, as its source is released.
   */
  public static final int SURVIVE_RELEASED = 3;

  /** How shapes are chosen. */
  public enum Policy {
    BALANCED("balanced"),
    WEIGHTED_RANDOM("weighted-random");

    private final String word;

    Policy(String word) {
      this.word = word;
    }

    /** What it is called in the configuration. */
    public String word() {
      return word;
    }
  }

  public PlanOptions {
    if (!(storageBudget >= 1) || Double.isInfinite(storageBudget)) {
      throw new SettingsException(
          "Cannot use plan.storage-budget = %s: every byte is stored at least once, so it must be 1.0 or more"
              .formatted(storageBudget));
    }
    if (survive < 0 || survive >= Shape.MAX_BLOCKS) {
      throw new SettingsException(
          "Cannot use plan.survive = %d: it must be 0 to %d"
              .formatted(survive, Shape.MAX_BLOCKS - 1));
    }
    checkMaxK("plan.max-k", maxK);
    if (moreParity < 0 || moreParity >= Shape.MAX_BLOCKS) {
      throw new SettingsException(
          "Cannot use plan.more-parity = %d: it must be 0 to %d"
              .formatted(moreParity, Shape.MAX_BLOCKS - 1));
    }
    if (!(stripedWholeShare >= 0 && stripedWholeShare <= 1)) {
      throw new SettingsException(
          "Cannot use plan.striped-whole-share = %s: a share is 0 to 1"
              .formatted(stripedWholeShare));
    }
    if (hysteresisClasses < 1) {
      throw new SettingsException(
          "Cannot use plan.hysteresis-classes = %d: with less than 1 every night would move data"
              .formatted(hysteresisClasses));
    }
    if (!(moveCost >= 0) || Double.isInfinite(moveCost)) {
      throw new SettingsException(
          "Cannot use plan.move-cost = %s: what a millisecond of moving must save is 0 ms or more"
              .formatted(moveCost));
    }
    if (buckets != 0 && (buckets < 0 || Integer.bitCount(buckets) != 1)) {
      throw new SettingsException(
          "Cannot use plan.buckets = %d: it must be a power of two, or 0 to have it chosen"
              .formatted(buckets));
    }
    if (maxBytesPerRun < 1) {
      throw new SettingsException(
          "Cannot use reshard.max-bytes-per-run = %d: nothing could ever be encoded; use 1 or more"
              .formatted(maxBytesPerRun));
    }
    if (policy == Policy.WEIGHTED_RANDOM && draw.code() == DrawOptions.Code.XOR && survive > 1) {
      throw new SettingsException(
          "Cannot survive the loss of %d domains with plan.weighted-random.code = xor: it survives one; use code = rs or plan.survive = 1"
              .formatted(survive));
    }
  }

  static void checkMaxK(String key, int maxK) {
    if (maxK < 1 || maxK > Shape.MAX_BLOCKS) {
      throw new SettingsException(
          "Cannot use %s = %d: it must be 1 to %d".formatted(key, maxK, Shape.MAX_BLOCKS));
    }
  }

  public static PlanOptions from(Settings settings) {
    boolean full = settings.flag("plan.full");
    long limit = settings.bytes("reshard.max-bytes-per-run");
    return new PlanOptions(
        settings
                .oneOf("plan.policy", Policy.BALANCED.word(), Policy.WEIGHTED_RANDOM.word())
                .equals(Policy.BALANCED.word())
            ? Policy.BALANCED
            : Policy.WEIGHTED_RANDOM,
        settings.number("plan.storage-budget"),
        settings.integer("plan.survive"),
        settings.integer("plan.max-k"),
        settings.integer("plan.more-parity"),
        Isolation.parse(settings.string("plan.isolate-by")),
        settings.number("plan.striped-whole-share"),
        settings.integer("plan.hysteresis-classes"),
        settings.number("plan.move-cost"),
        settings.integer("plan.buckets"),
        DrawOptions.from(settings),
        full,
        full ? Long.MAX_VALUE : limit,
        Reading.from(settings));
  }
}
