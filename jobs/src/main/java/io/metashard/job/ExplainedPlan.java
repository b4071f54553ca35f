package io.metashard.job;

import io.metashard.Amounts;
import io.metashard.ObjectIds;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A plan, explained: as tables for people and as values for programs.
 *
 * @param policy that made it
 * @param ofOneObject whether lines are parts of one object; else each is an object
 * @param kinds what objects have in common; none of one object
 * @param lines objects, the hottest first, or parts of one in the order of its bytes
 * @param further parts that have no line
 */
record ExplainedPlan(
    String policy,
    boolean ofOneObject,
    PlanTotals totals,
    List<Kind> kinds,
    List<Line> lines,
    long further) {
  private static final int ID_CHARACTERS = 60;

  ExplainedPlan {
    kinds = List.copyOf(kinds);
    lines = List.copyOf(lines);
  }

  /**
   * Segments with the same fate, form and heat.
   *
   * @param heat power of ten of the requests that are expected of each
   * @param objects that have some of them
   * @param storedBytes once the run is over, their part of parity included
   * @param readMillis what a read costs by the model, on average; NaN without any
   * @param savedMillis of all reads that are expected, against being packed in one column
   */
  record Kind(
      String fate,
      String form,
      int heat,
      long objects,
      long segments,
      long bytes,
      long storedBytes,
      double requests,
      double readMillis,
      double savedMillis) {
    static final Comparator<Kind> ORDER =
        Comparator.comparing(Kind::fate)
            .thenComparing(Kind::form)
            .thenComparing(Comparator.comparingInt(Kind::heat).reversed());

    private Map<String, Object> values() {
      Map<String, Object> values = new LinkedHashMap<>();
      values.put(Explanations.FATE, fate);
      values.put(Explanations.FORM, form);
      values.put("requests_per_segment", Explanations.heatWord(heat));
      values.put("objects", objects);
      values.put("segments", segments);
      values.put(Explanations.BYTES, bytes);
      values.put(Explanations.STORED_BYTES, storedBytes);
      values.put(Explanations.REQUESTS, requests);
      values.put(Explanations.READ_MILLIS, readMillis);
      values.put(Explanations.SAVED_MILLIS, savedMillis);
      return values;
    }
  }

  /**
   * An object, told by its hottest part, or a part of one.
   *
   * @param segments of the object or part
   * @param parts of the object that differ
   */
  record Line(
      String objectId,
      int fromSegment,
      int toSegment,
      long segments,
      long parts,
      boolean readWhole,
      String fate,
      String fateWhy,
      String shape,
      long bytes,
      long storedBytes,
      double requests,
      double readMillis,
      double plainMillis,
      double savedMillis,
      String other,
      double otherMillis,
      double otherMoreBytes,
      String reason) {

    /** The same with the sums of all parts of its object. */
    Line ofAll(
        long allSegments,
        long allParts,
        long allBytes,
        long allStoredBytes,
        double allRequests,
        double allSavedMillis) {
      return new Line(
          objectId,
          fromSegment,
          toSegment,
          allSegments,
          allParts,
          readWhole,
          fate,
          fateWhy,
          shape,
          allBytes,
          allStoredBytes,
          allRequests,
          readMillis,
          plainMillis,
          allSavedMillis,
          other,
          otherMillis,
          otherMoreBytes,
          reason);
    }

    private String segmentsText() {
      return toSegment - fromSegment == 1 ? "" + fromSegment : fromSegment + "-" + (toSegment - 1);
    }

    private Map<String, Object> values() {
      Map<String, Object> values = new LinkedHashMap<>();
      values.put(Explanations.OBJECT_ID, ObjectIds.printable(objectId, Integer.MAX_VALUE));
      values.put(Explanations.FROM_SEGMENT, fromSegment);
      values.put(Explanations.TO_SEGMENT, toSegment);
      values.put("segments", segments);
      values.put("parts", parts);
      values.put(Explanations.READ_WHOLE, readWhole);
      values.put(Explanations.FATE, fate);
      values.put(Explanations.FATE_WHY, fateWhy);
      values.put(Explanations.SHAPE, shape);
      values.put(Explanations.BYTES, bytes);
      values.put(Explanations.STORED_BYTES, storedBytes);
      values.put(Explanations.REQUESTS, requests);
      values.put(Explanations.READ_MILLIS, readMillis);
      values.put(Explanations.PLAIN_MILLIS, plainMillis);
      values.put(Explanations.SAVED_MILLIS, savedMillis);
      values.put(Explanations.OTHER, other);
      values.put(Explanations.OTHER_MILLIS, otherMillis);
      values.put(Explanations.OTHER_MORE_BYTES, otherMoreBytes);
      values.put(Explanations.REASON, reason);
      return values;
    }
  }

  /** For programs; ids are escaped as they are printed. */
  Map<String, Object> values() {
    Map<String, Object> values = new LinkedHashMap<>();
    values.put("policy", policy);
    values.put("totals", totals.values());
    if (ofOneObject) {
      values.put("segments", lines.stream().map(Line::values).toList());
      values.put("further_parts", further);
    } else {
      values.put("kinds", kinds.stream().map(Kind::values).toList());
      values.put("hottest", lines.stream().map(Line::values).toList());
    }
    return values;
  }

  /** For people. */
  String text() {
    List<String> tables = new ArrayList<>();
    tables.add(totals.text());
    if (lines.isEmpty()) {
      return totals.text();
    }
    if (ofOneObject) {
      tables.add(partsText());
    } else {
      tables.add(kindsText());
      tables.add(hottestText());
    }
    return String.join("\n", tables);
  }

  private String kindsText() {
    TextTable table =
        new TextTable(
            "in_this_run",
            "form",
            "requests_per_segment",
            "objects",
            "segments",
            "bytes",
            "stored",
            "requests",
            "read_ms",
            "saves");
    for (Kind kind : kinds) {
      table.add(
          kind.fate(),
          kind.form(),
          Explanations.heatWord(kind.heat()),
          kind.objects(),
          kind.segments(),
          Amounts.bytes(kind.bytes()),
          Amounts.bytes(kind.storedBytes()),
          Amounts.number(kind.requests()),
          Amounts.number(kind.readMillis()),
          saved(kind.savedMillis()));
    }
    return table.render();
  }

  private String hottestText() {
    TextTable table =
        new TextTable(
            "object",
            "in_this_run",
            "shape",
            "bytes",
            "stored",
            "requests",
            "read_ms",
            "saves",
            "why");
    for (Line line : lines) {
      table.add(
          ObjectIds.printable(line.objectId(), ID_CHARACTERS),
          line.fate(),
          line.shape() + (line.parts() > 1 ? ", 1 of %d parts".formatted(line.parts()) : ""),
          Amounts.bytes(line.bytes()),
          Amounts.bytes(line.storedBytes()),
          Amounts.number(line.requests()),
          Amounts.number(line.readMillis()),
          saved(line.savedMillis()),
          line.reason());
    }
    return table.render();
  }

  private String partsText() {
    Line first = lines.get(0);
    StringBuilder text = new StringBuilder();
    text.append(
        "%s\n%s: %s\n%s\n\n"
            .formatted(
                ObjectIds.printable(first.objectId(), Integer.MAX_VALUE),
                first.fate(),
                first.fateWhy(),
                first.readWhole()
                    ? "most requests read it whole: it has one shape"
                    : "its segments are read one by one: each has its own shape"));
    TextTable table =
        new TextTable(
            "segments",
            "shape",
            "bytes",
            "stored",
            "requests",
            "read_ms",
            "packed_ms",
            "saves",
            "next_best",
            "its_ms",
            "its_more_bytes",
            "why");
    for (Line line : lines) {
      table.add(
          line.segmentsText(),
          line.shape(),
          Amounts.bytes(line.bytes()),
          Amounts.bytes(line.storedBytes()),
          Amounts.number(line.requests()),
          Amounts.number(line.readMillis()),
          Amounts.number(line.plainMillis()),
          saved(line.savedMillis()),
          line.other().isEmpty() ? "-" : line.other(),
          Amounts.number(line.otherMillis()),
          line.other().isEmpty() ? "-" : Amounts.bytes(Math.round(line.otherMoreBytes())),
          line.reason());
    }
    text.append(table.render());
    if (further > 0) {
      text.append("and %d further parts, colder than these (--explain-limit)\n".formatted(further));
    }
    return text.toString();
  }

  /** Reading time of the horizon; a dash for what is not worth a digit. */
  private static String saved(double millis) {
    double size = Math.abs(millis);
    if (size < 0.5) {
      return "-";
    }
    String sign = millis < 0 ? "-" : "";
    return sign
        + (size < 10_000 ? Amounts.count(Math.round(size)) + " ms" : Amounts.duration(size / 1000));
  }
}
