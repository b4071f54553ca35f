package io.metashard.report;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.StringReader;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Element;
import org.xml.sax.InputSource;

class HtmlFuzzTest {
  @FuzzTest
  void textStaysTextInElementsAndAttributes(FuzzedDataProvider data) throws Exception {
    String text = data.consumeRemainingAsString();
    String page = new Html().leaf("p", text, "title", text).written();
    String body = page.substring(page.indexOf("<p"));
    Element read =
        DocumentBuilderFactory.newInstance()
            .newDocumentBuilder()
            .parse(new InputSource(new StringReader(body)))
            .getDocumentElement();
    String shown = io.metashard.ObjectIds.printable(text, Integer.MAX_VALUE);
    assertThat(read.getTextContent()).isEqualTo(shown);
    assertThat(read.getAttribute("title")).isEqualTo(shown);
    assertThat(read.getAttributes().getLength()).isEqualTo(1);
    assertThat(read.getElementsByTagName("*").getLength()).isZero();
  }
}
