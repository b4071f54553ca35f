package io.metashard.job;

import static org.assertj.core.api.Assertions.assertThat;

import io.metashard.SharedSpark;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The script that a shell sources, run by bash. */
class CompletionTest {
  private static synchronized String script(String shell) throws IOException {
    Path file = SharedSpark.tempFolder("completion").resolve("metashard." + shell);
    PrintStream out = System.out;
    try (PrintStream to = new PrintStream(file.toFile(), StandardCharsets.UTF_8)) {
      System.setOut(to);
      assertThat(Metashard.run("completion", shell)).isZero();
    } finally {
      System.setOut(out);
    }
    return file.toString();
  }

  /** What bash offers for the last word. */
  private static List<String> offered(String... words) throws IOException, InterruptedException {
    String line = String.join(" ", words);
    String program =
        """
        source '%s'
        compopt() { :; } # works only while the Tab key is handled
        COMP_WORDS=(%s)
        COMP_CWORD=%d
        COMP_LINE='%s'
        COMP_POINT=${#COMP_LINE}
        $(complete -p metashard | sed 's/.*-F \\([^ ]*\\).*/\\1/') 2>&1
        printf '%%s\\n' "${COMPREPLY[@]}"
        """
            .formatted(
                script("bash"), line.endsWith(" ") ? line + "''" : line, words.length - 1, line);
    Process bash =
        new ProcessBuilder("bash", "--norc", "-c", program).redirectErrorStream(true).start();
    String text = new String(bash.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(bash.waitFor()).as(text).isZero();
    return text.lines().map(String::strip).filter(word -> !word.isEmpty()).toList();
  }

  @Test
  void bashOffersCommandsAndOptions() throws IOException, InterruptedException {
    assertThat(offered("metashard", "ni")).containsExactly("nightly");
    assertThat(offered("metashard", "")).contains("check", "nightly", "verify", "cat", "help");
    assertThat(offered("metashard", "probe", "--max")).containsExactly("--max-requests");
    assertThat(offered("metashard", "nightly", "--dr")).containsExactly("--dry-run");
    assertThat(offered("metashard", "ls", "--con")).containsExactly("--config");
  }

  @Test
  void zshLoadsWhatTheScriptNeedsFirst() throws IOException {
    assertThat(Files.readString(Path.of(script("zsh")))).startsWith("autoload -U +X compinit");
  }
}
