package io.metashard.job;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** How figures are shown to people and to programs. */
final class Figures {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String[] UNITS = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};

  private Figures() {}

  /** One line of JSON; NaN and infinities are null, as JSON has none. */
  static String json(Map<String, ?> values) {
    try {
      return JSON.writeValueAsString(plain(values));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("Cannot write JSON: " + e.getMessage(), e);
    }
  }

  private static Object plain(Object value) {
    if (value instanceof Double number && !Double.isFinite(number)) {
      return null;
    }
    if (value instanceof Map<?, ?> map) {
      Map<Object, Object> copy = new java.util.LinkedHashMap<>();
      map.forEach((key, item) -> copy.put(key, plain(item)));
      return copy;
    }
    if (value instanceof List<?> list) {
      return list.stream().map(Figures::plain).toList();
    }
    return value;
  }

  /** A table of names and values; sizes are shown as {@code 64 MiB}. */
  static String table(Map<String, ?> figures) {
    TextTable table = new TextTable("figure", "value");
    figures.forEach((name, value) -> addTo(table, name, value));
    return table.render();
  }

  private static void addTo(TextTable table, String name, Object value) {
    if (value instanceof Map<?, ?> map) {
      map.forEach((key, item) -> addTo(table, name + "." + key, item));
    } else if (value instanceof List<?> list) {
      for (int i = 0; i < list.size(); i++) {
        table.add(i == 0 ? name : "", list.get(i));
      }
    } else if (name.endsWith("bytes") && value instanceof Number number) {
      table.add(name, bytes(number.longValue()));
    } else {
      table.add(name, value);
    }
  }

  /** A cell: numbers as they are, fractions with four digits. */
  static String shown(Object value) {
    if (value == null) {
      return "-";
    }
    if (value instanceof Double number) {
      return Double.isNaN(number) ? "-" : String.format(Locale.ROOT, "%.4g", number);
    }
    return value.toString();
  }

  /** {@code 1.5 MiB}; exact below 1 KiB. */
  static String bytes(long bytes) {
    double value = bytes;
    int unit = 0;
    while (Math.abs(value) >= 1024 && unit < UNITS.length - 1) {
      value /= 1024;
      unit++;
    }
    return unit == 0
        ? bytes + " B"
        : String.format(Locale.ROOT, value < 10 ? "%.2f %s" : "%.1f %s", value, UNITS[unit]);
  }
}
