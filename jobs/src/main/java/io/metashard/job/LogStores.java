package io.metashard.job;

import io.metashard.config.Settings;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.apache.spark.sql.RuntimeConfig;

/**
 * Which file systems a lake may be on.
 *
 * <p>On S3, Delta's own log store keeps commits apart only within one driver: two drivers that meet
 * lose commits. A lake there needs a store that puts conditionally.
 */
final class LogStores {
  private static final Set<String> S3 = Set.of("s3", "s3a", "s3n");
  private static final String SINGLE_DRIVER = "S3SingleDriverLogStore";

  /** Named by itself: the class is loaded by Delta. */
  static final String CONDITIONAL_PUT = "io.metashard.logstore.ConditionalPutLogStore";

  private static final String FOR_ALL = "spark.delta.logStore.class";

  private LogStores() {}

  /**
   * What a new session is told: Metashard's own store for S3, unless another was chosen.
   *
   * @param chosen the value of a Spark setting that this process was told; null when it was not
   */
  static Map<String, String> defaults(UnaryOperator<String> chosen) {
    Map<String, String> stores = new TreeMap<>();
    if (chosen(FOR_ALL, chosen) != null) {
      return stores; // Delta refuses both
    }
    for (String scheme : List.of("s3", "s3a")) {
      String setting = "spark.delta.logStore.%s.impl".formatted(scheme);
      if (chosen(setting, chosen) == null) {
        stores.put(setting, CONDITIONAL_PUT);
      }
    }
    return stores;
  }

  private static String chosen(String setting, UnaryOperator<String> chosen) {
    String value = chosen.apply(setting);
    return value != null ? value : System.getProperty(setting); // spark-submit's
  }

  /** The log store in force for a lake; null when none was named. */
  static String inForce(String lakeRoot, RuntimeConfig conf) {
    return conf.get(setting(lakeRoot), conf.get(FOR_ALL, null));
  }

  /** The Spark setting that names the log store of a lake. */
  static String setting(String lakeRoot) {
    return "spark.delta.logStore.%s.impl".formatted(scheme(lakeRoot));
  }

  /**
   * Why a lake cannot be written safely.
   *
   * @param configured class named by {@link #setting}; null when none is
   * @return empty when it can
   */
  static Optional<String> problem(String lakeRoot, String configured) {
    if (!S3.contains(scheme(lakeRoot))) {
      return Optional.empty();
    }
    if (configured != null && !configured.isBlank() && !configured.endsWith(SINGLE_DRIVER)) {
      return Optional.empty();
    }
    return Optional.of(
        "Cannot use lake %s: Delta's own log store for S3 loses commits when two drivers meet; set %s to one that is safe for several writers, or keep lake.root on another file system (locations and sources may be on S3)"
            .formatted(Settings.withoutUserInfo(lakeRoot), setting(lakeRoot)));
  }

  private static String scheme(String lakeRoot) {
    int colon = lakeRoot.indexOf(':');
    return colon < 0 ? "file" : URI.create(lakeRoot.substring(0, colon) + ":/").getScheme();
  }
}
