package io.metashard.job;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.metashard.config.Settings;
import io.metashard.config.SettingsException;
import io.metashard.shardmap.MapMovedException;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.util.HashSet;
import java.util.Set;
import java.util.regex.Pattern;
import org.apache.spark.SparkException;

/** What a failure is called, and the exit code it gives. */
final class Failures {
  private static final Pattern INVISIBLE =
      Pattern.compile(
          "[\\p{Cc}\\p{Zl}\\p{Zp}\\x{200e}\\x{200f}\\x{202a}-\\x{202e}\\x{2066}-\\x{2069}]");

  /** Some of Spark's messages quote whole query plans. */
  private static final int MOST_CHARACTERS = 4_000;

  private Failures() {}

  static int exitCode(Throwable failure) {
    Throwable cause = failure;
    Set<Throwable> seen = new HashSet<>();
    while (cause != null && seen.add(cause)) {
      if (cause instanceof MetashardException ours) {
        return ours.exitCode();
      }
      if (cause instanceof SettingsException) {
        return MetashardException.USAGE;
      }
      if (cause instanceof MapMovedException || isDeltaConflict(cause)) {
        return MetashardException.CONFLICT;
      }
      cause = cause.getCause();
    }
    return MetashardException.FAILED;
  }

  /** By name: without Delta on the class path, too, a failure needs a name. */
  private static boolean isDeltaConflict(Throwable failure) {
    for (Class<?> type = failure.getClass(); type != null; type = type.getSuperclass()) {
      if (type.getName().equals("io.delta.exceptions.DeltaConcurrentModificationException")) {
        return true;
      }
    }
    return false;
  }

  /**
   * One line that says what failed, of some thousand characters at most: Spark's wrappings, which
   * quote stack traces, are taken off; credentials in URIs and after names such as {@code
   * password=} are left out.
   */
  static String message(Throwable failure) {
    Throwable telling = failure;
    Set<Throwable> seen = new HashSet<>();
    while (isWrapping(telling) && telling.getCause() != null && seen.add(telling)) {
      telling = telling.getCause();
    }
    String text = telling.getMessage();
    if (isDeltaConflict(telling)) {
      text =
          "Cannot commit to a table of the lake: another run changed it at the same time (%s); run again"
              .formatted(telling.getClass().getSimpleName());
    } else if (text == null || text.isBlank()) {
      text = telling.getClass().getSimpleName();
    } else if (!isOurs(telling)) {
      text = telling.getClass().getSimpleName() + ": " + text;
    }
    int trace = text.indexOf("\n\tat ");
    String first = trace >= 0 ? text.substring(0, trace) : text;
    return shortened(
        visible(Settings.withoutSecrets(first.strip().replaceAll("\\s*\\R\\s*", " "))));
  }

  private static String shortened(String text) {
    return text.length() <= MOST_CHARACTERS
        ? text
        : "%s ... (%d characters more)"
            .formatted(
                text.substring(0, text.offsetByCodePoints(0, MOST_CHARACTERS / 2)),
                text.length() - text.offsetByCodePoints(0, MOST_CHARACTERS / 2));
  }

  /** What a library quotes of a stranger's name must not steer a terminal or fake a log line. */
  private static String visible(String text) {
    return INVISIBLE
        .matcher(text)
        .replaceAll(found -> "\\\\u%04x".formatted((int) found.group().charAt(0)));
  }

  private static boolean isWrapping(Throwable failure) {
    return failure instanceof SparkException
        || failure instanceof java.io.UncheckedIOException
            && failure.getCause() != null
            && failure.getMessage() != null
            && failure.getMessage().startsWith(failure.getCause().getClass().getName())
        || failure instanceof java.util.concurrent.ExecutionException
        || failure.getClass() == RuntimeException.class
        || failure instanceof java.lang.reflect.UndeclaredThrowableException;
  }

  private static boolean isOurs(Throwable failure) {
    boolean named = failure.getClass().getName().startsWith("io.metashard.");
    boolean told = failure.getMessage() != null && failure.getMessage().startsWith("Cannot ");
    return (named || told)
            && !(failure instanceof FileSystemException)
            && !(failure instanceof JsonProcessingException)
        || failure instanceof IOException && told;
  }
}
