package io.metashard.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class SettingsTest {
  private static final Path SOURCES =
      Path.of(System.getProperty("metashard.basedir", "."), "src/main/java");

  @Test
  void anUnknownKeyNamesTheNearestKnownOne() {
    assertThatThrownBy(() -> Settings.parse("my.conf", "plan { storage-bugdet = 2 }", List.of()))
        .isInstanceOf(SettingsException.class)
        .hasMessage(
            "Cannot use my.conf: unknown key plan.storage-bugdet; the nearest known one is plan.storage-budget (conf/reference.conf lists all)");
  }

  @Test
  void anUnknownKeyOfAListItemIsRefusedToo() {
    Settings settings =
        Settings.parse("my.conf", "locations = [{ name = a, uir = \"/x\" }]", List.of());
    assertThatThrownBy(() -> settings.items("locations", null, Set.of("name", "uri")))
        .isInstanceOf(SettingsException.class)
        .hasMessageContaining(
            "my.conf, locations[0]: unknown key uir; the nearest known one is uri");
  }

  @Test
  void anOverrideIsStrongerThanTheFile() {
    Settings settings =
        Settings.parse(
            "my.conf",
            "plan.storage-budget = 2",
            List.of("plan.storage-budget=3", "lake.root=s3a://bucket/a b", "plan.survive=1"));
    assertThat(settings.number("plan.storage-budget")).isEqualTo(3);
    assertThat(settings.string("lake.root")).isEqualTo("s3a://bucket/a b");
    assertThat(settings.integer("plan.survive")).isEqualTo(1);
  }

  @Test
  void anOverrideWithoutAnEqualsSignIsRefused() {
    assertThatThrownBy(() -> Settings.parse("my.conf", "", List.of("plan.survive")))
        .hasMessage("Cannot use --set plan.survive: write it as key=value");
  }

  @Test
  void textThatIsNotHoconIsRefusedWithItsLine() {
    assertThatThrownBy(() -> Settings.parse("my.conf", "a = {\n b = [1,\n", List.of()))
        .isInstanceOf(SettingsException.class)
        .hasMessageStartingWith("Cannot read configuration my.conf: ");
  }

  @Test
  void includesAreRefused() {
    assertThatThrownBy(() -> Settings.parse("my.conf", "include \"/etc/passwd\"", List.of()))
        .hasMessageContaining("Cannot include /etc/passwd: a configuration is one text");
  }

  @Test
  void listsThatAreAddedToAreRefusedWithoutShowingTheConfiguration() {
    assertThatThrownBy(
            () ->
                Settings.parse(
                    "my.conf",
                    "hadoop.secret = hunter2\nlocations += { name = a }\nlocations += { name = b }",
                    List.of()))
        .isInstanceOf(SettingsException.class)
        .hasMessageContaining("Cannot read configuration my.conf: ")
        .hasMessageContaining("write the whole list")
        .hasMessageNotContaining("hunter2")
        .hasNoCause();
  }

  @Test
  void sizesAndDurationsHaveUnits() {
    Settings settings = Settings.defaults();
    assertThat(settings.bytes("segments.min-bytes")).isEqualTo(64 << 10);
    assertThat(settings.bytes("segments.max-bytes")).isEqualTo(64 << 20);
    assertThat(settings.duration("forecast.bucket")).isEqualTo(Duration.ofHours(1));
    assertThat(settings.duration("forecast.horizon")).isEqualTo(Duration.ofHours(24));
  }

  @Test
  void aValueOfTheWrongKindSaysWhichKeyAndWhere() {
    Settings settings =
        Settings.parse("my.conf", "plan { survive = many, policy = fast }", List.of());
    assertThatThrownBy(() -> settings.integer("plan.survive"))
        .isInstanceOf(SettingsException.class)
        .hasMessageContaining("Cannot use plan.survive (my.conf)");
    assertThatThrownBy(() -> settings.oneOf("plan.policy", "balanced", "weighted-random"))
        .hasMessage(
            "Cannot use plan.policy (my.conf) = fast: it must be one of balanced, weighted-random");
  }

  @Test
  void secretsAreRedactedWhereverSettingsAreShown() {
    Settings settings =
        Settings.parse(
            "my.conf",
            """
            hadoop { "fs.s3a.secret.key" = "PLANTED1", "fs.s3a.access.key" = "PLANTED2", "fs.s3a.endpoint" = "http://h" }
            lake.root = "s3a://PLANTED3:PLANTED4@bucket/lake"
            spark { "spark.ssl.keyPassword" = "PLANTED5" }
            """,
            List.of());
    assertThat(settings.redacted()).doesNotContain("PLANTED").contains("http://h");
    assertThat(settings.secrets()).contains("PLANTED1", "PLANTED2", "PLANTED5");
  }

  @Test
  void secretsAreRedactedWhereverTheyHide() {
    Settings settings =
        Settings.parse(
            "my.conf",
            """
            hadoop {
              "fs.azure.sas.box.account.blob.core.windows.net" = "PLANTED1"
              "fs.gs.auth.service.account.private.key" = "PLANTED2"
              nested = [[{ password = "PLANTED3" }]]
              url = "https://h/c?sv=1&sig=PLANTED4%2B&x=1"
            }
            spark."spark.driver.extraJavaOptions" = "-Dx=y -Djavax.net.ssl.keyStorePassword=PLANTED5 -Dz=1"
            """,
            List.of(
                "lake.root=s3a://me:PLANTED6/with@slash@bucket/team@x/lake",
                "objects.roots=[\"http://host:8080/a@b\"]"));
    for (String shown : List.of(settings.redacted(), settings.shown())) {
      assertThat(shown)
          .doesNotContain("PLANTED", "with@slash")
          .contains("&x=1", "-Dx=y", "-Dz=1", "http://host:8080/a@b");
    }
    assertThat(Settings.withoutUserInfo("s3a://me@bucket/team@x and hdfs://host:9000/a@b"))
        .isEqualTo("s3a://(redacted)@bucket/team@x and hdfs://host:9000/a@b");
  }

  @Test
  void aTextThatIsNoConfigurationIsRefusedWithoutItsSecrets() {
    String good = "lake.root = x\n";
    for (String bad :
        List.of(
            "hadoop.fs.s3a.secret.key = PLANTED+PLANTED/PLANTED",
            "hadoop { \"fs.s3a.secret.key\" = \"PLANTED1\" \"x } \n y",
            "hadoop { fs.s3a.secret.key = PLANTED1 = PLANTED2 }",
            "hadoop.fs.s3a.secret.key = ${PLANTED.PLANTED}")) {
      assertThatThrownBy(() -> Settings.parse("my.conf", good + bad, List.of()))
          .as(bad)
          .isInstanceOf(SettingsException.class)
          .hasNoCause()
          .hasMessageStartingWith("Cannot read configuration my.conf: ")
          .hasMessageNotContaining("PLANTED");
    }
    assertThatThrownBy(
            () -> Settings.parse("my.conf", "", List.of("hadoop.fs.s3a.secret.key:PLANTED")))
        .hasMessage("Cannot use --set (redacted): write it as key=value");
    assertThatThrownBy(() -> Settings.parse("my.conf", "a = " + "[".repeat(200_000), List.of()))
        .isInstanceOf(SettingsException.class)
        .hasMessageContaining("nested too deep");
  }

  @Test
  void aSizeThatNoMachineHasIsRefusedAtOnce() {
    for (String size : List.of("1e999999999 KiB", "1e99 B", "99999999999999999999 GiB", "-5 KiB")) {
      Settings settings = Settings.parse("my.conf", "", List.of("segments.min-bytes=" + size));
      assertThatThrownBy(() -> settings.bytes("segments.min-bytes"))
          .as(size)
          .isInstanceOf(SettingsException.class)
          .hasMessageContaining("segments.min-bytes (my.conf)");
    }
  }

  @Test
  void theDefaultsAreThese() {
    assertThat(Settings.defaults().redacted().lines())
        .contains(
            "plan.policy = \"balanced\"",
            "plan.storage-budget = 1.5",
            "plan.survive = 2",
            "segments.per-object = 16",
            "aggregate.reopen-days = 3",
            "read.fallback = true",
            "reshard.read-back = \"all\"",
            "plan.weighted-random.meta-shards = 4",
            "plan.weighted-random.weight = \"p_requested\"",
            "ingest.keep-client = false",
            "integrity.sha256 = \"off\"");
  }

  @Test
  void everyKeyOfTheReferenceIsReadByTheCode() throws IOException {
    Set<String> literals = new TreeSet<>();
    Pattern literal = Pattern.compile("\"([a-z0-9.-]+)\"");
    try (Stream<Path> files = Files.walk(SOURCES)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".java")).toList()) {
        Matcher matcher = literal.matcher(Files.readString(file));
        while (matcher.find()) {
          literals.add(matcher.group(1));
        }
      }
    }
    List<String> unread = new ArrayList<>();
    for (String key : Settings.knownKeys()) {
      boolean found = literals.contains(key);
      // Some records read below a prefix: "plan.weighted-random." and "seed".
      for (int dot = key.indexOf('.'); dot > 0 && !found; dot = key.indexOf('.', dot + 1)) {
        found =
            literals.contains(key.substring(0, dot + 1))
                && literals.contains(key.substring(dot + 1));
      }
      if (!found) {
        unread.add(key);
      }
    }
    assertThat(unread).as("keys of reference.conf that nothing reads").isEmpty();
    assertThat(Settings.knownKeys()).hasSizeGreaterThan(40);
  }
}
