package io.metashard.forecast;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.LocalDate;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DatasetNameTest {
  @ParameterizedTest
  @CsvSource({
    "sales/dt=2026-01-21/part-0000.parquet, sales/dt=#/part-#.parquet",
    "sales/dt=2026-01-21/hh=07/part-0000.parquet, sales/dt=#/hh=#/part-#.parquet",
    "logs/2026/01/21/web.gz, logs/#/#/#/web.gz",
    "t/part-00000-6dab1c9e-06a5-4ac9-9f3a-9f5c2f2ad4b1-c000.snappy.parquet, t/part-#-#-c#.snappy.parquet",
    "models/ranker-v3.bin, models/ranker-v#.bin",
    "blobs/9f86d081884c7d65.bin, blobs/#.bin",
    "backup_20260121T0300.tar, backup_#.tar",
    "docs/facade.pdf, docs/facade.pdf",
    "docs/deadbeef.pdf, docs/deadbeef.pdf",
    "'', ''",
  })
  void numbersDatesAndRandomNamesAreCollapsed(String id, String dataset) {
    assertThat(DatasetName.of(id)).isEqualTo(dataset);
  }

  @ParameterizedTest
  @CsvSource({
    "sales/dt=2026-01-21/part-0000.parquet, 2026-01-21",
    "logs/2026/01/21/web.gz, 2026-01-21",
    "logs/20260121/web.gz, 2026-01-21",
    "t/year=2026/month=1/day=21/x, 2026-01-21",
    "t/y=2026/m=01/d=02/x, 2026-01-02",
    "t/2026-13-41/2026-02-03/x, 2026-02-03",
  })
  void thePathsOfPartitionsNameTheirDay(String id, LocalDate day) {
    assertThat(DatasetName.partitionDate(id)).contains(day);
  }

  @ParameterizedTest
  @CsvSource({"a/b", "t/2026-13-41/x", "v12026-01-211/x", "t/2026-02-30/x", "x/1851-01-01/y"})
  void whatIsNoDayIsNoDate(String id) {
    assertThat(DatasetName.partitionDate(id)).isEmpty();
  }

  @Property(tries = 500)
  void anyTextHasANameAndCollapsingItAgainChangesNothing(@ForAll String id) {
    String name = DatasetName.of(id);
    assertThat(name).doesNotContainPattern("[0-9]");
    assertThat(DatasetName.of(name)).isEqualTo(name);
    DatasetName.partitionDate(id);
  }

  @Property(tries = 20)
  void aLongHostileNameTakesNoLongTime(@ForAll("runs") String run) {
    DatasetName.of(run.repeat(4000));
    DatasetName.partitionDate(run.repeat(4000));
  }

  @net.jqwik.api.Provide
  net.jqwik.api.Arbitrary<String> runs() {
    return net.jqwik.api.Arbitraries.strings()
        .withChars("aF0-_./=12")
        .ofMinLength(1)
        .ofMaxLength(8);
  }
}
