package io.metashard.report;

import static org.assertj.core.api.Assertions.assertThat;

import io.metashard.ObjectIds;
import java.io.IOException;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;
import org.xml.sax.SAXException;

/** The page, parsed as strictly as XML: what is in it, and what cannot be. */
class PageTest {
  static Stream<NightReport> reports() {
    return Stream.of(
        SampleReports.empty(),
        SampleReports.oneNight(),
        SampleReports.manyNights(14),
        SampleReports.manyNights(90));
  }

  private static Document parsed(NightReport report) {
    String page = Page.of(report);
    try {
      DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
      factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", false);
      return factory
          .newDocumentBuilder()
          .parse(new InputSource(new StringReader(page.replace("<!DOCTYPE html>\n", ""))));
    } catch (ParserConfigurationException | SAXException | IOException e) {
      throw new AssertionError(e.getMessage() + "\n" + page, e);
    }
  }

  private static List<Element> elements(Document page, String tag) {
    NodeList nodes = page.getElementsByTagName(tag);
    List<Element> found = new ArrayList<>();
    for (int i = 0; i < nodes.getLength(); i++) {
      found.add((Element) nodes.item(i));
    }
    return found;
  }

  private static List<String> attributes(Document page, String name) {
    return elements(page, "*").stream()
        .filter(element -> element.hasAttribute(name))
        .map(element -> element.getAttribute(name))
        .toList();
  }

  @ParameterizedTest
  @MethodSource("reports")
  void nothingOfThePageIsAScriptOrComesFromElsewhere(NightReport report) {
    Document page = parsed(report);
    for (String tag : List.of("script", "iframe", "img", "image", "object", "embed", "form")) {
      assertThat(elements(page, tag)).as(tag).isEmpty();
    }
    assertThat(attributes(page, "src")).isEmpty();
    assertThat(attributes(page, "style")).isEmpty();
    assertThat(attributes(page, "href")).allMatch(to -> to.startsWith("#") || to.equals("data:,"));
    assertThat(attributes(page, "onload")).isEmpty();
    assertThat(elements(page, "style").get(0).getTextContent())
        .doesNotContain("url(")
        .doesNotContain("@import");
    assertThat(
            elements(page, "meta").stream()
                .filter(meta -> meta.getAttribute("http-equiv").equals("Content-Security-Policy"))
                .map(meta -> meta.getAttribute("content")))
        .singleElement()
        .asString()
        .startsWith("default-src 'none'; ")
        .doesNotContain("http")
        .doesNotContain("unsafe");
  }

  @ParameterizedTest
  @MethodSource("reports")
  void everySectionIsThereWhateverTheLakeHolds(NightReport report) {
    Document page = parsed(report);
    assertThat(elements(page, "section").stream().map(section -> section.getAttribute("id")))
        .containsExactlyInAnyOrder(
            "asked", "forecast", "worth", "tuning", "moved", "stored", "cost", "risk", "advice");
    List<String> ids = attributes(page, "id");
    assertThat(new HashSet<>(ids)).hasSameSizeAs(ids);
    for (String to : attributes(page, "href")) {
      assertThat(to.equals("data:,") || ids.contains(to.substring(1))).as(to).isTrue();
    }
    for (Element section : elements(page, "section")) {
      assertThat(section.getTextContent().strip()).hasSizeGreaterThan(30);
    }
    assertThat(page.getDocumentElement().getTextContent())
        .doesNotContain("NaN")
        .doesNotContain("null");
  }

  @ParameterizedTest
  @MethodSource("reports")
  void everyFigureOfThePageIsTheOneOfTheJson(NightReport report) {
    Map<String, Object> figures = report.figures();
    int compared = 0;
    for (Element data : elements(parsed(report), "data")) {
      Object figure = figure(figures, data.getAttribute("data-figure"));
      String expected =
          figure instanceof Number number
              ? number.toString()
              : ObjectIds.printable((String) figure, 9999);
      assertThat(data.getAttribute("value"))
          .as(data.getAttribute("data-figure"))
          .isEqualTo(expected);
      assertThat(data.getTextContent()).isNotBlank();
      compared++;
    }
    assertThat(compared).isGreaterThanOrEqualTo(report.stored().metaShards() == 0 ? 4 : 100);
  }

  private static Object figure(Object figures, String path) {
    Object at = figures;
    for (String part : path.split("[.\\[\\]]+")) {
      at =
          at instanceof List<?> list
              ? list.get(Integer.parseInt(part))
              : ((Map<?, ?>) at).get(part);
    }
    assertThat(at).as(path).isNotNull();
    return at;
  }

