package io.metashard.job;

import com.fasterxml.jackson.databind.JsonNode;
import com.typesafe.config.ConfigUtil;
import io.metashard.Amounts;
import io.metashard.bench.WeekTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Runs nights one after the other, and goes back to each. */
@Command(
    name = "week",
    description = {
      "Run nights one after the other on the configuration's objects and logs, in a lake of its own: what each moves, what its plan expects, what it was worth to the reads that came the day after, what is stored. Then roll back to each of them, and read every object back, against what its source was that night.",
      "Of the configuration, lake.root and locations are not used: lake and locations are made below --work. Sources and logs are only read.",
      "Prints a table in Markdown. Exit code 1 when something reads back wrong."
    },
    sortOptions = false)
final class BenchWeek extends LakeCommand {
  private static final int MOST_NIGHTS = 366;
  private static final int MOST_LOCATIONS = 256;

  @Option(
      names = "--requests",
      required = true,
      paramLabel = "PATH",
      description =
          "Parquet files or a Delta table with the columns of the table requests: what came after each night, as simulate takes it")
  private String requests;

  @Option(
      names = "--from",
      required = true,
      paramLabel = "DAY",
      description = "the first night plans at the end of this day (UTC), as 2026-01-21")
  private LocalDate from;

  @Option(
      names = "--nights",
      paramLabel = "N",
      description = "how many, one a day (default: ${DEFAULT-VALUE})",
      defaultValue = "7")
  private int nights;

  @Option(
      names = "--locations",
      paramLabel = "N",
      description = "folders, each a failure domain of its own (default: ${DEFAULT-VALUE})",
      defaultValue = "8")
  private int locations;

  @Option(
      names = "--work",
      paramLabel = "DIR",
      description =
          "where lake and locations are made; they are removed at the end (default: ${DEFAULT-VALUE})",
      defaultValue = "jobs/target/bench")
  private Path work;

  private final String ownFolder = "week-" + UUID.randomUUID();

  BenchWeek() {
    super("bench week");
  }

  /** A night, and the file that notes what its map is to give back. */
  private record Night(WeekTable.Night row, JsonNode told, Path noted) {}

  @Override
  String afterStop() {
    return "begins anew, in another lake of its own";
  }

  @Override
  String runName() {
    return "bench-week";
  }

  private Path folder() {
    return work.toAbsolutePath().resolve(ownFolder);
  }

  /** They win over those of {@code --set}: no lake but the own one is written to. */
  @Override
  List<String> overrides() {
    return List.of(
        "lake.root=" + quoted(folder().resolve("lake")),
        "locations=["
            + IntStream.range(0, Math.min(locations, MOST_LOCATIONS))
                .mapToObj(
                    i ->
                        "{ name = l%d, uri = %s }"
                            .formatted(i, quoted(folder().resolve("locations/l" + i))))
                .collect(Collectors.joining(", "))
            + "]");
  }

  private static String quoted(Path path) {
    return ConfigUtil.quoteString(path.toUri().toString());
  }

  @Override
  Answer run(Start start) throws IOException {
    requireUse(
        !options().namesMoment(), "--date and --at", "left out, as --from names the first night");
    requireUse(
        options().givenRunId().isEmpty() && !options().force(),
        "--run-id and --force",
        "left out, as each night is a run of its own in a new lake");
    requireUse(nights >= 1 && nights <= MOST_NIGHTS, "--nights " + nights, "1 to " + MOST_NIGHTS);
    requireUse(
        locations >= 1 && locations <= MOST_LOCATIONS,
        "--locations " + locations,
        "1 to " + MOST_LOCATIONS);
    if (Submitted.here().bySparkSubmit()) {
      throw new MetashardException(
          MetashardException.USAGE,
          "Cannot run bench by spark-submit: its lake and locations are folders of this machine; run it without --submit");
    }
    Files.createDirectories(folder());
    try {
      return withSpark(
          start,
          (context, runner) -> {
            List<String> own = overrides();
            NightsInTurn inTurn =
                new NightsInTurn(
                    context,
                    runner,
                    requests,
                    more -> {
                      List<String> all = new ArrayList<>(own);
                      all.addAll(more);
                      return options().settings(all);
                    });
            inTurn.requireReadsAfter(from.plusDays(nights - 1L));
            List<Night> week = new ArrayList<>();
            for (int i = 0; i < nights; i++) {
              week.add(night(inTurn, from.plusDays(i)));
            }
            return answer(week, readBack(inTurn, week));
          });
    } finally {
      LocalFolders.delete(folder());
    }
  }

