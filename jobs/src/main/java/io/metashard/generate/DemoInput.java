package io.metashard.generate;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The files of a demo: {@code objects/...}, {@code logs/parquet/date=YYYY-MM-DD/requests.parquet}
 * and, of the same requests, {@code logs/s3/*.log}; the sample has no S3 logs.
 *
 * <p>Modification times are part of the output: an object's is when it was written in the story, a
 * log's the end of its day. A marker file tells what made the folder and whether it was finished.
 */
public final class DemoInput {
  static final String MARKER = ".metashard-generated";
  private static final String OBJECTS = "objects";
  private static final String LOGS = "logs";
  private static final Pattern END = Pattern.compile("\\bend=([0-9-]{10})\\b");
  private static final String COMPLETE = "complete";
  private static final int CHUNK = 1 << 16;

  private final GenerateOptions options;

  public DemoInput(GenerateOptions options) {
    this.options = options;
  }

  /** Whether the folder holds the output of a generator that was not interrupted. */
  public static boolean isComplete(Path folder) {
    Path marker = folder.resolve(MARKER);
    try {
      return Files.exists(marker) && Files.readString(marker).endsWith(COMPLETE + "\n");
    } catch (IOException e) {
      throw new java.io.UncheckedIOException("Cannot read " + marker, e);
    }
  }

  /** The day after the last day of what a generator wrote into the folder; empty if none did. */
  public static Optional<LocalDate> end(Path folder) {
    if (!isComplete(folder)) {
      return Optional.empty();
    }
    try {
      Matcher matcher = END.matcher(Files.readString(folder.resolve(MARKER)));
      return matcher.find() ? Optional.of(LocalDate.parse(matcher.group(1))) : Optional.empty();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException("Cannot read " + folder.resolve(MARKER), e);
    }
  }

  /**
   * Writes everything, in place of what a generator wrote before.
   *
   * @return figures, in the order to print them
   * @throws IllegalStateException if the folder holds objects or logs that no generator made
   */
  public Map<String, Object> write() throws IOException {
    Path out = options.out();
    claim(out);
    List<DemoObject> objects = new ArrayList<>();
    List<DemoRequest> requests = new ArrayList<>();
    for (Workload workload : Workload.of(options)) {
      objects.addAll(workload.objects());
      requests.addAll(workload.requests());
    }
    requests.sort(DemoRequest.IN_ORDER);
    long bytes = 0;
    for (DemoObject object : objects) {
      writeObject(out.resolve(OBJECTS), object);
      bytes += object.bytes();
    }
    Map<LocalDate, List<DemoRequest>> byDay = new TreeMap<>();
    for (DemoRequest request : requests) {
      byDay
          .computeIfAbsent(
              LocalDate.ofInstant(request.ts(), ZoneOffset.UTC), day -> new ArrayList<>())
          .add(request);
    }
    Dice dice = new Dice(options.seed(), "s3 log");
    int broken = 0;
    for (Map.Entry<LocalDate, List<DemoRequest>> day : byDay.entrySet()) {
      broken += writeLogs(out.resolve(LOGS), day.getKey(), day.getValue(), dice);
    }
    Files.writeString(out.resolve(MARKER), options.describe() + "\n" + COMPLETE + "\n");

    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("folder", out.toString());
    figures.put("made", options.describe());
    figures.put("objects", objects.size());
    figures.put("object_bytes", bytes);
    figures.put("days", byDay.size());
    figures.put("requests", requests.size());
    figures.put("broken_s3_lines", broken);
    return figures;
  }

  /** Only what a generator made is overwritten. Other things in the folder, as a lake, stay. */
  private void claim(Path out) throws IOException {
    Path marker = out.resolve(MARKER);
    for (String folder : List.of(OBJECTS, LOGS)) {
      if (!isEmpty(out.resolve(folder)) && !Files.exists(marker)) {
        throw new IllegalStateException(
            "Cannot generate into %s: %s is not empty and was not made by generate; name another"
                    .formatted(out, out.resolve(folder))
                + " folder, or move it away");
      }
    }
    Files.createDirectories(out);
    Files.writeString(marker, options.describe() + "\n");
    delete(out.resolve(OBJECTS));
    delete(out.resolve(LOGS));
  }

  private static boolean isEmpty(Path folder) throws IOException {
    if (!Files.exists(folder)) {
      return true;
    }
    if (!Files.isDirectory(folder)) {
      return false;
    }
    try (Stream<Path> files = Files.list(folder)) {
      return files.findAny().isEmpty();
    }
  }

  private static void delete(Path folder) throws IOException {
    if (!Files.exists(folder)) {
      return;
    }
    Files.walkFileTree(
        folder,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.delete(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path directory, IOException failure)
              throws IOException {
            if (failure != null) {
              throw failure;
            }
            Files.delete(directory);
            return FileVisitResult.CONTINUE;
          }
        });
  }

  private void writeObject(Path root, DemoObject object) throws IOException {
    Path file = root.resolve(object.id());
    Files.createDirectories(file.getParent());
    Dice dice = new Dice(options.seed(), "bytes of " + object.id());
    byte[] chunk = new byte[CHUNK];
    try (OutputStream out = Files.newOutputStream(file)) {
      for (long left = object.bytes(); left > 0; left -= CHUNK) {
        dice.fill(chunk);
        out.write(chunk, 0, (int) Math.min(CHUNK, left));
      }
    }
    Files.setLastModifiedTime(file, FileTime.from(object.modifiedAt()));
  }

  /** Returns how many broken lines the S3 log has. */
  private int writeLogs(Path logs, LocalDate day, List<DemoRequest> requests, Dice dice)
      throws IOException {
    FileTime written = FileTime.from(day.plusDays(1).atStartOfDay().toInstant(ZoneOffset.UTC));
    Path parquet = logs.resolve("parquet").resolve("date=" + day).resolve("requests.parquet");
    Files.createDirectories(parquet.getParent());
    RequestParquet.write(parquet, requests);
    Files.setLastModifiedTime(parquet, written);
    if (options.workload().equals(GenerateOptions.SAMPLE)) {
      return 0;
    }
    Path s3 = logs.resolve("s3").resolve("%s-00-00-00-%016X.log".formatted(day, name(day)));
    Files.createDirectories(s3.getParent());
    int broken = S3AccessLog.write(s3, requests, dice);
    Files.setLastModifiedTime(s3, written);
    return broken;
  }

  private long name(LocalDate day) {
    return new Dice(options.seed(), "name " + day).below(Long.MAX_VALUE);
  }
}
