package io.metashard.shardmap;

import io.metashard.ObjectIds;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The text of a backup's marker: for every bucket with rows, the switch whose folder has its file,
 * and the file's checksum (FORMAT.md). A location may be written to by others: what is no marker of
 * ours is refused, never guessed at.
 *
 * @param entries by bucket
 */
record BackupMarker(Map<Integer, Entry> entries) {
  /** Most bytes of a marker: 65,536 buckets at the longest line, with room. */
  static final int MAX_BYTES = 4 << 20;

  private static final Pattern LINE = Pattern.compile("([0-9]{1,9}) ([0-9]{1,18}) ([0-9a-f]{8})");
  private static final Pattern SEQUENCE = Pattern.compile("00[0-9]{18}"); // fits a long

  /** Where a bucket's rows are: the switch whose folder has the file, and the file's checksum. */
  record Entry(long sequence, long crc32c) {}

  BackupMarker {
    entries = java.util.Collections.unmodifiableMap(new TreeMap<>(entries));
  }

  /** The sequence that a folder is called after; empty when it is called otherwise. */
  static OptionalLong sequence(String folder) {
    return SEQUENCE.matcher(folder).matches()
        ? OptionalLong.of(Long.parseLong(folder))
        : OptionalLong.empty();
  }

  String text() {
    StringBuilder text = new StringBuilder();
    entries.forEach(
        (bucket, entry) ->
            text.append("%d %d %08x".formatted(bucket, entry.sequence(), entry.crc32c()))
                .append('\n'));
    return text.toString();
  }

  /**
   * Reads a marker; one without lines is that of a map without rows.
   *
   * @param sequence of the marker's own folder: no file of a later one can be part of it
   * @throws IllegalArgumentException saying which line is none of ours
   */
  static BackupMarker parse(String text, long sequence) {
    Map<Integer, Entry> entries = new TreeMap<>();
    int last = -1;
    int number = 0;
    if (!text.isEmpty() && !text.endsWith("\n") || text.indexOf('\r') >= 0) {
      throw new IllegalArgumentException("its lines do not end as they should");
    }
    for (String line : text.lines().toList()) {
      number++;
      Matcher parts = LINE.matcher(line);
      if (!parts.matches()) {
        throw new IllegalArgumentException(
            "line %d is not \"bucket sequence checksum\": %s"
                .formatted(number, ObjectIds.printable(line, 60)));
      }
      int bucket = Integer.parseInt(parts.group(1));
      long of = Long.parseLong(parts.group(2));
      if (bucket <= last || of < 1 || of > sequence) {
        throw new IllegalArgumentException(
            "line %d has bucket %d of sequence %d after bucket %d, in the marker of sequence %d"
                .formatted(number, bucket, of, last, sequence));
      }
      last = bucket;
      entries.put(bucket, new Entry(of, Long.parseLong(parts.group(3), 16)));
    }
    return new BackupMarker(entries);
  }
}
