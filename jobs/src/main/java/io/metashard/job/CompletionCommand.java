package io.metashard.job;

import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Prints what makes a shell complete commands and options. */
@Command(
    name = "completion",
    description = {
      "Print a script that completes commands and options with the Tab key.",
      "For bash, in ~/.bashrc: source <(jobs/metashard completion bash)"
    })
final class CompletionCommand implements Callable<Integer> {
  /** Shells that picocli's script runs in. */
  enum Shell {
    BASH,
    ZSH;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** The script is made for bash; zsh runs it once these two are loaded. */
  private static final String ZSH_HEAD =
      """
      autoload -U +X compinit && compinit -u
      autoload -U +X bashcompinit && bashcompinit
      """;

  @Parameters(
      arity = "0..1",
      paramLabel = "SHELL",
      description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE})",
      defaultValue = "bash")
  private Shell shell;

  @Override
  public Integer call() {
    String script = AutoComplete.bash("metashard", Metashard.commandLine());
    LakeCommand.out().print(shell == Shell.ZSH ? ZSH_HEAD + script : script);
    return 0;
  }
}
