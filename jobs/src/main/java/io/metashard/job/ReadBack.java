package io.metashard.job;

import io.metashard.ObjectIds;
import io.metashard.read.MetaShardReader;
import io.metashard.read.ServedObject;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Whether what a map serves is what was noted of it: the same objects, at the same versions, with
 * the bytes of their sources.
 *
 * @param objects that the map serves
 * @param equal of them, byte for byte what their source was
 * @param unknown of them, read without an error, whose source had moved on when it was noted
 * @param wrong objects, those that are not served but were among them
 * @param problems what is wrong with the first of these
 */
record ReadBack(
    long objects, long equal, long unknown, long wrong, long bytes, List<String> problems) {
  private static final int MOST_PROBLEMS = 10;

  ReadBack {
    problems = List.copyOf(problems);
  }

  /** Reads every object of a map, bucket by bucket. */
  static ReadBack of(MetaShardReader reader, Path noted) throws IOException {
    Count count = new Count();
    try (BufferedReader lines = Files.newBufferedReader(noted)) {
      NotedSources.Noted next = next(lines);
      for (int bucket = 0; bucket < reader.lookup().buckets(); bucket++) {
        Map<String, NotedSources.Noted> expected = new TreeMap<>();
        while (next != null && next.bucket() == bucket) {
          expected.put(next.objectId(), next);
          next = next(lines);
        }
        Map<String, ServedObject> served = reader.lookup().objects(bucket);
        for (ServedObject object : served.values()) {
          count.read(reader, object, expected.remove(object.objectId()));
        }
        expected.keySet().forEach(count::missing);
      }
      for (; next != null; next = next(lines)) {
        count.missing(next.objectId()); // of a bucket that the map does not have
      }
    }
    return count.found(reader.statistics().bytesServed());
  }

  private static NotedSources.Noted next(BufferedReader lines) throws IOException {
    String line = lines.readLine();
    return line == null ? null : NotedSources.read(line);
  }

  boolean isRight() {
    return wrong == 0;
  }

  /** For a cell of a table. */
  String text() {
    return isRight()
        ? "%d of %d%s"
            .formatted(equal, objects, unknown == 0 ? "" : ", %d unknown".formatted(unknown))
        : "WRONG: %d of %d".formatted(wrong, objects);
  }

  /** The counts so far. */
  private static final class Count {
    private long objects;
    private long equal;
    private long unknown;
    private long wrong;
    private final List<String> problems = new ArrayList<>();

    void missing(String objectId) {
      wrong(objectId, "is not served");
    }

    void read(MetaShardReader reader, ServedObject object, NotedSources.Noted noted) {
      objects++;
      String objectId = object.objectId();
      if (noted == null) {
        wrong(objectId, "is served, and was not after that night");
        return;
      }
      if (!noted.objectVersion().equals(object.objectVersion())) {
        wrong(
            objectId,
            "is served at version %s, and was at %s"
                .formatted(
                    ObjectIds.printable(object.objectVersion()),
                    ObjectIds.printable(noted.objectVersion())));
        return;
      }
      MessageDigest digest = NotedSources.sha256();
      try {
        reader.copy(
            objectId,
            0,
            Long.MAX_VALUE,
            new DigestOutputStream(OutputStream.nullOutputStream(), digest));
      } catch (IOException e) {
        wrong(objectId, "cannot be read: " + Failures.message(e));
        return;
      }
      if (noted.sha256() == null) {
        unknown++;
      } else if (noted.sha256().equals(HexFormat.of().formatHex(digest.digest()))) {
        equal++;
      } else {
        wrong(objectId, "has other bytes than its source had");
      }
    }

    private void wrong(String objectId, String what) {
      wrong++;
      if (problems.size() < MOST_PROBLEMS) {
        problems.add("object %s %s".formatted(ObjectIds.printable(objectId), what));
      }
    }

    ReadBack found(long bytes) {
      return new ReadBack(objects, equal, unknown, wrong, bytes, problems);
    }
  }
}
