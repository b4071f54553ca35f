package io.metashard.it;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** An HTTP proxy that writes down what it is asked for, and answers that there is nothing. */
final class ProxyThatCounts implements AutoCloseable {
  private static final byte[] NOTHING =
      "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
          .getBytes(StandardCharsets.US_ASCII);

  private final ServerSocket server;
  private final List<String> asked = Collections.synchronizedList(new ArrayList<>());

  ProxyThatCounts() throws IOException {
    server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    Thread thread = new Thread(this::serve, "proxy-that-counts");
    thread.setDaemon(true);
    thread.start();
  }

  int port() {
    return server.getLocalPort();
  }

  /** First lines of requests, such as {@code GET http://host/path HTTP/1.1}. */
  List<String> asked() {
    return List.copyOf(asked);
  }

  private void serve() {
    while (!server.isClosed()) {
      try (Socket client = server.accept();
          BufferedReader in =
              new BufferedReader(
                  new InputStreamReader(client.getInputStream(), StandardCharsets.US_ASCII))) {
        client.setSoTimeout(5000);
        asked.add(String.valueOf(in.readLine()));
        client.getOutputStream().write(NOTHING);
      } catch (IOException e) {
        if (!server.isClosed()) {
          asked.add("a connection that failed: " + e.getMessage());
        }
      }
    }
  }

  @Override
  public void close() throws IOException {
    server.close();
  }
}
