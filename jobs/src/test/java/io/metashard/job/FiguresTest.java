package io.metashard.job;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

class FiguresTest {
  @Test
  void sizesAreWrittenAsPeopleWriteThem() {
    assertThat(Figures.bytes(0)).isEqualTo("0 B");
    assertThat(Figures.bytes(1023)).isEqualTo("1023 B");
    assertThat(Figures.bytes(64L << 20)).isEqualTo("64 MiB");
    assertThat(Figures.bytes(3L << 19)).isEqualTo("1.50 MiB");
    assertThat(Figures.bytes(535_772)).isEqualTo("523.2 KiB");
    assertThat(Figures.bytes(Long.MAX_VALUE)).isEqualTo("8 EiB");
  }

  @Test
  void durationsAreWrittenAsPeopleWriteThem() {
    assertThat(Figures.duration(0.26)).isEqualTo("0.3s");
    assertThat(Figures.duration(9.94)).isEqualTo("9.9s");
    assertThat(Figures.duration(9.96)).isEqualTo("10s");
    assertThat(Figures.duration(59.4)).isEqualTo("59s");
    assertThat(Figures.duration(59.6)).isEqualTo("1m");
    assertThat(Figures.duration(90)).isEqualTo("1m 30s");
    assertThat(Figures.duration(3599.9)).isEqualTo("1h");
    assertThat(Figures.duration(11_100)).isEqualTo("3h 5m");
    assertThat(Figures.duration(86_400)).isEqualTo("24h");
    assertThat(Figures.duration(12 * 86_400 + 6 * 3600)).isEqualTo("12d 6h");
    assertThat(Figures.duration(Double.NaN)).isEqualTo("-");
    assertThat(Figures.duration(-1)).isEqualTo("-");
  }

  @Test
  void aTableShowsSizesAndDurationsByTheirNames() {
    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("stored_bytes", 1L << 20);
    figures.put("logical_bytes_planned", 2048L);
    figures.put("stored_bytes_per_byte", 1.431);
    figures.put("seconds", 90.0);
    figures.put("objects", 2048L);
    assertThat(Figures.table(figures).lines().map(line -> line.replaceAll(" +", " ")))
        .containsExactly(
            "figure value",
            "stored_bytes 1 MiB",
            "logical_bytes_planned 2 KiB",
            "stored_bytes_per_byte 1.431",
            "seconds 1m 30s",
            "objects 2048");
  }
}
