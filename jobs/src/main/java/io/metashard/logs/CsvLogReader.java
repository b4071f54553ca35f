package io.metashard.logs;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Optional;
import java.util.function.Function;

/**
 * Records of a CSV log, plain or gzip. The first record is the header and no line of the log; a
 * quoted field may hold newlines, so a record may be several lines.
 */
final class CsvLogReader implements LogReader {
  private static final String BYTE_ORDER_MARK = "\uFEFF";

  private final InputStream in;
  private final LineReader lines;
  private final int maxRecordChars;
  private final Function<String, LineParser> parserOf;
  private LineParser parser;
  private boolean ended;

  /** Why the stream ended early; null while it has not. */
  private String refusedByStream;

  private CsvLogReader(InputStream in, int maxRecordBytes, Function<String, LineParser> parserOf) {
    this.in = in;
    this.lines = new LineReader(in, maxRecordBytes);
    this.maxRecordChars = maxRecordBytes;
    this.parserOf = parserOf;
  }

  /**
   * Takes over the stream.
   *
   * @param parserOf makes a parser from the header
   */
  static CsvLogReader open(
      InputStream storage, int maxRecordBytes, Function<String, LineParser> parserOf)
      throws IOException {
    return new CsvLogReader(TextLogReader.decompressed(storage), maxRecordBytes, parserOf);
  }

  @Override
  public NumberedLine next() throws IOException {
    while (!ended) {
      NumberedLine record = record();
      if (record != null) {
        return record;
      }
    }
    return null;
  }

  /** The next record; null for the header and at the end. */
  private NumberedLine record() throws IOException {
    StringBuilder record = new StringBuilder();
    Quotes quotes = new Quotes();
    long first = 0;
    String refusal = null;
    while (true) {
      if (!advance()) {
        if (ended && refusedByStream != null) {
          return NumberedLine.rejected(
              first == 0 ? lines.number() : first, refusedByStream, record + lines.shown());
        }
        return first == 0
            ? null
            : NumberedLine.rejected(first, Reasons.CSV_MALFORMED, record.toString());
      }
      first = first == 0 ? lines.number() : first;
      Optional<String> text = lines.text();
      if (lines.isTooLong()) {
        refusal = Reasons.LINE_TOO_LONG;
      } else if (lines.hasNul()) {
        refusal = Reasons.BINARY;
      } else if (text.isEmpty()) {
        refusal = Reasons.NOT_UTF8;
      } else if (record.length() + text.get().length() > maxRecordChars) {
        refusal = Reasons.LINE_TOO_LONG; // a quote that is never closed takes no more than this
      }
      if (refusal != null) {
        return parser == null
            ? header("")
            : NumberedLine.rejected(first, refusal, record + lines.shown());
      }
      record.append(text.get());
      if (quotes.closedAfter(text.get())) {
        return parser == null ? header(record.toString()) : parsed(first, record.toString());
      }
      record.append('\n');
    }
  }

  /** False at the end, where a broken stream has left its reason. */
  private boolean advance() throws IOException {
    try {
      if (lines.next()) {
        return true;
      }
    } catch (UncheckedIOException e) {
      throw e.getCause();
    } catch (IOException e) {
      refusedByStream = Reasons.GZIP_TRUNCATED;
    }
    ended = true;
    return false;
  }

  private NumberedLine header(String record) {
    parser = parserOf.apply(record.startsWith(BYTE_ORDER_MARK) ? record.substring(1) : record);
    return null;
  }

  private NumberedLine parsed(long first, String record) {
    return record.isBlank()
        ? NumberedLine.rejected(first, Reasons.EMPTY_LINE, record)
        : NumberedLine.of(first, parser.parse(record), record);
  }

  @Override
  public void close() throws IOException {
    in.close();
  }

  /** Whether a quoted field is open, by RFC 4180: only a field's first character opens it. */
  private static final class Quotes {
    private boolean open;

    boolean closedAfter(String line) {
      boolean fieldStart = !open;
      for (int i = 0; i < line.length(); i++) {
        char c = line.charAt(i);
        if (open) {
          if (c == '"') {
            if (i + 1 < line.length() && line.charAt(i + 1) == '"') {
              i++;
            } else {
              open = false;
            }
          }
        } else if (c == '"' && fieldStart) {
          open = true;
        }
        fieldStart = !open && c == ',';
      }
      return !open;
    }
  }
}
