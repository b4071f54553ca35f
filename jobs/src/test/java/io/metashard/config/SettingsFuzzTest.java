package io.metashard.config;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;

class SettingsFuzzTest {
  private static final String SECRET = "Planted8Secret/5+x=";

  @FuzzTest
  void anyTextIsAConfigurationOrIsRefused(FuzzedDataProvider data) {
    String text = data.consumeRemainingAsString();
    String secret = "hadoop { fs.s3a.secret.key = \"%s\" }\n".formatted(SECRET);
    for (String hocon : List.of(text, secret + text, text + "\n" + secret)) {
      check(() -> Settings.parse("fuzz", hocon, List.of()), hocon.length());
    }
  }

  @FuzzTest
  void anyOverrideIsTakenOrRefused(FuzzedDataProvider data) {
    String key = data.consumeString(40);
    String value = data.consumeRemainingAsString();
    String text = "hadoop { fs.s3a.secret.key = \"%s\" }".formatted(SECRET);
    for (String override :
        List.of(
            key,
            key + "=" + value,
            "lake.root=" + value,
            "hadoop.x=" + value,
            "objects.roots=" + value)) {
      check(() -> Settings.parse("fuzz", text, List.of(override)), override.length());
    }
  }

  private static void check(Supplier<Settings> parse, int chars) {
    Settings settings;
    try {
      settings = parse.get();
    } catch (SettingsException e) {
      requireHarmless(e);
      return;
    }
    for (String shown : List.of(settings.redacted(), shown(settings))) {
      assertThat(shown).doesNotContain(SECRET);
      // Substitutions may repeat a text, but not without end.
      assertThat(shown.length()).isLessThan(100_000 + 100 * chars * chars);
    }
    assertThat(settings.open("hadoop")).isNotNull();
    try {
      settings.items("objects.roots", "uri", Set.of("name", "uri"));
    } catch (SettingsException e) {
      requireHarmless(e);
    }
  }

  /** Values that are of no use are refused where they are shown, too. */
  private static String shown(Settings settings) {
    try {
      return settings.shown();
    } catch (SettingsException e) {
      requireHarmless(e);
      return "";
    }
  }

  private static void requireHarmless(SettingsException e) {
    assertThat(e.getMessage()).startsWith("Cannot ").doesNotContain(SECRET);
    assertThat(e.getMessage().codePoints()).noneMatch(Character::isISOControl);
  }

  @FuzzTest
  void sizesAndDurationsAreReadOrRefusedAtOnce(FuzzedDataProvider data) {
    String text = data.consumeRemainingAsString();
    Settings settings;
    try {
      settings =
          Settings.parse(
              "fuzz", "", List.of("segments.min-bytes=" + text, "forecast.horizon=" + text));
    } catch (SettingsException e) {
      requireHarmless(e);
      return;
    }
    try {
      long bytes = settings.bytes("segments.min-bytes");
      assertThat(bytes).isNotNegative();
      Settings again =
          Settings.parse("again", "", List.of("segments.min-bytes=" + Settings.bytesText(bytes)));
      assertThat(again.bytes("segments.min-bytes")).isEqualTo(bytes);
    } catch (SettingsException e) {
      requireHarmless(e);
    }
    try {
      Duration duration = settings.duration("forecast.horizon");
      assertThat(duration).isGreaterThanOrEqualTo(Duration.ZERO);
      Duration millis = duration.truncatedTo(java.time.temporal.ChronoUnit.MILLIS);
      Settings again =
          Settings.parse("again", "", List.of("forecast.horizon=" + Settings.durationText(millis)));
      assertThat(again.duration("forecast.horizon")).isEqualTo(millis);
    } catch (SettingsException e) {
      requireHarmless(e);
    }
  }
}
