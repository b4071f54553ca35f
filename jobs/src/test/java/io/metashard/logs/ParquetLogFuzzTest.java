package io.metashard.logs;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.sun.management.ThreadMXBean;
import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.time.Instant;
import java.util.List;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.PositionedReadable;
import org.apache.hadoop.fs.Seekable;

class ParquetLogFuzzTest {
  private static final Instant LIMIT = Instant.parse("2026-02-01T00:00:00Z");

  /** Some pages, and what Parquet's thrift takes for a list that a header says it has. */
  private static final long MOST_BYTES = 1L << 30;

  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  @FuzzTest
  void anyFileGivesSoundRowsAndOneReasonWhereItBreaks(byte[] file) throws IOException {
    long before = THREADS.getCurrentThreadAllocatedBytes();
    int rows = 0;
    ParsedLine last = null;
    try (LogReader reader =
        new ParquetLogReader(
            new FSDataInputStream(new Bytes(file)),
            file.length,
            new RequestChecks(LIMIT),
            new ClientRules(List.of()))) {
      for (NumberedLine line = reader.next(); line != null; line = reader.next()) {
        rows++;
        last = line.parsed();
        assertThat(line.number()).isEqualTo(rows);
        SoundLines.require(last, Integer.MAX_VALUE, LIMIT);
        if (rows > 10_000) {
          break; // of a constant column
        }
      }
    }
    assertThat((long) rows).isLessThanOrEqualTo(file.length * ParquetLimits.MAX_ROWS_PER_BYTE + 1);
    if (rows == 1 && file.length < 12) {
      assertThat(last).isEqualTo(new ParsedLine.Rejected(Reasons.PARQUET_BROKEN));
    }
    long taken = THREADS.getCurrentThreadAllocatedBytes() - before;
    assertThat(taken).isLessThan(MOST_BYTES);
  }

  /** A file in memory, as Hadoop opens one. */
  private static final class Bytes extends ByteArrayInputStream
      implements Seekable, PositionedReadable {
    Bytes(byte[] bytes) {
      super(bytes);
    }

    @Override
    public void seek(long position) throws IOException {
      if (position < 0 || position > count) {
        throw new EOFException("no byte " + position);
      }
      pos = (int) position;
    }

    @Override
    public long getPos() {
      return pos;
    }

    @Override
    public boolean seekToNewSource(long position) {
      return false;
    }

    @Override
    public int read(long position, byte[] buffer, int offset, int length) throws IOException {
      seek(position);
      return read(buffer, offset, length);
    }

    @Override
    public void readFully(long position, byte[] buffer, int offset, int length) throws IOException {
      seek(position);
      if (readNBytes(buffer, offset, length) < length) {
        throw new EOFException("the file ends");
      }
    }

    @Override
    public void readFully(long position, byte[] buffer) throws IOException {
      readFully(position, buffer, 0, buffer.length);
    }
  }
}
