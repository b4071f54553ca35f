package io.metashard.job;

import static org.assertj.core.api.Assertions.assertThat;

import io.metashard.job.ExportNames.Target;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.statistics.Statistics;
import org.junit.jupiter.api.Test;

class ExportNamesTest {
  @Test
  void namesThatLeaveTheFolderOrMeanSomethingElseAreRefusedEverywhere() {
    for (Target target : Target.values()) {
      for (String id :
          List.of(
              "..",
              "../x",
              "a/../../x",
              "a/..",
              ".",
              "./a",
              "a/./b",
              "/etc/passwd",
              "a//b",
              "a/",
              "/",
              "a\\b",
              "..\\x",
              "a\nb",
              "\u001b[31m",
              "a/\u0085",
              "_metashard/x",
              "_metashard",
              "_METASHARD/x")) {
        assertThat(ExportNames.problem(id, target)).as(id).isPresent();
      }
      for (String id :
          List.of(
              "a",
              "a/b",
              "...",
              "..a/b..",
              "a b",
              "a:b",
              "a%2f..%2fb",
              "a?b#c",
              "~/x",
              "-rf",
              "x/_metashard",
              "_metashard2/x",
              "é/日本",
              "{a,b}*[c]",
              "$HOME",
              "a.crc",
              "crc")) {
        assertThat(ExportNames.problem(id, target)).as(id).isEmpty();
      }
    }
  }

  @Test
  void whatOnlyFilesCannotBeCalledIsNoProblemForKeys() {
    String longest = "ä".repeat(127) + "b";
    String tooLong = "ä".repeat(128);
    assertThat(ExportNames.problem("x/" + longest, Target.FILES)).isEmpty();
    assertThat(ExportNames.problem("x/" + tooLong + "/y", Target.FILES))
        .hasValueSatisfying(why -> assertThat(why).contains("longer than 255 bytes"));
    assertThat(ExportNames.problem("x/" + tooLong, Target.KEYS)).isEmpty();
    assertThat(ExportNames.problem("x/.a.crc", Target.FILES_WITH_CHECKSUMS)).isPresent();
    assertThat(ExportNames.problem("x/.a.crc", Target.FILES)).isEmpty();
  }

  @Property(tries = 2000)
  void aNameThatIsTakenStaysBelowItsFolderAndIsKept(@ForAll("ids") String id) {
    boolean taken = ExportNames.problem(id, Target.FILES_WITH_CHECKSUMS).isEmpty();
    Statistics.label("taken").collect(taken);
    if (taken) {
      Path root = Path.of("/target");
      Path file = root.resolve(id);
      assertThat(file.normalize()).isEqualTo(file);
      assertThat(file.startsWith(root)).isTrue();
      assertThat(root.relativize(file).toString()).isEqualTo(id);
    }
    Statistics.label("taken")
        .coverage(
            checker -> {
              checker.check(true).percentage(p -> p > 10);
              checker.check(false).percentage(p -> p > 10);
            });
  }

  @Provide
  Arbitrary<String> ids() {
    return Arbitraries.of("a", "b", ".", "..", "/", "/", "\\", "é", "_metashard", "crc", "\n", " ")
        .list()
        .ofMinSize(1)
        .ofMaxSize(7)
        .map(parts -> String.join("", parts));
  }

  @Test
  void theFoldersOfANameAreAllThatItLiesIn() {
    Map<String, List<String>> expected =
        Map.of(
            "a", List.of(),
            "a/b", List.of("a"),
            "a/b/c", List.of("a", "a/b"),
            "/a", List.of(),
            "a//b", List.of("a", "a/"));
    expected.forEach((id, folders) -> assertThat(ExportNames.folders(id)).isEqualTo(folders));
  }
}
