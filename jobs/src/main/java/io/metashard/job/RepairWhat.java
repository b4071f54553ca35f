package io.metashard.job;

import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

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

  /**
   * No damage: all blocks in some containers, so that no map names these any more.
   *
   * @param containers {@code location} and {@code path}, each once
   */
  record Emptied(Dataset<Row> containers) implements RepairWhat {}
}
