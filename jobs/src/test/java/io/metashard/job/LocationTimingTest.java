package io.metashard.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.metashard.Location;
import io.metashard.SharedSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;

/** A location of local folders, as fast as the test says. */
class LocationTimingTest {
  private static final double FAST = 1e12;
  private static final int ANY = 1000;

  private final Path folder = SharedSpark.tempFolder("timing");

  private LocationTiming timing(int maxRequests, LocationTiming.Writes writes, long seed) {
    return timing(MeteredFileSystem.AUTHORITY, maxRequests, writes, seed);
  }

  private LocationTiming timing(
      String authority, int maxRequests, LocationTiming.Writes writes, long seed) {
    Configuration hadoop = new Configuration(false);
    hadoop.set("fs.odd.impl", MeteredFileSystem.class.getName());
    Location location =
        new Location(
            "m",
            "odd://%s%s".formatted(authority, folder.resolve("m")),
            "m",
            "standard",
            Long.MAX_VALUE,
            Location.ACTIVE);
    return new LocationTiming(
        location, hadoop, new LocationTiming.Options(maxRequests, writes, seed));
  }

  /** Containers as a night writes them, of so many bytes each. */
  private void containers(int... bytes) throws IOException {
    Path at = Files.createDirectories(folder.resolve("m/containers/0000000001-night"));
    for (int i = 0; i < bytes.length; i++) {
      byte[] random = new byte[bytes[i]];
      new Random(i).nextBytes(random);
      Files.write(at.resolve("s0-p%d.msc".formatted(i)), random);
    }
  }

  private List<Path> files() throws IOException {
    try (Stream<Path> all = Files.walk(folder)) {
      return all.filter(path -> !path.equals(folder)).toList();
    }
  }

  @Test
  void noMoreRequestsAreMadeThanAreAllowedAndNearlyAllOfThemAreUsed() throws IOException {
    containers(20 << 20, 1 << 20, 17 << 20);
    int runs = 0;
    for (int requests : List.of(64, 65, 71, 100, 200, 401)) {
      for (int failEvery : List.of(0, 23)) {
        MeteredFileSystem.reset(0, FAST, failEvery, ANY);
        LocationTiming.Measured measured =
            timing(requests, LocationTiming.Writes.ONE_FILE, requests).run();
        int made = MeteredFileSystem.REQUESTS.get();
        assertThat(made).as("of %d", requests).isBetween(requests / 2, requests);
        assertThat(measured.requests()).isEqualTo(made);
        assertThat(measured.files()).as("long enough to read from").isEqualTo(2);
        if (failEvery == 0) {
          assertThat(made).isGreaterThan(requests * 9 / 10);
          assertThat(measured.failedReads()).isZero();
        } else {
          assertThat(measured.failedReads() > 0 || measured.rate().limitSeen()).isTrue();
        }
        runs++;
      }
    }
    assertThat(runs).isEqualTo(12);
    assertThat(folder.resolve("m/probe")).doesNotExist();
  }

  @Test
  void aFileThatIsWrittenToBeReadCountsAndIsDeleted() throws IOException {
    for (int requests : List.of(64, 200)) {
      MeteredFileSystem.reset(0, FAST, 0, ANY);
      LocationTiming.Measured measured = timing(requests, LocationTiming.Writes.ONE_FILE, 1).run();
      // One write and one delete of the file, and of the folders that it made, are among them.
      assertThat(MeteredFileSystem.REQUESTS.get()).isBetween(requests - 20, requests);
      assertThat(measured.requests()).isBetween(MeteredFileSystem.REQUESTS.get() - 2, requests);
      assertThat(files()).isEmpty();
    }
  }

  @Test
  void aFileThatWasWrittenIsDeletedAfterAFailureToo() throws IOException {
    MeteredFileSystem.reset(0, FAST, 3, ANY);
    assertThatThrownBy(() -> timing(200, LocationTiming.Writes.ONE_FILE, 1).run())
        .isInstanceOf(IOException.class)
        .hasMessageMatching(
            "Cannot measure location m at odd://metered/.*: 4 of \\d+ reads failed, the last: IOException: read \\d+ fails; see whether it is overloaded");
    assertThat(MeteredFileSystem.REQUESTS.get()).isLessThan(40);
    assertThat(files()).isEmpty();
  }

