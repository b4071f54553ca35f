package io.metashard.it;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;

/**
 * Stands before an {@link S3Server}: keeps a log of every request, and makes what goes wrong with
 * S3 go wrong. Requests are passed on as they came, so that their signatures hold.
 */
final class S3Proxy implements AutoCloseable {
  private static final int BUFFER_BYTES = 64 << 10;
  private static final byte[] CRLF = {'\r', '\n'};

  /**
   * One request and what became of it.
   *
   * @param key decoded; empty for the bucket itself
   * @param status 0 when the answer was cut off on purpose
   * @param sent bytes of body that came with it
   * @param received bytes of body that the client got, or as much of them as was passed on
   */
  record Request(
      String method,
      String bucket,
      String key,
      String query,
      String range,
      String userAgent,
      boolean conditional,
      boolean copy,
      int status,
      long sent,
      long received) {
    /** As S3 calls it, for the operations that are counted. */
    String operation() {
      boolean parts = query.contains("uploadId=");
      return switch (method) {
        case "PUT" -> copy ? "CopyObject" : parts ? "UploadPart" : "PutObject";
        case "POST" ->
            query.startsWith("delete") || query.contains("&delete")
                ? "DeleteObjects"
                : parts ? "CompleteMultipartUpload" : "CreateMultipartUpload";
        case "DELETE" -> parts ? "AbortMultipartUpload" : "DeleteObject";
        case "HEAD" -> "HeadObject";
        default -> key.isEmpty() || query.contains("list-type") ? "ListObjects" : "GetObject";
      };
    }
  }

  /** What goes wrong, drawn for each request. */
  record Faults(double throttled, long delayMillis, double answersCut, Predicate<Request> cutWhat) {
    static final Faults NONE = new Faults(0, 0, 0, request -> false);

    /** 503 SlowDown for a share of the requests. */
    static Faults throttle(double share) {
      return new Faults(share, 0, 0, request -> false);
    }

    /** Every request takes longer. */
    static Faults delay(long millis) {
      return new Faults(0, millis, 0, request -> false);
    }

    /** The server does what it is asked, and the answer never arrives, for a share of these. */
    static Faults cutAnswers(double share, Predicate<Request> what) {
      return new Faults(0, 0, share, what);
    }
  }

  private final ServerSocket socket;
  private final int serverPort;
  private final PrintWriter log;
  private final Random random = new Random(1); // guarded by itself
  private final Set<Closeable> open = ConcurrentHashMap.newKeySet();
  private final List<Request> requests = new ArrayList<>(); // guarded by itself
  private volatile Faults faults = Faults.NONE;
  private volatile boolean closed;

  /** Begins to listen on a free port; every request is a line of the log file too. */
  S3Proxy(S3Server server, Path logFile) throws IOException {
    this.socket = new ServerSocket(0, 200, InetAddress.getLoopbackAddress());
    this.serverPort = server.port();
    this.log = new PrintWriter(Files.newBufferedWriter(logFile));
    Thread acceptor = new Thread(this::accept, "s3-proxy");
    acceptor.setDaemon(true);
    acceptor.start();
  }

  String endpoint() {
    return "http://127.0.0.1:" + socket.getLocalPort();
  }

  void set(Faults now) {
    faults = now;
  }

  /** Everything that was asked since the last {@link #forget}, in order of its end. */
  List<Request> requests() {
    synchronized (requests) {
      return List.copyOf(requests);
    }
  }

  long count(Predicate<Request> which) {
    return requests().stream().filter(which).count();
  }

  void forget() {
    synchronized (requests) {
      requests.clear();
    }
  }

  private void accept() {
    while (!closed) {
      try {
        Socket client = socket.accept();
        client.setTcpNoDelay(true);
        open.add(client);
        Thread thread = new Thread(() -> serve(client), "s3-proxy-connection");
        thread.setDaemon(true);
        thread.start();
      } catch (IOException e) {
        if (!closed) {
          throw new UncheckedIOException(e);
        }
      }
    }
  }

