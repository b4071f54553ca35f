package io.metashard.job;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.metashard.ObjectIds;
import io.metashard.ObjectVersions;
import io.metashard.catalogue.Listing;
import io.metashard.catalogue.RejectedObjects;
import io.metashard.catalogue.SourceRoot;
import java.io.Closeable;
import java.io.IOException;
import java.time.Instant;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/**
 * Writes what the roots hold as two files of JSON lines, as it is found: a listing of millions
 * takes no memory, and Spark reads the files in parallel.
 */
final class StagedListing implements Closeable {
  private static final String LISTED = "listed.json";
  private static final String REJECTED = "rejected.json";

  private final JsonGenerator listed;
  private final JsonGenerator rejected;
  private final Instant at;
  private final String runId;

  /**
   * @param folder what is there is written over
   */
  StagedListing(Path folder, Configuration hadoop, Instant at, String runId) throws IOException {
    this.listed = generator(listed(folder), hadoop);
    this.rejected = generator(rejected(folder), hadoop);
    this.at = at;
    this.runId = runId;
  }

  static Path listed(Path folder) {
    return new Path(folder, LISTED);
  }

  static Path rejected(Path folder) {
    return new Path(folder, REJECTED);
  }

  private static JsonGenerator generator(Path file, Configuration hadoop) throws IOException {
    JsonGenerator generator =
        new JsonFactory()
            .createGenerator((java.io.OutputStream) file.getFileSystem(hadoop).create(file, true));
    // One object a line; line breaks within values are escaped.
    generator.setRootValueSeparator(new com.fasterxml.jackson.core.io.SerializedString("\n"));
    return generator;
  }

  /** Walks a root to its end. */
  Found add(SourceRoot root, Path path, Configuration hadoop) throws IOException {
    Found found = new Found();
    RootWalk.walk(
        path,
        hadoop,
        new RootWalk.Visitor() {
          @Override
          public void file(String id, String uri, long bytes, long modifiedMillis, String etag)
              throws IOException {
            SourceRoot.Choice choice =
                root.choice(id, bytes, Instant.ofEpochMilli(modifiedMillis), at);
            if (choice == SourceRoot.Choice.LEFT) {
              found.left++;
              return;
            }
            boolean waiting = choice == SourceRoot.Choice.WAITING;
            if (waiting) {
              found.waiting++;
            } else {
              found.taken++;
            }
            listed.writeStartObject();
            listed.writeStringField(Listing.OBJECT_ID, id);
            listed.writeStringField(Listing.URI, uri);
            listed.writeStringField(Listing.ROOT, root.name());
            listed.writeNumberField(Listing.OBJECT_BYTES, bytes);
            listed.writeStringField(
                Listing.OBJECT_VERSION, ObjectVersions.of(etag, bytes, modifiedMillis));
            listed.writeNumberField(Listing.MODIFIED_MILLIS, modifiedMillis);
            listed.writeBooleanField(Listing.WAITING, waiting);
            listed.writeEndObject();
          }

          @Override
          public void refused(String name, String reason) throws IOException {
            found.rejected++;
            rejected.writeStartObject();
            rejected.writeStringField(RejectedObjects.RUN_ID, runId);
            rejected.writeStringField(RejectedObjects.ROOT, root.name());
            rejected.writeStringField(RejectedObjects.REASON, reason);
            rejected.writeStringField(RejectedObjects.NAME, ObjectIds.printable(name));
            rejected.writeEndObject();
          }
        });
    return found;
  }

  @Override
  public void close() throws IOException {
    try (listed;
        rejected) {
      listed.flush();
      rejected.flush();
    }
  }

  /** Names that a walk came upon. */
  static final class Found {
    private long taken;
    private long waiting;
    private long left;
    private long rejected;

    Found() {}

    Found(long taken, long waiting, long left, long rejected) {
      this.taken = taken;
      this.waiting = waiting;
      this.left = left;
      this.rejected = rejected;
    }

    long taken() {
      return taken;
    }

    long waiting() {
      return waiting;
    }

    /** Left alone by include, exclude and min-bytes. */
    long left() {
      return left;
    }

    long rejected() {
      return rejected;
    }
  }
}
