package io.metashard.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.apache.hadoop.fs.FileSystem;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Nights with lake, sources, logs and locations on S3: two servers, one of them with an endpoint
 * and credentials that only its locations have, and a proxy before each that counts requests and
 * makes them fail.
 */
class S3NightIT {
  private static final Path SAMPLE = Commands.HOME.resolve("data/sample");
  private static final Path TRACES = Commands.HOME.resolveSibling("shared").resolve("data");
  private static final Path FOLDER = Commands.JOBS.resolve("target/it/s3");
  private static final String AT = "2026-01-22T00:00:00Z";
  private static final long REQUEST_BYTES = 64L << 20;

  /** Pairs of nights at once; acceptance runs ask for more. */
  private static final int PAIRS = Integer.getInteger("metashard.s3.nights", 1);

  private static final List<String> BUCKETS =
      List.of("loc0", "loc1", "loc2", "loc3", "loc4", "loc5");
  private static final List<String> OTHER_BUCKETS = List.of("loc6", "loc7");

  private static S3Server server;
  private static S3Server otherServer;
  private static S3Proxy proxy;
  private static S3Proxy otherProxy;

  @BeforeAll
  static void startServers() throws IOException, InterruptedException {
    List<String> buckets = new ArrayList<>(List.of("lake", "sources", "logs"));
    buckets.addAll(BUCKETS);
    server = S3Server.start(FOLDER.resolve("server"), "main-identity", "main-secret", buckets);
    otherServer =
        S3Server.start(
            FOLDER.resolve("other-server"), "other-identity", "other-secret", OTHER_BUCKETS);
    proxy = new S3Proxy(server, FOLDER.resolve("requests.tsv"));
    otherProxy = new S3Proxy(otherServer, FOLDER.resolve("other-requests.tsv"));
    upload("sources", "sample", SAMPLE.resolve("objects"));
    upload("logs", "sample", SAMPLE.resolve("logs/parquet"));
  }

  @AfterAll
  static void stopServers() throws IOException {
    for (AutoCloseable started : new AutoCloseable[] {proxy, otherProxy, server, otherServer}) {
      if (started != null) {
        try {
          started.close();
        } catch (Exception e) {
          throw new IOException(e);
        }
      }
    }
  }

