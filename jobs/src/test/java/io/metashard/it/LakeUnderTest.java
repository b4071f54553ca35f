package io.metashard.it;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.metashard.SampleLog;
import io.metashard.read.MetaShardReader;
import io.metashard.read.ReadOptions;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;

/** A lake with folders as locations, made by the command itself. */
final class LakeUnderTest {
  /** More of a configuration, for lakes with tens of rows: no code is generated for them. */
  static final String NO_COMPILING =
      """
      spark {
        "spark.sql.codegen.wholeStage" = false
        "spark.sql.codegen.factoryMode" = NO_CODEGEN
        "spark.sql.shuffle.partitions" = 2
      }
      """;

  /** The same, and models are judged from few origins. */
  static final String SMALL_TABLES = "forecast.backtest-origins = 4\n" + NO_COMPILING;

  private final Path folder;
  private final Path objects;
  private final Path config;
  private final int locations;
  private boolean inUsersJvm;
  private boolean inThisJvm;

  LakeUnderTest(String name, Path objects, Path log, String format, int locations, String more)
      throws IOException {
    this.folder = Commands.JOBS.resolve("target/it").resolve(name);
    this.objects = objects;
    this.locations = locations;
    deleteAll(folder);
    Files.createDirectories(folder);
    this.config = folder.resolve("metashard.conf");
    Files.writeString(
        config,
        """
        lake.root = "%s"
        objects.roots = ["%s"]
        logs = [{ path = "%s", format = "%s" }]
        locations = [ %s ]
        %s
        """
            .formatted(
                folder.resolve("lake"),
                objects,
                log,
                format,
                IntStream.range(0, locations)
                    .mapToObj(i -> "{ name = \"l%d\", uri = \"%s\" }".formatted(i, location(i)))
                    .collect(Collectors.joining(", ")),
                more));
  }

  /** The same lake, whose commands run in the JVM that users have, not in one for short tests. */
  LakeUnderTest inUsersJvm() {
    inUsersJvm = true;
    return this;
  }

  /** The same lake, whose commands run in the JVM of the test: several times as fast. */
  LakeUnderTest inThisJvm() {
    inThisJvm = true;
    return this;
  }

  /** A lake of the committed sample: its objects, and the requests of its last days. */
  static LakeUnderTest ofSample(String name, int lastDays, int locations, String more)
      throws IOException {
    return ofSample(name, sampleLog(name + "-log", lastDays), locations, more);
  }

  /** The same, with a log that several lakes may share: its place is in their tables. */
  static LakeUnderTest ofSample(String name, Path log, int locations, String more)
      throws IOException {
    return new LakeUnderTest(
        name, Commands.HOME.resolve("data/sample/objects"), log, "parquet", locations, more);
  }

  /** The requests of the committed sample's last days, in a folder of that name. */
  static Path sampleLog(String name, int lastDays) throws IOException {
    Path log = Commands.JOBS.resolve("target/it").resolve(name);
    deleteAll(log);
    SampleLog.copyLastDays(lastDays, log);
    return log;
  }

  Path location(int index) {
    return folder.resolve("locations/l" + index);
  }

  Path config() {
    return config;
  }

  Path root() {
    return folder.resolve("lake");
  }

  Commands.Ended command(String command, String... arguments)
      throws IOException, InterruptedException {
    List<String> all = new ArrayList<>(List.of(command, "--config", config.toString()));
    all.addAll(List.of(arguments));
    String[] words = all.toArray(String[]::new);
    if (inThisJvm) {
      return Commands.inThisJvm(words);
    }
    return inUsersJvm ? Commands.metashard(Map.of(), words) : Commands.metashard(words);
  }

  /** Runs a command that must end well, and gives back its line of JSON. */
  JsonNode json(String command, String... arguments) throws IOException, InterruptedException {
    List<String> all = new ArrayList<>(List.of(arguments));
    all.add("--json");
    Commands.Ended ended = Commands.require(command(command, all.toArray(String[]::new)));
    return new ObjectMapper().readTree(ended.stdout());
  }

