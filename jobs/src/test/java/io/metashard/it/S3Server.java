package io.metashard.it;

import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;

/**
 * An S3 server as a process of its own: s3proxy over folders, fetched from Maven Central on first
 * use (57 MB, into {@code target/s3proxy}). Stops when closed, and when this JVM ends.
 */
final class S3Server implements AutoCloseable {
  private static final Path JARS = Commands.JOBS.resolve("target/s3proxy");
  private static final Path POM = Commands.JOBS.resolve("src/test/s3proxy/pom.xml");
  private static final int START_SECONDS = 60;

  private final Process process;
  private final Path folder;
  private final int port;
  private final String identity;
  private final String credential;

  private S3Server(Process process, Path folder, int port, String identity, String credential) {
    this.process = process;
    this.folder = folder;
    this.port = port;
    this.identity = identity;
    this.credential = credential;
  }

  /**
   * Starts a server on a free port.
   *
   * @param folder of its own: what is there is deleted
   * @param identity access key that it takes, and no other
   */
  static S3Server start(Path folder, String identity, String credential, List<String> buckets)
      throws IOException, InterruptedException {
    fetch();
    LakeUnderTest.deleteAll(folder);
    Path data = Files.createDirectories(folder.resolve("data"));
    for (String bucket : buckets) {
      Files.createDirectory(data.resolve(bucket));
    }
    int port;
    try (ServerSocket socket = new ServerSocket(0)) {
      port = socket.getLocalPort();
    }
    Files.writeString(
        folder.resolve("s3proxy.conf"),
        """
        s3proxy.endpoint=http://127.0.0.1:%d
        s3proxy.authorization=aws-v2-or-v4
        s3proxy.identity=%s
        s3proxy.credential=%s
        jclouds.provider=filesystem-nio2
        jclouds.filesystem.basedir=%s
        """
            .formatted(port, identity, credential, data));
    Files.writeString(
        folder.resolve("logback.xml"),
        """
        <configuration>
          <appender name="err" class="ch.qos.logback.core.ConsoleAppender">
            <encoder><pattern>%d %-5level %logger{20} %msg%n</pattern></encoder>
          </appender>
          <root level="warn"><appender-ref ref="err"/></root>
        </configuration>
        """);
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx320m",
                "-XX:+UseSerialGC",
                "-Dlogback.configurationFile=" + folder.resolve("logback.xml"),
                "-cp",
                JARS + "/*",
                "org.gaul.s3proxy.Main",
                "--properties",
                folder.resolve("s3proxy.conf").toString())
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("server.log").toFile())
            .start();
    S3Server server = new S3Server(process, folder, port, identity, credential);
    Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
    server.await();
    return server;
  }

  private static synchronized void fetch() throws IOException, InterruptedException {
    // Tests run in two processes.
    try (FileChannel lock =
        FileChannel.open(
            Files.createDirectories(JARS.getParent()).resolve("s3proxy.lock"),
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE)) {
      lock.lock(); // until it is closed
      fetchOnce();
    }
  }

  private static void fetchOnce() throws IOException, InterruptedException {
    Path ready = JARS.resolve("ready");
    String wanted = Files.readString(POM);
    if (Files.exists(ready) && Files.readString(ready).equals(wanted)) {
      return;
    }
    System.out.printf("Fetching the S3 server from Maven Central into %s%n", JARS);
    LakeUnderTest.deleteAll(JARS);
    Files.createDirectories(JARS);
    Commands.require(
        Commands.run(
            List.of(
                "mvn",
                "-q",
                "-B",
                "-f",
                POM.toString(),
                "dependency:copy-dependencies",
                "-DincludeScope=runtime",
                "-DoutputDirectory=" + JARS),
            Map.of()));
    Files.writeString(ready, wanted);
  }

  private void await() throws IOException, InterruptedException {
    long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_SECONDS);
    while (true) {
      try {
        HttpURLConnection connection =
            (HttpURLConnection) URI.create(endpoint()).toURL().openConnection();
        connection.getResponseCode(); // 403: nobody in particular asks
        return;
      } catch (IOException e) {
        if (!process.isAlive() || System.nanoTime() > until) {
          process.destroyForcibly();
          throw new IOException(
              "The S3 server did not start: " + Files.readString(folder.resolve("server.log")), e);
        }
        Thread.sleep(100);
      }
    }
  }

  String endpoint() {
    return "http://127.0.0.1:" + port;
  }

  int port() {
    return port;
  }

  /** What S3A needs to reach it, by way of an endpoint: its own, or a proxy's. */
  Map<String, String> options(String endpoint) {
    return Map.of(
        "fs.s3a.endpoint",
        endpoint,
        "fs.s3a.endpoint.region",
        "us-east-1",
        "fs.s3a.path.style.access",
        "true",
        "fs.s3a.connection.ssl.enabled",
        "false",
        "fs.s3a.access.key",
        identity,
        "fs.s3a.secret.key",
        credential);
  }

  /** A file system of one bucket, straight to the server; the caller closes it. */
  FileSystem fileSystem(String bucket) throws IOException {
    Configuration hadoop = new Configuration();
    options(endpoint()).forEach(hadoop::set);
    return FileSystem.newInstance(URI.create("s3a://" + bucket + "/"), hadoop);
  }

  /** Takes a bucket away, with all that it holds. */
  void lose(String bucket) throws IOException {
    Files.move(folder.resolve("data").resolve(bucket), folder.resolve("lost-" + bucket));
  }

  void bringBack(String bucket) throws IOException {
    Files.move(folder.resolve("lost-" + bucket), folder.resolve("data").resolve(bucket));
  }

  @Override
  public void close() {
    process.destroyForcibly();
    try {
      process.waitFor(10, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
