package io.metashard.job;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;

/** Which Metashard this is. */
final class Version {
  private Version() {}

  /** The project's version, as the build wrote it down. */
  static String text() {
    try (InputStream in = Version.class.getResourceAsStream("/io/metashard/version.properties")) {
      if (in == null) {
        throw new IllegalStateException("Cannot find version.properties on the class path");
      }
      Properties properties = new Properties();
      properties.load(in);
      return properties.getProperty("version");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
