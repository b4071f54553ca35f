package io.metashard.generate;

import io.metashard.logs.Requests;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;

/**
 * Writes requests as an Amazon S3 server access log. S3 does not log byte ranges; they stand where
 * Hadoop's S3A client puts them, in {@code rg=} of its audit referrer.
 */
final class S3AccessLog {
  private static final String BUCKET = "demo";
  private static final String OWNER =
      "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be";
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("dd/MMM/yyyy:HH:mm:ss Z", Locale.ROOT).withZone(ZoneOffset.UTC);

  /** About one in so many lines is followed by a broken one. */
  private static final int BROKEN_EVERY = 700;

  private S3AccessLog() {}

  /** Writes one file; returns how many broken lines were added. */
  static int write(Path file, List<DemoRequest> requests, Dice dice) throws IOException {
    int broken = 0;
    try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(file))) {
      for (DemoRequest request : requests) {
        byte[] line = line(request, dice).getBytes(StandardCharsets.UTF_8);
        out.write(line);
        out.write('\n');
        if (dice.below(BROKEN_EVERY) == 0) {
          out.write(broken(line, broken + dice.below(4)));
          out.write('\n');
          broken++;
        }
      }
    }
    return broken;
  }

  private static String line(DemoRequest request, Dice dice) {
    String key = encode(request.objectId());
    boolean ours = request.operation().equals(Requests.MAINTENANCE);
    String method = ours ? DemoRequest.GET : request.operation();
    int millis = 3 + dice.below(40);
    return ("%s %s [%s] %s arn:aws:iam::123456789012:user/reader %016X REST.%s.OBJECT %s"
            + " \"%s /%s/%s HTTP/1.1\" %d %s %s %s %d %d %s \"%s\" - - SigV4"
            + " TLS_AES_128_GCM_SHA256 AuthHeader %s.s3.us-east-1.amazonaws.com TLSv1.3 - -")
        .formatted(
            OWNER,
            BUCKET,
            TIME.format(request.ts()),
            request.client(),
            dice.below(Long.MAX_VALUE),
            method,
            key,
            method,
            BUCKET,
            key,
            request.status(),
            request.status() == 404 ? "NoSuchKey" : "-",
            orDash(request.bytesSent()),
            orDash(request.objectBytes()),
            millis,
            millis - 1,
            referrer(request, key),
            ours ? "Metashard/0.1.0" : "Hadoop 3.4.2, aws-sdk-java/2.29.52",
            BUCKET);
  }

  private static String referrer(DemoRequest request, String key) {
    return request.start() == null
        ? "\"-\""
        : "\"https://audit.example.org/hadoop/1/op_open/%08x/?op=op_open&p1=s3a://%s/%s&rg=%d-%d\""
            .formatted(
                request.ts().getEpochSecond(), BUCKET, key, request.start(), request.end() - 1);
  }

  private static String orDash(Long number) {
    return number == null ? "-" : number.toString();
  }

  /** URL-encoded as keys are in these logs; slashes stay. */
  private static String encode(String id) {
    StringBuilder out = new StringBuilder();
    for (byte b : id.getBytes(StandardCharsets.UTF_8)) {
      char c = (char) (b & 0xff);
      if (c < 0x80 && (Character.isLetterOrDigit(c) || "/-_.~=".indexOf(c) >= 0)) {
        out.append(c);
      } else {
        out.append("%%%02X".formatted((int) c));
      }
    }
    return out.toString();
  }

  /** A line as crashed writers and strangers leave them. */
  private static byte[] broken(byte[] line, int kind) {
    String text = new String(line, StandardCharsets.UTF_8);
    String bad =
        switch (kind % 4) {
          case 0 -> text.substring(0, 100); // cut off
          case 1 -> text.replaceFirst("\\[\\d\\d/\\w{3}", "[32/Foo");
          case 2 -> text.replaceFirst("OBJECT \\S+", "OBJECT %FF%FE%00");
          default -> "\0\1\2 not a log line";
        };
    return bad.getBytes(StandardCharsets.UTF_8);
  }
}
