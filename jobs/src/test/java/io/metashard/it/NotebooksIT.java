package io.metashard.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The notebooks as an analyst has them, and the queries of {@code TABLES.md}, on a real lake. */
class NotebooksIT {
  /** Each notebook, and how many plots it draws of a lake with everything in it. */
  private static final Map<String, Integer> PLOTS =
      Map.of("01_demand_and_forecast", 6, "02_layout", 4, "03_what_if", 5);

  private static final int LARGEST_BYTES = 300 << 10;
  private static final Path NOTEBOOKS = Commands.HOME.resolve("notebooks");

  /** Would be a formula, a page or a terminal's command, where it is not escaped. */
  private static final String HOSTILE =
      "evil$\\frac{1}{0}$ <img src=x onerror=alert(1)>\u001b[2J.bin";

  private static LakeUnderTest lake;

  @BeforeAll
  static void makeLake() throws IOException, InterruptedException {
    Path input = Commands.JOBS.resolve("target/it/notebooks-input");
    LakeUnderTest.deleteAll(input);
    copy(Commands.HOME.resolve("data/sample"), input);
    Path objects = input.resolve("objects");
    Files.write(objects.resolve(HOSTILE), new byte[200_000]);
    Files.createSymbolicLink(objects.resolve("broken"), Path.of("nowhere"));
    List<String> log = new ArrayList<>(List.of("ts,object_id"));
    for (int day = 18; day <= 21; day++) {
      for (int minute = 0; minute < 60; minute++) {
        log.add("2026-01-%dT%02d:%02d:00Z,%s".formatted(day, day % 24, minute, HOSTILE));
      }
    }
    log.add("no moment,%s".formatted(HOSTILE));
    Files.write(input.resolve("more.csv"), log);
    lake =
        new LakeUnderTest(
                "notebooks",
                objects,
                input.resolve("logs/parquet"),
                "parquet",
                8,
                "logs = [{ path = \"%s\", format = \"parquet\" }, { path = \"%s\", format = \"csv\" }]%nforecast { more-horizons = [1h], profile = true, parameters.ridge = 0.02 }%n%s"
                    .formatted(
                        input.resolve("logs/parquet"),
                        input.resolve("more.csv"),
                        LakeUnderTest.SMALL_TABLES))
            .inThisJvm();
    lake.json("nightly", "--date", "2026-01-20");
    // The reads that the night foresaw, and another plan on top of its map.
    lake.json("aggregate", "--date", "2026-01-21");
    lake.json("score", "--date", "2026-01-21");
    Commands.require(
        lake.command(
            "simulate",
            "--date",
            "2026-01-20",
            "--requests",
            lake.root().resolve("requests").toString(),
            "--model",
            "disk",
            "--layouts",
            "source,planned"));
    lake.json("nightly", "--date", "2026-01-20", "--shadow");
    lake.json(
        "plan", "--date", "2026-01-20", "--run-id", "else", "--set", "plan.policy=weighted-random");
    lake.lose(0);
    assertThat(lake.command("verify").exitCode()).as("verify finds what is lost").isEqualTo(3);
    lake.bringBack();
    assertThat(lake.json("delete-sources", "--all").get("sources").asLong())
        .as("what survives two domains stays")
        .isZero();
    try (Stream<Path> files = Files.walk(objects.resolve("papers"))) {
      dropAnObject(files.filter(Files::isRegularFile).sorted().findFirst().orElseThrow());
    }
  }

