package io.metashard.logs;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Set;
import org.apache.parquet.ParquetReadOptions;
import org.apache.parquet.bytes.BytesInput;
import org.apache.parquet.column.ColumnDescriptor;
import org.apache.parquet.column.page.DataPage;
import org.apache.parquet.column.page.DictionaryPage;
import org.apache.parquet.column.page.PageReadStore;
import org.apache.parquet.column.page.PageReader;
import org.apache.parquet.compression.CompressionCodecFactory;
import org.apache.parquet.hadoop.metadata.BlockMetaData;
import org.apache.parquet.hadoop.metadata.ColumnChunkMetaData;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.hadoop.metadata.ParquetMetadata;
import org.apache.parquet.hadoop.util.HadoopCodecs;
import org.apache.parquet.io.ParquetDecodingException;

/**
 * What a Parquet log may claim of itself. Parquet's reader takes memory for what a file says before
 * it looks whether the file has it; a file of a hundred bytes must not take a task down, nor give
 * it rows for ever.
 */
final class ParquetLimits {
  /** Largest page, decompressed; writers make pages of about 1 MiB. */
  static final int MAX_PAGE_BYTES = 64 << 20;

  /** Rows that a byte of a file may stand for: columns of one value compress very well. */
  static final long MAX_ROWS_PER_BYTE = 1024;

  private ParquetLimits() {}

  /** How logs are read: pages are decompressed only up to {@link #MAX_PAGE_BYTES}. */
  static ParquetReadOptions options() {
    return ParquetReadOptions.builder()
        .withCodecFactory(new Codecs(HadoopCodecs.newFactory(0)))
        .build();
  }

  /**
   * Refuses a footer that names more than the file can hold.
   *
   * @param columns that will be read
   */
  static void require(ParquetMetadata footer, Set<String> columns, long fileBytes) {
    long rows = 0;
    for (BlockMetaData group : footer.getBlocks()) {
      long most = fileBytes * MAX_ROWS_PER_BYTE - rows;
      if (group.getRowCount() < 0 || group.getRowCount() > most) {
        throw new ParquetDecodingException(
            "a row group of %d rows in a file of %d bytes"
                .formatted(group.getRowCount(), fileBytes));
      }
      rows += group.getRowCount();
      for (ColumnChunkMetaData chunk : group.getColumns()) {
        boolean read = columns.contains(chunk.getPath().toArray()[0]);
        long start = chunk.getStartingPos();
        long bytes = chunk.getTotalSize();
        if (read && (start < 0 || bytes < 0 || start > fileBytes || bytes > fileBytes - start)) {
          throw new ParquetDecodingException(
              "a column of %d bytes at %d of a file of %d bytes"
                  .formatted(bytes, start, fileBytes));
        }
      }
    }
  }

  /** The pages, with dictionaries that hold as many values as they say. */
  static PageReadStore checked(PageReadStore pages) {
    return new CheckedPages(pages);
  }

  private record CheckedPages(PageReadStore pages) implements PageReadStore {
    @Override
    public PageReader getPageReader(ColumnDescriptor column) {
      return new CheckedPageReader(pages.getPageReader(column));
    }

    @Override
    public long getRowCount() {
      return pages.getRowCount();
    }
  }

  private record CheckedPageReader(PageReader pages) implements PageReader {
    @Override
    public DictionaryPage readDictionaryPage() {
      DictionaryPage page = pages.readDictionaryPage();
      if (page != null
          && (page.getDictionarySize() < 0 || page.getDictionarySize() > page.getBytes().size())) {
        throw new ParquetDecodingException(
            "a dictionary of %d values in %d bytes"
                .formatted(page.getDictionarySize(), page.getBytes().size()));
      }
      return page;
    }

    @Override
    public long getTotalValueCount() {
      return pages.getTotalValueCount();
    }

    @Override
    public DataPage readPage() {
      return pages.readPage();
    }
  }

  private record Codecs(CompressionCodecFactory all) implements CompressionCodecFactory {
    @Override
    public BytesInputCompressor getCompressor(CompressionCodecName name) {
      return all.getCompressor(name);
    }

    @Override
    public BytesInputDecompressor getDecompressor(CompressionCodecName name) {
      return new CheckedDecompressor(all.getDecompressor(name));
    }

    @Override
    public void release() {
      all.release();
    }
  }

  private record CheckedDecompressor(CompressionCodecFactory.BytesInputDecompressor codec)
      implements CompressionCodecFactory.BytesInputDecompressor {
    @Override
    public BytesInput decompress(BytesInput bytes, int decompressedBytes) throws IOException {
      require(decompressedBytes);
      return codec.decompress(bytes, decompressedBytes);
    }

    @Override
    public void decompress(
        ByteBuffer in, int compressedBytes, ByteBuffer out, int decompressedBytes)
        throws IOException {
      require(decompressedBytes);
      codec.decompress(in, compressedBytes, out, decompressedBytes);
    }

    private static void require(int decompressedBytes) throws IOException {
      if (decompressedBytes < 0 || decompressedBytes > MAX_PAGE_BYTES) {
        throw new IOException(
            "a page of %d bytes when decompressed, at most %d are read"
                .formatted(decompressedBytes, MAX_PAGE_BYTES));
      }
    }

    @Override
    public void release() {
      codec.release();
    }
  }
}
