package io.metashard.it;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/** A headless Chromium, driven by its DevTools protocol. */
final class Browser implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Pattern LISTENING = Pattern.compile("DevTools listening on (ws://\\S+)");
  private static final int SECONDS = 60;

  private final Process process;
  private final WebSocket socket;
  private final BlockingQueue<JsonNode> messages;
  private final List<JsonNode> events = new ArrayList<>();
  private final String session;
  private int calls;

  private Browser(Process process, WebSocket socket, BlockingQueue<JsonNode> messages)
      throws IOException, InterruptedException {
    this.process = process;
    this.socket = socket;
    this.messages = messages;
    String target =
        send(null, "Target.createTarget", Map.of("url", "about:blank")).get("targetId").asText();
    this.session =
        send(null, "Target.attachToTarget", Map.of("targetId", target, "flatten", true))
            .get("sessionId")
            .asText();
    call("Page.enable", Map.of());
    call("Network.enable", Map.of());
    call("Log.enable", Map.of());
  }

  /**
   * Starts the browser.
   *
   * @param proxyPort of 127.0.0.1: whatever the browser asks of any network goes there
   */
  static Browser open(int proxyPort, Path profile) throws IOException, InterruptedException {
    LakeUnderTest.deleteAll(profile);
    Files.createDirectories(profile);
    Path log = profile.resolve("stderr.txt");
    Process process =
        new ProcessBuilder(
                program(),
                "--headless",
                "--no-sandbox", // tests run as root in containers
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-first-run",
                "--disable-sync",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-default-apps",
                "--user-data-dir=" + profile,
                "--proxy-server=http://127.0.0.1:" + proxyPort,
                "--proxy-bypass-list=<-loopback>",
                "--remote-debugging-port=0",
                "about:blank")
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    BlockingQueue<JsonNode> messages = new LinkedBlockingQueue<>();
    WebSocket socket =
        HttpClient.newHttpClient()
            .newWebSocketBuilder()
            .buildAsync(URI.create(address(process, log)), new Messages(messages))
            .join();
    return new Browser(process, socket, messages);
  }

  private static String address(Process process, Path log)
      throws IOException, InterruptedException {
    for (int i = 0; i < SECONDS * 10; i++) {
      Matcher listening = LISTENING.matcher(Files.readString(log));
      if (listening.find()) {
        return listening.group(1);
      }
      if (!process.isAlive()) {
        break;
      }
      Thread.sleep(100);
    }
    process.destroyForcibly();
    throw new IOException("The browser did not start: " + Files.readString(log));
  }

  /** The browser of this machine; where tests may install one, it is installed. */
  private static String program() throws IOException, InterruptedException {
    String found = onPath();
    if (found != null) {
      return found;
    }
    boolean mayInstall =
        "root".equals(System.getProperty("user.name"))
            && Files.isExecutable(Path.of("/usr/bin/apt-get"));
    Assumptions.assumeTrue(
        mayInstall,
        "skipped: no chromium on PATH, and only root with apt-get may install it; apt-get install chromium");
    System.out.println("Installing chromium and a font by apt-get: some 100 MB from Debian");
    List<String> install =
        List.of(
            "apt-get",
            "-o",
            "DPkg::Lock::Timeout=300",
            "install",
            "-y",
            "--no-install-recommends",
            "chromium",
            "fonts-dejavu-core");
    Map<String, String> quiet = Map.of("DEBIAN_FRONTEND", "noninteractive");
    if (Commands.run(install, quiet).exitCode() != 0) {
      Commands.require(Commands.run(List.of("apt-get", "update"), quiet));
      Commands.require(Commands.run(install, quiet));
    }
    return onPath();
  }

  private static String onPath() {
    for (String folder : System.getenv().getOrDefault("PATH", "").split(":")) {
      for (String name : List.of("chromium", "chromium-browser", "google-chrome")) {
        if (Files.isExecutable(Path.of(folder, name))) {
          return Path.of(folder, name).toString();
        }
      }
    }
    return null;
  }

  /** Whole messages of the browser, in order. */
  private record Messages(BlockingQueue<JsonNode> into, StringBuilder part)
      implements WebSocket.Listener {
    Messages(BlockingQueue<JsonNode> into) {
      this(into, new StringBuilder());
    }

    @Override
    public CompletionStage<?> onText(WebSocket socket, CharSequence data, boolean last) {
      part.append(data);
      if (last) {
        try {
          into.add(JSON.readTree(part.toString()));
        } catch (IOException e) {
          throw new IllegalStateException("The browser sent no JSON: " + part, e);
        }
        part.setLength(0);
      }
      socket.request(1);
      return null;
    }
  }

  /** Calls a method of the protocol for the page. */
  JsonNode call(String method, Map<String, ?> parameters) throws IOException, InterruptedException {
    return send(session, method, parameters);
  }

  private JsonNode send(String of, String method, Map<String, ?> parameters)
      throws IOException, InterruptedException {
    int id = ++calls;
    ObjectNode message = JSON.createObjectNode();
    message.put("id", id).put("method", method).set("params", JSON.valueToTree(parameters));
    if (of != null) {
      message.put("sessionId", of);
    }
    socket.sendText(JSON.writeValueAsString(message), true).join();
    while (true) {
      JsonNode answer = next(method);
      if (answer.path("id").asInt() == id) {
        if (answer.has("error")) {
          throw new IOException(method + ": " + answer.get("error"));
        }
        return answer.get("result");
      }
      events.add(answer);
    }
  }

  private JsonNode next(String waitingFor) throws IOException, InterruptedException {
    JsonNode message = messages.poll(SECONDS, TimeUnit.SECONDS);
    if (message == null) {
      throw new IOException("The browser did not answer to " + waitingFor);
    }
    return message;
  }

  /** Opens a page and waits until all of it is there; what happens meanwhile is in the events. */
  void show(Path page) throws IOException, InterruptedException {
    events.clear();
    call("Page.navigate", Map.of("url", page.toUri().toString()));
    while (events.stream()
        .noneMatch(e -> e.path("method").asText().equals("Page.loadEventFired"))) {
      events.add(next("Page.loadEventFired"));
    }
  }

  /** What the page asked for since it was shown, whether or not it was let. */
  List<String> requests() {
    return events("Network.requestWillBeSent").map(e -> e.at("/request/url").asText()).toList();
  }

  /** What the browser complained of: blocked requests, errors. */
  List<String> complaints() throws IOException, InterruptedException {
    call("Runtime.evaluate", Map.of("expression", "1")); // all before this has come
    return events("Log.entryAdded").map(e -> e.at("/entry/text").asText()).toList();
  }

  private Stream<JsonNode> events(String method) {
    return events.stream()
        .filter(event -> event.path("method").asText().equals(method))
        .map(event -> event.get("params"));
  }

  /** The value of a JavaScript expression: ours, the page has none. */
  JsonNode value(String expression) throws IOException, InterruptedException {
    JsonNode answer =
        call("Runtime.evaluate", Map.of("expression", expression, "returnByValue", true));
    if (answer.has("exceptionDetails")) {
      throw new IOException(answer.get("exceptionDetails").toString());
    }
    return answer.at("/result/value");
  }

  /**
   * How the page is looked at.
   *
   * @param scheme {@code light} or {@code dark}
   */
  void look(String scheme, int width) throws IOException, InterruptedException {
    call(
        "Emulation.setEmulatedMedia",
        Map.of("features", List.of(Map.of("name", "prefers-color-scheme", "value", scheme))));
    call(
        "Emulation.setDeviceMetricsOverride",
        Map.of("width", width, "height", 900, "deviceScaleFactor", 1, "mobile", width < 500));
  }

  /** A picture of the whole page. */
  void screenshot(Path file) throws IOException, InterruptedException {
    JsonNode png =
        call(
            "Page.captureScreenshot",
            Map.of("format", "png", "captureBeyondViewport", true, "clip", wholePage()));
    Files.write(file, Base64.getDecoder().decode(png.get("data").asText()));
  }

  private Map<String, Object> wholePage() throws IOException, InterruptedException {
    JsonNode size = call("Page.getLayoutMetrics", Map.of()).get("cssContentSize");
    return Map.of(
        "x",
        0,
        "y",
        0,
        "width",
        size.get("width").asDouble(),
        "height",
        size.get("height").asDouble(),
        "scale",
        1);
  }

  @Override
  public void close() {
    socket.abort();
    process.descendants().forEach(ProcessHandle::destroy);
    process.destroy();
    try {
      if (!process.waitFor(10, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
