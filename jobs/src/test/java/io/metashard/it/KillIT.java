package io.metashard.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Commands that are killed at any moment, as a power cut would, and are run again.
 *
 * <p>{@code -Dmetashard.kill.count=20} kills so often (200), {@code -Dmetashard.kill.seed=7} at
 * other moments, {@code -Dmetashard.kill.replay=nightly:reshard@0.512,...} at those that a failure
 * names; {@code target/it/kills.tsv} keeps those of the last run.
 */
@Tag("endurance")
class KillIT {
  private static final int TEN = 10;
  private static final int KILLS = Integer.getInteger("metashard.kill.count", 200);
  private static final long SEED = Long.getLong("metashard.kill.seed", 20_260_110L);
  private static final String REPLAY = System.getProperty("metashard.kill.replay", "");

  private static final LocalDate FIRST_DAY = LocalDate.parse("2026-01-10");
  private static final Path FOLDER = Commands.JOBS.resolve("target/it/kill-input");
  private static final Path KEPT = Commands.JOBS.resolve("target/it/kills.tsv");
  private static final Pattern STAGE =
      Pattern.compile("(?m)^\\S+ INFO +([a-z-]+): (begins|done|unchanged)\\b");

  /**
   * Stages of whose work nothing may be done twice; a plan is made anew until it is carried out.
   */
  private static final Set<String> ONCE = Set.of("ingest", "catalogue", "aggregate", "forecast");

  private static final String SMALL =
      """
      plan { survive = 1, storage-budget = 3, buckets = 4 }
      forecast { model = total-share, history = 3d, backtest-origins = 1 }
      monitor.spans = 2
      tuner.mode = off
      segments.min-bytes = 16 KiB
      spark {
        "spark.sql.codegen.wholeStage" = false
        "spark.sql.codegen.factoryMode" = NO_CODEGEN
        "spark.sql.shuffle.partitions" = 1
        "spark.default.parallelism" = 1
        "spark.databricks.delta.snapshotPartitions" = 1
      }
      """;

  /** What is killed: a command that changes the map, and the stage in which it does. */
  private enum Killed {
    NIGHTLY("nightly", "reshard", 1),
    REPAIR("repair", "repair", 1),
    /** One where it compacts, one where it moves the floor. */
    VACUUM(
        "vacuum",
        "vacuum",
        2,
        "--force",
        "--set",
        "vacuum.retention=0s",
        "--set",
        "vacuum.orphan-age=0s");

    final String command;
    final String stage;
    final int mostSwitches;
    final List<String> options;

    Killed(String command, String stage, int mostSwitches, String... options) {
      this.command = command;
      this.stage = stage;
      this.mostSwitches = mostSwitches;
      this.options = List.of(options);
    }
  }

  /** What the moment is counted from, and what it is a share of. */
  private enum From {
    /** The start of the process; of the time that the whole command took. */
    START,
    /** The stage that changes the map; of the time that it took. */
    STAGE,
    /** The map's commit is seen; of the time from there to the end. */
    COMMIT
  }

  private record Moment(Killed killed, From from, double share) {
    /** Half of them in the stage that counts, a third about its commit; every other one a night. */
    static Moment drawn(Random random, int number) {
      Killed killed =
          number % 2 == 0 ? Killed.NIGHTLY : number % 4 == 1 ? Killed.REPAIR : Killed.VACUUM;
      double draw = random.nextDouble();
      From from = draw < 0.2 ? From.START : draw < 0.65 ? From.STAGE : From.COMMIT;
      return new Moment(killed, from, Math.round(random.nextDouble() * 1000) / 1000.0);
    }

    static Moment parsed(String text) {
      Matcher parts = Pattern.compile("([a-z-]+):([a-z]+)@([0-9.]+)").matcher(text.strip());
      if (!parts.matches()) {
        throw new IllegalArgumentException(
            "Cannot replay %s: write COMMAND:start@SHARE, :stage@ or :commit@".formatted(text));
      }
      return new Moment(
          Killed.valueOf(parts.group(1).toUpperCase(Locale.ROOT).replace('-', '_')),
          From.valueOf(parts.group(2).toUpperCase(Locale.ROOT)),
          Double.parseDouble(parts.group(3)));
    }

    @Override
    public String toString() {
      return "%s:%s@%s".formatted(killed.command, from.name().toLowerCase(Locale.ROOT), share);
    }
  }