  /** One connection of a client, with one to the server of its own. */
  private void serve(Socket client) {
    try (client;
        Socket server = new Socket(InetAddress.getLoopbackAddress(), serverPort)) {
      server.setTcpNoDelay(true);
      open.add(server);
      try {
        InputStream in = new BufferedInputStream(client.getInputStream(), BUFFER_BYTES);
        OutputStream out = new BufferedOutputStream(client.getOutputStream(), BUFFER_BYTES);
        InputStream serverIn = new BufferedInputStream(server.getInputStream(), BUFFER_BYTES);
        OutputStream serverOut = new BufferedOutputStream(server.getOutputStream(), BUFFER_BYTES);
        while (exchange(in, out, serverIn, serverOut)) {
          // the next request of the connection
        }
      } finally {
        open.remove(server);
      }
    } catch (IOException e) {
      // Clients abort what they no longer need, and servers end connections: both are daily.
    } finally {
      open.remove(client);
    }
  }

  /** One request and its answer; false ends the connection. */
  private boolean exchange(
      InputStream in, OutputStream out, InputStream fromServer, OutputStream to)
      throws IOException {
    Head head = Head.read(in);
    if (head == null) {
      return false;
    }
    Faults now = faults;
    if (now.delayMillis() > 0) {
      sleep(now.delayMillis());
    }
    if ("100-continue".equalsIgnoreCase(head.header("expect"))) {
      out.write("HTTP/1.1 100 Continue\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
      out.flush();
    }
    if (draw() < now.throttled()) {
      long sent = copyBody(in, OutputStream.nullOutputStream(), head, false);
      byte[] body =
          "<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>"
              .getBytes(StandardCharsets.US_ASCII);
      String answer =
          "HTTP/1.1 503 Slow Down\r\nContent-Type: application/xml\r\nContent-Length: %d\r\n\r\n"
              .formatted(body.length);
      out.write(answer.getBytes(StandardCharsets.US_ASCII));
      if (!head.method().equals("HEAD")) {
        out.write(body);
      }
      out.flush();
      add(request(head, 503, sent, body.length));
      return true;
    }
    head.write(to, Set.of("expect"));
    long sent = copyBody(in, to, head, false);
    to.flush();
    Head answer = Head.read(fromServer);
    while (answer != null && answer.status() == 100) {
      answer = Head.read(fromServer);
    }
    if (answer == null) {
      return false;
    }
    boolean hasBody =
        !head.method().equals("HEAD") && answer.status() != 204 && answer.status() != 304;
    if (now.answersCut() > 0
        && answer.status() / 100 == 2
        && now.cutWhat().test(request(head, answer.status(), sent, 0))
        && draw() < now.answersCut()) {
      if (hasBody) {
        copyBody(fromServer, OutputStream.nullOutputStream(), answer, true);
      }
      add(request(head, 0, sent, 0));
      return false;
    }
    CountingOutput counting = new CountingOutput(out);
    try {
      answer.write(out, Set.of());
      if (hasBody) {
        copyBody(fromServer, counting, answer, true);
      }
      out.flush();
    } finally {
      add(request(head, answer.status(), sent, counting.bytes));
    }
    return !"close".equalsIgnoreCase(answer.header("connection"));
  }

  private double draw() {
    synchronized (random) {
      return random.nextDouble();
    }
  }

  private static void sleep(long millis) throws IOException {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(e);
    }
  }

  private static Request request(Head head, int status, long sent, long received) {
    String target = head.target();
    int question = target.indexOf('?');
    String path = question < 0 ? target : target.substring(0, question);
    int slash = path.indexOf('/', 1);
    String key = slash < 0 ? "" : path.substring(slash + 1);
    return new Request(
        head.method(),
        slash < 0 ? path.substring(1) : path.substring(1, slash),
        URLDecoder.decode(key.replace("+", "%2B"), StandardCharsets.UTF_8),
        question < 0 ? "" : target.substring(question + 1),
        head.header("range"),
        head.header("user-agent"),
        !head.header("if-none-match").isEmpty(),
        !head.header("x-amz-copy-source").isEmpty(),
        status,
        sent,
        received);
  }

  private void add(Request request) {
    synchronized (requests) {
      requests.add(request);
      log.printf(
          "%s\t%d\t%s\t%s\t%s\t%s\t%d\t%d%n",
          request.operation(),
          request.status(),
          request.bucket(),
          request.key(),
          request.query(),
          request.range(),
          request.sent(),
          request.received());
      log.flush();
    }
  }

  /** Passes a body on; an answer without a length lasts until the connection ends. */
  private static long copyBody(InputStream in, OutputStream out, Head head, boolean isAnswer)
      throws IOException {
    if (head.header("transfer-encoding").toLowerCase(Locale.ROOT).contains("chunked")) {
      return copyChunks(in, out);
    }
    String length = head.header("content-length");
    if (length.isEmpty() && !isAnswer) {
      return 0;
    }
    return copy(in, out, length.isEmpty() ? Long.MAX_VALUE : Long.parseLong(length));
  }

