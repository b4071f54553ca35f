package io.metashard.job;

import io.metashard.catalogue.SegmentOptions;
import io.metashard.config.Settings;
import io.metashard.generate.BacktestTrace;
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
    return written("demo input", () -> new DemoInput(options).write());
  }

  /**
   * Makes the demand that the requests of the files would give, instead of the files; objects are
   * cut into segments by the default settings.
   *
   * @return what to print, in order
   * @throws MetashardException with exit code 2 if the folder holds a back-test of other origin
   */
  public Map<String, Object> backtest() {
    BacktestTrace trace = new BacktestTrace(options, SegmentOptions.from(Settings.defaults())::of);
    return written("a back-test", trace::write);
  }

  private interface Writer {
    Map<String, Object> write() throws IOException;
  }

  private Map<String, Object> written(String what, Writer writer) {
    try {
      return writer.write();
    } catch (IllegalStateException e) {
      throw new MetashardException(MetashardException.USAGE, e.getMessage(), e);
    } catch (IOException e) {
      throw new MetashardException(
          MetashardException.FAILED,
          "Cannot write %s into %s: %s".formatted(what, options.out(), e),
          e);
    }
  }
}
