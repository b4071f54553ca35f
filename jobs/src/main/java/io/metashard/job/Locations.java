package io.metashard.job;

import io.metashard.Location;
import io.metashard.config.Settings;
import io.metashard.config.SettingsException;
import io.metashard.lake.Lake;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;

/** The locations of the configuration, held against those that the lake knows. */
final class Locations {
  /** Keys of a location; {@code hadoop} is for {@link HadoopSettings}. */
  static final Set<String> KEYS =
      Set.of("name", "uri", "domain", "tier", "capacity", "state", "hadoop");

  private Locations() {}

  /** The configured locations, in order of their names. */
  static List<Location> configured(Settings settings, Configuration hadoop) {
    Map<String, Location> found = new TreeMap<>();
    Map<String, String> nameByUri = new HashMap<>();
    for (Settings item : settings.items("locations", null, KEYS)) {
      String name = item.string("name");
      Location location;
      try {
        location =
            new Location(
                name,
                withoutSlash(JobContext.qualified(item.string("uri"), hadoop)),
                item.has("domain") ? item.string("domain") : name,
                item.has("tier") ? item.string("tier") : "standard",
                item.has("capacity") ? item.bytes("capacity") : Long.MAX_VALUE,
                item.has("state")
                    ? item.oneOf("state", Location.ACTIVE, Location.DRAINING)
                    : Location.ACTIVE);
      } catch (SettingsException e) {
        throw e;
      } catch (IllegalArgumentException e) {
        throw new SettingsException(e.getMessage(), e);
      }
      if (found.put(name, location) != null) {
        throw new SettingsException(
            "Cannot use locations of %s: two are named %s; names are unique"
                .formatted(settings.source(), name));
      }
      String twin = nameByUri.put(location.uri(), name);
      if (twin != null) {
        throw new SettingsException(
            "Cannot use locations of %s: %s and %s have the same uri %s; what is lost as one must be one location"
                .formatted(
                    settings.source(), twin, name, Settings.withoutUserInfo(location.uri())));
      }
    }
    List<Location> locations = List.copyOf(found.values());
    Tiers.from(settings).requireFor(locations);
    return locations;
  }

  private static String withoutSlash(String uri) {
    return uri.endsWith("/") ? uri.substring(0, uri.length() - 1) : uri;
  }

  /** All locations that the lake knows, by name. */
  static List<Location> known(Lake lake) {
    return lake.read(LocationsTable.TABLE).collectAsList().stream()
        .map(LocationsTable::location)
        .sorted()
        .toList();
  }

  /**
   * All locations, configured ones as configured, others as the lake knows them; writes nothing.
   *
   * @throws SettingsException if a name stands for another place than before
   */
  static List<Location> merged(Lake lake, List<Location> configured) {
    Map<String, Location> all = new TreeMap<>();
    known(lake).forEach(location -> all.put(location.name(), location));
    for (Location location : configured) {
      requireSamePlace(location, all.put(location.name(), location));
    }
    return List.copyOf(all.values());
  }

  /** Refuses a location whose name stands for another place in the lake, or is used up. */
  private static void requireSamePlace(Location location, Location before) {
    if (before != null
        && (!before.uri().equals(location.uri()) || !before.domain().equals(location.domain()))) {
      throw new SettingsException(
          "Cannot use location %s at %s in domain %s: the lake knows that name at %s in domain %s and blocks may be there; give the new place a new name"
              .formatted(
                  location.name(),
                  Settings.withoutUserInfo(location.uri()),
                  location.domain(),
                  Settings.withoutUserInfo(before.uri()),
                  before.domain()));
    }
    if (before != null && before.state().equals(Location.GONE)) {
      throw new SettingsException(
          "Cannot use location %s: it was declared gone, and names are never reused; give the new place a new name"
              .formatted(location.name()));
    }
  }

  /**
   * Checks the configuration against the lake and writes down what is new.
   *
   * @return all locations of the lake: configured ones as configured, others as they were
   * @throws SettingsException if a name stands for another place than before
   */
  static List<Location> reconcile(Lake lake, List<Location> configured, Instant now) {
    Map<String, Location> all = new TreeMap<>();
    Map<String, Timestamp> since = new HashMap<>();
    for (Row row : lake.read(LocationsTable.TABLE).collectAsList()) {
      Location location = LocationsTable.location(row);
      all.put(location.name(), location);
      since.put(location.name(), row.getAs(LocationsTable.SINCE));
    }
    boolean changed = false;
    for (Location location : configured) {
      Location before = all.get(location.name());
      requireSamePlace(location, before);
      if (!location.equals(before)) {
        changed = true;
        if (before == null || !before.state().equals(location.state())) {
          since.put(location.name(), Timestamp.from(now));
        }
        all.put(location.name(), location);
      }
    }
    if (changed) {
      write(lake, all, since);
    }
    return List.copyOf(all.values());
  }

  /**
   * Those of the configuration that were not declared gone: a name that is used up may still stand
   * there while what it held is rebuilt.
   */
  static List<Location> withoutGone(Lake lake, List<Location> configured) {
    Set<String> gone =
        known(lake).stream()
            .filter(location -> location.state().equals(Location.GONE))
            .map(Location::name)
            .collect(Collectors.toSet());
    return configured.stream().filter(location -> !gone.contains(location.name())).toList();
  }

  /**
   * Declares a location of the lake gone, for ever.
   *
   * @return all locations of the lake
   */
  static List<Location> declareGone(Lake lake, String name, Instant now) {
    Map<String, Location> all = new TreeMap<>();
    Map<String, Timestamp> since = new HashMap<>();
    for (Row row : lake.read(LocationsTable.TABLE).collectAsList()) {
      Location location = LocationsTable.location(row);
      all.put(location.name(), location);
      since.put(location.name(), row.getAs(LocationsTable.SINCE));
    }
    Location before = all.get(name);
    if (!before.state().equals(Location.GONE)) {
      all.put(
          name,
          new Location(
              name,
              before.uri(),
              before.domain(),
              before.tier(),
              before.capacityBytes(),
              Location.GONE));
      since.put(name, Timestamp.from(now));
      write(lake, all, since);
    }
    return List.copyOf(all.values());
  }

  private static void write(Lake lake, Map<String, Location> all, Map<String, Timestamp> since) {
    List<Row> rows = new ArrayList<>();
    for (Location location : all.values()) {
      rows.add(
          RowFactory.create(
              location.name(),
              location.uri(),
              location.domain(),
              location.tier(),
              location.capacityBytes(),
              location.state(),
              since.get(location.name())));
    }
    lake.overwrite(
        LocationsTable.TABLE,
        lake.spark().createDataFrame(rows, LocationsTable.SCHEMA).coalesce(1),
        Lake.Commit.PLAIN);
  }
}
