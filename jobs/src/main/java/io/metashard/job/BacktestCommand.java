package io.metashard.job;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.metashard.ObjectIds;
import io.metashard.forecast.ForecastOptions;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.Path;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code backtest}: forecasts of the past, by the code of the nightly run. */
@Command(
    name = "backtest",
    description =
        "Forecast the demand of a Parquet file from moments of the past, each with what was known before it, by the code"
            + " of the nightly run: what to score a forecast with. Needs no lake.")
final class BacktestCommand extends LakeCommand {
  /** A list of origins is read whole: it is refused when longer. */
  private static final int MOST_ORIGINS_BYTES = 16 << 20;

  static final class Origins {
    @Option(
        names = "--origins",
        paramLabel = "INSTANT",
        split = ",",
        required = true,
        description = "starts of the first buckets forecast, as 2026-01-22T00:00:00Z")
    private List<String> given;

    @Option(
        names = "--origins-file",
        paramLabel = "FILE",
        required = true,
        description = "the same as a JSON list of texts")
    private String file;
  }

  @Option(
      names = "--demand",
      paramLabel = "PATH",
      required = true,
      description = "Parquet with the columns of the table demand")
  private String demand;

  @Option(
      names = "--objects",
      paramLabel = "PATH",
      description =
          "Parquet with the columns of the table objects, at least object_id, segments, modified_at; an origin knows of"
              + " those modified before it. Default: objects with a request before the origin, of unknown age")
  private String objects;

  @Option(
      names = "--out",
      paramLabel = "PATH",
      required = true,
      description =
          "Parquet that is written: origin, object_id, segment, expected_requests, p_requested, model, with --profile also"
              + " profile")
  private String out;

  @Option(names = "--bucket", paramLabel = "DURATION", description = "instead of forecast.bucket")
  private String bucket;

  @Option(names = "--horizon", paramLabel = "DURATION", description = "instead of forecast.horizon")
  private String horizon;

  @Option(names = "--model", paramLabel = "NAME", description = "instead of forecast.model")
  private String model;

  @Option(
      names = "--profile",
      description =
          "also write when within the horizon requests are expected, hour by hour, as forecast.profile = true does")
  private boolean profile;

  @ArgGroup(multiplicity = "1")
  private Origins origins;

  BacktestCommand() {
    super("backtest");
  }

  @Override
  boolean needsSample() {
    return false;
  }

  @Override
  List<String> overrides() {
    List<String> overrides = new ArrayList<>();
    override(overrides, "forecast.bucket", bucket);
    override(overrides, "forecast.horizon", horizon);
    override(overrides, "forecast.model", model);
    override(overrides, "forecast.profile", profile ? "true" : null);
    return overrides;
  }

  private static void override(List<String> overrides, String key, String value) {
    if (value != null) {
      overrides.add(key + "=" + value);
    }
  }

  @Override
  Answer run(Start start) throws IOException {
    List<Instant> moments = new ArrayList<>();
    for (String text : origins.given != null ? origins.given : listed(start)) {
      moments.add(moment(text));
    }
    BacktestJob.Request request = new BacktestJob.Request(demand, objects, moments, out);
    // What cannot be used is refused before Spark starts.
    ForecastOptions.from(start.settings());
    return withSpark(
        start, (context, runner) -> Answer.done(new BacktestJob(context, request).run().figures()));
  }

  private static Instant moment(String text) {
    try {
      return Instant.parse(text.strip());
    } catch (DateTimeParseException e) {
      throw new MetashardException(
          MetashardException.USAGE,
          "Cannot back-test from %s: it is no moment; write it as 2026-01-22T00:00:00Z"
              .formatted(ObjectIds.printable(text)),
          e);
    }
  }

  private List<String> listed(Start start) {
    Path path = new Path(origins.file);
    String name = ObjectIds.printable(origins.file);
    try (FSDataInputStream in = path.getFileSystem(start.hadoop()).open(path)) {
      byte[] bytes = in.readNBytes(MOST_ORIGINS_BYTES + 1);
      if (bytes.length > MOST_ORIGINS_BYTES) {
        throw new MetashardException(
            MetashardException.USAGE,
            "Cannot read origins from %s: it is longer than %d MiB; it must be a JSON list of moments"
                .formatted(name, MOST_ORIGINS_BYTES >> 20));
      }
      return List.of(
          new ObjectMapper().readValue(new String(bytes, StandardCharsets.UTF_8), String[].class));
    } catch (JsonProcessingException e) {
      throw new MetashardException(
          MetashardException.USAGE,
          "Cannot read origins from %s: it is no JSON list of texts; write [\"2026-01-22T00:00:00Z\", ...]"
              .formatted(name),
          e);
    } catch (IOException e) {
      throw new MetashardException(
          MetashardException.USAGE,
          "Cannot read origins from %s: %s; check --origins-file".formatted(name, e.getMessage()),
          e);
    }
  }
}
