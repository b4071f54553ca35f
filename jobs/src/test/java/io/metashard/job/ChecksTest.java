package io.metashard.job;

import static org.assertj.core.api.Assertions.assertThat;

import io.metashard.SharedSpark;
import io.metashard.config.Settings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import picocli.CommandLine.Help.Ansi;

/**
 * Each thing that keeps a night from running is found and says what to do.
 *
 * <p>What cannot be written is a file in place of a folder, not a folder without rights: tests may
 * run as root, who may do anything.
 */
class ChecksTest {
  private final Path folder = SharedSpark.tempFolder("checks");
  private final Path lake = folder.resolve("lake");
  private final Path objects = folder.resolve("objects");
  private final Path logs = folder.resolve("logs");

  @BeforeEach
  void makeInput() throws IOException {
    Files.createDirectories(objects.resolve("films"));
    Files.writeString(objects.resolve("films/a.mp4"), "film");
    Files.createDirectories(logs);
    Files.writeString(logs.resolve("access.log"), "a line\n");
  }

  private Path location(int index) {
    return folder.resolve("locations/l" + index);
  }

  private String locations(int count) {
    return IntStream.range(0, count)
        .mapToObj(i -> "{ name = l%d, uri = \"%s\" }".formatted(i, location(i)))
        .collect(Collectors.joining(", ", "locations = [", "]"));
  }

  private List<CheckLine> check(String more) {
    Settings settings =
        Settings.parse(
            "test.conf",
            """
            lake.root = "%s"
            objects.roots = ["%s"]
            logs = [{ path = "%s", format = combined }]
            %s
            %s
            """
                .formatted(lake, objects, logs, locations(8), more),
            List.of());
    Configuration hadoop = new Configuration();
    settings.open("hadoop").forEach(hadoop::set);
    return new Checks(settings, hadoop, JobContext.qualified(settings.string("lake.root"), hadoop))
        .run();
  }

  private static List<CheckLine> of(List<CheckLine> lines, CheckLine.State state) {
    return lines.stream().filter(line -> line.state() == state).toList();
  }

  private static CheckLine onlyFailure(List<CheckLine> lines) {
    assertThat(of(lines, CheckLine.State.FAIL)).hasSize(1);
    return of(lines, CheckLine.State.FAIL).get(0);
  }

