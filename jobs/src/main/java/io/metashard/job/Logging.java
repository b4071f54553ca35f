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

  private Logging() {}

  /** What a log line looks like. */
  enum Format {
    /** For people. */
    TEXT,
    /** One JSON object a line, with run id and stage. */
    JSON
  }

  /** Call before anything logs: what logs first decides. Whoever set the property wants it so. */
  static void configure(List<String> arguments) {
    boolean json = format(arguments, System.getenv()) == Format.JSON;
    boolean verbose = arguments.contains("--verbose");
    String file =
        "classpath:metashard-%s%slog4j2.properties"
            .formatted(json ? "json-" : "", verbose ? "verbose-" : "");
    boolean chosenByOthers = System.getProperty(PROPERTY) != null;
    if (!chosenByOthers) {
      System.setProperty(PROPERTY, file);
    }
    if (json && (chosenByOthers || System.getProperty("spark.master") != null)) {
      // spark-submit has logged before us; who asks for JSON wants every line of ours so.
      Configurator.reconfigure(URI.create(file));
    }
    if (arguments.contains("--quiet")) {
      Configurator.setLevel("io.metashard", Level.WARN);
    }
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
