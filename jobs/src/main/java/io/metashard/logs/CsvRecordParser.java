package io.metashard.logs;

import com.univocity.parsers.common.TextParsingException;
import com.univocity.parsers.csv.CsvParser;
import com.univocity.parsers.csv.CsvParserSettings;
import com.univocity.parsers.csv.UnescapedQuoteHandling;
import java.util.Arrays;
import java.util.List;

/**
 * Records of a CSV file whose header names columns of {@link Requests}; others are ignored. Only
 * {@code ts} and {@code object_id} must be there.
 */
public final class CsvRecordParser implements LineParser {
  private static final int MAX_COLUMNS = 512;

  private final CsvParser parser;
  private final RequestChecks checks;
  private final ClientRules clients;
  private final List<String> header;

  /**
   * @param header first record of the file
   * @param maxRecordChars bound of a field, as of a record
   */
  public CsvRecordParser(
      String header, int maxRecordChars, RequestChecks checks, ClientRules clients) {
    this.parser = new CsvParser(settings(maxRecordChars));
    this.checks = checks;
    this.clients = clients;
    String[] names = fields(header);
    this.header = names == null ? List.of() : Arrays.asList(names);
  }

  private static CsvParserSettings settings(int maxRecordChars) {
    CsvParserSettings settings = new CsvParserSettings();
    settings.getFormat().setLineSeparator("\n");
    settings.getFormat().setComment('\0'); // else an id that begins with # would vanish
    settings.setLineSeparatorDetectionEnabled(false);
    settings.setIgnoreLeadingWhitespaces(false);
    settings.setIgnoreTrailingWhitespaces(false);
    settings.setSkipEmptyLines(false);
    settings.setMaxCharsPerColumn(maxRecordChars + 1);
    settings.setMaxColumns(MAX_COLUMNS);
    settings.setUnescapedQuoteHandling(UnescapedQuoteHandling.STOP_AT_DELIMITER);
    settings.setEmptyValue("");
    return settings;
  }

  /** Null when it cannot be parsed. */
  private String[] fields(String record) {
    try {
      return parser.parseLine(record);
    } catch (TextParsingException e) {
      return null; // more columns than can be
    }
  }

  @Override
  public ParsedLine parse(String record) {
    try {
      return request(record);
    } catch (RefusedLineException e) {
      return new ParsedLine.Rejected(e.reason());
    }
  }

  private ParsedLine request(String record) {
    if (!header.contains(Requests.TS) || !header.contains(Requests.OBJECT_ID)) {
      throw new RefusedLineException(Reasons.COLUMN_MISSING);
    }
    String[] fields = fields(record);
    if (fields == null) {
      throw new RefusedLineException(Reasons.CSV_MALFORMED);
    }
    if (fields.length != header.size()) {
      throw new RefusedLineException(Reasons.FIELD_COUNT);
    }
    String operation = field(fields, Requests.OPERATION);
    String client = field(fields, Requests.CLIENT);
    return checks.request(
        Timestamps.iso(field(fields, Requests.TS)),
        field(fields, Requests.OBJECT_ID),
        RequestChecks.rangeBound(field(fields, Requests.RANGE_START)),
        RequestChecks.rangeBound(field(fields, Requests.RANGE_END)),
        RequestChecks.status(field(fields, Requests.STATUS), RowDefaults.STATUS),
        RequestChecks.bytes(field(fields, Requests.BYTES_SENT)),
        clients.operation(operation == null ? RowDefaults.OPERATION : operation, client),
        client);
  }

  /** Null when the column is missing or the field empty. */
  private String field(String[] fields, String column) {
    int index = header.indexOf(column);
    String field = index < 0 ? null : fields[index];
    return field == null || field.isEmpty() ? null : field;
  }
}
