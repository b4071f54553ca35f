package io.metashard.job;

/** A run that cannot go on; carries the exit code of the process. */
public class MetashardException extends RuntimeException {
  /** Something failed. */
  public static final int FAILED = 1;

  /** Wrong use, configuration or input. */
  public static final int USAGE = 2;

  /** {@code verify} found damage. */
  public static final int DAMAGE = 3;

  /** Another run holds the lake, or the map moved on: retry. */
  public static final int CONFLICT = 4;

  private final int exitCode;

  public MetashardException(int exitCode, String message) {
    super(message);
    this.exitCode = exitCode;
  }

  public MetashardException(int exitCode, String message, Throwable cause) {
    super(message, cause);
    this.exitCode = exitCode;
  }

  public int exitCode() {
    return exitCode;
  }
}
