package io.metashard.job;

import java.net.URI;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.core.config.Configurator;

/** What is logged: our progress on stderr; Spark's noise only when asked for. */
final class Logging {
  private static final String PROPERTY = "log4j2.configurationFile";
  private static final String ENVIRONMENT = "METASHARD_LOG_FORMAT";
  private static final String OPTION = "--log-format";
  private static final List<String> OF_THE_CLUSTER =
      List.of("log4j2.properties", "log4j2.xml", "log4j2.yaml", "log4j2.json");

  private Logging() {}

  /** What a log line looks like. */
  enum Format {
    /** For people. */
    TEXT,
    /** One JSON object a line, with run id and stage. */
    JSON
  }

  /**
   * Call before anything logs: what logs first decides. Whoever set the property, or put a log4j2
   * file into Spark's configuration folder, wants it so; {@code --verbose} is stronger than the
   * folder's file, JSON than both.
   */
  static void configure(List<String> arguments) {
    boolean json = format(arguments, System.getenv()) == Format.JSON;
    boolean verbose = arguments.contains("--verbose");
    boolean submitted = Submitted.here().bySparkSubmit();
    String file =
        "classpath:metashard-%s%slog4j2.properties"
            .formatted(json ? "json-" : "", verbose ? "verbose-" : "");
    boolean chosenByOthers = System.getProperty(PROPERTY) != null;
    if (!chosenByOthers && !submitted) {
      System.setProperty(PROPERTY, file);
    }
    // spark-submit has logged before us, on a driver in the cluster too.
    boolean late = submitted && !chosenByOthers && (verbose || !clusterHasItsOwn());
    if (late || json && (chosenByOthers || submitted)) {
      Configurator.reconfigure(URI.create(file));
    }
    if (arguments.contains("--quiet")) {
      Configurator.setLevel("io.metashard", Level.WARN);
    }
  }

  private static boolean clusterHasItsOwn() {
    ClassLoader spark = Configurator.class.getClassLoader();
    return OF_THE_CLUSTER.stream().anyMatch(name -> spark.getResource(name) != null);
  }

  /** The last {@code --log-format} wins, then the environment; a word nobody knows is text here. */
  static Format format(List<String> arguments, Map<String, String> environment) {
    String word = environment.getOrDefault(ENVIRONMENT, "");
    for (int i = 0; i < arguments.size(); i++) {
      if (arguments.get(i).startsWith(OPTION + "=")) {
        word = arguments.get(i).substring(OPTION.length() + 1);
      } else if (arguments.get(i).equals(OPTION) && i + 1 < arguments.size()) {
        word = arguments.get(i + 1);
      }
    }
    return word.toUpperCase(Locale.ROOT).equals(Format.JSON.name()) ? Format.JSON : Format.TEXT;
  }
}
