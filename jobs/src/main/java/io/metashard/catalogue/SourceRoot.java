package io.metashard.catalogue;

import io.metashard.ObjectIds;
import io.metashard.config.Settings;
import io.metashard.config.SettingsException;
import java.io.Serializable;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * A folder whose files are objects: read, never written.
 *
 * @param name unique among the roots
 * @param uri any Hadoop file system URI, as configured: possibly relative
 * @param include an object must match one of these; empty: every object does
 * @param exclude an object must match none of these
 * @param minBytes smaller objects are left alone
 * @param minAge younger objects wait for a later run: they may still be written to
 * @param logUri what access logs call the root; the uri unless configured
 * @param inventory folder of an S3 Inventory configuration, or one manifest, that is read in place
 *     of a listing; empty: the root is listed
 */
public record SourceRoot(
    String name,
    String uri,
    List<Glob> include,
    List<Glob> exclude,
    long minBytes,
    Duration minAge,
    String logUri,
    String inventory)
    implements Serializable {
  private static final String KEY = "objects.roots";
  private static final Set<String> KEYS =
      Set.of("name", "uri", "include", "exclude", "min-bytes", "min-age", "log-uri", "inventory");

  /** What a root's conditions say of one object. */
  public enum Choice {
    /** It belongs into the catalogue. */
    TAKEN,
    /** Too young: whatever the catalogue holds of it stays as it is. */
    WAITING,
    /** Left alone by include, exclude or min-bytes. */
    LEFT
  }

  public SourceRoot {
    if (name == null || !name.matches("[A-Za-z0-9][A-Za-z0-9._-]{0,62}")) {
      throw new IllegalArgumentException(
          "Cannot use root name %s: it must be 1 to 63 of letters, digits . _ - and begin with a letter or digit"
              .formatted(ObjectIds.printable(name)));
    }
    if (uri == null || uri.isBlank() || logUri == null || logUri.isBlank()) {
      throw new IllegalArgumentException(
          "Cannot use root %s: uri and log-uri must not be blank".formatted(name));
    }
    if (minBytes < 0 || minAge.isNegative()) {
      throw new IllegalArgumentException(
          "Cannot use root %s: min-bytes %d and min-age %s must not be negative"
              .formatted(name, minBytes, minAge));
    }
    include = List.copyOf(include);
    exclude = List.copyOf(exclude);
    inventory = inventory == null ? "" : inventory.strip();
  }

  /** A root without conditions. */
  public static SourceRoot of(String name, String uri) {
    return new SourceRoot(name, uri, List.of(), List.of(), 0, Duration.ZERO, uri, "");
  }

  /**
   * The roots of {@code objects.roots}, in order; possibly none.
   *
   * @throws SettingsException if one cannot be used or two have one name
   */
  public static List<SourceRoot> from(Settings settings) {
    List<SourceRoot> roots = new ArrayList<>();
    Set<String> names = new HashSet<>();
    for (Settings item : settings.items(KEY, "uri", KEYS)) {
      SourceRoot root = root(item, roots.size());
      if (!names.add(root.name())) {
        throw new SettingsException(
            "Cannot use %s (%s): two roots are called %s; give each a name of its own"
                .formatted(KEY, settings.source(), root.name()));
      }
      roots.add(root);
    }
    return List.copyOf(roots);
  }

  private static SourceRoot root(Settings item, int position) {
    String uri = item.string("uri");
    try {
      return new SourceRoot(
          item.has("name") ? item.string("name") : "root" + position,
          uri,
          globs(item, "include"),
          globs(item, "exclude"),
          item.has("min-bytes") ? item.bytes("min-bytes") : 0,
          item.has("min-age") ? item.duration("min-age") : Duration.ZERO,
          item.has("log-uri") ? item.string("log-uri") : uri,
          item.has("inventory") ? item.string("inventory") : "");
    } catch (SettingsException e) {
      throw e;
    } catch (IllegalArgumentException e) {
      throw new SettingsException(
          "Cannot use %s[%d] (%s): %s".formatted(KEY, position, item.source(), e.getMessage()), e);
    }
  }

  private static List<Glob> globs(Settings item, String key) {
    return item.has(key) ? item.strings(key).stream().map(Glob::of).toList() : List.of();
  }

  /** Whether an S3 Inventory is read in place of a listing. */
  public boolean hasInventory() {
    return !inventory.isEmpty();
  }

  /** Whether an object of this root belongs into the catalogue at a moment. */
  public Choice choice(String objectId, long objectBytes, Instant modifiedAt, Instant at) {
    boolean included =
        include.isEmpty() || include.stream().anyMatch(glob -> glob.matches(objectId));
    boolean excluded = exclude.stream().anyMatch(glob -> glob.matches(objectId));
    if (!included || excluded || objectBytes < minBytes) {
      return Choice.LEFT;
    }
    return modifiedAt.isAfter(at.minus(minAge)) && !minAge.isZero() ? Choice.WAITING : Choice.TAKEN;
  }
}
