package io.metashard.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The jar where it cannot run: by the spark-submit of another Spark, and without Delta Lake. */
class PlatformIT {
  /** Spark's own jars of 3.5.7, which {@code mvn dependency:copy@other-spark} puts there. */
  private static final Path OTHER_SPARK = Commands.JOBS.resolve("target/spark-3.5");

  private static final String MAIN = "io.metashard.job.Metashard";

  @Test
  void anotherSparkIsRefusedBeforeAnythingIsWrittenAndTheResultSaysWhy()
      throws IOException, InterruptedException {
    LakeUnderTest lake = LakeUnderTest.ofSample("platform-spark", 1, 6, "");
    Path result = lake.config().resolveSibling("result.json");
    Commands.Ended ended =
        Commands.run(
            List.of(
                "java",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                OTHER_SPARK + "/*" + File.pathSeparator + librariesWithoutSpark(),
                "org.apache.spark.deploy.SparkSubmit",
                "--master",
                "local[1]",
                "--class",
                MAIN,
                "--jars",
                ClusterIT.delta(),
                ClusterIT.jar().toString(),
                "nightly",
                "--config",
                lake.config().toString(),
                "--result",
                result.toUri().toString()),
            Map.of("SPARK_LOCAL_IP", "127.0.0.1"));
    requireRefused(
        ended,
        lake,
        result,
        "Cannot run on Spark 3.5.7: supported are 4.1.x and 4.0.x; use a cluster or a spark-submit of one of them");
  }

  @Test
  void aSparkWithoutDeltaLakeIsRefusedToo() throws IOException, InterruptedException {
    LakeUnderTest lake = LakeUnderTest.ofSample("platform-delta", 1, 6, "");
    Path result = lake.config().resolveSibling("result.json");
    Commands.Ended ended =
        Commands.run(
            List.of(
                PythonEnvironment.sparkHome().resolve("bin/spark-submit").toString(),
                "--master",
                "local[1]",
                "--class",
                MAIN,
                ClusterIT.jar().toString(),
                "nightly",
                "--config",
                lake.config().toString(),
                "--result",
                result.toUri().toString()),
            StandaloneCluster.environment());
    requireRefused(
        ended,
        lake,
        result,
        "Cannot run without Delta Lake: none is on the class path; put io.delta:delta-spark_4.1_2.13 and"
            + " io.delta:delta-storage of a supported version (4.3.x) on --jars");
  }

  private static void requireRefused(
      Commands.Ended ended, LakeUnderTest lake, Path result, String why) throws IOException {
    assertThat(ended.exitCode()).as(ended.stderr()).isEqualTo(2);
    assertThat(ended.stdout() + ended.stderr())
        .contains("metashard nightly: " + why)
        .doesNotContain("Exception")
        .doesNotContain("Error");
    JsonNode written = new ObjectMapper().readTree(Files.readString(result));
    assertThat(written.get("exit_code").asInt()).isEqualTo(2);
    assertThat(written.get("error").asText()).isEqualTo(why);
    assertThat(lake.root()).doesNotExist();
  }

  /** What a Spark's distribution holds besides Spark: Scala, Hadoop, Log4j and such. */
  private static String librariesWithoutSpark() throws IOException {
    return Stream.of(
            Files.readString(Commands.JOBS.resolve("target/classpath.txt"))
                .strip()
                .split(File.pathSeparator))
        .filter(file -> !file.matches(".*/(spark|delta|picocli|config|kcp-fec)-[^/]*"))
        .collect(Collectors.joining(File.pathSeparator));
  }
}