  /** How long things took when nothing was killed. */
  private final Map<Killed, Map<From, Long>> tookMillis = new TreeMap<>();

  private LakeUnderTest lake;

  @Test
  void everyObjectIsWholeAfterEachOfTenKillsAndTheRetryCommitsOnce() throws Exception {
    kill(TEN);
  }

  @Test
  void everyObjectIsWholeAfterEachOfManyKillsAndTheRetryCommitsOnce() throws Exception {
    kill(KILLS);
  }

  private void kill(int count) throws Exception {
    List<Moment> moments = moments(count);
    input();
    Files.writeString(KEPT, "round\tmoment\tkilled_after_millis\tswitched\tretry_millis\n");
    lake =
        new LakeUnderTest(
            "kill", FOLDER.resolve("objects"), FOLDER.resolve("log"), "csv", 4, SMALL);
    Random random = new Random(SEED + 1);
    measure(Killed.NIGHTLY);
    if (count > TEN) {
      measure(Killed.REPAIR);
      measure(Killed.VACUUM);
    } else {
      tookMillis.put(Killed.REPAIR, tookMillis.get(Killed.NIGHTLY));
      tookMillis.put(Killed.VACUUM, tookMillis.get(Killed.NIGHTLY));
    }
    int killed = 0;
    for (int round = 1; round <= moments.size(); round++) {
      killed += round(round, moments.get(round - 1), random) ? 1 : 0;
    }
    System.out.printf("%d of %d commands were killed, seed %d%n", killed, moments.size(), SEED);
    // Some end before their moment comes.
    assertThat(killed).isGreaterThan(moments.size() / 2);
    assertThat(lake.json("verify").get("findings").asLong()).isZero();
  }

  @Test
  void ofTwoNightsAtOnceOneSwitchesTheMapAndTheOtherChangesNothing() throws Exception {
    input();
    lake =
        new LakeUnderTest(
            "twice", FOLDER.resolve("objects"), FOLDER.resolve("log"), "csv", 4, SMALL);
    List<Running> nights = new ArrayList<>();
    List<Integer> exitCodes = new ArrayList<>();
    List<String> said = new ArrayList<>();
    try {
      for (String run : List.of("one", "two")) {
        nights.add(start(Killed.NIGHTLY, 0, "--run-id", run));
      }
      for (Running night : nights) {
        Commands.Ended ended = night.ended();
        exitCodes.add(ended.exitCode());
        said.add(ended.stdout() + ended.stderr());
      }
    } finally {
      nights.forEach(Running::close);
    }
    // One that begins to plan after the other's switch finds nothing to do: that is well, too.
    assertThat(exitCodes).as("%s", said).contains(0).isSubsetOf(0, 4);
    assertThat(switches()).as("%s", said).hasSize(1);
    assertThat(lake.servedByMap()).isEqualTo(lake.sources());
    for (String run : List.of("one", "two")) {
      try (Running again = start(Killed.NIGHTLY, 0, "--run-id", run)) {
        Commands.require(again.ended());
      }
    }
    assertThat(switches()).hasSize(1);
    assertThat(lake.servedByMap()).isEqualTo(lake.sources());
  }

  private static void input() throws IOException {
    LakeUnderTest.deleteAll(FOLDER);
    Files.createDirectories(FOLDER.resolve("objects/a"));
    Files.createDirectories(FOLDER.resolve("log"));
    Random random = new Random(SEED);
    for (int i = 0; i < 6; i++) {
      write("a/first-%d".formatted(i), random, 0);
    }
    log(0);
  }

