package io.metashard.job;

import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A process that logs what a stranger would have it log; see {@link LoggingTest}. */
final class LogLines {
  static final String HOSTILE =
      "id\r\n12:00:00 INFO  all is well\u001b[31m\u2028\u202e \"},{\"level\":\"x";

  /** As libraries quote them. */
  static final String CREDENTIALS =
      "s3a://me:PLANTED@bucket/x -Dstore.Password=PLANTED, a_token=PLANTED";

  private LogLines() {}

  public static void main(String[] arguments) {
    Logging.configure(List.of(arguments));
    Logger log = LoggerFactory.getLogger("io.metashard.job.LogLines");
    LogContext.run("night-1");
    log.info("begins {}", HOSTILE);
    log.error("failed", new IllegalStateException("because of " + HOSTILE));
    log.error("cannot {}", CREDENTIALS, new IllegalStateException(CREDENTIALS));
    LogContext.clear();
    log.warn("${java:version} ${env:HOME}");
    LoggerFactory.getLogger("org.apache.hadoop.Noise").info("noise");
  }
}
