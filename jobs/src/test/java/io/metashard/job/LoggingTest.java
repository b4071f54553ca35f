package io.metashard.job;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What stands on stderr, as a process of its own writes it. */
class LoggingTest {
  private static List<String> logged(String... arguments) throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-Dfile.encoding=UTF-8",
                "-cp",
                System.getProperty("java.class.path"),
                LogLines.class.getName()));
    command.addAll(List.of(arguments));
    Process process =
        new ProcessBuilder(command).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
    String text = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(text).isZero();
    return List.of(text.split("\n"));
  }

  @Test
  void aLineForPeopleIsOneLineWhateverIsInIt() throws IOException, InterruptedException {
    List<String> lines = logged();
    assertThat(lines).hasSize(4).noneMatch(line -> line.contains("PLANTED"));
    assertThat(lines.get(0))
        .matches("\\d\\d:\\d\\d:\\d\\d INFO  begins id\\?\\?12:00:00 INFO  all is well\\?\\[31m.*");
    assertThat(lines.get(1)).endsWith("ERROR failed");
    assertThat(lines.get(2))
        .endsWith(
            "ERROR cannot s3a://(redacted)@bucket/x -Dstore.Password=(redacted), a_token=(redacted)");
    assertThat(lines.get(3)).endsWith("${java:version} ${env:HOME}");
    assertThat(lines).noneMatch(line -> line.matches(".*[\\p{Cc}\\p{Zl}\\x{202e}].*"));
  }

  @Test
  void withJsonEveryLineIsOneObjectWithItsRun() throws IOException, InterruptedException {
    ObjectMapper json = new ObjectMapper();
    List<JsonNode> lines = new ArrayList<>();
    for (String line : logged("--log-format", "json")) {
      lines.add(json.readTree(line));
    }
    assertThat(lines).hasSize(4).noneMatch(line -> line.toString().contains("PLANTED"));
    JsonNode first = lines.get(0);
    assertThat(first.get("message").asText()).isEqualTo("begins " + LogLines.HOSTILE);
    assertThat(first.get("level").asText()).isEqualTo("INFO");
    assertThat(first.get("logger").asText()).isEqualTo("io.metashard.job.LogLines");
    assertThat(first.get("run_id").asText()).isEqualTo("night-1");
    assertThat(Instant.parse(first.get("time").asText())).isBeforeOrEqualTo(Instant.now());
    assertThat(lines.get(1).get("exception").asText())
        .contains("IllegalStateException: because of id");
    assertThat(lines.get(3).path("run_id").isTextual()).isFalse();
    assertThat(lines.get(3).get("message").asText()).isEqualTo("${java:version} ${env:HOME}");
  }

  @Test
  void verboseLinesAreSafeToo() throws IOException, InterruptedException {
    List<String> text = logged("--verbose");
    assertThat(text).anyMatch(line -> line.contains("noise"));
    assertThat(text).anyMatch(line -> line.startsWith("\tat io.metashard.job.LogLines.main"));
    assertThat(text).noneMatch(line -> line.matches(".*[\\p{Zl}\\x{1b}\\x{202e}].*"));
    assertThat(text).noneMatch(line -> line.contains("PLANTED"));
    ObjectMapper json = new ObjectMapper();
    for (String line : logged("--verbose", "--log-format=json")) {
      assertThat(line).doesNotContain("PLANTED");
      assertThat(json.readTree(line).get("message").asText()).isNotEmpty();
    }
  }

  @Test
  void theFormatIsTheLastOneAskedForElseTheEnvironments() {
    assertThat(Logging.format(List.of(), Map.of())).isEqualTo(Logging.Format.TEXT);
    assertThat(Logging.format(List.of(), Map.of("METASHARD_LOG_FORMAT", "JSON")))
        .isEqualTo(Logging.Format.JSON);
    assertThat(
            Logging.format(
                List.of("--log-format", "json", "--log-format=text"),
                Map.of("METASHARD_LOG_FORMAT", "json")))
        .isEqualTo(Logging.Format.TEXT);
    assertThat(Logging.format(List.of("--log-format"), Map.of())).isEqualTo(Logging.Format.TEXT);
  }
}
