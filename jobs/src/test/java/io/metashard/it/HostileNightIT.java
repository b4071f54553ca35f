package io.metashard.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.metashard.SharedSpark;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Whole nights on what strangers wrote: object names and log lines that want to be commands, markup
 * or paths, and credentials in every place where one can be put.
 */
@Tag("endurance")
class HostileNightIT {
  private static final String AT = "2026-01-11T00:00:00Z";
  private static final Path FOLDER = Commands.JOBS.resolve("target/it/hostile-input");

  /** What every credential of this test begins with. */
  private static final String PLANTED = "PLANTED";

  private static final List<String> NAMES =
      List.of(
          "plain.bin",
          "red\u001b[31m\u001b]0;title\u0007.bin",
          "two\nlines\rof\ttext",
          "'; DROP TABLE shard_map; --",
          "\"quoted\" `ticks` $(id) ${HOME} %s %n {}",
          "<script>alert(1)</script>",
          "<img src=x onerror=alert(2)>&amp;",
          "dots/..a/...",
          "..%2f..%2fetc%2fpasswd",
          "C:\\windows\\..\\x",
          "bidi\u202egnp.exe\u2066x\u2069",
          "line\u2028separator\u0085next",
          "a=b/bucket=7/__HIVE_DEFAULT_PARTITION__",
          "=cmd|' /C calc'!A0",
          "${jndi:ldap:/127.0.0.1:1/x}",
          "part#1?x=y&z",
          "zero\u200bwidth\ufeff");

  /** Characters that steer terminals, fake lines or turn text around. */
  private static final Pattern ACTS = Pattern.compile("[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}&&[^\\n]]");

  private final Map<String, String> said = new LinkedHashMap<>();

  @Test
  void whatStrangersWroteIsTextAndCredentialsAreNowhere() throws Exception {
    LakeUnderTest.deleteAll(FOLDER);
    for (String name : NAMES) {
      Path file = FOLDER.resolve("objects").resolve(name);
      Files.createDirectories(file.getParent());
      byte[] content = ("the bytes of " + name).repeat(40).getBytes(StandardCharsets.UTF_8);
      Files.write(file, content);
    }
    log();
    LakeUnderTest lake =
        new LakeUnderTest(
            "hostile",
            FOLDER.resolve("objects"),
            FOLDER.resolve("log"),
            "combined",
            4,
            """
            plan { survive = 1, storage-budget = 3 }
            tuner.mode = off
            hadoop {
              "fs.s3a.access.key" = PLANTED-access
              "fs.s3a.secret.key" = "PLANTED-secret/+="
              "fs.azure.account.key.box.dfs.core.windows.net" = PLANTED-azure
              "fs.azure.sas.box.account.blob.core.windows.net" = PLANTED-sas
              "fs.gs.auth.service.account.private.key" = PLANTED-gs
              "a.proxy" = "http://user:PLANTED-proxy@proxy:3128"
            }
            spark {
              "spark.ssl.keyPassword" = PLANTED-key
              "spark.executor.extraJavaOptions" = "-Dstore.password=PLANTED-option"
              "spark.hadoop.fs.s3a.encryption.key" = PLANTED-encryption
            }
            """
                + LakeUnderTest.SMALL_TABLES.replace("= 4", "= 1"));
    Path result = FOLDER.resolve("result.json");
    run(lake, 0, "nightly", "--json", "--result", result.toString(), "--log-format", "json");
    said.put("result", Files.readString(result));
    JsonNode night = new ObjectMapper().readTree(said.get("result"));
    assertThat(night.at("/lake/objects_encoded").asInt()).isEqualTo(NAMES.size());
    assertThat(night.at("/ingest/rejected").asInt()).isPositive();
    assertThat(lake.servedByMap()).hasSize(NAMES.size()).isEqualTo(lake.sources());

    run(lake, 0, "plan", "--explain", "--verbose", "--force");
    Path page = FOLDER.resolve("report.html");
    run(lake, 0, "report", "--out", page.toString());
    said.put("page", Files.readString(page));
    run(lake, 0, "config");
    run(lake, 0, "check");
    run(lake, 0, "verify", "--verbose");
    run(lake, 0, "ls");
    assertThat(said.get("ls")).contains("two\\u000alines\\u000dof\\u0009text", "\\u202e");
    assertThat(said.get("page"))
        .doesNotContainIgnoringCase("<script>alert")
        .doesNotContain("<img", "onerror=alert(2)>");
    requireFailuresTellNothing(lake);

    requireHarmless(said);
    requireNothingPlantedBelow(lake.root());
    requireNothingPlantedBelow(lake.root().resolveSibling("locations"));
    requirePathsAreOurs(lake.root());
    requirePathsAreOurs(lake.root().resolveSibling("locations"));
  }