  /** Moves location folders away. */
  void lose(int... lost) throws IOException {
    for (int index : lost) {
      Files.move(location(index), folder.resolve("lost-l" + index));
    }
  }

  void bringBack() throws IOException {
    for (int index = 0; index < locations; index++) {
      Path lost = folder.resolve("lost-l" + index);
      if (Files.exists(lost)) {
        Files.move(lost, location(index));
      }
    }
  }

  /** SHA-256 of every source object, by id. */
  Map<String, String> sources() throws IOException {
    return digestsBelow(objects);
  }

  /** SHA-256 of every file below a folder, by its path there. */
  static Map<String, String> digestsBelow(Path root) throws IOException {
    try (Stream<Path> files = Files.walk(root)) {
      return files
          .filter(Files::isRegularFile)
          .collect(
              Collectors.toMap(
                  file -> root.relativize(file).toString(),
                  LakeUnderTest::sha256,
                  (a, b) -> a,
                  TreeMap::new));
    }
  }

  /** SHA-256 of every object that the map serves, read by the command, by id. */
  Map<String, String> served(String... arguments) throws IOException, InterruptedException {
    List<String> all = new ArrayList<>(List.of("--all", "--sha256"));
    all.addAll(List.of(arguments));
    return digests(Commands.require(command("cat", all.toArray(String[]::new))).stdout(), "  ");
  }

  /** The same, read by the Python reader, which has no code of ours. */
  Map<String, String> servedIndependently(int... lost) throws IOException, InterruptedException {
    Path out = folder.resolve("independent.tsv");
    List<String> command =
        new ArrayList<>(
            List.of(
                PythonEnvironment.LAKE.python().toString(),
                Commands.JOBS.resolve("src/test/python/independent_reader.py").toString(),
                root().toString(),
                out.toString(),
                "--gone"));
    IntStream.of(lost).forEach(index -> command.add("l" + index));
    Commands.require(Commands.run(command, Map.of()));
    Map<String, String> found = new TreeMap<>();
    for (String line : Files.readAllLines(out)) {
      String[] parts = line.split("\t");
      found.put(new ObjectMapper().readValue(parts[1], String.class), parts[0]);
    }
    return found;
  }

  static Map<String, String> digests(String text, String separator) {
    return text.lines()
        .map(line -> line.split(separator, 2))
        .collect(Collectors.toMap(parts -> parts[1], parts -> parts[0], (a, b) -> a, TreeMap::new));
  }

  private static String sha256(Path file) {
    try (InputStream in = Files.newInputStream(file)) {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      new DigestInputStream(in, digest).transferTo(java.io.OutputStream.nullOutputStream());
      return HexFormat.of().formatHex(digest.digest());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  static void deleteAll(Path folder) throws IOException {
    if (Files.exists(folder)) {
      try (Stream<Path> files = Files.walk(folder)) {
        for (Path file : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
          Files.delete(file);
        }
      }
    }
  }

  /** SHA-256 of every object that the map serves, by id, without any source. */
  Map<String, String> servedByMap() throws Exception {
    Map<String, String> found = new TreeMap<>();
    try (MetaShardReader reader =
        MetaShardReader.open(
            root().toString(), new ReadOptions(ReadOptions.Fallback.NONE), new Configuration())) {
      for (int bucket = 0; bucket < reader.lookup().buckets(); bucket++) {
        for (String id : reader.lookup().objects(bucket).keySet()) {
          MessageDigest digest = MessageDigest.getInstance("SHA-256");
          try (DigestOutputStream out =
              new DigestOutputStream(java.io.OutputStream.nullOutputStream(), digest)) {
            reader.copy(id, 0, Long.MAX_VALUE, out);
          }
          found.put(id, HexFormat.of().formatHex(digest.digest()));
        }
      }
    }
    return found;
  }
}
