package io.metashard.logs;

/**
 * Why a log line could not be used, as {@code requests_rejected} names it; besides the {@code
 * object-id-...} reasons of {@link io.metashard.ObjectIds#problem}.
 */
public final class Reasons {
  /** A blank line. */
  public static final String EMPTY_LINE = "empty-line";

  /** Longer than {@code ingest.max-line-bytes}. */
  public static final String LINE_TOO_LONG = "line-too-long";

  /** The line holds a NUL: not a text. */
  public static final String BINARY = "binary";

  /** The line, or what its escapes stand for, is not UTF-8. */
  public static final String NOT_UTF8 = "not-utf8";

  /** The compressed file ends early or is damaged here; what came before was used. */
  public static final String GZIP_TRUNCATED = "gzip-truncated";

  /** The Parquet file ends early or is damaged here; what came before was used. */
  public static final String PARQUET_BROKEN = "parquet-broken";

  /** The file has no column {@code ts} or {@code object_id}. */
  public static final String COLUMN_MISSING = "column-missing";

  /** A column has a type that cannot hold its values. */
  public static final String COLUMN_TYPE = "column-type";

  /** A CSV record with more or fewer fields than its header. */
  public static final String FIELD_COUNT = "field-count";

  /** A CSV record that cannot be parsed, such as one whose quote is never closed. */
  public static final String CSV_MALFORMED = "csv-malformed";

  /** Too few fields, or a bracket or quote without its partner. */
  public static final String LINE_MALFORMED = "line-malformed";

  /** The request line is not "METHOD target HTTP/version". */
  public static final String REQUEST_MALFORMED = "request-malformed";

  /** A percent or backslash escape that stands for nothing. */
  public static final String ESCAPE_MALFORMED = "escape-malformed";

  /** A method or operation with characters that none has. */
  public static final String OPERATION_MALFORMED = "operation-malformed";

  /** A request for something else than an object, such as a listing of a bucket. */
  public static final String NO_OBJECT = "no-object";

  /** The object is under none of the source roots. */
  public static final String OUTSIDE = "outside";

  public static final String TIMESTAMP_MISSING = "timestamp-missing";
  public static final String TIMESTAMP_UNPARSABLE = "timestamp-unparsable";

  /** Before 1970. */
  public static final String TIMESTAMP_TOO_EARLY = "timestamp-too-early";

  /**
   * Later than the moment of planning and the clock, by more than {@code ingest.max-clock-skew}.
   */
  public static final String TIMESTAMP_IN_THE_FUTURE = "timestamp-in-the-future";

  public static final String STATUS_NOT_A_NUMBER = "status-not-a-number";

  /** Not 100 to 599. */
  public static final String STATUS_OUT_OF_RANGE = "status-out-of-range";

  public static final String BYTES_NOT_A_NUMBER = "bytes-not-a-number";
  public static final String BYTES_NEGATIVE = "bytes-negative";

  /** 2^63 or more. */
  public static final String BYTES_TOO_LARGE = "bytes-too-large";

  public static final String RANGE_NOT_A_NUMBER = "range-not-a-number";
  public static final String RANGE_NEGATIVE = "range-negative";

  /** 2^63 or more. */
  public static final String RANGE_TOO_LARGE = "range-too-large";

  /** Ends before it begins. */
  public static final String RANGE_REVERSED = "range-reversed";

  /** Holds no byte. */
  public static final String RANGE_EMPTY = "range-empty";

  /** Only one end of it is given. */
  public static final String RANGE_INCOMPLETE = "range-incomplete";

  private Reasons() {}
}
