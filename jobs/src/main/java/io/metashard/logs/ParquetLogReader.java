package io.metashard.logs;

import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.parquet.column.page.PageReadStore;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.convert.GroupRecordConverter;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.io.ColumnIOFactory;
import org.apache.parquet.io.DelegatingSeekableInputStream;
import org.apache.parquet.io.InputFile;
import org.apache.parquet.io.RecordReader;
import org.apache.parquet.io.SeekableInputStream;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.TimestampLogicalTypeAnnotation;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;
import org.apache.parquet.schema.Type;

/**
 * Rows of a Parquet log with columns of {@link Requests}; others are not read.
 *
 * <p>Read here and not by Spark's own source: writers disagree on types (pandas writes a column of
 * whole numbers that has gaps as doubles, and times in nanoseconds), each row needs its number, and
 * one broken file must not fail the rest.
 */
final class ParquetLogReader implements LogReader {
  private static final Set<String> COLUMNS =
      Set.of(
          Requests.TS,
          Requests.OBJECT_ID,
          Requests.RANGE_START,
          Requests.RANGE_END,
          Requests.STATUS,
          Requests.BYTES_SENT,
          Requests.OPERATION,
          Requests.CLIENT);

  /** Julian day number of 1970-01-01. */
  private static final long EPOCH_JULIAN_DAY = 2_440_588;

  private final FSDataInputStream in;
  private final long fileBytes;
  private final RequestChecks checks;
  private final ClientRules clients;
  private ParquetFileReader file;
  private MessageType schema;
  private String refusal;
  private RecordReader<Group> rows;
  private long rowsLeft;
  private long number;
  private boolean ended;

  /** Takes over the stream. */
  ParquetLogReader(
      FSDataInputStream in, long fileBytes, RequestChecks checks, ClientRules clients) {
    this.in = in;
    this.fileBytes = fileBytes;
    this.checks = checks;
    this.clients = clients;
  }

  @Override
  public NumberedLine next() throws IOException {
    if (ended) {
      return null;
    }
    number++;
    Group row;
    try {
      if (file == null) {
        open();
      }
      while (rowsLeft == 0) {
        PageReadStore pages = file.readNextRowGroup();
        if (pages == null) {
          ended = true;
          return null;
        }
        rowsLeft = pages.getRowCount();
        rows =
            new ColumnIOFactory()
                .getColumnIO(schema)
                .getRecordReader(ParquetLimits.checked(pages), new GroupRecordConverter(schema));
      }
      row = rows.read();
      rowsLeft--;
    } catch (UncheckedIOException e) {
      throw e.getCause();
    } catch (IOException | RuntimeException e) {
      ended = true;
      return NumberedLine.rejected(number, Reasons.PARQUET_BROKEN, String.valueOf(e));
    }
    ParsedLine parsed = parsed(row);
    String text = parsed instanceof ParsedLine.Rejected ? refusedText(row) : null;
    return NumberedLine.of(number, parsed, text);
  }

  private void open() throws IOException {
    file = ParquetFileReader.open(new LogInputFile(in, fileBytes), ParquetLimits.options());
    ParquetLimits.require(file.getFooter(), COLUMNS, fileBytes);
    List<Type> wanted = new ArrayList<>();
    for (Type field : file.getFileMetaData().getSchema().getFields()) {
      if (COLUMNS.contains(field.getName())) {
        if (field.isPrimitive() && !field.isRepetition(Type.Repetition.REPEATED)) {
          wanted.add(field);
        } else {
          refusal = Reasons.COLUMN_TYPE;
        }
      }
    }
    schema = new MessageType("requests", wanted);
    file.setRequestedSchema(schema);
    if (refusal == null
        && !(schema.containsField(Requests.TS) && schema.containsField(Requests.OBJECT_ID))) {
      refusal = Reasons.COLUMN_MISSING;
    }
  }

  private ParsedLine parsed(Group row) {
    try {
      if (refusal != null) {
        throw new RefusedLineException(refusal);
      }
      String operation = text(row, Requests.OPERATION);
      String client = text(row, Requests.CLIENT);
      Long status =
          number(row, Requests.STATUS, Reasons.STATUS_NOT_A_NUMBER, Reasons.STATUS_OUT_OF_RANGE);
      return checks.request(
          timestamp(row),
          text(row, Requests.OBJECT_ID),
          range(row, Requests.RANGE_START),
          range(row, Requests.RANGE_END),
          status == null ? RowDefaults.STATUS : status,
          number(row, Requests.BYTES_SENT, Reasons.BYTES_NOT_A_NUMBER, Reasons.BYTES_TOO_LARGE),
          clients.operation(operation == null ? RowDefaults.OPERATION : operation, client),
          client);
    } catch (RefusedLineException e) {
      return new ParsedLine.Rejected(e.reason());
    }
  }

  private static Long range(Group row, String column) {
    return number(row, column, Reasons.RANGE_NOT_A_NUMBER, Reasons.RANGE_TOO_LARGE);
  }

