package io.metashard.job;

/** Which damage is repaired. */
sealed interface RepairWhat {
  /** All that a look at everything finds. */
  record Everything() implements RepairWhat {}

  /** What an earlier run found, if it is still so: only those meta-shards are looked at. */
  record Findings(String runId) implements RepairWhat {}

  /** What is damaged at one location, which may be a new and empty one: it is rebuilt there. */
  record At(String location) implements RepairWhat {}

  /** All that one location holds, which is declared gone: it is rebuilt elsewhere. */
  record Gone(String location) implements RepairWhat {}
}