  private List<Path> everything() throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files.sorted().toList();
    }
  }

  @Test
  void aGoodConfigurationFailsNothingAndLeavesNothingBehind() throws IOException {
    List<Path> before = everything();
    List<CheckLine> lines = check("");
    assertThat(of(lines, CheckLine.State.FAIL)).isEmpty();
    assertThat(lines)
        .extracting(CheckLine::what)
        .contains("java", "spark", "delta", "hadoop", "metashard", "configuration", "lake.root")
        .contains("source root0", "logs[0]", "location l0", "location l7", "storage budget");
    assertThat(everything()).isEqualTo(before);
  }

  @Test
  void foldersThatWereThereStay() throws IOException {
    Files.createDirectories(location(3));
    Files.writeString(location(4).getParent().resolve("note"), "");
    check("");
    assertThat(location(3)).isEmptyDirectory();
    assertThat(location(4)).doesNotExist();
    assertThat(location(4).getParent().resolve("note")).exists();
  }

  @Test
  void aLakeThatCannotBeWrittenFails() throws IOException {
    Files.writeString(lake, "a file, not a folder");
    CheckLine failure = onlyFailure(check(""));
    assertThat(failure.what()).isEqualTo("lake.root");
    assertThat(failure.found()).startsWith("Cannot write to file:" + lake + ": ");
    assertThat(failure.fix()).startsWith("make it a folder that user ");
    assertThat(Files.readString(lake)).isEqualTo("a file, not a folder");
  }

  @Test
  void aLocationThatCannotBeWrittenFails() throws IOException {
    Files.createDirectories(location(2).getParent());
    Files.writeString(location(2), "a file, not a folder");
    assertThat(onlyFailure(check("")).what()).isEqualTo("location l2");
  }

  /** One location on a file system that is odd in one way. */
  private List<CheckLine> checkOdd(String how) {
    return check(
        "hadoop { \"fs.odd.impl\" = %s }\n%s"
            .formatted(
                OddFileSystem.class.getName(),
                locations(8)
                    .replaceAll(
                        "]$",
                        ", { name = odd, uri = \"odd://%s%s\" }]".formatted(how, location(9)))));
  }

  @Test
  void aPlaceWhereTwoWritersOfOneFileWinFails() {
    CheckLine failure = onlyFailure(checkOdd(OddFileSystem.BOTH));
    assertThat(failure.what()).isEqualTo("location odd");
    assertThat(failure.found()).startsWith("of two writers of one file at odd://both/");
    assertThat(failure.fix()).contains("puts conditionally");
    assertThat(location(9)).doesNotExist();
  }

  @Test
  void aClockThatIsOffWarns() {
    List<CheckLine> lines = checkOdd(OddFileSystem.LATE);
    assertThat(of(lines, CheckLine.State.FAIL)).isEmpty();
    assertThat(of(lines, CheckLine.State.WARN))
        .anyMatch(
            line ->
                line.what().equals("location odd")
                    && line.found().equals("its clock is 1h behind ours"));
    // Those of the others are ours.
    assertThat(lines.stream().filter(line -> line.found().contains("clock"))).hasSize(1);
  }

  @Test
  void aProbeThatCannotBeDeletedWarnsByName() {
    List<CheckLine> lines = checkOdd(OddFileSystem.KEEPS);
    assertThat(of(lines, CheckLine.State.FAIL)).isEmpty();
    assertThat(of(lines, CheckLine.State.WARN))
        .anyMatch(
            line ->
                line.what().equals("location odd")
                    && line.found().contains("could not be deleted: ")
                    && line.fix().contains("metashard-check-*"));
  }

  @Test
  void aMissingSourceOrLogFails() {
    CheckLine source = onlyFailure(check("objects.roots = [\"%s\"]".formatted(folder + "/none")));
    assertThat(source.what()).isEqualTo("source root0");
    assertThat(source.found()).contains("there is nothing at " + folder + "/none");
    CheckLine log =
        onlyFailure(check("logs = [{ path = \"%s/none\", format = csv }]".formatted(folder)));
    assertThat(log.what()).isEqualTo("logs[0]");
    assertThat(log.found()).contains("there is nothing at " + folder + "/none");
  }

  @Test
  void aSourceThatIsAFileFailsAndAnEmptyOneWarns() throws IOException {
    Path file = objects.resolve("films/a.mp4");
    assertThat(onlyFailure(check("objects.roots = [\"%s\"]".formatted(file))).found())
        .endsWith("is a file");
    Path empty = Files.createDirectories(folder.resolve("empty"));
    assertThat(of(check("objects.roots = [\"%s\"]".formatted(empty)), CheckLine.State.WARN))
        .anyMatch(line -> line.found().endsWith("has no files"));
    assertThat(
            of(
                check("logs = [{ path = \"%s\", format = csv }]".formatted(empty)),
                CheckLine.State.WARN))
        .anyMatch(line -> line.what().equals("logs[0]"));
  }

  @Test
  void tooFewDomainsFail() {
    CheckLine failure = onlyFailure(check("plan.survive = 8"));
    assertThat(failure.what()).isEqualTo("domains");
    assertThat(failure.found()).contains("are in 8 domains, 9 are needed");
    // Eight locations in two domains are two.
    String inTwo =
        locations(8)
            .replaceAll("name = l([0-3])", "domain = east, name = l$1")
            .replaceAll("name = l([4-7])", "domain = west, name = l$1");
    assertThat(onlyFailure(check(inTwo)).found()).contains("are in 2 domains, 3 are needed");
  }

  @Test
  void aBudgetThatNoShapeCanKeepFails() {
    CheckLine failure = onlyFailure(check("plan.storage-budget = 1.2"));
    assertThat(failure.what()).isEqualTo("storage budget");
    assertThat(failure.found()).contains("take 1.333 bytes per byte or more");
    assertThat(of(check("plan.storage-budget = 1.34"), CheckLine.State.WARN))
        .anyMatch(line -> line.found().contains("nothing is left for unequal blocks"));
  }

  @Test
  void domainsOnOneDeviceWarn() {
    assertThat(of(check(""), CheckLine.State.WARN))
        .anyMatch(
            line ->
                line.what().equals("domains")
                    && line.found().startsWith("8 of them are on one device ("));
  }

  @Test
  void aCapacityBeyondTheDeviceWarns() {
    String big =
        locations(8).replaceAll("]$", ", { name = big, uri = \"%s\", capacity = 900 PiB }]");
    assertThat(of(check(big.formatted(folder.resolve("big"))), CheckLine.State.WARN))
        .anyMatch(
            line ->
                line.what().equals("location big")
                    && line.found().startsWith("its capacity is set to 900 PiB"));
  }

  @Test
  void whatIsWrittenMustNotBeWhereObjectsAre() {
    List<CheckLine> failures =
        of(check("lake.root = \"%s\"".formatted(objects.resolve("lake"))), CheckLine.State.FAIL);
    assertThat(failures).hasSize(1);
    assertThat(failures.get(0).found()).contains("one inside the other");
  }

  @Test
  void aValueThatCannotBeUsedFails() {
    CheckLine failure = onlyFailure(check("plan.storage-budget = 0.5"));
    assertThat(failure.what()).isEqualTo("configuration");
    assertThat(failure.found()).contains("Cannot use plan.storage-budget = 0.5");
    assertThat(failure.fix()).isEqualTo("correct it in test.conf");
    assertThat(onlyFailure(check("logs = [{ path = x, format = xml }]")).what()).isEqualTo("logs");
    assertThat(onlyFailure(check("locations = [{ name = A, uri = x }]")).what())
        .isEqualTo("locations");
  }

  @Test
  void credentialsAreCountedAndNeverShown() throws IOException {
    Path store = folder.resolve("keys.jceks");
    String provider = "localjceks://file" + store;
    String key = "hadoop { \"hadoop.security.credential.provider.path\" = \"%s\" }";
    Files.writeString(store, "not a key store");
    CheckLine broken = onlyFailure(check(key.formatted(provider)));
    assertThat(broken.what()).isEqualTo("credentials");
    Files.delete(store);
    assertThat(of(check(key.formatted(provider)), CheckLine.State.WARN))
        .anyMatch(line -> line.found().equals("the credential providers are empty"));
    List<CheckLine> planted = check("hadoop { \"fs.s3a.secret.key\" = PLANTED }");
    assertThat(of(planted, CheckLine.State.WARN))
        .anyMatch(line -> line.found().equals("1 are in the configuration as they are"));
    assertThat(planted.toString()).doesNotContain("PLANTED");
  }

  @Test
  void aLakeOnS3WithoutASafeLogStoreFails() {
    Settings settings = Settings.parse("test.conf", "lake.root = \"s3a://bucket/lake\"", List.of());
    Configuration hadoop = new Configuration();
    // No server answers here: the store is looked at all the same.
    hadoop.set("fs.s3a.endpoint", "http://127.0.0.1:1");
    hadoop.set("fs.s3a.endpoint.region", "us-east-1");
    hadoop.set("fs.s3a.access.key", "a");
    hadoop.set("fs.s3a.secret.key", "b");
    hadoop.set("fs.s3a.attempts.maximum", "0");
    hadoop.set("fs.s3a.retry.limit", "0");
    hadoop.set("fs.s3a.connection.establish.timeout", "1s");
    List<CheckLine> failures =
        of(new Checks(settings, hadoop, "s3a://bucket/lake").run(), CheckLine.State.FAIL);
    assertThat(failures)
        .anyMatch(line -> line.found().startsWith("Cannot write to s3a://bucket/lake"));
  }

  @Test
  void everyLineIsOneLineAndWithoutColoursOffATerminal() {
    List<CheckLine> lines =
        List.of(
            CheckLine.ok("java", "17"),
            CheckLine.warn("source root0", "evil\u001b[31m\nname", "rename it"),
            CheckLine.fail("lake.root", "s3a://me:PLANTED@b/x", ""));
    assertThat(CheckCommand.text(lines, Ansi.OFF))
        .isEqualTo(
            """
            ok    java          17
            warn  source root0  evil\\u001b[31m\\u000aname; rename it
            fail  lake.root     s3a://(redacted)@b/x

            A night cannot run here: 1 to mend, 1 to mind
            """);
    assertThat(CheckCommand.text(lines, Ansi.ON)).contains("\u001b[32mok\u001b[");
  }
}
