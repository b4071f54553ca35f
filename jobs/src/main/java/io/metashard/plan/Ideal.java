package io.metashard.plan;

import java.io.Serializable;

/**
 * What all objects together would be, were they encoded anew: what stored ones are compared with.
 *
 * @param step at which they would fit the budget
 * @param rents what their bytes would pay for being at each tier
 */
public record Ideal(int step, TierRents rents) implements Serializable {
  /** Where tiers are not told apart, or nothing is known yet. */
  public static Ideal of(int step) {
    return new Ideal(step, TierRents.NONE);
  }
}
