package io.metashard.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.metashard.ObjectIds;
import io.metashard.report.Page;
import io.metashard.report.SampleReports;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The page about one real night, and one made up of many, in a real browser. */
class ReportIT {
  /** A file of this name is in the lake, and the most asked for of all. */
  private static final String HOSTILE = "<script>alert(1)</script>&\"";

  private static final Path FOLDER = Commands.JOBS.resolve("target/it/report");
  private static final int DESK = 1100;
  private static final int PHONE = 390;

  private static JsonNode figures;
  private static Path page;
  private static String pageOfTheNight;
  private static Path sample;
  private static ProxyThatCounts proxy;
  private static Browser browser;

  @BeforeAll
  static void oneNightForAllTests() throws IOException, InterruptedException {
    proxy = new ProxyThatCounts();
    browser = Browser.open(proxy.port(), Commands.JOBS.resolve("target/it/browser"));
    Path input = Commands.JOBS.resolve("target/it/report-input");
    LakeUnderTest lake =
        new LakeUnderTest(
                "report",
                input.resolve("objects"),
                Commands.HOME.resolve("data/sample/logs/parquet"),
                "parquet",
                4,
                """
            logs = [{ path = "%s", format = parquet }, { path = "%s", format = csv }]
            plan.storage-budget = 3
            forecast.backtest-origins = 2
            %s
            prices { currency = EUR, storage-per-gib-month = 0.02, per-1000-reads = 0.4 }
            """
                    .formatted(
                        Commands.HOME.resolve("data/sample/logs/parquet"),
                        input.resolve("logs.csv"),
                        LakeUnderTest.NO_COMPILING))
            .inThisJvm();
    makeInput(input);
    JsonNode night = lake.json("nightly", "--at", "2026-01-22T00:00:00Z", "--report");
    Path ofTheNight = Path.of(URI.create(night.at("/report_page").asText()));
    assertThat(ofTheNight.getParent()).isEqualTo(lake.root().resolve("_reports"));
    pageOfTheNight = Files.readString(ofTheNight);
    figures = lake.json("report", "--out", FOLDER.resolve("pages").toString());
    page = Path.of(URI.create(figures.get("page").asText()));
    sample = FOLDER.resolve("many-nights.html");
    Files.writeString(sample, Page.of(SampleReports.manyNights(14)));
  }

