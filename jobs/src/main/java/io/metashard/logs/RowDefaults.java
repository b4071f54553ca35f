package io.metashard.logs;

/** What a row of a Parquet or CSV log means when it does not say. */
final class RowDefaults {
  static final String OPERATION = "GET";
  static final long STATUS = 200;

  private RowDefaults() {}
}
