package io.metashard.logs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.metashard.config.Settings;
import io.metashard.config.SettingsException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class IngestOptionsTest {
  @Test
  void hasTheDefaultsOfTheReference() {
    assertThat(IngestOptions.from(Settings.defaults()))
        .isEqualTo(
            new IngestOptions(
                List.of(),
                new BucketMapping(List.of(), BucketMapping.Others.KEY_IS_ID),
                false,
                64 << 10,
                Duration.ofHours(1)));
  }

  @Test
  void readsAnItemOfLogs() {
    assertThat(
            options(
                    "logs = [{path = \"s3a://l/x\", format = s3-access}, {path = y, format = combined,"
                        + " strip-prefix = \"/files\", exclude-clients = [bot]}]")
                .sources())
        .containsExactly(
            new LogSource("s3a://l/x", LogFormat.S3_ACCESS, "", new ClientRules(List.of())),
            new LogSource("y", LogFormat.COMBINED, "/files", new ClientRules(List.of("bot"))));
  }

  @Test
  void refusesWhatMakesNoSense() {
    assertThatThrownBy(() -> options("logs = [{path = x, format = iis}]"))
        .isInstanceOf(SettingsException.class)
        .hasMessage(
            "Cannot use format iis (test, logs[0]): it must be one of parquet, s3-access, combined,"
                + " csv");
    assertThatThrownBy(() -> options("logs = [{path = \" \", format = csv}]"))
        .hasMessageContaining("it is empty; name a file, folder or glob");
    assertThatThrownBy(() -> options("logs = [{path = x, format = csv, exclude-clients = [\"\"]}]"))
        .hasMessageContaining("Cannot use exclude-clients (test, logs[0])");
    assertThatThrownBy(() -> options("logs = [{path = x, fromat = csv}]"))
        .hasMessageContaining("unknown key fromat; the nearest known one is format");
    assertThatThrownBy(() -> options("ingest.max-line-bytes = 10"))
        .hasMessage(
            "Cannot use ingest.max-line-bytes = 10: it must be 256 to %d".formatted(64 << 20));
  }

  private static IngestOptions options(String hocon) {
    return IngestOptions.from(Settings.parse("test", hocon, List.of()));
  }
}