  /** The committed sample, with an object whose name no page would like. */
  private static void makeInput(Path input) throws IOException {
    LakeUnderTest.deleteAll(input);
    Path from = Commands.HOME.resolve("data/sample/objects");
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Path to = input.resolve("objects").resolve(from.relativize(file).toString());
        Files.createDirectories(to.getParent());
        Files.copy(file, to);
      }
    }
    Path hostile = input.resolve("objects/" + HOSTILE);
    Files.createDirectories(hostile.getParent());
    Files.write(hostile, new byte[100_000]);
    StringBuilder log = new StringBuilder("ts,object_id\n");
    for (int day = 15; day <= 21; day++) {
      for (int i = 0; i < 500; i++) {
        log.append(
            "2026-01-%02dT%02d:00:00Z,\"%s\"%n"
                .formatted(day, i % 24, HOSTILE.replace("\"", "\"\"")));
      }
    }
    Files.writeString(input.resolve("logs.csv"), log);
  }

  @AfterAll
  static void close() throws IOException {
    if (browser != null) {
      browser.close();
    }
    proxy.close();
  }

  @Test
  void everyFigureInTheBrowserIsTheOneOfTheJson() throws IOException, InterruptedException {
    browser.show(page);
    JsonNode shown =
        browser.value(
            "[...document.querySelectorAll('data')].map(d => [d.dataset.figure, d.value, d.textContent])");
    for (JsonNode figure : shown) {
      String path = "/" + figure.get(0).asText().replaceAll("[.\\[\\]]+", "/");
      JsonNode expected = figures.at(path);
      assertThat(expected.isValueNode()).as(path).isTrue();
      if (expected.isNumber()) {
        assertThat(figure.get(1).asDouble()).as(path).isEqualTo(expected.asDouble());
      } else {
        assertThat(figure.get(1).asText())
            .as(path)
            .isEqualTo(ObjectIds.printable(expected.asText(), 9999));
      }
    }
    assertThat(shown.size()).isGreaterThan(150);
    // What the sample is known to be.
    assertThat(figures.at("/stored/objects").asInt()).isEqualTo(6);
    assertThat(figures.at("/risk/left").asInt()).isEqualTo(2);
    assertThat(figures.at("/asked/hours").size()).isEqualTo(14 * 24);
    assertThat(figures.at("/asked/days").size()).isEqualTo(14);
    assertThat(figures.at("/cost/lines/0/amount").asDouble())
        .isCloseTo(
            figures.at("/stored/stored_bytes").asDouble() / (1 << 30) * 0.02,
            org.assertj.core.data.Offset.offset(1e-9));
    assertThat(figures.at("/moved/switched").asBoolean()).isTrue();
    assertThat(figures.at("/worth/scores").isEmpty()).isTrue();
    assertThat(browser.value("document.querySelector('#worth').textContent").asText())
        .contains("No night has been scored yet");
  }

  @Test
  void nightlyWritesTheSamePageAsReport() throws IOException {
    assertThat(pageOfTheNight).isEqualTo(Files.readString(page));
  }

  @Test
  void anObjectIdStaysText() throws IOException, InterruptedException {
    assertThat(figures.at("/forecast/top/0/object_id").asText()).isEqualTo(HOSTILE);
    browser.show(page);
    assertThat(
            browser
                .value("document.querySelectorAll('script, [onload], [onerror]').length")
                .asInt())
        .isZero();
    assertThat(
            browser
                .value("[...document.querySelectorAll('td.id')].map(td => td.textContent)[0]")
                .asText())
        .isEqualTo(HOSTILE);
  }

  @Test
  void noRequestLeavesThePageAndNoneCould() throws IOException, InterruptedException {
    for (Path each : List.of(page, sample)) {
      browser.show(each);
      assertThat(browser.requests()).containsExactly(each.toUri().toString());
      assertThat(browser.complaints()).isEmpty();
    }
    // The browser itself calls its maker; nobody else is called.
    assertThat(proxy.asked())
        .allMatch(line -> line.matches("\\S+ \\S*\\.(google|googleapis|gvt1)\\.com[:/].*"));

    // If somebody's markup came in after all, the policy would stop it.
    String picture =
        "<img src=\"http://stopped.invalid/x.png\"><script>document.title='ran'</script>";
    Path entered = FOLDER.resolve("entered.html");
    Files.writeString(entered, Files.readString(page).replace("<main>", "<main>" + picture));
    browser.show(entered);
    assertThat(browser.complaints())
        .anyMatch(text -> text.contains("http://stopped.invalid/x.png"));
    assertThat(browser.value("document.title").asText()).startsWith("Night of ");
    assertThat(proxy.asked()).noneMatch(line -> line.contains("stopped.invalid"));

    // Without the policy it is seen to leave: the proxy does count.
    Path open = FOLDER.resolve("open.html");
    Files.writeString(
        open, "<img src=\"http://left.invalid/x.png\"><script>document.title='ran'</script>");
    browser.show(open);
    assertThat(browser.value("document.title").asText()).isEqualTo("ran");
    assertThat(proxy.asked()).anyMatch(line -> line.startsWith("GET http://left.invalid/x.png "));
  }

  @Test
  void thePageIsReadableLightAndDarkOnADeskAndAPhone() throws IOException, InterruptedException {
    List<String> backgrounds = new ArrayList<>();
    int looks = 0;
    for (Path each : List.of(page, sample)) {
      for (String scheme : List.of("light", "dark")) {
        for (int width : List.of(DESK, PHONE)) {
          browser.look(scheme, width);
          browser.show(each);
          String name =
              "report-%s-%s-%s.png"
                  .formatted(
                      each.equals(page) ? "night" : "many-nights",
                      scheme,
                      width == DESK ? "desk" : "phone");
          browser.screenshot(Commands.JOBS.resolve("target/it").resolve(name));
          assertThat(browser.value("document.documentElement.scrollWidth").asInt())
              .as(name)
              .isLessThanOrEqualTo(width);
          assertThat(list("tooPale()")).as(name).isEmpty();
          assertThat(list("brokenWords()")).as(name).isEmpty();
          assertThat(list("labelsThatMeet()")).as(name).isEmpty();
          backgrounds.add(
              browser.value("getComputedStyle(document.body).backgroundColor").asText());
          looks++;
        }
      }
    }
    assertThat(looks).isEqualTo(8);
    assertThat(backgrounds.subList(0, 4))
        .containsExactly(
            "rgb(255, 255, 255)", "rgb(255, 255, 255)", "rgb(20, 24, 29)", "rgb(20, 24, 29)");
  }

  @Test
  void whatIsHardToReadIsFound() throws IOException, InterruptedException {
    Path bad = FOLDER.resolve("bad.html");
    Files.writeString(
        bad,
        "<p style='color: #bbb; width: 3em; word-break: break-all'>Extraordinarily</p>".repeat(30)
            + "<figure><svg viewBox='0 0 100 50'>"
            + "<text x='50' y='20'>label</text>".repeat(30)
            + "<text x='95' y='40'>beyond</text></svg></figure>");
    browser.look("light", DESK);
    browser.show(bad);
    assertThat(list("tooPale()")).hasSize(30);
    assertThat(list("brokenWords()")).hasSize(30);
    assertThat(list("labelsThatMeet()")).hasSize(30 * 29 / 2 + 1);
  }

  /** What one of the functions below finds; each counts what it looked at, so that none is idle. */
  private static List<String> list(String call) throws IOException, InterruptedException {
    JsonNode answer = browser.value("(() => {" + LOOKS + "; return " + call + "; })()");
    assertThat(answer.get("seen").asInt()).as(call).isGreaterThan(20);
    List<String> found = new ArrayList<>();
    answer.get("found").forEach(one -> found.add(one.asText()));
    return found;
  }

  private static final String LOOKS =
      """
      function texts() {
        const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        const all = [];
        while (walker.nextNode()) {
          const node = walker.currentNode;
          if (node.data.trim() && !node.parentElement.closest('title, desc')) all.push(node);
        }
        return all;
      }
      function rgb(text) { return text.match(/[\\d.]+/g).map(Number); }
      function light(color) {
        const [r, g, b] = color.slice(0, 3).map(c => c / 255)
          .map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      }
      function behind(element) {
        for (let e = element; e; e = e.parentElement) {
          const color = rgb(getComputedStyle(e).backgroundColor);
          if (color.length === 3 || color[3] > 0) return color;
        }
        return [255, 255, 255];
      }
      function tooPale() {
        const found = [];
        for (const node of texts()) {
          const style = getComputedStyle(node.parentElement);
          const color = rgb(node.parentElement.closest('svg') ? style.fill : style.color);
          const pair = [light(color), light(behind(node.parentElement))].sort((a, b) => b - a);
          const contrast = (pair[0] + 0.05) / (pair[1] + 0.05);
          if (contrast < 4.5) found.push(node.data + ' ' + contrast);
        }
        return { seen: texts().length, found };
      }
      function brokenWords() {
        const found = [];
        let seen = 0;
        for (const node of texts()) {
          if (node.parentElement.closest('svg, td.id, code')) continue;
          for (const word of node.data.matchAll(/\\d{4}-\\d\\d-\\d\\d|[\\p{L}\\p{N}]+/gu)) {
            const range = document.createRange();
            range.setStart(node, word.index);
            range.setEnd(node, word.index + word[0].length);
            const lines = new Set([...range.getClientRects()].map(r => Math.round(r.top)));
            seen++;
            if (lines.size > 1) found.push(word[0] + ' in ' + node.data);
          }
        }
        return { seen, found };
      }
      function labelsThatMeet() {
        const found = [];
        let seen = 0;
        for (const svg of document.querySelectorAll('figure > svg')) {
          const frame = svg.getBoundingClientRect();
          const labels = [...svg.querySelectorAll('text')];
          const boxes = labels.map(label => label.getBoundingClientRect());
          boxes.forEach((a, i) => {
            seen++;
            if (a.left < frame.left - 1 || a.right > frame.right + 1) {
              found.push('outside: ' + labels[i].textContent);
            }
            boxes.slice(0, i).forEach((b, j) => {
              const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
              const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
              // Boxes of lines have air above and below their letters.
              if (across > 0.5 && down > 0.35 * a.height) {
                found.push(labels[i].textContent + ' on ' + labels[j].textContent);
              }
            });
          });
        }
        return { seen, found };
      }
      """;
}
