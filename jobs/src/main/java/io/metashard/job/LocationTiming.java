package io.metashard.job;

import io.metashard.Location;
import io.metashard.config.Settings;
import io.metashard.simulate.LocationFit;
import io.metashard.simulate.TimedRead;
import io.metashard.store.HadoopStore;
import io.metashard.store.ObjectStore;
import io.metashard.store.StoredFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import org.apache.hadoop.conf.Configuration;

/**
 * Times ranged reads at one location, as readers make them.
 *
 * <p>Never more requests are made than were allowed. A request is a read, an opening (object stores
 * may be asked how long a file is), a listing, and what writing and deleting a file of {@value
 * #WRITTEN_BYTES} bytes takes at most; the configuration should tell the file system to try nothing
 * twice ({@link #withoutRetries}).
 *
 * <ol>
 *   <li>Files to read are chosen: of the first {@value #MOST_LISTED} containers up to {@value
 *       #MOST_FILES}, by the seed; or one is written.
 *   <li>Each is opened and read once untimed: connections are made, code is compiled.
 *   <li>One read after the other, of up to {@value #MOST_LENGTHS} lengths, each a quarter of the
 *       next, in an order and at offsets that the seed decides: {@link LocationFit} takes these.
 *   <li>Short reads side by side: {@link SideBySide}.
 * </ol>
 */
final class LocationTiming {
  /** With less a share of slow reads says nothing, and with still less nothing can be fitted. */
  static final int LEAST_REQUESTS = 64;

  /** Shorter files do not show how fast a location sends. */
  static final long LEAST_FILE_BYTES = 1 << 20;

  static final long WRITTEN_BYTES = 16 << 20;

  private static final String CONTAINERS = "containers";
  private static final int MOST_LISTED = 1000; // what one answer of an object store holds
  private static final int MOST_FILES = 4;
  private static final int MOST_LENGTHS = 5;
  private static final long MOST_READ_BYTES = 8 << 20;
  private static final long LEAST_READ_BYTES = 32 << 10;

  /** An empty answer is looked at again: S3A asks for the folder and its marker. */
  private static final int LISTING_REQUESTS = 1;

  private static final int EMPTY_LISTING_REQUESTS = 3;

  /** A put, or the parts of an upload, its begin and end. */
  private static final int WRITE_REQUESTS = 8;

  /** Is it there, and the delete itself. */
  private static final int DELETE_REQUESTS = 3;

  /** Above this share of failed reads there is nothing to rely on. */
  private static final double MOST_FAILED = 0.1;

  private static final int FAILED_ANYHOW = 3;

  private final Location location;
  private final Configuration hadoop;
  private final Options options;
  private final RequestBudget budget;
  private final Random random;

  /** Whether a location that has nothing to read may get a file. */
  enum Writes {
    NONE,
    ONE_FILE
  }

  /**
   * How to measure.
   *
   * @param maxRequests at each location, {@link #LEAST_REQUESTS} or more
   * @param seed decides what is read, where, and in which order
   */
  record Options(int maxRequests, Writes writes, long seed) {
    Options {
      if (maxRequests < LEAST_REQUESTS) {
        throw new IllegalArgumentException(
            "Cannot measure with %d requests: %d or more are needed"
                .formatted(maxRequests, LEAST_REQUESTS));
      }
    }
  }

  /**
   * What was found.
   *
   * @param requests made, or as many as writing and deleting take at most
   * @param readBytes in timed reads
   * @param failedReads of those one after the other
   * @param files read from
   */
  record Measured(
      LocationFit fit,
      SideBySide.Rate rate,
      int requests,
      long readBytes,
      int failedReads,
      int files) {}

  /** A file to read from. */
  record Source(String path, long bytes) {}

  LocationTiming(Location location, Configuration hadoop, Options options) {
    this.location = location;
    this.hadoop = hadoop;
    this.options = options;
    this.budget = new RequestBudget(options.maxRequests());
    this.random = new Random(options.seed());
  }

  /** The same configuration, with the file system told to give up at the first failure. */
  static Configuration withoutRetries(Configuration hadoop) {
    Configuration once = new Configuration(hadoop);
    once.setInt("fs.s3a.attempts.maximum", 0);
    once.setInt("fs.s3a.retry.limit", 0);
    once.setInt("fs.s3a.retry.throttle.limit", 0);
    return once;
  }

  /**
   * Measures.
   *
   * @throws IOException if the location cannot be read, has nothing to read, or fails too often
   */
  Measured run() throws IOException {
    List<Source> sources = chosen();
    if (!sources.isEmpty()) {
      return measured(sources, 0);
    }
    budget.spend(WRITE_REQUESTS);
    try (TemporaryFile file =
        TemporaryFile.write(location.uri(), hadoop, WRITTEN_BYTES, options.seed())) {
      return measured(List.of(new Source(file.name(), WRITTEN_BYTES)), DELETE_REQUESTS);
    }
  }

