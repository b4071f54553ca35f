package io.metashard.job;

import io.metashard.Block;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.commons.io.FileUtils;

/**
 * Damages to the containers of a lake, drawn from a seed; never more blocks of a meta-shard than it
 * has to spare, so that every byte can still be had.
 */
final class Damages {
  /** What is done to a container, or to a location. */
  enum Kind {
    BIT_FLIP,
    BIT_FLIP_IN_FOOTER,
    TRUNCATION,
    ZEROED_RANGE,
    SWAPPED,
    DELETED,
    STALE,
    LOCATION_GONE
  }

  private final SmallLake lake;
  private final Random random;
  private final Map<Kind, Integer> counts = new TreeMap<>();

  /** Contents that a location held before. */
  private final List<byte[]> stale = new ArrayList<>();

  // Of the round:
  private final Map<String, List<Block>> containers = new TreeMap<>();
  private final Set<String> touched = new HashSet<>();
  private final Map<String, Integer> lostOf = new HashMap<>();
  private final Set<String> badBlocks = new TreeSet<>();
  private final Set<String> badFooters = new TreeSet<>();

  Damages(SmallLake lake, long seed) {
    this.lake = lake;
    this.random = new Random(seed);
  }

  static String name(Block block) {
    return block.metaShardId() + " " + block.blockIndex();
  }

  /** Blocks that cannot be read now, by {@link #name}. */
  Set<String> badBlocks() {
    return badBlocks;
  }

  /** Containers that are there and whose footers are bad now. */
  Set<String> badFooters() {
    return badFooters;
  }

  Map<Kind, Integer> counts() {
    return counts;
  }

  /** Does up to so many damages to a whole lake; as many as its spare blocks allow. */
  int round(int most) throws IOException {
    containers.clear();
    touched.clear();
    lostOf.clear();
    badBlocks.clear();
    badFooters.clear();
    for (Block block : lake.blocks()) {
      containers.computeIfAbsent(block.path(), path -> new ArrayList<>()).add(block);
    }
    int done = 0;
    for (int tries = 0; done < most && tries < 40 * most; tries++) {
      // A location once in a while, and first, while nothing is lost yet.
      Kind kind =
          tries == 0 && random.nextInt(3) == 0
              ? Kind.LOCATION_GONE
              : Kind.values()[random.nextInt(Kind.values().length - 1)];
      if (damage(kind)) {
        counts.merge(kind, 1, Integer::sum);
        done++;
      }
    }
    return done;
  }

  private String anyContainer() {
    List<String> paths = containers.keySet().stream().filter(p -> !touched.contains(p)).toList();
    return paths.isEmpty() ? null : paths.get(random.nextInt(paths.size()));
  }

  private boolean damage(Kind kind) throws IOException {
    if (kind == Kind.LOCATION_GONE) {
      return loseLocation();
    }
    String path = anyContainer();
    if (path == null) {
      return false;
    }
    List<Block> blocks = containers.get(path);
    Path file = lake.container(blocks.get(0));
    long bytes = Files.size(file);
    long framesEnd =
        blocks.stream().mapToLong(b -> b.containerOffset() + b.physicalBytes()).max().orElseThrow();
    switch (kind) {
      case BIT_FLIP -> {
        if (framesEnd == 0) {
          return false;
        }
        long at = random.nextLong(framesEnd);
        return claim(path, at, at + 1, false) && flip(file, at);
      }
      case BIT_FLIP_IN_FOOTER -> {
        long at = bytes - 1 - random.nextInt(24);
        return claim(path, at, at + 1, true) && flip(file, at);
      }
      case TRUNCATION -> {
        long at = random.nextLong(bytes);
        return claim(path, at, bytes, true) && truncate(file, at);
      }
      case ZEROED_RANGE -> {
        long from = random.nextLong(bytes - 24);
        // Long enough to be no zeros that were there.
        long to = Math.min(bytes, from + 24 + random.nextInt(3_000));
        return claim(path, from, to, to > framesEnd) && zero(file, from, to);
      }
      case DELETED -> {
        if (!claimAll(Set.of(path))) {
          return false;
        }
        stale.add(Files.readAllBytes(file));
        Files.delete(file);
        return true;
      }
      case STALE -> {
        if (stale.isEmpty() || !claimAll(Set.of(path))) {
          return false;
        }
        badFooters.add(path);
        Files.write(file, stale.get(random.nextInt(stale.size())));
        unharmed(path);
        return true;
      }
      case SWAPPED -> {
        String other = anyContainer();
        if (other == null || other.equals(path) || !claimAll(Set.of(path, other))) {
          return false;
        }
        badFooters.addAll(Set.of(path, other));
        Path second = lake.container(containers.get(other).get(0));
        byte[] content = Files.readAllBytes(file);
        Files.write(file, Files.readAllBytes(second));
        Files.write(second, content);
        unharmed(path);
        unharmed(other);
        return true;
      }
      default -> throw new IllegalStateException("no such damage " + kind);
    }
  }

  /** Blocks without a byte have no frame that could be wrong: enough that a container is there. */
  private void unharmed(String path) {
    containers.get(path).stream()
        .filter(block -> block.length() == 0)
        .forEach(block -> badBlocks.remove(name(block)));
  }

  private boolean loseLocation() throws IOException {
    List<String> names =
        containers.values().stream().map(b -> b.get(0).location()).distinct().toList();
    String location = names.get(random.nextInt(names.size()));
    Set<String> paths = new TreeSet<>();
    containers.forEach(
        (path, blocks) -> {
          if (blocks.get(0).location().equals(location)) {
            paths.add(path);
          }
        });
    if (paths.stream().anyMatch(touched::contains) || !claimAll(paths)) {
      return false;
    }
    FileUtils.deleteDirectory(lake.location(location).toFile());
    return true;
  }

  /** Marks what bytes of a container hold as bad, if its meta-shards can spare it. */
  private boolean claim(String path, long from, long to, boolean footer) {
    List<Block> hit =
        containers.get(path).stream()
            .filter(
                b ->
                    b.length() > 0
                        && b.containerOffset() < to
                        && b.containerOffset() + b.physicalBytes() > from)
            .toList();
    if (hit.isEmpty() && !footer || !spare(hit)) {
      return false;
    }
    touched.add(path);
    if (footer) {
      badFooters.add(path);
    }
    return true;
  }

  private boolean claimAll(Set<String> paths) {
    List<Block> hit = paths.stream().flatMap(path -> containers.get(path).stream()).toList();
    if (!spare(hit)) {
      return false;
    }
    touched.addAll(paths);
    return true;
  }

  private boolean spare(List<Block> hit) {
    Map<String, Integer> after = new HashMap<>(lostOf);
    for (Block block : hit) {
      if (after.merge(block.metaShardId(), 1, Integer::sum) > block.m()) {
        return false;
      }
    }
    lostOf.putAll(after);
    hit.forEach(block -> badBlocks.add(name(block)));
    return true;
  }

  private static boolean flip(Path file, long at) throws IOException {
    try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
      open.seek(at);
      int value = open.read();
      open.seek(at);
      open.write(value ^ 0x10);
    }
    return true;
  }

  private static boolean truncate(Path file, long at) throws IOException {
    try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
      open.setLength(at);
    }
    return true;
  }

  private static boolean zero(Path file, long from, long to) throws IOException {
    try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
      open.seek(from);
      open.write(new byte[(int) (to - from)]);
    }
    return true;
  }
}
