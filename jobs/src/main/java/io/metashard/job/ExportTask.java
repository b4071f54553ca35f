package io.metashard.job;

import io.metashard.ObjectIds;
import io.metashard.job.ExportManifest.Line;
import io.metashard.job.ExportTarget.Content;
import io.metashard.job.ExportTarget.RefusedException;
import io.metashard.job.ExportTarget.Written;
import io.metashard.read.MetaShardReader;
import io.metashard.read.ReadOptions;
import io.metashard.read.UnreadableRangeException;
import io.metashard.store.SourceFiles;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.nio.file.FileAlreadyExistsException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.util.SerializableConfiguration;

/**
 * Exports the objects of one partition, one after the other, and writes down what became of each.
 * Doing it again finds what is there.
 *
 * @param mapVersion of the map that is read; negative where nothing was encoded yet
 * @param target folder that is written to
 * @param attempt of the run: no other process has it
 * @param fallback what becomes of an object that the map does not have, or cannot give
 */
record ExportTask(
    String lakeRoot,
    long mapVersion,
    String target,
    String runId,
    String attempt,
    ReadOptions.Fallback fallback,
    ExportTarget.ReadBack readBack,
    SerializableConfiguration hadoop)
    implements MapPartitionsFunction<Row, Row> {
  static final String BUCKET = "bucket";
  static final String IN_MAP = "in_map";

  /** Of the source, while it is at {@code object_version}; else null. */
  static final String URI = "uri";

  /** Whether other objects' names have this one's as a folder. */
  static final String IS_FOLDER = "is_folder";

  static final String KNOWN_SHA256 = "known_sha256";
  static final String KNOWN_CRC32C = "known_crc32c";
  static final String KNOWN_MODIFIED_MILLIS = "known_modified_millis";

  /** What comes of a partition: one row of sums. */
  static final StructType SUMS =
      new StructType()
          .add("objects_written", DataTypes.LongType, false)
          .add("bytes_written", DataTypes.LongType, false)
          .add("objects_present", DataTypes.LongType, false)
          .add("objects_refused", DataTypes.LongType, false)
          .add("objects_failed", DataTypes.LongType, false)
          .add("objects_from_source", DataTypes.LongType, false)
          .add("objects_rebuilt", DataTypes.LongType, false)
          .add("rebuilt_bytes", DataTypes.LongType, false);

  private static final int BUFFER_BYTES = 1 << 20;

  @Override
  public Iterator<Row> call(Iterator<Row> objects) throws IOException {
    if (!objects.hasNext()) {
      return List.<Row>of().iterator();
    }
    TaskContext task = TaskContext.get();
    String writer = "%s-%d".formatted(attempt, task.taskAttemptId());
    ExportTarget out = new ExportTarget(target, runId, writer, hadoop.value());
    List<Line> lines = new ArrayList<>(); // as many as one task may have
    try (MetaShardReader reader = reader()) {
      Exporter exporter = new Exporter(reader, out);
      while (objects.hasNext()) {
        if (task.isInterrupted()) {
          throw new InterruptedIOException("The task was stopped");
        }
        lines.add(exporter.export(objects.next()));
      }
    }
    byte[] manifest = ExportManifest.encode(lines);
    out.write(
        "%s/%s/%s.json".formatted(ExportManifest.FOLDER, runId, writer),
        manifest.length,
        stream -> stream.write(manifest),
        ExportTarget.ReadBack.ALL);
    return List.of(sums(lines)).iterator();
  }

  private MetaShardReader reader() throws IOException {
    // The source is another content, whole: an object is not put together of both.
    ReadOptions options = new ReadOptions(ReadOptions.Fallback.NONE);
    return mapVersion < 0
        ? MetaShardReader.open(lakeRoot, options, hadoop.value())
        : MetaShardReader.openAt(lakeRoot, mapVersion, options, hadoop.value());
  }

  private static Row sums(List<Line> lines) {
    long[] sums = new long[SUMS.size()];
    for (Line line : lines) {
      switch (line.state()) {
        case ExportManifest.WRITTEN -> {
          sums[0]++;
          sums[1] += line.objectBytes();
        }
        case ExportManifest.PRESENT -> sums[2]++;
        case ExportManifest.REFUSED -> sums[3]++;
        default -> sums[4]++;
      }
      sums[5] += "source".equals(line.readFrom()) ? 1 : 0;
      sums[6] += line.rebuiltBytes() > 0 ? 1 : 0;
      sums[7] += line.rebuiltBytes();
    }
    return RowFactory.create((Object[]) java.util.Arrays.stream(sums).boxed().toArray(Long[]::new));
  }

  /** Exports object by object; objects of one bucket come one after the other. */
  private final class Exporter {
    private final MetaShardReader reader;
    private final ExportTarget out;
    private int bucket = -1;

    Exporter(MetaShardReader reader, ExportTarget out) {
      this.reader = reader;
      this.out = out;
    }

    Line export(Row row) throws IOException {
      Export export = new Export(row);
      try {
        return export.run();
      } catch (InterruptedIOException | java.nio.channels.ClosedByInterruptException e) {
        throw e; // of the task, not of the object
      } catch (RefusedException e) {
        return export.line(ExportManifest.REFUSED, null, e.getMessage());
      } catch (IOException | java.io.UncheckedIOException | IllegalArgumentException e) {
        if (Thread.currentThread().isInterrupted()) {
          throw e;
        }
        return export.line(ExportManifest.FAILED, null, Failures.message(e));
      }
    }

    /** One object on its way. */
    private final class Export {
      private final Row row;
      private final String id;
      private final String version;
      private final long bytes;
      private String readFrom;
      private long rebuiltBytes;

      Export(Row row) {
        this.row = row;
        this.id = row.getAs(ExportManifest.OBJECT_ID);
        this.version = row.getAs(ExportManifest.OBJECT_VERSION);
        this.bytes = row.<Long>getAs(ExportManifest.OBJECT_BYTES);
      }

      Line line(String state, Written written, String reason) {
        return new Line(id, version, bytes, state, written, readFrom, rebuiltBytes, reason);
      }

      Line run() throws IOException {
        Optional<String> problem = ExportNames.problem(id, out.kind());
        if (problem.isPresent()) {
          throw new RefusedException(problem.get());
        }
        if (row.<Boolean>getAs(IS_FOLDER)) {
          throw new RefusedException(
              "other objects' names begin with its name and a slash: it would have to be a file and a folder");
        }
        Optional<FileStatus> there = out.find(id);
        if (there.isPresent()) {
          return present(there.get());
        }
        try {
          return line(
              ExportManifest.WRITTEN,
              read(content -> out.write(id, bytes, content, readBack)),
              null);
        } catch (FileAlreadyExistsException e) {
          return present(out.find(id).orElseThrow(() -> e)); // another attempt of this task
        }
      }

      private Line present(FileStatus there) throws IOException {
        if (there.getLen() != bytes) {
          throw new RefusedException(
              "another file has its name at the target: it has %d bytes, the object %d; nothing is ever overwritten"
                  .formatted(there.getLen(), bytes));
        }
        String known = row.getAs(KNOWN_SHA256);
        if (known != null
            && row.<Long>getAs(KNOWN_MODIFIED_MILLIS) == there.getModificationTime()) {
          return line(
              ExportManifest.PRESENT,
              new Written(bytes, known, row.<Long>getAs(KNOWN_CRC32C), there.getModificationTime()),
              null);
        }
        Optional<Written> equal = read(content -> out.compare(id, there, content));
        return line(
            ExportManifest.PRESENT,
            equal.orElseThrow(
                () ->
                    new RefusedException(
                        "another file has its name at the target: as long as the object, with other bytes; nothing is ever overwritten")),
            null);
      }

      /** Uses the object's bytes: from the map, or, where that cannot give them, the source. */
      private <T> T read(Use<T> use) throws IOException {
        String uri = row.getAs(URI);
        boolean maySource = fallback == ReadOptions.Fallback.SOURCE && uri != null;
        if (row.<Boolean>getAs(IN_MAP)) {
          readFrom = "map";
          try {
            return use.of(this::copyFromMap);
          } catch (UnreadableRangeException e) {
            if (!maySource) {
              throw e;
            }
          }
        }
        if (!maySource) {
          throw new IOException(
              "Cannot read object %s: it is not encoded yet, and read.fallback is false"
                  .formatted(ObjectIds.printable(id)));
        }
        readFrom = "source";
        rebuiltBytes = 0;
        return use.of(stream -> copyFromSource(hadoop.value(), uri, stream));
      }

      private void copyFromMap(java.io.OutputStream stream) throws IOException {
        int own = row.<Integer>getAs(BUCKET);
        if (own != bucket) {
          reader.lookup().objects(own); // its rows stay for what is read of it next
          bucket = own;
        }
        long before = reader.statistics().rebuiltBytes();
        reader.copy(id, 0, Long.MAX_VALUE, stream);
        rebuiltBytes = reader.statistics().rebuiltBytes() - before;
      }

      private void copyFromSource(Configuration hadoop, String uri, java.io.OutputStream stream)
          throws IOException {
        byte[] buffer = new byte[(int) Math.min(BUFFER_BYTES, Math.max(1, bytes))];
        try (InputStream in = SourceFiles.open(hadoop, id, uri, version, 0, bytes)) {
          for (long left = bytes; left > 0; ) {
            int part = (int) Math.min(buffer.length, left);
            SourceFiles.readFully(in, buffer, part, id);
            stream.write(buffer, 0, part);
            left -= part;
          }
        }
        SourceFiles.requireVersion(hadoop, id, uri, version); // nor changed meanwhile
      }
    }
  }

  /** What is done with an object's bytes. */
  private interface Use<T> {
    T of(Content content) throws IOException;
  }
}
