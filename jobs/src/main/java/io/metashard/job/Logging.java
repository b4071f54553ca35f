package io.metashard.job;

import java.util.List;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.core.config.Configurator;

/** What is logged: our progress on stderr; Spark's noise only when asked for. */
final class Logging {
  private static final String PROPERTY = "log4j2.configurationFile";

  private Logging() {}

  /** Call before anything logs: what logs first decides. Whoever set the property wants it so. */
  static void configure(List<String> arguments) {
    if (System.getProperty(PROPERTY) == null) {
      System.setProperty(
          PROPERTY,
          arguments.contains("--verbose")
              ? "classpath:metashard-verbose-log4j2.properties"
              : "classpath:metashard-log4j2.properties");
    }
    if (arguments.contains("--quiet")) {
      Configurator.setLevel("io.metashard", Level.WARN);
    }
  }
}