  private static void upload(String bucket, String prefix, Path folder) throws IOException {
    try (FileSystem s3 = server.fileSystem(bucket);
        Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        s3.copyFromLocalFile(
            new org.apache.hadoop.fs.Path(file.toUri()),
            new org.apache.hadoop.fs.Path(
                "s3a://%s/%s/%s".formatted(bucket, prefix, folder.relativize(file))));
      }
    }
  }

  /** A configuration of a lake of its own, whose requests go by the proxies. */
  private static Path config(String lake, String prefix, String more) throws IOException {
    StringBuilder locations = new StringBuilder();
    for (String bucket : BUCKETS) {
      locations.append("  { name = %s, uri = \"s3a://%s/%s\" }%n".formatted(bucket, bucket, lake));
    }
    for (String bucket : OTHER_BUCKETS) {
      locations.append(
          "  { name = %s, uri = \"s3a://%s/%s\", hadoop { %s } }%n"
              .formatted(
                  bucket, bucket, lake, options(otherServer.options(otherProxy.endpoint()))));
    }
    return Files.writeString(
        FOLDER.resolve(lake + ".conf"),
        """
        lake.root = "s3a://lake/%s"
        objects.roots = ["s3a://sources/%s"]
        logs = [{ path = "s3a://logs/%s", format = parquet }]
        locations = [
        %s]
        hadoop { %s }
        %s
        """
            .formatted(
                lake, prefix, prefix, locations, options(server.options(proxy.endpoint())), more));
  }

  private static String options(Map<String, String> options) {
    List<String> texts = new ArrayList<>();
    options.forEach((key, value) -> texts.add("\"%s\" = \"%s\"".formatted(key, value)));
    return String.join(", ", texts);
  }

  private static Stream<S3Proxy.Request> requests() {
    return Stream.concat(proxy.requests().stream(), otherProxy.requests().stream());
  }

  private static long count(Predicate<S3Proxy.Request> which) {
    return requests().filter(request -> request.status() / 100 == 2).filter(which).count();
  }

  private static void forget() {
    proxy.forget();
    otherProxy.forget();
  }

  @Test
  void aNightPutsAndGetsNoMoreThanItsBytesAskForAndRenamesAndDeletesNothing()
      throws IOException, InterruptedException {
    requireCounted("counted", "sample", SAMPLE.resolve("objects"), AT, LakeUnderTest.SMALL_TABLES);
  }

  @Test
  void aNightOnRealTracesPutsAndGetsNoMoreThanItsBytesAskFor()
      throws IOException, InterruptedException {
    Assumptions.assumeTrue(
        Boolean.getBoolean("metashard.s3.traces") && Files.exists(TRACES.resolve("make_inputs.py")),
        "minutes, with -Dmetashard.s3.traces=true and the traces beside the project only");
    Path input = FOLDER.resolve("nspw");
    LakeUnderTest.deleteAll(input);
    Commands.require(
        Commands.run(
            List.of(
                PythonEnvironment.LAKE.python().toString(),
                TRACES.resolve("make_inputs.py").toString(),
                TRACES.resolve("nspw").toString(),
                input.toString(),
                "--formats",
                "parquet"),
            Map.of()));
    upload("sources", "nspw", input.resolve("objects"));
    upload("logs", "nspw", input.resolve("logs/parquet"));
    requireCounted("nspw", "nspw", input.resolve("objects"), "2018-05-09T00:00:00Z", "");
  }

  private static void requireCounted(
      String lake, String prefix, Path objects, String at, String more)
      throws IOException, InterruptedException {
    String config = config(lake, prefix, more).toString();
    forget();
    Commands.Ended ended =
        Commands.require(
            Commands.metashard("nightly", "--config", config, "--at", at, "--json", "--quiet"));
    JsonNode night = new ObjectMapper().readTree(ended.stdout());
    Map<String, String> sources = LakeUnderTest.digestsBelow(objects);
    assertThat(night.at("/lake/objects_encoded").asInt()).isEqualTo(sources.size());

    long written = night.at("/reshard/written_bytes").asLong();
    long containers = count(r -> isMade(r) && r.key().contains("/containers/"));
    long backups = count(r -> isMade(r) && r.key().contains("/map-backup/"));
    long stages =
        Stream.of(
                "ingest", "catalogue", "aggregate", "score", "tune", "forecast", "plan", "reshard")
            .count();
    long puts = count(r -> List.of("UploadPart", "PutObject").contains(r.operation()));
    long mostPuts = (long) (1.1 * written / REQUEST_BYTES) + 1 + containers + 40 * stages;
    long sourceGets = count(r -> isGet(r) && r.bucket().equals("sources"));
    long mostSourceGets = 0;
    for (String object : sources.keySet()) {
      mostSourceGets +=
          Math.max(1, -Math.floorDiv(-Files.size(objects.resolve(object)), REQUEST_BYTES));
    }
    long locationGets = count(r -> isGet(r) && r.bucket().matches("loc[0-9]"));
    System.out.printf(
        "%d puts of %.1f MiB, %d containers; at most %d%n",
        puts, written / 1048576.0, containers, mostPuts);
    System.out.printf(
        "%d gets of sources, at most %d; %d gets at locations, of %d containers and %d backups%n",
        sourceGets, mostSourceGets, locationGets, containers, backups);
    requests()
        .collect(
            java.util.stream.Collectors.groupingBy(
                S3Proxy.Request::operation,
                java.util.TreeMap::new,
                java.util.stream.Collectors.counting()))
        .forEach((operation, n) -> System.out.printf("%s %d%n", operation, n));
    assertThat(containers).isPositive();
    assertThat(sourceGets).isBetween(1L, mostSourceGets);
    assertThat(puts).isBetween(containers, mostPuts);
    assertThat(locationGets)
        .isBetween(containers, containers + written / REQUEST_BYTES + 2 * backups);
    assertThat(
            count(
                r ->
                    List.of("CopyObject", "DeleteObject", "DeleteObjects").contains(r.operation())))
        .as("renames and deletes")
        .isZero();
    assertThat(requests()).allMatch(r -> r.userAgent().startsWith("Metashard/"));
    assertThat(count(r -> r.bucket().equals("loc7") && r.key().contains("/containers/")))
        .as("requests at a location of the other server")
        .isPositive();
    assertThat(ended.stdout() + ended.stderr()).doesNotContain("main-secret", "other-secret");

    requireProbed(config);

    server.lose("loc1");
    try {
      Commands.Ended cat =
          Commands.require(
              Commands.metashard(
                  "cat", "--config", config, "--all", "--sha256", "--set", "read.fallback=false"));
      assertThat(LakeUnderTest.digests(cat.stdout(), "  ")).isEqualTo(sources);
    } finally {
      server.bringBack("loc1");
    }
  }

  /** Locations of both servers are measured with no more requests than are allowed. */
  private static void requireProbed(String config) throws IOException, InterruptedException {
    forget();
    Commands.Ended ended =
        Commands.require(
            Commands.metashard(
                "probe",
                "--config",
                config,
                "--max-requests",
                "64",
                "--write",
                "--location=loc0",
                "--location=loc7",
                "--json"));
    List<String> lines = ended.stdout().lines().toList();
    assertThat(lines).hasSize(2);
    for (String line : lines) {
      JsonNode location = new ObjectMapper().readTree(line);
      String name = location.get("location").asText();
      long made = requests().filter(r -> r.bucket().equals(name)).count();
      System.out.printf("%s: %s; at most 64, seen %d%n", name, line, made);
      assertThat(made).isBetween(location.get("reads").asLong(), 64L);
      assertThat(location.get("first_byte_millis").asDouble()).isBetween(0.0, 1000.0);
      assertThat(location.get("failed_reads").asInt()).isZero();
    }
    assertThat(requests()).allMatch(r -> List.of("loc0", "loc7").contains(r.bucket()));
    assertThat(requests().filter(S3NightIT::isMade).map(S3Proxy.Request::key))
        .hasSize(2)
        .allMatch(key -> key.contains("/probe/metashard-probe-"))
        .containsExactlyInAnyOrderElementsOf(
            requests()
                .filter(r -> r.operation().equals("DeleteObject"))
                .map(S3Proxy.Request::key)
                .toList());
    assertThat(ended.stdout() + ended.stderr()).doesNotContain("main-secret", "other-secret");
  }

  /** A whole object that came to be: by one put, or by its last part. */
  private static boolean isMade(S3Proxy.Request request) {
    return List.of("PutObject", "CompleteMultipartUpload").contains(request.operation());
  }

  private static boolean isGet(S3Proxy.Request request) {
    return request.operation().equals("GetObject");
  }

  @Test
  void ofTwoNightsAtOnceOnASlowServerThatThrottlesOneWinsAndTheOtherIsToldToRetry()
      throws IOException, InterruptedException, ExecutionException {
    for (S3Proxy each : List.of(proxy, otherProxy)) {
      each.set(new S3Proxy.Faults(0.02, 3, 0, request -> false));
    }
    ExecutorService both = Executors.newFixedThreadPool(2);
    try {
      for (int pair = 0; pair < PAIRS; pair++) {
        String config = config("pair-" + pair, "sample", LakeUnderTest.SMALL_TABLES).toString();
        forget();
        List<Future<Commands.Ended>> nights = new ArrayList<>();
        for (String run : List.of("first", "second")) {
          Callable<Commands.Ended> night =
              () ->
                  Commands.metashard(
                      "nightly",
                      "--config",
                      config,
                      "--at",
                      AT,
                      "--run-id",
                      run,
                      "--json",
                      "--quiet");
          nights.add(both.submit(night));
        }
        List<Integer> exits = new ArrayList<>();
        List<String> texts = new ArrayList<>();
        for (Future<Commands.Ended> night : nights) {
          exits.add(night.get().exitCode());
          texts.add(night.get().stdout() + night.get().stderr());
        }
        System.out.printf("pair %d: exit codes %s%n", pair, exits);
        assertThat(exits).as(String.join("\n", texts)).containsExactlyInAnyOrder(0, 4);
        assertThat(requests().filter(r -> r.status() == 503).count())
            .as("requests that were throttled")
            .isPositive();
        JsonNode listed =
            new ObjectMapper()
                .readTree(
                    Commands.require(Commands.metashard("ls", "--config", config, "--json"))
                        .stdout());
        assertThat(listed.get("objects").asInt())
            .isEqualTo(LakeUnderTest.digestsBelow(SAMPLE.resolve("objects")).size());
      }
    } finally {
      both.shutdownNow();
      proxy.set(S3Proxy.Faults.NONE);
      otherProxy.set(S3Proxy.Faults.NONE);
    }
  }
}
