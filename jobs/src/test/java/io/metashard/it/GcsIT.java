package io.metashard.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * A night with everything on Google Cloud Storage, by its Hadoop connector, against an emulator
 * that is built with Go, where there is a Go.
 */
class GcsIT {
  private static final String EMULATOR = "github.com/fsouza/fake-gcs-server@v1.52.2";
  private static final String CONNECTOR =
      "com.google.cloud.bigdataoss:gcs-connector:hadoop3-2.2.26:jar:shaded";
  private static final Path SAMPLE = Commands.HOME.resolve("data/sample");
  private static final Path FOLDER = Commands.JOBS.resolve("target/it/gcs");
  private static final List<String> LOCATIONS = List.of("l0", "l1", "l2", "l3");

  private static Process server;
  private static String endpoint;
  private static Path connector;
  private static final HttpClient HTTP = HttpClient.newHttpClient();

  @BeforeAll
  static void startEmulator() throws IOException, InterruptedException {
    Assumptions.assumeTrue(hasGo(), "no Go here to build the emulator with");
    Path program = Commands.JOBS.resolve("target/go/bin/fake-gcs-server");
    if (!Files.exists(program)) {
      System.out.println("Building " + EMULATOR + " into target/go");
      Commands.require(
          Commands.run(
              List.of("go", "install", EMULATOR),
              Map.of("GOBIN", program.getParent().toString(), "CGO_ENABLED", "0")));
    }
    connector = Commands.JOBS.resolve("target/gcs/gcs-connector-hadoop3-2.2.26-shaded.jar");
    if (!Files.exists(connector)) {
      System.out.println("Fetching " + CONNECTOR + " from Maven Central into target/gcs");
      Commands.require(
          Commands.run(
              List.of(
                  "mvn",
                  "-q",
                  "-B",
                  "org.apache.maven.plugins:maven-dependency-plugin:3.9.0:copy",
                  "-Dartifact=" + CONNECTOR,
                  "-DoutputDirectory=" + connector.getParent()),
              Map.of()));
    }
    LakeUnderTest.deleteAll(FOLDER);
    Files.createDirectories(FOLDER);
    int port;
    try (ServerSocket socket = new ServerSocket(0)) {
      port = socket.getLocalPort();
    }
    endpoint = "http://127.0.0.1:" + port;
    server =
        new ProcessBuilder(
                program.toString(),
                "-scheme=http",
                "-host=127.0.0.1",
                "-port=" + port,
                "-public-host=127.0.0.1:" + port,
                "-external-url=" + endpoint,
                "-backend=filesystem",
                "-filesystem-root=" + FOLDER.resolve("server"))
            .redirectErrorStream(true)
            .redirectOutput(FOLDER.resolve("server.log").toFile())
            .start();
    await();
    for (String bucket : List.of("lake", "sources", "logs", "l0", "l1", "l2", "l3")) {
      post(
          "/storage/v1/b?project=test",
          "{\"name\":\"%s\"}".formatted(bucket).getBytes(StandardCharsets.UTF_8));
    }
    upload("sources", SAMPLE.resolve("objects"));
    upload("logs", SAMPLE.resolve("logs/parquet"));
  }

  @AfterAll
  static void stopEmulator() throws InterruptedException {
    if (server != null) {
      server.destroyForcibly().waitFor();
    }
  }

  private static boolean hasGo() throws InterruptedException {
    try {
      return new ProcessBuilder("go", "version").start().waitFor() == 0;
    } catch (IOException e) {
      return false;
    }
  }

  private static void await() throws IOException, InterruptedException {
    for (int attempt = 0; ; attempt++) {
      try {
        HTTP.send(
            HttpRequest.newBuilder(URI.create(endpoint + "/storage/v1/b?project=test")).build(),
            HttpResponse.BodyHandlers.discarding());
        return;
      } catch (IOException e) {
        if (attempt == 100 || !server.isAlive()) {
          throw new IOException(
              "The emulator did not start: " + Files.readString(FOLDER.resolve("server.log")), e);
        }
        Thread.sleep(100);
      }
    }
  }

  private static void post(String path, byte[] body) throws IOException, InterruptedException {
    HttpResponse<String> response =
        HTTP.send(
            HttpRequest.newBuilder(URI.create(endpoint + path))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofByteArray(body))
                .build(),
            HttpResponse.BodyHandlers.ofString());
    if (response.statusCode() / 100 != 2) {
      throw new IOException(path + ": " + response.statusCode() + " " + response.body());
    }
  }

  private static void upload(String bucket, Path root) throws IOException, InterruptedException {
    List<Path> all;
    try (Stream<Path> files = Files.walk(root)) {
      all = files.filter(Files::isRegularFile).toList();
    }
    for (Path file : all) {
      String name = URLEncoder.encode("in/" + root.relativize(file), StandardCharsets.UTF_8);
      post(
          "/upload/storage/v1/b/%s/o?uploadType=media&name=%s".formatted(bucket, name),
          Files.readAllBytes(file));
    }
  }

  private static Path config() throws IOException {
    List<String> locations = new ArrayList<>();
    LOCATIONS.forEach(
        l -> locations.add("{ name = %s, uri = \"gs://%s/blocks\" }".formatted(l, l)));
    return Files.writeString(
        FOLDER.resolve("metashard.conf"),
        """
        lake.root = "gs://lake/metashard"
        objects.roots = ["gs://sources/in"]
        logs = [{ path = "gs://logs/in", format = parquet }]
        locations = [ %s ]
        plan { survive = 1, storage-budget = 2.0 }
        %s
        hadoop {
          "fs.gs.impl" = "com.google.cloud.hadoop.fs.gcs.GoogleHadoopFileSystem"
          "fs.AbstractFileSystem.gs.impl" = "com.google.cloud.hadoop.fs.gcs.GoogleHadoopFS"
          "fs.gs.auth.service.account.enable" = false
          "fs.gs.auth.null.enable" = true
          "fs.gs.project.id" = "test"
          "fs.gs.storage.root.url" = "%s/"
        }
        """
            .formatted(String.join(", ", locations), LakeUnderTest.SMALL_TABLES, endpoint));
  }

  private static Commands.Ended metashard(String... arguments)
      throws IOException, InterruptedException {
    return Commands.metashard(
        Map.of(
            "METASHARD_JARS", connector.toString(), "METASHARD_JAVA_OPTIONS", Commands.SMALL_JVM),
        arguments);
  }

  @Test
  void aNightOnGoogleCloudStorageReadsBack() throws IOException, InterruptedException {
    String config = config().toString();
    JsonNode night =
        new ObjectMapper()
            .readTree(
                Commands.require(
                        metashard(
                            "nightly",
                            "--config",
                            config,
                            "--at",
                            "2026-01-22T00:00:00Z",
                            "--json",
                            "--quiet"))
                    .stdout());
    assertThat(night.at("/lake/objects_encoded").asInt()).isEqualTo(5);
    Map<String, String> sources = new TreeMap<>();
    LakeUnderTest.digestsBelow(SAMPLE.resolve("objects")).forEach(sources::put);
    Commands.Ended cat =
        Commands.require(
            metashard(
                "cat", "--config", config, "--all", "--sha256", "--set", "read.fallback=false"));
    assertThat(LakeUnderTest.digests(cat.stdout(), "  ")).isEqualTo(sources);
  }
}
