package io.metashard.generate;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.function.BiConsumer;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.SimpleGroupFactory;
import org.apache.parquet.format.ColumnChunk;
import org.apache.parquet.format.FileMetaData;
import org.apache.parquet.format.RowGroup;
import org.apache.parquet.format.Util;
import org.apache.parquet.hadoop.ParquetFileWriter;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.example.ExampleParquetWriter;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.io.LocalOutputFile;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.TimeUnit;
import org.apache.parquet.schema.MessageType;

/** Writes Parquet files without Spark: the same rows give the same bytes. */
final class DemoParquet {
  /** As Spark has timestamps: microseconds, UTC. */
  static final LogicalTypeAnnotation TIMESTAMP =
      LogicalTypeAnnotation.timestampType(true, TimeUnit.MICROS);

  private DemoParquet() {}

  /**
   * Writes one file.
   *
   * @param fill puts the columns of one item into a new row
   */
  static <T> void write(
      Path file, MessageType schema, Collection<T> items, BiConsumer<Group, T> fill)
      throws IOException {
    SimpleGroupFactory rows = new SimpleGroupFactory(schema);
    try (ParquetWriter<Group> writer =
        ExampleParquetWriter.builder(new LocalOutputFile(file))
            .withConf(new PlainParquetConfiguration())
            .withType(schema)
            .withCompressionCodec(CompressionCodecName.UNCOMPRESSED)
            .build()) {
      for (T item : items) {
        Group row = rows.newGroup();
        fill.accept(row, item);
        writer.write(row);
      }
    }
    Files.write(file, withSortedEncodings(Files.readAllBytes(file)));
  }

  /**
   * The same file with each column chunk's list of encodings in order. The writer takes it from a
   * hash set of enum constants, whose order differs from one JVM to the next.
   */
  private static byte[] withSortedEncodings(byte[] file) throws IOException {
    int tail = file.length - Integer.BYTES - ParquetFileWriter.MAGIC.length;
    int footerBytes = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getInt(tail);
    int footerStart = tail - footerBytes;
    FileMetaData footer =
        Util.readFileMetaData(new ByteArrayInputStream(file, footerStart, footerBytes));
    for (RowGroup group : footer.getRow_groups()) {
      for (ColumnChunk column : group.getColumns()) {
        column.getMeta_data().getEncodings().sort(null);
      }
    }
    ByteArrayOutputStream sorted = new ByteArrayOutputStream();
    Util.writeFileMetaData(footer, sorted);
    return ByteBuffer.allocate(footerStart + sorted.size() + file.length - tail)
        .order(ByteOrder.LITTLE_ENDIAN)
        .put(file, 0, footerStart)
        .put(sorted.toByteArray())
        .putInt(sorted.size())
        .put(ParquetFileWriter.MAGIC)
        .array();
  }
}
