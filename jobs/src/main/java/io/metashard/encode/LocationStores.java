package io.metashard.encode;

import io.metashard.Block;
import io.metashard.Location;
import io.metashard.ObjectIds;
import io.metashard.store.BlockReader;
import io.metashard.store.CorruptFrameException;
import io.metashard.store.HadoopStore;
import io.metashard.store.ObjectStore;
import io.metashard.store.Pace;
import io.metashard.store.PacedStore;
import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.NoSuchFileException;
import java.util.HashMap;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;

/**
 * The locations as one task reads them: opened when first needed, and named when they do not
 * answer. Not thread safe.
 *
 * <p>A location that is down is not asked again for each of its blocks: after some failures in a
 * row the task gives it up.
 */
final class LocationStores implements Closeable {
  private static final int MOST_FAILURES = 3;

  private final Map<String, Location> locations;
  private final Configuration hadoop;
  private final Pace pace;
  private final Map<String, ObjectStore> stores = new HashMap<>();
  private final Map<String, BlockReader> readers = new HashMap<>();
  private final Map<String, Integer> failures = new HashMap<>();
  private final Map<String, String> givenUp = new HashMap<>();
  private final Map<String, Boolean> empty = new HashMap<>();

  LocationStores(Map<String, Location> locations, Configuration hadoop, Pace pace) {
    this.locations = locations;
    this.hadoop = hadoop;
    this.pace = pace;
  }

  /**
   * What is wrong with a block or a container.
   *
   * @param name one of {@link Findings}
   */
  record Problem(String name, String detail) {}

  /** Reads a part of a block, as {@link BlockReader#read}. */
  void read(Block block, long from, byte[] target, int length) throws IOException {
    try {
      ObjectStore store = store(block.location());
      readers
          .computeIfAbsent(block.location(), name -> new BlockReader(store))
          .read(block, from, target, 0, length);
      failures.remove(block.location());
    } catch (IOException | RuntimeException e) {
      throw noted(block.location(), e);
    }
  }

  /**
   * Fails as a read does if the container of a block, of which nothing is to be read, is missing.
   */
  void requireExists(Block block) throws IOException {
    try {
      store(block.location()).length(block.path());
    } catch (IOException | RuntimeException e) {
      throw noted(block.location(), e);
    }
  }

  /**
   * The store of a location.
   *
   * @throws IOException if the location is not known, was declared gone, or was given up
   */
  ObjectStore store(String name) throws IOException {
    String why = givenUp.get(name);
    if (why != null) {
      throw new IOException(why);
    }
    ObjectStore store = stores.get(name);
    if (store == null) {
      Location location = locations.get(name);
      if (location == null) {
        throw new IOException("location %s is not configured".formatted(ObjectIds.printable(name)));
      }
      if (location.state().equals(Location.GONE)) {
        throw new IOException("location %s was declared gone".formatted(name));
      }
      store =
          new PacedStore(new HadoopStore(location.uri(), hadoop, HadoopStore.Reads.FORWARD), pace);
      stores.put(name, store);
    }
    return store;
  }

  /** Counts failures in a row that are the location's and not a container's. */
  private IOException noted(String location, Exception failure) {
    IOException e =
        failure instanceof IOException io
            ? io
            : failure instanceof UncheckedIOException unchecked
                ? unchecked.getCause()
                : new BadRowException(failure);
    if (!isOfContainer(e)
        && failures.merge(location, 1, Integer::sum) >= MOST_FAILURES
        && !givenUp.containsKey(location)) {
      givenUp.put(
          location,
          "location %s did not answer %d times in a row, at last: %s"
              .formatted(ObjectIds.printable(location), MOST_FAILURES, e.getMessage()));
    }
    return e;
  }

  private static boolean isOfContainer(IOException e) {
    return e instanceof CorruptFrameException
        || e instanceof NoSuchFileException
        || e instanceof EOFException
        || e instanceof BadRowException;
  }

  /** What the map says of a block cannot be: a path that leaves the location, a frame too long. */
  private static final class BadRowException extends IOException {
    private static final long serialVersionUID = 1L;

    BadRowException(Exception cause) {
      super(cause.getMessage(), cause);
    }
  }

  /** What a failure to read says of a block. */
  Problem problem(String location, IOException e) {
    if (e instanceof CorruptFrameException || e instanceof BadRowException) {
      return new Problem(Findings.CORRUPT, printable(e.getMessage()));
    }
    if (e instanceof EOFException) {
      return new Problem(Findings.CORRUPT, printable("The container ends too early: " + e));
    }
    if (e instanceof NoSuchFileException) {
      return isEmpty(location)
          ? new Problem(
              Findings.UNREADABLE,
              "location %s has no file at all: it is not mounted, or was emptied"
                  .formatted(ObjectIds.printable(location)))
          : new Problem(Findings.MISSING, "The container is not there");
    }
    return new Problem(
        Findings.UNREADABLE, printable(e.getClass().getSimpleName() + ": " + e.getMessage()));
  }

  /** Whether nothing at all is there, asked once. */
  private boolean isEmpty(String location) {
    return empty.computeIfAbsent(
        location,
        name -> {
          try {
            return !store(name).list("").hasNext();
          } catch (IOException | RuntimeException e) {
            return true;
          }
        });
  }

  private static String printable(String text) {
    return ObjectIds.printable(String.valueOf(text), 1_000);
  }

  @Override
  public void close() throws IOException {
    for (ObjectStore store : stores.values()) {
      store.close();
    }
  }
}