  /** A plan that nobody carries out, for want of a source that two listings missed. */
  private static void dropAnObject(Path source) throws IOException, InterruptedException {
    Files.delete(source);
    lake.json("catalogue", "--date", "2026-01-21", "--allow-missing", "1");
    lake.json("catalogue", "--date", "2026-01-22", "--allow-missing", "1");
    JsonNode plan =
        lake.json(
            "plan",
            "--date",
            "2026-01-22",
            "--run-id",
            "without-source",
            "--set",
            "objects.drop-missing-after=1d");
    assertThat(plan.get("objects_dropped").asLong()).isEqualTo(1);
    String id =
        Commands.JOBS.resolve("target/it/notebooks-input/objects").relativize(source).toString();
    assertThat(lake.json("forget", id).get("containers_removed").asLong()).isPositive();
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.toList()) {
        Path target = to.resolve(from.relativize(file).toString());
        if (Files.isDirectory(file)) {
          Files.createDirectories(target);
        } else {
          Files.copy(file, target, StandardCopyOption.REPLACE_EXISTING);
        }
      }
    }
  }

  @Test
  void everyNotebookDrawsItsPlotsOfALakeOfOneNight() throws IOException, InterruptedException {
    for (Map.Entry<String, Integer> notebook : PLOTS.entrySet()) {
      Path executed = Commands.JOBS.resolve("target/it/%s.ipynb".formatted(notebook.getKey()));
      Commands.require(papermill(notebook.getKey(), executed, lake.root().toString()));
      JsonNode cells = read(executed);
      assertThat(plots(cells)).as(notebook.getKey()).isEqualTo(notebook.getValue());
      for (JsonNode output : outputs(cells)) {
        assertThat(output.path("output_type").asText()).as("%s", output).isNotEqualTo("error");
        // Python's, such as UserWarning; Spark's own say WARN.
        assertThat(text(output.path("text"))).as(notebook.getKey()).doesNotContain("Warning:");
        assertThat(text(output.at("/data/text~1html"))).doesNotContain("<img src=x");
      }
    }
  }

  @Test
  void anUnknownLakeIsNamedWithWhatToDo() throws IOException, InterruptedException {
    Commands.Ended ended =
        papermill("02_layout", Commands.JOBS.resolve("target/it/unknown.ipynb"), "no/such/lake");
    assertThat(ended.exitCode()).isNotZero();
    assertThat(ended.stderr())
        .contains(
            "Cannot read table shard_map: there is none below lake_root = 'no/such/lake'; run `jobs/metashard nightly` first");
  }

  @Test
  void everyQueryOfTheTablesPageGivesTheSameByBothEngines()
      throws IOException, InterruptedException {
    Path page = Commands.JOBS.resolve("TABLES.md");
    Map<String, String> environment = new HashMap<>(environment());
    environment.put("METASHARD_LAKE", lake.root().toString());
    Commands.Ended ended =
        Commands.require(
            Commands.run(
                List.of(
                    PythonEnvironment.SPARK.python().toString(),
                    Commands.JOBS.resolve("src/test/python/tables_doc.py").toString(),
                    page.toString()),
                environment));
    long tables =
        Files.readAllLines(page).stream()
            .filter(line -> line.equals("| column | type | null | unit and meaning |"))
            .count();
    assertThat(ended.stdout()).contains("%d queries, the same by both engines".formatted(tables));
    assertThat(tables).isGreaterThanOrEqualTo(14);
  }

  @Test
  void whatIsCommittedWasExecutedInOrderAndHasNothingOfAMachine() throws IOException {
    try (Stream<Path> files = Files.list(NOTEBOOKS)) {
      assertThat(
              files
                  .map(file -> file.getFileName().toString())
                  .filter(name -> name.endsWith(".ipynb"))
                  .map(name -> name.replace(".ipynb", "")))
          .containsExactlyInAnyOrderElementsOf(PLOTS.keySet());
    }
    Set<String> setups = new HashSet<>();
    for (Map.Entry<String, Integer> notebook : PLOTS.entrySet()) {
      Path file = NOTEBOOKS.resolve(notebook.getKey() + ".ipynb");
      assertThat(Files.size(file)).as(notebook.getKey()).isLessThan(LARGEST_BYTES);
      assertThat(Files.readString(file))
          .as(notebook.getKey())
          .doesNotContain("\"error\"")
          .doesNotContain("\"stderr\"")
          .doesNotContainPattern("(?<![.\\w~])/(root|tmp|home|work|Users|var|usr)/");
      JsonNode cells = read(file);
      assertThat(plots(cells)).as(notebook.getKey()).isGreaterThanOrEqualTo(notebook.getValue());
      int executed = 0;
      for (JsonNode cell : cells) {
        if (cell.path("cell_type").asText().equals("code")) {
          executed++;
          assertThat(cell.path("execution_count").asInt()).isEqualTo(executed);
          if (text(cell.path("source")).startsWith("# The same cell in all three")) {
            setups.add(text(cell.path("source")));
          }
        }
      }
      assertThat(text(cells.get(1).path("source"))).isEqualTo("lake_root = \"../data/lake\"");
    }
    assertThat(setups).hasSize(1);
  }

  private static Commands.Ended papermill(String notebook, Path executed, String lakeRoot)
      throws IOException, InterruptedException {
    return Commands.run(
        List.of(
            PythonEnvironment.SPARK.program("papermill").toString(),
            "--no-progress-bar",
            "--cwd",
            NOTEBOOKS.toString(),
            NOTEBOOKS.resolve(notebook + ".ipynb").toString(),
            executed.toString(),
            "-p",
            "lake_root",
            lakeRoot),
        environment());
  }

  /** What an analyst sets before the notebook is opened: where Spark runs, and Delta's jars. */
  private static Map<String, String> environment() throws IOException, InterruptedException {
    String jars =
        Arrays.stream(
                Files.readString(Commands.JOBS.resolve("target/classpath.txt"))
                    .split(File.pathSeparator))
            .map(String::strip)
            .filter(path -> path.contains("/delta-spark_") || path.contains("/delta-storage"))
            .collect(Collectors.joining(","));
    return Map.of(
        "MPLBACKEND",
        "agg",
        "PYSPARK_PYTHON",
        PythonEnvironment.SPARK.python().toString(),
        "PYSPARK_SUBMIT_ARGS",
        String.join(
            " ",
            "--master local[2] --driver-memory 1g --jars " + jars,
            "--driver-java-options '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC'",
            "--conf spark.ui.enabled=false --conf spark.ui.showConsoleProgress=false",
            // Few rows: compiling a query, or many tasks for Delta's own state, takes longer than
            // the query.
            "--conf spark.sql.codegen.wholeStage=false",
            "--conf spark.databricks.delta.snapshotPartitions=1",
            "--conf spark.sql.shuffle.partitions=2 pyspark-shell"));
  }

  private static JsonNode read(Path notebook) throws IOException {
    return new ObjectMapper().readTree(notebook.toFile()).path("cells");
  }

  private static List<JsonNode> outputs(JsonNode cells) {
    List<JsonNode> outputs = new ArrayList<>();
    cells.forEach(cell -> cell.path("outputs").forEach(outputs::add));
    return outputs;
  }

  private static int plots(JsonNode cells) {
    return (int)
        outputs(cells).stream().filter(output -> output.path("data").has("image/png")).count();
  }

  /** A notebook's text is a list of lines, or one text. */
  private static String text(JsonNode lines) {
    if (!lines.isArray()) {
      return lines.asText();
    }
    StringBuilder text = new StringBuilder();
    lines.forEach(line -> text.append(line.asText()));
    return text.toString();
  }
}
