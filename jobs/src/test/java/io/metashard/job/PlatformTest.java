package io.metashard.job;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PlatformTest {
  @Test
  void theVersionsOfTheBuildAreFoundAndSupported() {
    Platform found = Platform.found();
    assertThat(found.spark()).isEqualTo(org.apache.spark.package$.MODULE$.SPARK_VERSION());
    assertThat(found.delta()).isEqualTo(io.delta.package$.MODULE$.VERSION());
    assertThat(found.spark()).startsWith(found.deltaFor() + ".");
    assertThat(found.problem()).isEmpty();
  }

  @Test
  void anotherSparkIsRefusedNamingFoundAndSupported() {
    for (String other : new String[] {"3.5.7", "4.2.0", "4.10.0", "5.0"}) {
      assertThat(new Platform(other, "4.3.1", "4.1").problem())
          .contains(
              "Cannot run on Spark %s: supported are 4.1.x and 4.0.x; use a cluster or a spark-submit of one of them"
                  .formatted(other));
    }
    assertThat(new Platform(null, null, null).problem().orElseThrow())
        .startsWith("Cannot run on Spark of no known version: ");
  }

  @Test
  void laterPatchesAndVendorsBuildsOfASupportedSparkAreTaken() {
    for (String spark : new String[] {"4.1.0", "4.1.2", "4.1.0-amzn-0", "4.1.1-SNAPSHOT"}) {
      assertThat(new Platform(spark, "4.3.1", "4.1").problem()).as(spark).isEmpty();
    }
    assertThat(new Platform("4.0.1", "4.3.0", "4.0").problem()).isEmpty();
    // A jar that was renamed does not say what it is for.
    assertThat(new Platform("4.0.1", "4.3.0", null).problem()).isEmpty();
  }

  @Test
  void anotherDeltaLakeOrNoneIsRefused() {
    assertThat(new Platform("4.1.0", null, null).problem())
        .contains(
            "Cannot run without Delta Lake: none is on the class path; put io.delta:delta-spark_4.1_2.13 and io.delta:delta-storage of a supported version (4.3.x) on --jars");
    assertThat(new Platform("4.0.1", "4.0.0", null).problem())
        .contains(
            "Cannot run with Delta Lake 4.0.0: supported are 4.3.x; put io.delta:delta-spark_4.0_2.13 of one of them on --jars");
    assertThat(new Platform("4.1.0", "4.3.1", "4.0").problem())
        .contains(
            "Cannot run on Spark 4.1.0 with a Delta Lake 4.3.1 that is built for Spark 4.0: put io.delta:delta-spark_4.1_2.13 on --jars");
  }
}
