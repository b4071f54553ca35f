package io.metashard.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class AdviceTest {
  @Test
  void aLakeThatIsWellNeedsNothing() {
    assertThat(SampleReports.oneNight().advice()).isEmpty();
    assertThat(SampleReports.empty().advice()).isEmpty();
  }

  @Test
  void whatIsUrgentComesFirstAndEachHasItsCommand() {
    List<Advice> advice = SampleReports.manyNights(5).advice();
    assertThat(advice.stream().map(Advice::urgent))
        .isSortedAccordingTo((a, b) -> Boolean.compare(b, a))
        .contains(true, false);
    assertThat(advice).allMatch(one -> one.command().startsWith("jobs/metashard "));
    assertThat(advice)
        .allMatch(one -> one.what().endsWith(".") && one.command().endsWith(" --config FILE"));
    assertThat(advice.stream().map(Advice::what))
        .anyMatch(
            what -> what.startsWith("12 meta-shards can lose only 1 domain more, 2 are wanted"))
        .anyMatch(what -> what.contains("gone (location-5: 35 MiB in 135 blocks)"))
        .anyMatch(what -> what.contains("still hold blocks (location-3: 33 MiB in 133 blocks)"))
        .anyMatch(what -> what.startsWith("reshard of run night-1 failed (Cannot write "))
        .anyMatch(what -> what.startsWith("6 objects wait to be encoded (5 new, 1 changed)"))
        .anyMatch(what -> what.startsWith("2 objects can no longer be found at the source"))
        .anyMatch(what -> what.contains("of the reads do not tell which part they read"))
        .anyMatch(what -> what.contains("of the log lines were refused"))
        .anyMatch(what -> what.startsWith("1 command began and left no end"))
        .anyMatch(what -> what.startsWith("The newest verify found 3 problems"))
        .noneMatch(what -> what.contains("night-0")); // it was mended
  }

  @Test
  void aFailedNightIsRunAgainForItsOwnMoment() {
    assertThat(SampleReports.manyNights(5).advice().stream().map(Advice::command))
        .contains(
            "jobs/metashard nightly --at 2026-01-22T00:00:00Z --config FILE",
            // Where to, only the operator knows.
            "jobs/metashard rollback --dry-run --config FILE");
  }
}
