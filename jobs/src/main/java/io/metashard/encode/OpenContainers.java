package io.metashard.encode;

import io.metashard.Block;
import io.metashard.Location;
import io.metashard.ObjectIds;
import io.metashard.store.ContainerWriter;
import io.metashard.store.Digest;
import io.metashard.store.HadoopStore;
import io.metashard.store.ObjectStore;
import io.metashard.store.Pace;
import io.metashard.store.PacedStore;
import java.io.Closeable;
import java.io.IOException;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.TaskContext;
import org.slf4j.LoggerFactory;

/** The containers that a task has open: one a location. Not thread safe. */
final class OpenContainers implements Closeable {
  private final int frameBytes;
  private final Digest digest;
  private final Map<String, Location> locations;
  private final String prefix;
  private final Configuration hadoop;
  private final Pace pace;
  private final Map<String, ObjectStore> stores = new HashMap<>();
  private final Map<String, ContainerWriter> writers = new HashMap<>();
  private final Map<String, List<Block>> rows = new HashMap<>();
  private final List<Block> finished = new ArrayList<>();
  private String group;
  private int opened;

  /**
   * @param prefix of the containers' paths, as {@link #prefix} makes it
   */
  OpenContainers(
      int frameBytes,
      Digest digest,
      Map<String, Location> locations,
      String prefix,
      Configuration hadoop,
      Pace pace) {
    this.frameBytes = frameBytes;
    this.digest = digest;
    this.locations = locations;
    this.prefix = prefix;
    this.hadoop = hadoop;
    this.pace = pace;
  }

  /**
   * Run, stage, partition, attempt and a random id: no second attempt meets the first one's file.
   */
  static String prefix(String runId) {
    TaskContext task = TaskContext.get();
    byte[] random = new byte[8];
    new SecureRandom().nextBytes(random);
    return "containers/%s/s%d-p%d-a%d-%s"
        .formatted(
            runId,
            task.stageId(),
            task.partitionId(),
            task.taskAttemptId(),
            HexFormat.of().formatHex(random));
  }

  /** Different groups never share a container, so that what is isolated stays isolated. */
  void switchTo(String newGroup) throws IOException {
    if (!newGroup.equals(group)) {
      finishAll();
      group = newGroup;
    }
  }

  /** The open container of a location, a new one if there is none. */
  ContainerWriter open(String location) throws IOException {
    ContainerWriter writer = writers.get(location);
    if (writer == null) {
      Location found = locations.get(location);
      if (found == null) {
        throw new IllegalStateException(
            "Cannot write to location %s: the configuration does not have it; plan again"
                .formatted(ObjectIds.printable(location)));
      }
      ObjectStore store =
          stores.computeIfAbsent(
              location, name -> new PacedStore(new HadoopStore(found.uri(), hadoop), pace));
      // The location's name is in the path: a path is unique in the lake, not only in a location.
      String path = "%s-%d-%s.msc".formatted(prefix, opened++, location);
      try {
        writer = new ContainerWriter(store, path, frameBytes, digest);
      } catch (IOException e) {
        throw new IOException(
            "Cannot create container %s at location %s (%s): %s; check that the location can be written"
                .formatted(path, location, found.uri(), e.getMessage()),
            e);
      }
      writers.put(location, writer);
      rows.put(location, new ArrayList<>());
    }
    return writer;
  }

  /** Notes the row of a block that the location's open container has. */
  void written(String location, Block row) {
    rows.get(location).add(row);
  }

  /** Finishes the containers that have at least so many bytes. */
  void rollFull(long bytes) throws IOException {
    for (String location : List.copyOf(writers.keySet())) {
      if (writers.get(location).position() >= bytes) {
        finish(location);
      }
    }
  }

  private void finish(String location) throws IOException {
    ContainerWriter writer = writers.get(location);
    writer.finish(rows.get(location));
    finished.addAll(rows.remove(location));
    writers.remove(location);
  }

  private void finishAll() throws IOException {
    for (String location : List.copyOf(writers.keySet())) {
      finish(location);
    }
  }

  /** Finishes all and gives back the rows of every block written. */
  List<Block> finish() throws IOException {
    finishAll();
    List<Block> all = List.copyOf(finished);
    finished.clear();
    return all;
  }

  /** Discards what is not finished. */
  @Override
  public void close() {
    writers.values().forEach(OpenContainers::closeQuietly);
    stores.values().forEach(OpenContainers::closeQuietly);
  }

  /** A container that was not finished is named by nobody: that it cannot be closed is no loss. */
  private static void closeQuietly(Closeable closeable) {
    try {
      closeable.close();
    } catch (IOException e) {
      LoggerFactory.getLogger(OpenContainers.class)
          .warn("Closing after a task: {}", e.getMessage());
    }
  }
}
