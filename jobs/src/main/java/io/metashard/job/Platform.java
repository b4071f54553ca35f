package io.metashard.job;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.JarURLConnection;
import java.net.URL;
import java.net.URLConnection;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import java.util.jar.Manifest;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The Spark and the Delta Lake that this process found on its class path.
 *
 * <p>Both are told by files of their jars, so that no class of theirs is loaded before they are
 * known to fit: one that does not fails with a linkage error that names neither.
 *
 * @param spark version of Spark, as {@code 4.1.0}; null when there is none
 * @param delta version of Delta Lake, as {@code 4.3.1}; null when there is none
 * @param deltaFor minor version of Spark that this Delta Lake is built for, as {@code 4.1}; null
 *     when its jar does not say
 */
record Platform(String spark, String delta, String deltaFor) {
  /** Minor versions that the tests run with. */
  static final List<String> SPARKS = List.of("4.1", "4.0");

  static final List<String> DELTAS = List.of("4.3");

  private static final String SPARK_FILE = "spark-version-info.properties";
  private static final String DELTA_FILE = "io/delta/sql/DeltaSparkSessionExtension.class";
  private static final Pattern DELTA_JAR =
      Pattern.compile("delta-spark_(\\d+\\.\\d+)_\\d+\\.\\d+-[^/!]*\\.jar");

  /** What the class loader of this thread sees. */
  static Platform found() {
    return of(Thread.currentThread().getContextClassLoader());
  }

  static Platform of(ClassLoader loader) {
    try {
      URL delta = loader.getResource(DELTA_FILE);
      return new Platform(
          sparkVersion(loader),
          delta == null ? null : deltaVersion(delta),
          delta == null ? null : deltaFor(delta.toString()));
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot read the versions of Spark and Delta Lake", e);
    }
  }

  private static String sparkVersion(ClassLoader loader) throws IOException {
    try (InputStream in = loader.getResourceAsStream(SPARK_FILE)) {
      if (in == null) {
        return null;
      }
      Properties properties = new Properties();
      properties.load(in);
      return properties.getProperty("version");
    }
  }

  private static String deltaVersion(URL file) throws IOException {
    URLConnection connection = file.openConnection();
    connection.setUseCaches(false); // else the jar stays open for the life of the process
    if (connection instanceof JarURLConnection jar) {
      try (java.util.jar.JarFile opened = jar.getJarFile()) {
        Manifest manifest = opened.getManifest();
        String version =
            manifest == null
                ? null
                : manifest.getMainAttributes().getValue("Implementation-Version");
        return version == null ? "unknown" : version;
      }
    }
    return "unknown";
  }

  private static String deltaFor(String url) {
    Matcher matcher = DELTA_JAR.matcher(url);
    return matcher.find() ? matcher.group(1) : null;
  }

  /** Why Metashard cannot run here; empty when it can. */
  Optional<String> problem() {
    if (spark == null || !SPARKS.contains(minor(spark))) {
      return Optional.of(
          "Cannot run on Spark %s: supported are %s; use a cluster or a spark-submit of one of them"
              .formatted(spark == null ? "of no known version" : spark, versions(SPARKS)));
    }
    String artifact = "io.delta:delta-spark_%s_2.13".formatted(minor(spark));
    if (delta == null) {
      return Optional.of(
          "Cannot run without Delta Lake: none is on the class path; put %s and io.delta:delta-storage of a supported version (%s) on --jars"
              .formatted(artifact, versions(DELTAS)));
    }
    if (!DELTAS.contains(minor(delta))) {
      return Optional.of(
          "Cannot run with Delta Lake %s: supported are %s; put %s of one of them on --jars"
              .formatted(delta, versions(DELTAS), artifact));
    }
    if (deltaFor != null && !deltaFor.equals(minor(spark))) {
      return Optional.of(
          "Cannot run on Spark %s with a Delta Lake %s that is built for Spark %s: put %s on --jars"
              .formatted(spark, delta, deltaFor, artifact));
    }
    return Optional.empty();
  }

  private static String versions(List<String> minors) {
    return String.join(" and ", minors.stream().map(minor -> minor + ".x").toList());
  }

  /** {@code 4.1} of {@code 4.1.0}, {@code 4.1.0-amzn-0} or {@code 4.1}. */
  private static String minor(String version) {
    Matcher matcher = Pattern.compile("^\\d+\\.\\d+(?=\\D|$)").matcher(version);
    return matcher.find() ? matcher.group() : version;
  }
}
