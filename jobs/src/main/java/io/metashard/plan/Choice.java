package io.metashard.plan;

import java.io.Serializable;

/**
 * Which objects a run encodes, as a rule that each bucket applies by itself.
 *
 * @param pressure what makes encoded objects candidates
 * @param idealStep the step at which all objects together would fit the budget: what forms are
 *     compared with
 */
public record Choice(Pressure pressure, int idealStep, Selection selection)
    implements Serializable {}
