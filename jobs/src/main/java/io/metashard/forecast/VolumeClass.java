package io.metashard.forecast;

import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.when;

import org.apache.spark.sql.Column;

/** Segments by the requests expected of them over the horizon. */
public enum VolumeClass {
  COLD("cold", 0.125),
  LOW("low", 1),
  MIDDLE("middle", 8),
  HOT("hot", Double.POSITIVE_INFINITY);

  private final String word;
  private final double below;

  VolumeClass(String word, double below) {
    this.word = word;
    this.below = below;
  }

  public String word() {
    return word;
  }

  /** Expected requests of the class are below this. */
  public double below() {
    return below;
  }

  static VolumeClass of(double expected) {
    for (VolumeClass c : values()) {
      if (expected < c.below) {
        return c;
      }
    }
    return HOT;
  }

  /** The class's name, by a column of what is expected. */
  static Column nameOf(Column expected) {
    Column name = lit(HOT.name());
    for (int i = values().length - 2; i >= 0; i--) {
      VolumeClass c = values()[i];
      name = when(expected.lt(c.below), c.name()).otherwise(name);
    }
    return name;
  }
}
