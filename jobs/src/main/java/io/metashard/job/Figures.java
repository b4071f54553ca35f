package io.metashard.job;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.metashard.Amounts;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

/** How figures are shown to people and to programs. */
final class Figures {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Pattern BYTES = Pattern.compile("(?:^|[._])bytes(?:$|_)");

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
    } else if (isBytes(name) && (value instanceof Long || value instanceof Integer)) {
      table.add(name, bytes(((Number) value).longValue()));
    } else if (isSeconds(name) && value instanceof Number number) {
      table.add(name, duration(number.doubleValue()));
    } else {
      table.add(name, value);
    }
  }

  /** {@code stored_bytes}, {@code bytes_in}, {@code logical_bytes_planned}. */
  private static boolean isBytes(String name) {
    return BYTES.matcher(name).find();
  }

  private static boolean isSeconds(String name) {
    return name.endsWith("seconds");
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

  /** As {@link Amounts#bytes}. */
  static String bytes(long bytes) {
    return Amounts.bytes(bytes);
  }

  /** As {@link Amounts#duration}. */
  static String duration(double seconds) {
    return Amounts.duration(seconds);
  }
}
