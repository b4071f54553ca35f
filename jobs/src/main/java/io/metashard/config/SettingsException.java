package io.metashard.config;

/** The configuration cannot be used; the message says which key, why, and what to do. */
public final class SettingsException extends IllegalArgumentException {
  public SettingsException(String message) {
    super(message);
  }

  public SettingsException(String message, Throwable cause) {
    super(message, cause);
  }
}