  /** Containers to read from, none if a file is to be written. */
  private List<Source> chosen() throws IOException {
    List<StoredFile> listed = new ArrayList<>();
    budget.spend(LISTING_REQUESTS);
    try (ObjectStore store = new HadoopStore(location.uri(), hadoop)) {
      Iterator<StoredFile> all = store.list(CONTAINERS);
      while (listed.size() < MOST_LISTED && all.hasNext()) {
        listed.add(all.next());
      }
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    if (listed.isEmpty()) {
      budget.spend(EMPTY_LISTING_REQUESTS - LISTING_REQUESTS);
    }
    long longest = listed.stream().mapToLong(StoredFile::length).max().orElse(0);
    // The longest reads need room; shorter files serve where there is nothing better.
    long least = Math.min(2 * MOST_READ_BYTES, Math.max(LEAST_FILE_BYTES, longest / 2));
    List<StoredFile> usable = new ArrayList<>();
    for (StoredFile file : listed) {
      if (file.length() >= least) {
        usable.add(file);
      }
    }
    if (usable.isEmpty() && options.writes() == Writes.NONE) {
      throw new IOException(
          "Cannot measure location %s: %s; measure it when a night has written some, or let --write put a file of %s there for as long as it takes"
              .formatted(
                  location.name(),
                  listed.isEmpty()
                      ? "it has no containers to read from"
                      : "none of its containers has %s to read from (of %d; the longest has %s)"
                          .formatted(
                              Figures.bytes(LEAST_FILE_BYTES),
                              listed.size(),
                              Figures.bytes(longest)),
                  Figures.bytes(WRITTEN_BYTES)));
    }
    usable.sort(Comparator.comparing(StoredFile::path)); // stores list in orders of their own
    Collections.shuffle(usable, random);
    return usable.stream()
        .limit(MOST_FILES)
        .map(file -> new Source(file.path(), file.length()))
        .toList();
  }

  private Measured measured(List<Source> sources, int keptForLater) throws IOException {
    long[] lengths = lengths(sources.stream().mapToLong(Source::bytes).min().orElseThrow());
    List<RangeReader> readers = new ArrayList<>();
    try {
      for (Source source : sources) {
        RangeReader reader = new RangeReader(location.uri(), hadoop, source, budget);
        readers.add(reader);
        reader.read(0, (int) lengths[0]); // untimed
      }
      int forSideBySide = SideBySide.requests(options.maxRequests());
      List<TimedRead> reads = new ArrayList<>();
      int failed = 0;
      for (int length : order(lengths, budget.left() - forSideBySide - keptForLater)) {
        // A reader that failed opens its file anew, which is a request too.
        if (budget.left() - forSideBySide - keptForLater < RangeReader.MOST_REQUESTS) {
          break;
        }
        RangeReader reader = readers.get(random.nextInt(readers.size()));
        try {
          reads.add(reader.timed(random, length));
        } catch (IOException e) {
          failed++;
          if (failed > FAILED_ANYHOW && failed > MOST_FAILED * (reads.size() + failed)) {
            throw new IOException(
                "Cannot measure location %s at %s: %d of %d reads failed, the last: %s; see whether it is overloaded"
                    .formatted(
                        location.name(),
                        Settings.withoutUserInfo(location.uri()),
                        failed,
                        reads.size() + failed,
                        Failures.message(e)),
                e);
          }
        }
      }
      LocationFit fit = LocationFit.of(reads);
      SideBySide.Rate rate =
          new SideBySide(
                  i ->
                      new RangeReader(
                          location.uri(), hadoop, sources.get(i % sources.size()), budget),
                  (int) lengths[0],
                  options.seed())
              .run(forSideBySide, fit);
      return new Measured(
          fit,
          rate,
          budget.spent() + keptForLater,
          reads.stream().mapToLong(TimedRead::bytes).sum() + rate.readBytes(),
          failed,
          sources.size());
    } finally {
      for (RangeReader reader : readers) {
        reader.close();
      }
    }
  }

  /** Lengths of reads, ascending, that a file of so many bytes has room for at several offsets. */
  private static long[] lengths(long fileBytes) {
    return LongStream.iterate(
            Math.min(MOST_READ_BYTES, fileBytes / 2),
            length -> length >= LEAST_READ_BYTES,
            length -> length / 4)
        .limit(MOST_LENGTHS)
        .sorted()
        .toArray();
  }

  /** Every length as often as any other, one more or less, in a random order. */
  private List<Integer> order(long[] lengths, int reads) {
    List<Integer> order = new ArrayList<>();
    for (int i = 0; i < reads; i++) {
      order.add((int) lengths[i % lengths.length]);
    }
    Collections.shuffle(order, random);
    return order;
  }
}