  private static List<Moment> moments(int count) {
    if (!REPLAY.isEmpty()) {
      return Stream.of(REPLAY.split(",")).map(Moment::parsed).toList();
    }
    Random random = new Random(SEED);
    List<Moment> moments = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      moments.add(Moment.drawn(random, i));
    }
    return moments;
  }

  /** Something to do for a command, and what it does, to its end. */
  private void measure(Killed killed) throws Exception {
    Random random = new Random(SEED + 2);
    if (killed == Killed.REPAIR) {
      damage(random);
    }
    int before = switches().size();
    try (Running command = start(killed, 0)) {
      long begun = System.nanoTime();
      command.until("the stage", () -> begins(command, killed.stage));
      long stage = System.nanoTime();
      if (killed != Killed.VACUUM) {
        command.until("the commit", () -> switches().size() == before + 1);
      }
      long commit = System.nanoTime();
      Commands.require(command.ended());
      long ended = System.nanoTime();
      Map<From, Long> took = new TreeMap<>();
      took.put(From.START, TimeUnit.NANOSECONDS.toMillis(ended - begun));
      took.put(From.STAGE, TimeUnit.NANOSECONDS.toMillis(ended - stage));
      took.put(From.COMMIT, TimeUnit.NANOSECONDS.toMillis(ended - commit));
      tookMillis.put(killed, took);
    }
    System.out.printf("milliseconds to the end of %s from %s%n", killed, tookMillis.get(killed));
    assertThat(lake.servedByMap()).isEqualTo(lake.sources());
  }

  /** Deletes a third of the containers of one location, and flips a bit in each other one. */
  private void damage(Random random) throws IOException {
    Path containers = lake.location(random.nextInt(4)).resolve("containers");
    List<Path> files;
    try (Stream<Path> all = Files.walk(containers)) {
      files = all.filter(file -> file.toString().endsWith(".msc")).sorted().toList();
    }
    for (Path file : files) {
      if (random.nextInt(3) == 0) {
        Files.delete(file);
      } else {
        byte[] bytes = Files.readAllBytes(file);
        bytes[random.nextInt(bytes.length)] ^= 1;
        Files.write(file, bytes);
      }
    }
  }

  /** Whether the command was killed before it ended. */
  private boolean round(int round, Moment moment, Random random) throws Exception {
    Map<String, String> older = lake.servedByMap();
    int switchesBefore = switches().size();
    switch (moment.killed()) {
      case NIGHTLY -> {
        write("a/first-%d".formatted(random.nextInt(6)), random, round);
        write("a/new-%d".formatted(round), random, round);
        log(round);
      }
      case REPAIR -> damage(random);
      case VACUUM -> {
        // The nights before have left it something.
      }
    }
    Map<String, String> newer = lake.sources();
    String what = "round %d, %s".formatted(round, moment);

    long begun = System.nanoTime();
    boolean killed;
    String stderr;
    try (Running command = start(moment.killed(), round)) {
      killed = waitFor(command, moment, switchesBefore);
      if (killed) {
        command.signal("KILL");
      }
      Commands.Ended ended = command.ended();
      killed &= ended.exitCode() == 137;
      assertThat(ended.exitCode()).as(what).isIn(0, 137);
      stderr = ended.stderr();
    }
    long killedAfter = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begun);

    List<String> switches = switches();
    int most = switchesBefore + moment.killed().mostSwitches;
    assertThat(switches.size()).as(what).isBetween(switchesBefore, most);
    boolean switched = switches.size() > switchesBefore;
    // Whatever is left of the command: every byte that the map promises, and no mixture.
    assertThat(lake.servedByMap()).as(what).isEqualTo(switched ? newer : older);

    long again = System.nanoTime();
    JsonNode retry = retry(moment.killed(), round);
    long retryTook = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - again);
    assertThat(lake.servedByMap()).as(what).isEqualTo(newer);
    switches = switches();
    String runId = retry.get("run_id").asText();
    if (moment.killed() == Killed.VACUUM) {
      assertThat(switches.size()).as(what).isBetween(switchesBefore, most);
    } else {
      assertThat(switches).as("%s: one switch", what).hasSize(switchesBefore + 1);
      assertThat(switches.stream().filter(by -> by.contains(runId)).toList())
          .as("%s: commits by %s", what, runId)
          .containsExactly(switches.get(switchesBefore));
    }
    for (String stage : moment.killed() == Killed.NIGHTLY ? finished(stderr) : Set.<String>of()) {
      assertThat(retry.at("/" + stage + "/state").asText())
          .as("%s: %s was finished before the kill", what, stage)
          .isEqualTo("unchanged");
    }
    String line =
        "%d\t%s\t%s\t%s\t%d"
            .formatted(round, moment, killed ? killedAfter : "ended", switched, retryTook);
    Files.writeString(KEPT, line + "\n", StandardOpenOption.APPEND);
    System.out.println(line);
    return killed;
  }

  /** False when the command ended before. */
  private boolean waitFor(Running command, Moment moment, int switchesBefore)
      throws InterruptedException {
    while (command.isAlive()
        && switch (moment.from()) {
          case START -> false;
          case STAGE -> !begins(command, moment.killed().stage);
          case COMMIT -> switches().size() == switchesBefore;
        }) {
      Thread.sleep(5);
    }
    long end =
        System.nanoTime()
            + TimeUnit.MILLISECONDS.toNanos(
                (long) (moment.share() * tookMillis.get(moment.killed()).get(moment.from())));
    while (command.isAlive() && System.nanoTime() < end) {
      Thread.sleep(1);
    }
    return command.isAlive();
  }

  private static boolean begins(Running command, String stage) {
    return command.stderr().contains(" " + stage + ": begins");
  }

  /** Stages that were finished, and known to be: the next one had begun. */
  private static Set<String> finished(String stderr) {
    Set<String> finished = new TreeSet<>();
    Set<String> ended = new TreeSet<>();
    Matcher lines = STAGE.matcher(stderr);
    while (lines.find()) {
      if (lines.group(2).equals("begins")) {
        finished.addAll(ended);
      } else {
        ended.add(lines.group(1));
      }
    }
    finished.retainAll(ONCE);
    return finished;
  }

  private String[] words(Killed killed, int round) {
    Instant at = FIRST_DAY.plusDays(round + 1).atStartOfDay().toInstant(ZoneOffset.UTC);
    List<String> words =
        new ArrayList<>(
            List.of(
                killed.command,
                "--config",
                lake.config().toString(),
                "--at",
                at.toString(),
                "--json"));
    words.addAll(killed.options);
    return words.toArray(String[]::new);
  }

  private Running start(Killed killed, int round, String... more) throws IOException {
    List<String> words = new ArrayList<>(List.of(words(killed, round)));
    words.addAll(List.of(more));
    return Running.metashard(
        Map.of("METASHARD_JAVA_OPTIONS", Commands.SMALL_JVM, "METASHARD_HEAP", "1g"),
        words.toArray(String[]::new));
  }

  private JsonNode retry(Killed killed, int round) throws IOException {
    Commands.Ended ended = Commands.require(Commands.inThisJvm(words(killed, round)));
    return new ObjectMapper().readTree(ended.stdout());
  }

  /** Writes an object anew, of other bytes and another time. */
  private static void write(String id, Random random, int round) throws IOException {
    byte[] content = new byte[1 + random.nextInt(60_000)];
    random.nextBytes(content);
    Path file = FOLDER.resolve("objects").resolve(id);
    Files.write(file, content);
    Files.setLastModifiedTime(
        file, FileTime.from(FIRST_DAY.plusDays(round).atStartOfDay().toInstant(ZoneOffset.UTC)));
  }

  /** A day of requests for what there is. */
  private static void log(int round) throws IOException {
    StringBuilder lines =
        new StringBuilder("ts,object_id,range_start,range_end,status,operation\n");
    List<String> ids =
        new ArrayList<>(LakeUnderTest.digestsBelow(FOLDER.resolve("objects")).keySet());
    LocalDate day = FIRST_DAY.plusDays(round);
    for (int hour = 0; hour < 24; hour += 4) {
      for (String id : ids) {
        lines.append("%sT%02d:05:00Z,%s,0,500,206,GET%n".formatted(day, hour, id));
      }
    }
    Files.writeString(FOLDER.resolve("log/%s.csv".formatted(day)), lines);
  }

  /** Who made each switch of the map, in order: the signatures of its commits. */
  private List<String> switches() {
    Path log = lake.root().resolve("shard_map/_delta_log");
    List<String> signatures = new ArrayList<>();
    if (!Files.isDirectory(log)) {
      return signatures;
    }
    try (Stream<Path> files = Files.list(log)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".json")).sorted().toList()) {
        if (!file.getFileName().toString().matches("[0-9]{20}\\.json")) {
          continue;
        }
        String commit = Files.readString(file);
        if (commit.contains("\"appId\":\"metashard-map\"")) {
          String info =
              commit
                  .lines()
                  .filter(line -> line.startsWith("{\"commitInfo\""))
                  .findAny()
                  .orElseThrow();
          signatures.add(new ObjectMapper().readTree(info).at("/commitInfo/userMetadata").asText());
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return signatures;
  }
}
