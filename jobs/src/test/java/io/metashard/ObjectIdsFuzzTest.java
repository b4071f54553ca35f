package io.metashard;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

class ObjectIdsFuzzTest {
  @FuzzTest
  void anIdIsWhatItsBytesSayAndIsShownOnOneHarmlessLine(byte[] bytes) {
    Optional<String> decoded = ObjectIds.decodeUtf8(bytes, 0, bytes.length);
    String text = new String(bytes, StandardCharsets.UTF_8);
    decoded.ifPresent(
        id -> {
          assertThat(id.getBytes(StandardCharsets.UTF_8)).isEqualTo(bytes);
          boolean allowed = bytes.length > 0 && bytes.length <= 1024 && id.indexOf('\0') < 0;
          assertThat(ObjectIds.problem(id).isEmpty()).isEqualTo(allowed);
          int bucket = Buckets.of(id, 4096);
          assertThat(bucket).isBetween(0, 4095);
          assertThat(Buckets.of(id, 1024)).isEqualTo(bucket & 1023);
        });
    requirePrintable(text, 200);
    // Units that are no text at all: halves of characters.
    requirePrintable(new String(bytes, StandardCharsets.UTF_16BE), 50);
  }

  @FuzzTest
  void textsAreShownWithoutCharactersThatAct(FuzzedDataProvider data) {
    int most = data.consumeInt(1, 500);
    requirePrintable(data.consumeRemainingAsString(), most);
  }

  private static void requirePrintable(String text, int most) {
    String shown = ObjectIds.printable(text, most);
    // One character's escape may pass the limit, and an ellipsis ends it.
    assertThat(shown.length()).isLessThanOrEqualTo(most + 13);
    assertThat(shown.codePoints())
        .allMatch(
            c ->
                switch (Character.getType(c)) {
                  case Character.CONTROL,
                      Character.FORMAT,
                      Character.LINE_SEPARATOR,
                      Character.PARAGRAPH_SEPARATOR,
                      Character.SURROGATE,
                      Character.PRIVATE_USE,
                      Character.UNASSIGNED ->
                      false;
                  default -> true;
                });
    if (!shown.endsWith("…")) {
      assertThat(unescaped(shown)).isEqualTo(text);
    }
  }

  /** What {@code printable} shows says exactly what the text was. */
  private static String unescaped(String shown) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < shown.length(); i++) {
      char c = shown.charAt(i);
      if (c != '\\') {
        text.append(c);
      } else if (shown.charAt(i + 1) == 'u') {
        text.append((char) Integer.parseInt(shown.substring(i + 2, i + 6), 16));
        i += 5;
      } else {
        text.append(shown.charAt(++i));
      }
    }
    return text.toString();
  }
}
