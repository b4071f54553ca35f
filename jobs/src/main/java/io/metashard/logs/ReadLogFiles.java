package io.metashard.logs;

import io.metashard.ObjectIds;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.Iterator;
import java.util.NoSuchElementException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.util.SerializableConfiguration;
import org.apache.spark.util.TaskCompletionListener;

/**
 * Reads log files, rows as {@link LogFiles}, line by line into {@link ParsedRows}: at any moment a
 * task holds one line (of a Parquet file: one row group).
 *
 * @param notAfter requests stamped later are refused
 */
public record ReadLogFiles(
    IngestOptions options, Instant notAfter, Broadcast<SerializableConfiguration> hadoop)
    implements MapPartitionsFunction<Row, Row> {

  @Override
  public Iterator<Row> call(Iterator<Row> files) {
    Lines lines = new Lines(this, files);
    TaskContext task = TaskContext.get();
    if (task != null) {
      TaskCompletionListener close = context -> lines.close();
      task.addTaskCompletionListener(close);
    }
    return lines;
  }

  private LogReader open(Row file) throws IOException {
    LogSource source = options.sources().get(file.<Integer>getAs(LogFiles.SOURCE));
    RequestChecks checks = new RequestChecks(notAfter);
    Path path = new Path(file.<String>getAs(LogFiles.PATH));
    FSDataInputStream in = fileSystem(path).open(path);
    int maxLineBytes = options.maxLineBytes();
    try {
      return switch (source.format()) {
        case PARQUET ->
            new ParquetLogReader(in, file.<Long>getAs(LogFiles.BYTES), checks, source.clients());
        case CSV ->
            CsvLogReader.open(
                in,
                maxLineBytes,
                header -> new CsvRecordParser(header, maxLineBytes, checks, source.clients()));
        case S3_ACCESS, COMBINED ->
            TextLogReader.open(in, maxLineBytes, source.lineParser(checks, options.buckets()));
      };
    } catch (IOException | RuntimeException e) {
      in.close();
      throw e;
    }
  }

  private FileSystem fileSystem(Path path) throws IOException {
    Configuration configuration = hadoop.value().value();
    return path.getFileSystem(configuration);
  }

  /** What was read must be what was listed: its size and time are how it is known again. */
  private void requireUnchanged(Row file) throws IOException {
    Path path = new Path(file.<String>getAs(LogFiles.PATH));
    FileStatus now = fileSystem(path).getFileStatus(path);
    long modifiedAt = file.<Timestamp>getAs(LogFiles.MODIFIED_AT).getTime();
    if (now.getLen() != file.<Long>getAs(LogFiles.BYTES)
        || now.getModificationTime() != modifiedAt) {
      throw new IOException(
          "Cannot ingest %s: it changed while it was read; log files must be complete before they"
                  .formatted(ObjectIds.printable(path.toString()))
              + " are put where ingest looks");
    }
  }

  private Row row(String file, NumberedLine line) {
    if (line.parsed() instanceof ParsedLine.Request request) {
      return RowFactory.create(
          file,
          line.number(),
          null,
          null,
          null,
          RequestChecks.micros(request.ts()),
          request.objectId(),
          request.rangeStart(),
          request.rangeEnd(),
          request.status(),
          request.bytesSent(),
          request.operation(),
          options.keepClient() ? request.client() : null);
    }
    String reason = ((ParsedLine.Rejected) line.parsed()).reason();
    String text = ObjectIds.printable(line.text());
    return RowFactory.create(
        file, line.number(), null, reason, text, null, null, null, null, null, null, null, null);
  }

  private static Row end(String file, long lines) {
    return RowFactory.create(
        file, null, lines, null, null, null, null, null, null, null, null, null, null);
  }

  /** The rows of one file after the other. */
  private static final class Lines implements Iterator<Row> {
    private final ReadLogFiles task;
    private final Iterator<Row> files;
    private Row file;
    private LogReader reader;
    private long lines;
    private Row next;

    Lines(ReadLogFiles task, Iterator<Row> files) {
      this.task = task;
      this.files = files;
    }

    @Override
    public boolean hasNext() {
      if (next == null) {
        next = advance();
      }
      return next != null;
    }

    @Override
    public Row next() {
      if (!hasNext()) {
        throw new NoSuchElementException();
      }
      Row row = next;
      next = null;
      return row;
    }

    private Row advance() {
      try {
        if (reader == null) {
          if (!files.hasNext()) {
            return null;
          }
          file = files.next();
          lines = 0;
          reader = task.open(file);
        }
        String path = file.getAs(LogFiles.PATH);
        NumberedLine line = reader.next();
        if (line != null) {
          lines++;
          return task.row(path, line);
        }
        close();
        task.requireUnchanged(file);
        return end(path, lines);
      } catch (IOException e) {
        throw new UncheckedIOException(
            "Cannot read log file %s: %s"
                .formatted(
                    ObjectIds.printable(file.<String>getAs(LogFiles.PATH), 1000), e.getMessage()),
            e);
      }
    }

    void close() {
      if (reader != null) {
        try {
          reader.close();
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        } finally {
          reader = null;
        }
      }
    }
  }
}
