package io.metashard.job;

import io.metashard.config.SettingsException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import org.apache.hadoop.fs.Path;

/**
 * What spark-submit said of this process.
 *
 * <p>It hands its options to the driver as system properties, in every mode, before any session is
 * there: the configuration file is found by them.
 */
final class Submitted {
  private static final String MASTER = "spark.master";
  private static final String FILES = "spark.files";

  private final Map<String, String> properties = new TreeMap<>();

  private Submitted(Properties all) {
    for (String name : all.stringPropertyNames()) {
      if (name.startsWith("spark.")) {
        properties.put(name, all.getProperty(name));
      }
    }
  }

  /** This process. */
  static Submitted here() {
    return of(System.getProperties());
  }

  static Submitted of(Properties properties) {
    return new Submitted(properties);
  }

  /** Whether spark-submit started this process. */
  boolean bySparkSubmit() {
    return properties.containsKey(MASTER);
  }

  /**
   * Where a file that the user named is.
   *
   * <p>A name without a scheme is a file of this machine if there is one, also where Hadoop's
   * default file system is another; else one of {@code --files} with that name, which not every
   * cluster manager puts into the driver's working folder; else it is left to Hadoop.
   *
   * @throws SettingsException if several of {@code --files} have that name
   */
  Path file(String name) {
    if (hasScheme(name)) {
      return new Path(name);
    }
    try {
      if (Files.isRegularFile(java.nio.file.Path.of(name))) {
        return new Path(java.nio.file.Path.of(name).toUri());
      }
    } catch (InvalidPathException notOfThisMachine) {
      return new Path(name);
    }
    List<String> named = new ArrayList<>();
    for (String file : properties.getOrDefault(FILES, "").split(",")) {
      if (!file.isBlank() && lastName(file.strip()).equals(name)) {
        named.add(file.strip());
      }
    }
    if (named.size() > 1) {
      throw new SettingsException(
          "Cannot read %s: %d of --files have that name; name one by its URI"
              .formatted(name, named.size()));
    }
    return new Path(named.isEmpty() ? name : withoutAlias(named.get(0)));
  }

  private static boolean hasScheme(String name) {
    return name.matches("[A-Za-z][A-Za-z0-9+.-]*:.*");
  }

  /** The name that spark-submit gives a file: after #, or its own. */
  private static String lastName(String file) {
    int alias = file.indexOf('#');
    return alias >= 0 ? file.substring(alias + 1) : file.substring(file.lastIndexOf('/') + 1);
  }

  private static String withoutAlias(String file) {
    int alias = file.indexOf('#');
    return alias >= 0 ? file.substring(0, alias) : file;
  }
}