  /** Requests of every name, as Apache writes them, and lines that are none. */
  private static void log() throws IOException {
    StringBuilder lines = new StringBuilder();
    for (String name : NAMES) {
      String path = URLEncoder.encode(name, StandardCharsets.UTF_8).replace("+", "%20");
      for (int hour = 0; hour < 24; hour += 3) {
        lines.append(
            "192.0.2.7 - - [10/Jan/2026:%02d:55:36 +0000] \"GET /%s HTTP/1.1\" 200 99 \"-\" \"curl\"%n"
                .formatted(hour, path));
      }
      lines.append("no request ").append(name.replace("\n", "")).append('\n');
    }
    Files.createDirectories(FOLDER.resolve("log"));
    Files.writeString(FOLDER.resolve("log/access\u001b[31m<b>.log"), lines);
  }

  private void run(LakeUnderTest lake, int exitCode, String command, String... arguments)
      throws IOException, InterruptedException {
    run(lake.config(), command, exitCode, command, arguments);
  }

  private void run(Path config, String name, int exitCode, String command, String... arguments)
      throws IOException, InterruptedException {
    List<String> all =
        new ArrayList<>(
            List.of(
                command,
                "--config",
                config.toString(),
                "--set",
                "hadoop.fs.s3a.session.token=PLANTED-token"));
    if (!List.of("config", "check", "ls").contains(command)) {
      all.addAll(List.of("--at", AT));
    }
    all.addAll(List.of(arguments));
    Commands.Ended ended =
        Commands.metashard(
            Map.of(
                "METASHARD_JAVA_OPTIONS",
                Commands.SMALL_JVM,
                "AWS_ACCESS_KEY_ID",
                "PLANTED-env-id",
                "AWS_SECRET_ACCESS_KEY",
                "PLANTED-env-secret"),
            all.toArray(String[]::new));
    said.put(name, ended.stdout() + ended.stderr());
    assertThat(ended.exitCode()).as("%s: %s", name, said.get(name)).isEqualTo(exitCode);
  }

  /** A lake that cannot be reached, roots that cannot be read, and texts that are no settings. */
  private void requireFailuresTellNothing(LakeUnderTest lake) throws Exception {
    String working = Files.readString(lake.config());
    String s3 =
        """
        hadoop {
          "fs.s3a.endpoint" = "http://127.0.0.1:1"
          "fs.s3a.endpoint.region" = us-east-1
          "fs.s3a.attempts.maximum" = 0
          "fs.s3a.retry.limit" = 0
          "fs.s3a.connection.establish.timeout" = 1s
        }
        """;
    Path config = FOLDER.resolve("failing.conf");
    Files.writeString(config, working + s3 + "lake.root = \"s3a://me:PLANTED-uri@bucket/lake\"\n");
    run(config, "failing lake", 2, "nightly", "--verbose");
    Files.writeString(
        config,
        working + s3 + "objects.roots = [\"s3a://me:PLANTED-root/slash@bucket/objects\"]\n");
    run(config, "failing root", 1, "catalogue", "--verbose", "--log-format", "json");
    run(config, "check of a failing root", 2, "check");
    Files.writeString(config, working + "hadoop.fs.s3a.secret.key = PLANTED+x/y\n");
    run(config, "no configuration", 2, "nightly");
  }

  private static void requireHarmless(Map<String, String> said) {
    assertThat(said).hasSizeGreaterThan(10);
    said.forEach(
        (name, text) -> {
          assertThat(text).as(name).doesNotContain(PLANTED);
          String shown = text.replace("\n\tat ", "\n at ").replace("\n\t... ", "\n ... ");
          assertThat(
                  ACTS.matcher(shown)
                      .results()
                      .map(r -> "U+%04x".formatted((int) r.group().charAt(0)))
                      .distinct())
              .as("%s: %s", name, text)
              .isEmpty();
        });
  }

  /** Raw bytes, and what Parquet's compression hides. */
  private static void requireNothingPlantedBelow(Path folder) throws IOException {
    List<String> tables = new ArrayList<>();
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        assertThat(new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1))
            .as(file.toString())
            .doesNotContain(PLANTED);
        if (file.toString().endsWith(".parquet")) {
          tables.add(file.toUri().toString());
        }
      }
    }
    for (String table : tables) {
      assertThat(SharedSpark.session().read().parquet(table).toJSON().collectAsList())
          .as(table)
          .noneMatch(row -> row.contains(PLANTED));
    }
  }

  private static void requirePathsAreOurs(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      assertThat(files.map(file -> folder.relativize(file).toString()).toList())
          .hasSizeGreaterThan(4)
          .allMatch(path -> path.matches("[A-Za-z0-9._=/%-]*") && !path.contains(".."));
    }
  }
}
