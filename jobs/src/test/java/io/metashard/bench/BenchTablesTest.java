package io.metashard.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.LocalDate;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class BenchTablesTest {
  private static final long MIB = 1 << 20;

  private static Usage usage(double seconds, long heapMib) {
    return new Usage(
        seconds,
        2 * seconds,
        heapMib * MIB,
        3 * heapMib * MIB,
        0,
        List.of(new Usage.Work("query | one", 2, seconds, 4096, 2048, 1024)));
  }

  private static ScaleTable.Size size(long segments, Usage... runs) {
    return new ScaleTable.Size(segments, 5 * segments, "total-share", Arrays.asList(runs));
  }

  @Test
  void sizesAreToldAsMultiplesOfTheSmallest() {
    ScaleTable table =
        new ScaleTable(
            "demand rows",
            List.of(
                size(300, usage(50, 250)),
                size(100, usage(90, 90), usage(20, 100), usage(25, 80))));
    assertThat(table.markdown())
        .isEqualTo(
            """
            | segments | demand rows | time | as a multiple | CPU time | as a multiple | heap | as a multiple | process | spilled | to the driver | failed tasks |
            |---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|
            | 100 | 500 | 25s | 1.0 x | 50s | 1.0 x | 100 MiB | 1.0 x | 300 MiB | 2 KiB | 1 KiB | 0 |
            | 300 (3.0 x) | 1,500 | 50s | 2.0 x | 1m 40s | 2.0 x | 250 MiB | 2.5 x | 750 MiB | 2 KiB | 1 KiB | 0 |
            """);
    assertThat(table.linear()).isTrue();
    assertThat(table.queries(5)).contains("| query \\| one | 2 | 50.0 | 100");
  }

  @Test
  void timeOrMemoryThatGrowsFasterThanTheSegmentsIsNotLinear() {
    ScaleTable.Size small = size(100, usage(10, 100));
    assertThat(new ScaleTable("demand rows", List.of(small, size(300, usage(31, 300)))).linear())
        .isTrue();
    assertThat(new ScaleTable("demand rows", List.of(small, size(300, usage(32, 300)))).linear())
        .isFalse();
    assertThat(new ScaleTable("demand rows", List.of(small, size(300, usage(30, 320)))).linear())
        .isFalse();
    // From one size to the next, too: a slow small one would hide it.
    assertThat(
            new ScaleTable(
                    "demand rows",
                    List.of(small, size(300, usage(10, 100)), size(600, usage(25, 100))))
                .linear())
        .isFalse();
  }

  @Test
  void cpuTimeIsJudgedByItself() {
    ScaleTable.Size small = size(100, usage(10, 100));
    // Twice the memory for each segment, and no more CPU time.
    ScaleTable fat = new ScaleTable("blocks", List.of(small, size(300, usage(31, 600))));
    assertThat(fat.linear()).isFalse();
    assertThat(fat.linearInCpuTime()).isTrue();
    assertThat(fat.markdown()).startsWith("| segments | blocks | ");
    assertThat(
            new ScaleTable("blocks", List.of(small, size(300, usage(32, 100)))).linearInCpuTime())
        .isFalse();
  }

  @Test
  void methodsAreToldBesideTheFirst() {
    assertThat(
            new PeerTable(
                    List.of(
                        new PeerTable.Score("ours", 2, 1, 1, 0.5, 4, 0.9, 10, 20),
                        new PeerTable.Score("theirs", 3, 1.25, 1.7, 0.6, 5, 0.8, 100, 150),
                        new PeerTable.Score(
                            "naive", 4, 1.5, 2.5, 0.7, 6, 0.7, Double.NaN, Double.NaN)))
                .markdown())
        .isEqualTo(
            """
            | method | deviance | as a multiple | of other origins | WAPE | log-loss | heat capture | time | as a multiple | CPU time | as a multiple |
            |---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|
            | ours | 2.0000 | 1.00 x | - | 0.5000 | 4.0000 | 0.9000 | 10s | 1.00 x | 20s | 1.00 x |
            | theirs | 3.0000 | 1.50 x | 1.25 to 1.70 x | 0.6000 | 5.0000 | 0.8000 | 1m 40s | 10.00 x | 2m 30s | 7.50 x |
            | naive | 4.0000 | 2.00 x | 1.50 to 2.50 x | 0.7000 | 6.0000 | 0.7000 | - | - | - | - |
            """);
  }

  @Test
  void nightsAreToldWithWhatTheyMovedAndHowTheirMapsReadBack() {
    WeekTable.Night first =
        new WeekTable.Night(
            LocalDate.parse("2026-01-18"),
            5,
            3 * MIB,
            2 * MIB,
            1.5004,
            new WeekTable.P99(97.16, 48.56, 130.8),
            new WeekTable.P99(20.04, 22.57, Double.NaN),
            1);
    WeekTable.Night idle =
        new WeekTable.Night(
            LocalDate.parse("2026-01-19"),
            0,
            0,
            2 * MIB,
            1.5004,
            new WeekTable.P99(96, 50, 100),
            new WeekTable.P99(20, 22, 38),
            1);
    assertThat(new WeekTable(List.of(first, idle)).markdown(Map.of(1L, "5 of 5")))
        .isEqualTo(
            """
            | night | objects encoded | bytes moved | of all bytes | stored | p99 expected, object-store | simulated | source's | p99 expected, disk | simulated | source's | map version | reads back |
            |---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|
            | 2026-01-18 | 5 | 3 MiB | 150 % | 1.500 | 97.2 | 48.6 | 130.8 | 20.0 | 22.6 | - | 1 | 5 of 5 |
            | 2026-01-19 | 0 | 0 B | 0 % | 1.500 | 96.0 | 50.0 | 100.0 | 20.0 | 22.0 | 38.0 | 1 | 5 of 5 |
            """);
  }
}
