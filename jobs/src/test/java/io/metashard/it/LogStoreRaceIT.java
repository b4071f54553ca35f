package io.metashard.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileSystem;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Processes that commit the same versions of a table to a real S3 server, by our log store. */
class LogStoreRaceIT {
  private static final int PROCESSES = 3;

  /** Versions that all want; acceptance runs ask for more. */
  private static final int VERSIONS = Integer.getInteger("metashard.race.versions", 40);

  private static final Path FOLDER = Commands.JOBS.resolve("target/it/race");

  private static S3Server server;
  private static S3Proxy proxy;

  @BeforeAll
  static void startServer() throws IOException, InterruptedException {
    server = S3Server.start(FOLDER.resolve("server"), "racer", "racer-secret", List.of("lake"));
    proxy = new S3Proxy(server, FOLDER.resolve("requests.tsv"));
  }

  @AfterAll
  static void stopServer() throws IOException {
    proxy.close();
    server.close();
  }

  @Test
  void everyVersionHasOneWinner() throws Exception {
    race("plain");
    assertThat(proxy.count(r -> r.status() == 412)).as("commits refused").isPositive();
  }

  @Test
  void everyVersionHasOneWinnerWhenAnswersOfCommitsAreLost() throws Exception {
    proxy.set(
        S3Proxy.Faults.cutAnswers(
            0.3, request -> request.method().equals("PUT") && request.key().endsWith(".json")));
    try {
      race("cut");
    } finally {
      proxy.set(S3Proxy.Faults.NONE);
    }
    assertThat(proxy.count(r -> r.status() == 0)).as("answers that were lost").isPositive();
  }

  private static void race(String table)
      throws IOException, InterruptedException, ExecutionException {
    proxy.forget();
    Path meeting = FOLDER.resolve(table);
    LakeUnderTest.deleteAll(meeting);
    Files.createDirectories(meeting);
    String log = "s3a://lake/%s/_delta_log".formatted(table);
    List<Future<Commands.Ended>> racers = new ArrayList<>();
    ExecutorService threads = Executors.newFixedThreadPool(PROCESSES);
    Map<Integer, String> winners = new TreeMap<>();
    List<Integer> wins = new ArrayList<>();
    try {
      for (int i = 0; i < PROCESSES; i++) {
        int index = i;
        racers.add(threads.submit(() -> racer(index, log, meeting)));
      }
      for (int i = 0; i < PROCESSES; i++) {
        List<String> won = Commands.require(racers.get(i).get()).stdout().lines().toList();
        wins.add(won.size());
        for (String version : won) {
          String other = winners.put(Integer.parseInt(version), "racer-" + i);
          assertThat(other).as("another winner of version %s", version).isNull();
        }
      }
    } finally {
      threads.shutdownNow();
    }
    System.out.printf("%s: %d versions, won by process: %s%n", table, VERSIONS, wins);
    assertThat(winners).hasSize(VERSIONS);
    assertThat(wins).as("nobody won everything: they raced").allMatch(won -> won < VERSIONS);
    try (FileSystem s3 = server.fileSystem("lake")) {
      for (Map.Entry<Integer, String> winner : winners.entrySet()) {
        try (FSDataInputStream in =
            s3.open(new org.apache.hadoop.fs.Path(log, "%020d.json".formatted(winner.getKey())))) {
          assertThat(new String(in.readAllBytes(), StandardCharsets.UTF_8))
              .isEqualTo(
                  "{\"by\":\"%s\",\"version\":%d}\n".formatted(winner.getValue(), winner.getKey()));
        }
      }
    }
  }

  private static Commands.Ended racer(int index, String log, Path meeting)
      throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty(
                    "surefire.test.class.path", System.getProperty("java.class.path")),
                LogStoreRacer.class.getName(),
                log,
                Integer.toString(VERSIONS),
                meeting.toString(),
                Integer.toString(index),
                Integer.toString(PROCESSES)));
    server.options(proxy.endpoint()).forEach((key, value) -> command.add(key + "=" + value));
    return Commands.run(command, Map.of());
  }
}