  @Test
  void aHostileObjectIdIsText() {
    NightReport report = SampleReports.manyNights(3);
    String page = Page.of(report);
    assertThat(page)
        .doesNotContain("<script")
        .doesNotContain("alert(1)</")
        .doesNotContain("\u202e")
        .doesNotContain("\u0007")
        .contains("&lt;script&gt;alert(1)&lt;/script&gt;&amp;&quot;&#39;\\u202e\\u0007");
    Document parsed = parsed(report);
    assertThat(elements(parsed, "td").stream().map(Element::getTextContent))
        .contains(ObjectIds.printable(SampleReports.HOSTILE, 9999));
  }

  @Test
  void textIsEscapedWhereverItStands() {
    assertThat(Html.escaped("<a b='c' d=\"e\">&amp;\n\u0000\u2028\ud800"))
        .isEqualTo("&lt;a b=&#39;c&#39; d=&quot;e&quot;&gt;&amp;amp;\\u000a\\u0000\\u2028\\ud800");
    Html html = new Html();
    html.open("p", "title", "\"><i>").text("<b>").close();
    assertThat(html.written())
        .isEqualTo("<!DOCTYPE html>\n<p title=\"&quot;&gt;&lt;i&gt;\">&lt;b&gt;</p>\n");
  }

  @ParameterizedTest
  @MethodSource("reports")
  void everyChartIsToldInWordsAndHasATableOfTheSame(NightReport report) {
    Document page = parsed(report);
    int charts = 0;
    Set<String> ids = new HashSet<>(attributes(page, "id"));
    for (Element figure : elements(page, "figure")) {
      Element svg = (Element) figure.getElementsByTagName("svg").item(0);
      for (String id : svg.getAttribute("aria-labelledby").split(" ")) {
        assertThat(ids).contains(id);
      }
      Element section = figure;
      while (!section.getTagName().equals("section")) {
        section = (Element) section.getParentNode();
      }
      assertThat(section.getElementsByTagName("table").getLength()).isPositive();
      charts++;
    }
    assertThat(charts).isGreaterThanOrEqualTo(report.stored().metaShards() == 0 ? 0 : 4);
  }

  @Test
  void labelsOfAChartDoNotMeet() {
    int pairs = 0;
    for (NightReport report : reports().toList()) {
      for (Element figure : elements(parsed(report), "figure")) {
        Element svg = (Element) figure.getElementsByTagName("svg").item(0);
        String[] box = svg.getAttribute("viewBox").split(" ");
        List<double[]> labels = new ArrayList<>();
        NodeList texts = svg.getElementsByTagName("text");
        for (int i = 0; i < texts.getLength(); i++) {
          double[] label = extent((Element) texts.item(i));
          assertThat(label[0]).as(texts.item(i).getTextContent()).isGreaterThanOrEqualTo(0);
          assertThat(label[1])
              .as(texts.item(i).getTextContent())
              .isLessThanOrEqualTo(Double.parseDouble(box[2]) + 1);
          for (double[] other : labels) {
            boolean apart =
                label[1] <= other[0] || other[1] <= label[0] || Math.abs(label[2] - other[2]) >= 12;
            assertThat(apart)
                .as("%s in %s", texts.item(i).getTextContent(), svg.getTextContent())
                .isTrue();
            pairs++;
          }
          labels.add(label);
        }
      }
    }
    assertThat(pairs).isGreaterThan(1000);
  }

  /** Left, right and base line of a label; letters as wide as the charts reckon with, less air. */
  private static double[] extent(Element text) {
    double x = Double.parseDouble(text.getAttribute("x"));
    double width = text.getTextContent().length() * 7.4;
    double left =
        switch (text.getAttribute("text-anchor")) {
          case "start" -> x;
          case "end" -> x - width;
          default -> x - width / 2;
        };
    return new double[] {left, left + width, Double.parseDouble(text.getAttribute("y"))};
  }

  @Test
  void aLineHasAGapWhereNothingIsKnown() {
    Matcher path =
        Pattern.compile("<path class=\"line1 line\" d=\"([^\"]+)\"")
            .matcher(Page.of(SampleReports.manyNights(14)));
    assertThat(path.find()).isTrue();
    String drawn = path.group(1);
    assertThat(drawn.chars().filter(c -> c == 'M').count()).isEqualTo(2);
    assertThat(drawn.chars().filter(c -> c == 'M' || c == 'L').count()).isEqualTo(13 * 24);
  }

  @Test
  void withoutPricesNoMoneyIsShownAndWithoutScoresThePageSaysSo() {
    assertThat(Page.of(SampleReports.oneNight()))
        .contains("no money is shown and none is guessed")
        .contains("No night has been scored yet (table night_scores)");
    assertThat(Page.of(SampleReports.manyNights(14)))
        .contains("1,235 EUR")
        .contains("What the trial says, over 13 nights")
        .contains("In 11 of 13 nights the forecast was nearer to what came");
  }

  @Test
  void theSameFiguresGiveTheSamePage() {
    String page = Page.of(SampleReports.manyNights(14));
    assertThat(Page.of(SampleReports.manyNights(14))).isEqualTo(page);
  }
}