  private static boolean isNull(Group row, String column) {
    return !row.getType().containsField(column) || row.getFieldRepetitionCount(column) == 0;
  }

  private static PrimitiveType type(Group row, String column) {
    return row.getType().getType(column).asPrimitiveType();
  }

  private static String text(Group row, String column) {
    if (isNull(row, column)) {
      return null;
    }
    if (type(row, column).getPrimitiveTypeName() != PrimitiveTypeName.BINARY) {
      throw new RefusedLineException(Reasons.COLUMN_TYPE);
    }
    return Escapes.utf8(row.getBinary(column, 0).getBytes());
  }

  private static Long number(Group row, String column, String notANumber, String tooLarge) {
    if (isNull(row, column)) {
      return null;
    }
    PrimitiveType type = type(row, column);
    LogicalTypeAnnotation logical = type.getLogicalTypeAnnotation();
    if (logical != null
        && !(logical instanceof LogicalTypeAnnotation.IntLogicalTypeAnnotation)
        && !(logical instanceof LogicalTypeAnnotation.StringLogicalTypeAnnotation)) {
      throw new RefusedLineException(Reasons.COLUMN_TYPE); // a decimal or a time
    }
    boolean unsigned =
        logical instanceof LogicalTypeAnnotation.IntLogicalTypeAnnotation integer
            && !integer.isSigned();
    return switch (type.getPrimitiveTypeName()) {
      case INT32 ->
          unsigned
              ? Integer.toUnsignedLong(row.getInteger(column, 0))
              : (long) row.getInteger(column, 0);
      case INT64 -> signed(row.getLong(column, 0), unsigned, tooLarge);
      case DOUBLE -> RequestChecks.number(row.getDouble(column, 0), notANumber, tooLarge);
      case FLOAT -> RequestChecks.number(row.getFloat(column, 0), notANumber, tooLarge);
      case BINARY -> RequestChecks.number(text(row, column), notANumber, tooLarge);
      default -> throw new RefusedLineException(Reasons.COLUMN_TYPE);
    };
  }

  private static Long signed(long value, boolean unsigned, String tooLarge) {
    if (unsigned && value < 0) {
      throw new RefusedLineException(tooLarge);
    }
    return value;
  }

  private static Instant timestamp(Group row) {
    if (isNull(row, Requests.TS)) {
      return null;
    }
    PrimitiveType type = type(row, Requests.TS);
    try {
      return switch (type.getPrimitiveTypeName()) {
        case INT64 -> fromUnits(row.getLong(Requests.TS, 0), type.getLogicalTypeAnnotation());
        case INT96 -> fromInt96(row.getInt96(Requests.TS, 0).getBytes());
        case BINARY -> Timestamps.iso(text(row, Requests.TS));
        default -> throw new RefusedLineException(Reasons.COLUMN_TYPE);
      };
    } catch (DateTimeException | ArithmeticException e) {
      throw Timestamps.unparsable();
    }
  }

  /** Times without a zone are taken for UTC, too. */
  private static Instant fromUnits(long value, LogicalTypeAnnotation annotation) {
    if (!(annotation instanceof TimestampLogicalTypeAnnotation timestamp)) {
      throw new RefusedLineException(Reasons.COLUMN_TYPE); // a number of nobody knows what
    }
    long perSecond =
        switch (timestamp.getUnit()) {
          case MILLIS -> 1_000;
          case MICROS -> 1_000_000;
          case NANOS -> 1_000_000_000;
        };
    return Instant.ofEpochSecond(
        Math.floorDiv(value, perSecond),
        Math.floorMod(value, perSecond) * (1_000_000_000 / perSecond));
  }

  /** Nanoseconds of the day, then the Julian day, as old Spark and Impala write times. */
  private static Instant fromInt96(byte[] bytes) {
    ByteBuffer value = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    long nanos = value.getLong();
    long day = value.getInt() - EPOCH_JULIAN_DAY;
    return Instant.ofEpochSecond(day * 86_400).plusNanos(nanos);
  }

  private static String refusedText(Group row) {
    List<String> values = new ArrayList<>();
    for (Type field : row.getType().getFields()) {
      if (field.isPrimitive() && row.getFieldRepetitionCount(field.getName()) > 0) {
        values.add(
            field.getName()
                + "="
                + row.getValueToString(row.getType().getFieldIndex(field.getName()), 0));
      }
    }
    return String.join(", ", values);
  }

  @Override
  public void close() throws IOException {
    if (file != null) {
      file.close();
    }
    in.close();
  }

  /** The opened log, as Parquet wants it. */
  private record LogInputFile(FSDataInputStream in, long bytes) implements InputFile {
    @Override
    public long getLength() {
      return bytes;
    }

    @Override
    public SeekableInputStream newStream() {
      return new DelegatingSeekableInputStream(new StorageStream(in)) {
        @Override
        public long getPos() throws IOException {
          return in.getPos();
        }

        @Override
        public void seek(long position) throws IOException {
          try {
            in.seek(position);
          } catch (EOFException e) {
            throw e; // a footer that points outside the file
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        }
      };
    }
  }
}