  @Test
  void aFileThatCannotBeDeletedIsNamed() throws IOException {
    MeteredFileSystem.reset(0, FAST, 0, ANY);
    assertThatThrownBy(
            () -> timing(OddFileSystem.KEEPS, 64, LocationTiming.Writes.ONE_FILE, 1).run())
        .isInstanceOf(IOException.class)
        .hasMessageMatching(
            "Cannot delete odd://keeps/.*/m/probe/metashard-probe-[0-9a-f-]+: .*deletes are forbidden here; delete it yourself");
    assertThat(files()).anyMatch(file -> file.getFileName().toString().startsWith("metashard-"));
  }

  @Test
  void whereThereIsNothingToReadItSaysWhatToDo() throws IOException {
    MeteredFileSystem.reset(0, FAST, 0, ANY);
    assertThatThrownBy(() -> timing(64, LocationTiming.Writes.NONE, 1).run())
        .hasMessage(
            "Cannot measure location m: it has no containers to read from; measure it when a night has written some, or let --write put a file of 16 MiB there for as long as it takes");
    containers(1000, (1 << 20) - 1);
    assertThatThrownBy(() -> timing(64, LocationTiming.Writes.NONE, 1).run())
        .hasMessageContaining(
            "none of its containers has 1 MiB to read from (of 2; the longest has 1024.0 KiB); ");
    assertThat(folder.resolve("m/probe")).doesNotExist();
  }

  @Test
  void whatIsReadIsDecidedByTheSeed() throws IOException {
    containers(16 << 20, 16 << 20, 16 << 20, 16 << 20, 16 << 20, 16 << 20);
    List<List<String>> read = new ArrayList<>();
    for (long seed : new long[] {1, 1, 2}) {
      MeteredFileSystem.reset(0, FAST, 0, ANY);
      timing(100, LocationTiming.Writes.NONE, seed).run();
      // Reads side by side come in no order.
      read.add(MeteredFileSystem.RANGES.stream().sorted().toList());
    }
    assertThat(read.get(0)).hasSizeGreaterThan(70).isEqualTo(read.get(1));
    assertThat(read.get(2)).hasSameSizeAs(read.get(0)).isNotEqualTo(read.get(0));
    assertThat(read.get(0).stream().distinct().count())
        .as("ranges that were not read before")
        .isGreaterThan(60);
  }

  @Test
  void aSlowLocationIsMeasuredAsSlow() throws IOException {
    containers(16 << 20);
    MeteredFileSystem.reset(8, 400e6, 0, ANY);
    LocationTiming.Measured slow = timing(300, LocationTiming.Writes.NONE, 1).run();
    // No read is faster than it was made; on a busy machine it is later.
    assertThat(slow.fit().firstByteMillis()).isBetween(7.9, 13.0);
    assertThat(slow.fit().bytesPerSecond()).isBetween(200e6, 430e6);
    assertThat(slow.rate().readers()).isEqualTo(6);
    // Six reads of 8 ms at a time.
    assertThat(slow.rate().speedup()).isBetween(SideBySide.LEAST_SPEEDUP, 7.0);
    assertThat(slow.rate().requestsPerSecond()).isBetween(100.0, 750.0);
  }

  @Test
  void oneReadAtATimeIsALimitThatIsSeen() throws IOException {
    containers(16 << 20);
    MeteredFileSystem.reset(2, 1e9, 0, 1);
    LocationTiming.Measured disk = timing(120, LocationTiming.Writes.NONE, 1).run();
    assertThat(disk.rate().limitSeen()).isTrue();
    assertThat(disk.rate().speedup()).isLessThan(SideBySide.LEAST_SPEEDUP);
    assertThat(disk.rate().requestsPerSecond()).isBetween(50.0, 500.0);
  }
}
