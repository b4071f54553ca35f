package io.metashard.logs;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Optional;
import org.apache.hadoop.io.compress.DecompressorStream;
import org.apache.hadoop.io.compress.zlib.BuiltInGzipDecompressor;

/** Lines of a text log, plain or gzip, whatever it is called. */
final class TextLogReader implements LogReader {
  private static final int GZIP_FIRST = 0x1f;
  private static final int GZIP_SECOND = 0x8b;
  private static final int BUFFER_BYTES = 64 * 1024;

  private final InputStream in;
  private final LineReader lines;
  private final LineParser parser;
  private boolean ended;

  private TextLogReader(InputStream in, int maxLineBytes, LineParser parser) {
    this.in = in;
    this.lines = new LineReader(in, maxLineBytes);
    this.parser = parser;
  }

  /** Takes over the stream. */
  static TextLogReader open(InputStream storage, int maxLineBytes, LineParser parser)
      throws IOException {
    return new TextLogReader(decompressed(storage), maxLineBytes, parser);
  }

  /**
   * The stream's text. Hadoop's decompressor and not {@link java.util.zip.GZIPInputStream}, which
   * takes a moment without available bytes between two members for the end of the file.
   */
  static InputStream decompressed(InputStream storage) throws IOException {
    BufferedInputStream in = new BufferedInputStream(new StorageStream(storage), BUFFER_BYTES);
    in.mark(2);
    boolean gzip = in.read() == GZIP_FIRST && in.read() == GZIP_SECOND;
    in.reset();
    return gzip ? new DecompressorStream(in, new BuiltInGzipDecompressor(), BUFFER_BYTES) : in;
  }

  @Override
  public NumberedLine next() throws IOException {
    if (ended) {
      return null;
    }
    try {
      if (!lines.next()) {
        ended = true;
        return null;
      }
    } catch (UncheckedIOException e) {
      throw e.getCause();
    } catch (IOException e) {
      ended = true;
      return NumberedLine.rejected(lines.number(), Reasons.GZIP_TRUNCATED, lines.shown());
    }
    return parsed();
  }

  private NumberedLine parsed() {
    if (lines.isTooLong()) {
      return NumberedLine.rejected(lines.number(), Reasons.LINE_TOO_LONG, lines.shown());
    }
    if (lines.hasNul()) {
      return NumberedLine.rejected(lines.number(), Reasons.BINARY, lines.shown());
    }
    Optional<String> text = lines.text();
    if (text.isEmpty()) {
      return NumberedLine.rejected(lines.number(), Reasons.NOT_UTF8, lines.shown());
    }
    if (text.get().isBlank()) {
      return NumberedLine.rejected(lines.number(), Reasons.EMPTY_LINE, text.get());
    }
    return NumberedLine.of(lines.number(), parser.parse(text.get()), text.get());
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
