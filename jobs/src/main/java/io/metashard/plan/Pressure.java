package io.metashard.plan;

/** How little it takes for encoded objects to be encoded again in order to free storage. */
public enum Pressure {
  /** Only what is less than half live is written anew. */
  CALM,
  /** Also objects whose share of their meta-shards is more than the storage budget. */
  TIGHT,
  /** Also objects whose share is more than the least that a new meta-shard would take. */
  TIGHTER,
  /** Every object: the map is laid out as if it were new, as far as the run's limit goes. */
  TIGHTEST
}