  private static void requireUse(boolean right, String option, String allowed) {
    if (!right) {
      throw new MetashardException(
          MetashardException.USAGE, "Cannot use %s: it must be %s".formatted(option, allowed));
    }
  }

  private Night night(NightsInTurn inTurn, LocalDate date) throws IOException {
    Path noted = folder().resolve("noted-%s.jsonl".formatted(date));
    JsonNode told = inTurn.night(date, noted);
    Night night = new Night(NightsInTurn.row(date, told), told, noted);
    BenchSizes.tell(
        "%s: %s objects encoded, %s written, map version %d"
            .formatted(
                date,
                Amounts.count(night.row().encoded()),
                Amounts.bytes(night.row().movedBytes()),
                night.row().mapVersion()));
    return night;
  }

  /** Rolls the map back to each of its versions, the newest last, and reads it. */
  private static Map<Long, ReadBack> readBack(NightsInTurn inTurn, List<Night> week)
      throws IOException {
    Map<Long, Path> noted = new TreeMap<>();
    week.forEach(night -> noted.put(night.row().mapVersion(), night.noted()));
    Map<Long, ReadBack> found = new TreeMap<>();
    for (Map.Entry<Long, Path> version : noted.entrySet()) {
      if (noted.size() > 1) { // else it is what the map is
        inTurn.rollBack(version.getKey());
      }
      ReadBack one = inTurn.readBack(version.getValue());
      found.put(version.getKey(), one);
      BenchSizes.tell("map version %d read back: %s".formatted(version.getKey(), one.text()));
      one.problems().forEach(problem -> BenchSizes.tell("  " + problem));
    }
    return found;
  }

  private Answer answer(List<Night> week, Map<Long, ReadBack> found) {
    Map<Long, String> cells = new TreeMap<>();
    found.forEach((version, one) -> cells.put(version, one.text()));
    boolean isRight = found.values().stream().allMatch(ReadBack::isRight);
    String text =
        String.format(
            Locale.ROOT,
            """
            %d %s from %s over %d locations. Moved: written to locations, parity included. Stored: bytes at locations for each
            byte of the objects. 99th percentiles in milliseconds: expected by the plan, of the requests forecast; simulated, of the
            reads of the day after, through the layout that the night left; and those of the sources. Read back: after a rollback.

            %s
            %s: %s objects, %s, over %d %s of the map.
            """,
            nights,
            nights == 1 ? "night" : "nights",
            from,
            locations,
            new WeekTable(week.stream().map(Night::row).toList()).markdown(cells),
            isRight ? "All read back right" : "NOT all read back right",
            Amounts.count(found.values().stream().mapToLong(ReadBack::objects).sum()),
            Amounts.bytes(found.values().stream().mapToLong(ReadBack::bytes).sum()),
            found.size(),
            found.size() == 1 ? "version" : "versions");
    Map<String, Object> values = new LinkedHashMap<>();
    values.put("nights", week.stream().map(Night::told).toList());
    Map<String, Object> readBack = new LinkedHashMap<>();
    found.forEach((version, one) -> readBack.put(Long.toString(version), figures(one)));
    values.put("read_back", readBack);
    return new Answer(isRight ? 0 : MetashardException.FAILED, text, values);
  }

  private static Map<String, Object> figures(ReadBack found) {
    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("objects", found.objects());
    figures.put("equal", found.equal());
    figures.put("unknown", found.unknown());
    figures.put("wrong", found.wrong());
    figures.put("bytes", found.bytes());
    figures.put("problems", found.problems());
    return figures;
  }
}
