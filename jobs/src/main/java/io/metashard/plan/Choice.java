package io.metashard.plan;

import java.io.Serializable;

/**
 * Which objects a run encodes, as a rule that each bucket applies by itself.
 *
 * @param pressure what makes encoded objects candidates
 * @param ideal what all objects together would be: what stored forms are compared with
 */
public record Choice(Pressure pressure, Ideal ideal, Selection selection) implements Serializable {
  public int idealStep() {
    return ideal.step();
  }
}
