package io.metashard.forecast;

import io.metashard.config.Settings;

/** Whether a forecast says when within the horizon its requests are expected. */
public enum Profile {
  /** Only their sum. */
  NONE,

  /** Hour by hour, or by bucket where these are longer. */
  HOURLY;

  public static Profile from(Settings settings) {
    return settings.flag("forecast.profile") ? HOURLY : NONE;
  }
}
