package io.metashard.forecast;

import java.time.DateTimeException;
import java.time.LocalDate;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The dataset that an object belongs to: its id with numbers, dates and random names collapsed.
 *
 * <p>{@code sales/dt=2026-01-21/part-0000.parquet} and the partition of the day after are of {@code
 * sales/dt=#/part-#.parquet}: what is known of how one was read tells how the other will be.
 */
final class DatasetName {
  /** A longer id is cut: what tells datasets apart stands in front. */
  private static final int MOST_CHARS = 512;

  /** Random names: a UUID, or eight or more hexadecimal digits with a number among them. */
  private static final Pattern RANDOM =
      Pattern.compile(
          "(?<![0-9A-Za-z])(?:[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
              + "|(?=[a-fA-F]*+[0-9])[0-9a-fA-F]{8,64})(?![0-9A-Za-z])");

  private static final Pattern NUMBERS = Pattern.compile("[0-9]++(?:[-_:.T]?[0-9]++)*+");

  private static final Pattern DATE =
      Pattern.compile("(?<![0-9])((?:19|20)[0-9]{2})([-_/]?)([0-9]{2})\\2([0-9]{2})(?![0-9])");

  /** Dates of partitions in the style of Hive, one key a path part. */
  private static final Pattern KEYED_DATE =
      Pattern.compile(
          "y(?:ear)?=((?:19|20)[0-9]{2})/m(?:onth)?=([0-9]{1,2})/d(?:ay)?=([0-9]{1,2})(?![0-9])");

  private DatasetName() {}

  static String of(String objectId) {
    String id = objectId.length() > MOST_CHARS ? objectId.substring(0, MOST_CHARS) : objectId;
    return NUMBERS.matcher(RANDOM.matcher(id).replaceAll("#")).replaceAll("#");
  }

  /** The day that a partition's path names; empty where it names none that exists. */
  static Optional<LocalDate> partitionDate(String objectId) {
    String id = objectId.length() > MOST_CHARS ? objectId.substring(0, MOST_CHARS) : objectId;
    Matcher keyed = KEYED_DATE.matcher(id);
    if (keyed.find()) {
      return date(keyed.group(1), keyed.group(2), keyed.group(3));
    }
    Matcher plain = DATE.matcher(id);
    while (plain.find()) {
      Optional<LocalDate> found = date(plain.group(1), plain.group(3), plain.group(4));
      if (found.isPresent()) {
        return found;
      }
    }
    return Optional.empty();
  }

  private static Optional<LocalDate> date(String year, String month, String day) {
    try {
      return Optional.of(
          LocalDate.of(Integer.parseInt(year), Integer.parseInt(month), Integer.parseInt(day)));
    } catch (DateTimeException e) {
      return Optional.empty();
    }
  }
}