  private static long copyChunks(InputStream in, OutputStream out) throws IOException {
    long all = 0;
    while (true) {
      byte[] line = Head.requireLine(in);
      out.write(line);
      out.write(CRLF);
      String size = new String(line, StandardCharsets.US_ASCII).split(";", 2)[0].strip();
      long bytes = Long.parseLong(size, 16);
      if (bytes == 0) {
        byte[] trailer = Head.requireLine(in);
        while (trailer.length > 0) {
          out.write(trailer);
          out.write(CRLF);
          trailer = Head.requireLine(in);
        }
        out.write(CRLF);
        return all;
      }
      all += copy(in, out, bytes);
      Head.requireLine(in);
      out.write(CRLF);
    }
  }

  private static long copy(InputStream in, OutputStream out, long bytes) throws IOException {
    byte[] buffer = new byte[BUFFER_BYTES];
    long left = bytes;
    while (left > 0) {
      int read = in.read(buffer, 0, (int) Math.min(buffer.length, left));
      if (read < 0) {
        if (bytes == Long.MAX_VALUE) {
          return bytes - left;
        }
        throw new EOFException("%d of %d bytes".formatted(bytes - left, bytes));
      }
      out.write(buffer, 0, read);
      left -= read;
    }
    return bytes;
  }

  /** The first line of a request or answer and its headers, kept as they came. */
  private record Head(String first, List<String> lines, Map<String, String> headers) {
    /** Null when the connection ended. */
    static Head read(InputStream in) throws IOException {
      byte[] first = line(in);
      if (first == null) {
        return null;
      }
      List<String> lines = new ArrayList<>();
      Map<String, String> headers = new LinkedHashMap<>();
      for (byte[] line = requireLine(in); line.length > 0; line = requireLine(in)) {
        String text = new String(line, StandardCharsets.ISO_8859_1);
        lines.add(text);
        int colon = text.indexOf(':');
        headers.put(
            text.substring(0, colon).strip().toLowerCase(Locale.ROOT),
            text.substring(colon + 1).strip());
      }
      return new Head(new String(first, StandardCharsets.ISO_8859_1), lines, headers);
    }

    /** A line without its end; null at the end of the stream. */
    private static byte[] line(InputStream in) throws IOException {
      ByteArrayOutputStream line = new ByteArrayOutputStream();
      int previous = -1;
      while (true) {
        int b = in.read();
        if (b < 0) {
          return null;
        }
        if (previous == '\r' && b == '\n') {
          byte[] bytes = line.toByteArray();
          return Arrays.copyOf(bytes, bytes.length - 1);
        }
        line.write(b);
        previous = b;
      }
    }

    static byte[] requireLine(InputStream in) throws IOException {
      byte[] line = line(in);
      if (line == null) {
        throw new EOFException("in the middle of a message");
      }
      return line;
    }

    String header(String name) {
      return headers.getOrDefault(name, "");
    }

    String method() {
      return first.split(" ")[0];
    }

    String target() {
      return first.split(" ")[1];
    }

    int status() {
      return Integer.parseInt(first.split(" ")[1]);
    }

    void write(OutputStream out, Set<String> without) throws IOException {
      out.write(first.getBytes(StandardCharsets.ISO_8859_1));
      out.write(CRLF);
      for (String line : lines) {
        String name = line.substring(0, line.indexOf(':')).strip().toLowerCase(Locale.ROOT);
        if (!without.contains(name)) {
          out.write(line.getBytes(StandardCharsets.ISO_8859_1));
          out.write(CRLF);
        }
      }
      out.write(CRLF);
    }
  }

  private static final class CountingOutput extends OutputStream {
    private final OutputStream out;
    private long bytes;

    CountingOutput(OutputStream out) {
      this.out = out;
    }

    @Override
    public void write(int b) throws IOException {
      out.write(b);
      bytes++;
    }

    @Override
    public void write(byte[] buffer, int offset, int length) throws IOException {
      out.write(buffer, offset, length);
      bytes += length;
    }
  }

  @Override
  public void close() throws IOException {
    closed = true;
    socket.close();
    for (Closeable connection : open) {
      connection.close();
    }
    log.close();
  }
}
