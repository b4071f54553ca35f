package io.metashard.job;

import io.metashard.generate.DemoInput;
import io.metashard.generate.GenerateOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/** Makes demo objects and request logs. Needs neither Spark nor a lake. */
public final class GenerateJob {
  private final GenerateOptions options;

  public GenerateJob(GenerateOptions options) {
    this.options = options;
  }

  /** Whether the folder holds the complete output of a generator. */
  public static boolean made(Path folder) {
    return DemoInput.isComplete(folder);
  }

  /**
   * Makes the files.
   *
   * @return what to print, in order
   * @throws MetashardException with exit code 2 if the folder holds input that no generator made
   */
  public Map<String, Object> run() {
    try {
      return new DemoInput(options).write();
    } catch (IllegalStateException e) {
      throw new MetashardException(MetashardException.USAGE, e.getMessage(), e);
    } catch (IOException e) {
      throw new MetashardException(
          MetashardException.FAILED,
          "Cannot write demo input into %s: %s".formatted(options.out(), e),
          e);
    }
  }
}
