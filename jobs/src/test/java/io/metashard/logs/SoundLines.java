package io.metashard.logs;

import static org.assertj.core.api.Assertions.assertThat;

import io.metashard.ObjectIds;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HashSet;
import java.util.Set;

/** What holds for every line of every log, whoever wrote it. */
final class SoundLines {
  private static final Set<String> REASONS = reasons();

  private SoundLines() {}

  private static Set<String> reasons() {
    Set<String> reasons = new HashSet<>();
    try {
      for (Field field : Reasons.class.getDeclaredFields()) {
        if (Modifier.isPublic(field.getModifiers()) && field.getType() == String.class) {
          reasons.add((String) field.get(null));
        }
      }
    } catch (IllegalAccessException e) {
      throw new IllegalStateException(e);
    }
    return reasons;
  }

  /**
   * A refusal has one of the reasons that are documented; a request has an id and values that its
   * tables can hold, and no text longer than the line.
   *
   * @param lineChars of the line that it was read from
   */
  static void require(ParsedLine parsed, int lineChars, Instant notAfter) {
    if (parsed instanceof ParsedLine.Rejected rejected) {
      String reason = rejected.reason();
      if (!REASONS.contains(reason) && !reason.matches("object-id-[a-z0-9-]{1,30}")) {
        throw new AssertionError("a reason that nobody knows: " + reason);
      }
      return;
    }
    ParsedLine.Request request = (ParsedLine.Request) parsed;
    assertThat(ObjectIds.problem(request.objectId())).isEmpty();
    assertThat(request.objectId().length()).isLessThanOrEqualTo(lineChars);
    assertThat(request.ts()).isBetween(Instant.EPOCH, notAfter);
    assertThat(request.ts()).isEqualTo(request.ts().truncatedTo(ChronoUnit.MICROS));
    assertThat(request.rangeStart() == null).isEqualTo(request.rangeEnd() == null);
    if (request.rangeStart() != null) {
      assertThat(request.rangeStart()).isNotNegative().isLessThan(request.rangeEnd());
    }
    assertThat(request.status()).isBetween(100, 599);
    if (request.bytesSent() != null) {
      assertThat(request.bytesSent()).isNotNegative();
    }
    assertThat(request.operation()).matches("[A-Z0-9_.-]{1,64}|maintenance");
    if (request.client() != null) {
      assertThat(request.client().length()).isLessThanOrEqualTo(lineChars);
    }
  }
}
