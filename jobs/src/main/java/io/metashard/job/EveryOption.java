package io.metashard.job;

import io.metashard.aggregate.AggregateOptions;
import io.metashard.catalogue.SegmentOptions;
import io.metashard.config.Settings;
import io.metashard.config.SettingsException;
import io.metashard.encode.EncodeOptions;
import io.metashard.forecast.ForecastOptions;
import io.metashard.forecast.MonitorOptions;
import io.metashard.forecast.MoreHorizons;
import io.metashard.forecast.Profile;
import io.metashard.forecast.TunerOptions;
import io.metashard.logs.IngestOptions;
import io.metashard.plan.PlanOptions;
import io.metashard.read.ReadOptions;
import io.metashard.simulate.SimulateOptions;
import java.util.List;
import java.util.function.Function;

/** What the stages of a night take from a configuration, to be looked at before hours of work. */
final class EveryOption {
  /** Each reads its own options, and throws what is wrong with them. */
  static final List<Function<Settings, ?>> PARTS =
      List.of(
          IngestOptions::from,
          SegmentOptions::from,
          AggregateOptions::from,
          SimulateOptions::from,
          MonitorOptions::from,
          TunerOptions::from,
          settings -> MoreHorizons.from(settings, ForecastOptions.from(settings)),
          Profile::from,
          PlanOptions::from,
          EncodeOptions::from,
          ReadOptions::from);

  private EveryOption() {}

  /**
   * Reads all of them.
   *
   * @throws SettingsException of the first that cannot be used
   */
  static void require(Settings settings) {
    PARTS.forEach(part -> part.apply(settings));
  }
}
