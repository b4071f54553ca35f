package io.metashard.catalogue;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.metashard.catalogue.SourceRoot.Choice;
import io.metashard.config.Settings;
import io.metashard.config.SettingsException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class SourceRootTest {
  private static final Instant AT = Instant.parse("2026-03-02T00:00:00Z");

  private static List<SourceRoot> roots(String hocon) {
    return SourceRoot.from(Settings.parse("test", "objects.roots = " + hocon, List.of()));
  }

  @Test
  void areNamedByPositionUnlessTheyHaveAName() {
    assertThat(roots("[\"s3a://b/x\", { name = logs, uri = \"data/y\", log-uri = \"s3://c\" }]"))
        .containsExactly(
            SourceRoot.of("root0", "s3a://b/x"),
            new SourceRoot("logs", "data/y", List.of(), List.of(), 0, Duration.ZERO, "s3://c", ""));
  }

  @Test
  void mayBeNone() {
    assertThat(roots("[]")).isEmpty();
  }

  @Test
  void haveConditions() {
    SourceRoot root =
        roots(
                "[{ uri = x, \"include\" = [\"**.bin\"], exclude = [\"tmp/**\"], min-bytes = 1 KiB, min-age = 1h }]")
            .get(0);
    Instant old = AT.minusSeconds(3601);
    assertThat(root.choice("a.bin", 1024, old, AT)).isEqualTo(Choice.TAKEN);
    assertThat(root.choice("a.bin", 1023, old, AT)).isEqualTo(Choice.LEFT);
    assertThat(root.choice("a.txt", 1024, old, AT)).isEqualTo(Choice.LEFT);
    assertThat(root.choice("tmp/a.bin", 1024, old, AT)).isEqualTo(Choice.LEFT);
    assertThat(root.choice("a.bin", 1024, AT.minusSeconds(3600), AT)).isEqualTo(Choice.TAKEN);
    assertThat(root.choice("a.bin", 1024, AT.minusSeconds(3599), AT)).isEqualTo(Choice.WAITING);
  }

  @Test
  void takeFilesOfTheFutureUnlessTheyShallHaveAnAge() {
    assertThat(SourceRoot.of("r", "x").choice("a", 0, AT.plusSeconds(9), AT))
        .isEqualTo(Choice.TAKEN);
  }

  @Test
  void refuseTwoOfOneName() {
    assertThatThrownBy(() -> roots("[{ name = root1, uri = a }, b]"))
        .isInstanceOf(SettingsException.class)
        .hasMessage(
            "Cannot use objects.roots (test): two roots are called root1; give each a name of its own");
  }

  @Test
  void refuseWhatCannotBeUsed() {
    assertThatThrownBy(() -> roots("[{ name = \"a/b\", uri = x }]"))
        .isInstanceOf(SettingsException.class)
        .hasMessageContaining("objects.roots[0]")
        .hasMessageContaining("Cannot use root name a/b");
    assertThatThrownBy(() -> roots("[\"\"]")).hasMessageContaining("must not be blank");
    assertThatThrownBy(() -> roots("[{ name = a }]")).hasMessageContaining("uri");
    assertThatThrownBy(() -> roots("[{ uri = a, includes = [] }]"))
        .hasMessageContaining("unknown key includes; the nearest known one is include");
    assertThatThrownBy(() -> roots("[{ uri = a, \"include\" = [\"[a\"] }]"))
        .isInstanceOf(SettingsException.class)
        .hasMessageContaining("Cannot use glob [a");
  }
}
