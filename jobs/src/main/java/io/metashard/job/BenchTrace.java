package io.metashard.job;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.metashard.ObjectIds;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * A folder to back-test in: {@code demand.parquet}, {@code backtest.json} and possibly {@code
 * objects.parquet}.
 *
 * @param bucketSeconds in which the demand is counted
 */
record BenchTrace(Path folder, long bucketSeconds, JsonNode plan) {
  static BenchTrace read(Path folder) {
    Path file = folder.resolve("backtest.json");
    if (!Files.exists(file) || !Files.exists(folder.resolve("demand.parquet"))) {
      throw new MetashardException(
          MetashardException.USAGE,
          "Cannot back-test in %s: it has no backtest.json and demand.parquet; correct --trace"
              .formatted(printable(folder)));
    }
    try {
      JsonNode plan = new ObjectMapper().readTree(file.toFile());
      long bucketSeconds = plan.path("bucket_seconds").asLong();
      if (bucketSeconds < 1 || !plan.path("origins").isObject()) {
        throw new MetashardException(
            MetashardException.USAGE,
            "Cannot back-test in %s: backtest.json has no bucket_seconds and origins"
                .formatted(printable(folder)));
      }
      return new BenchTrace(folder.toAbsolutePath(), bucketSeconds, plan);
    } catch (IOException e) {
      throw new MetashardException(
          MetashardException.USAGE,
          "Cannot read %s: %s".formatted(printable(file), Failures.message(e)),
          e);
    }
  }

  private static String printable(Path path) {
    return ObjectIds.printable(path.toString());
  }

  String demand() {
    return folder.resolve("demand.parquet").toUri().toString();
  }

  /** The catalogue; null: what was requested before an origin is what it knows of. */
  String objects() {
    Path file = folder.resolve("objects.parquet");
    return Files.exists(file) ? file.toUri().toString() : null;
  }

  /**
   * The origins for a horizon.
   *
   * @param horizon in buckets
   */
  List<Instant> origins(int horizon) {
    List<Instant> origins = new ArrayList<>();
    try {
      for (JsonNode origin : plan.get("origins").path(Integer.toString(horizon))) {
        origins.add(Instant.parse(origin.asText()));
      }
    } catch (DateTimeException e) {
      throw new MetashardException(
          MetashardException.USAGE,
          "Cannot back-test in %s: %s".formatted(printable(folder), Failures.message(e)),
          e);
    }
    if (origins.isEmpty()) {
      List<String> known = new ArrayList<>();
      plan.get("origins").fieldNames().forEachRemaining(known::add);
      throw new MetashardException(
          MetashardException.USAGE,
          "Cannot back-test %d buckets ahead in %s: backtest.json has origins for %s; correct --horizon"
              .formatted(horizon, printable(folder), ObjectIds.printable(known.toString())));
    }
    return origins;
  }
}
