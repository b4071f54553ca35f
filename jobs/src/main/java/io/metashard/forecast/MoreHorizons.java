package io.metashard.forecast;

import io.metashard.config.Settings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The spans that a night forecasts beside {@code forecast.horizon}, from the same moment: for
 * whoever reads the table. Plans, scores and reports use none of them.
 */
public record MoreHorizons(List<Duration> spans) {
  /** Each costs about as much as the first. */
  public static final int MOST = 6;

  private static final String KEY = "forecast.more-horizons";

  public MoreHorizons {
    spans = List.copyOf(spans);
  }

  /** Reads the setting, and refuses what cannot be forecast beside these options. */
  public static MoreHorizons from(Settings settings, ForecastOptions options) {
    List<Duration> spans = settings.durations(KEY);
    if (spans.size() > MOST) {
      throw new IllegalArgumentException(
          "Cannot forecast %d more horizons: it must be %d or fewer; shorten %s"
              .formatted(spans.size(), MOST, KEY));
    }
    Set<Duration> known = new HashSet<>(Set.of(options.horizon()));
    for (Duration span : spans) {
      String text = Settings.durationText(span);
      if (span.isZero()
          || span.getNano() != 0
          || span.toSeconds() % options.bucket().toSeconds() != 0) {
        throw new IllegalArgumentException(
            "Cannot forecast %s: it must be a positive multiple of the bucket of %s; correct %s"
                .formatted(text, Settings.durationText(options.bucket()), KEY));
      }
      if (!known.add(span)) {
        throw new IllegalArgumentException(
            "Cannot forecast %s twice: it must differ from forecast.horizon and the others; take it out of %s"
                .formatted(text, KEY));
      }
      ForecastOptions.requireFewBuckets("a horizon", span, options.bucket(), KEY);
    }
    return new MoreHorizons(spans);
  }

  /** {@code forecast.horizon} and then these. */
  public List<Duration> withMain(ForecastOptions options) {
    List<Duration> all = new ArrayList<>(List.of(options.horizon()));
    all.addAll(spans);
    return List.copyOf(all);
  }
}
