package io.metashard.report;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.time.Instant;
import java.time.LocalDate;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Records as maps: names in snake case, times as ISO text, NaN as it is. */
final class FigureMap {
  private FigureMap() {}

  static Map<String, Object> of(Record row) {
    Map<String, Object> values = new LinkedHashMap<>();
    for (RecordComponent component : row.getClass().getRecordComponents()) {
      try {
        values.put(snake(component.getName()), value(component.getAccessor().invoke(row)));
      } catch (IllegalAccessException | InvocationTargetException e) {
        throw new IllegalStateException(
            "Cannot read %s of %s: %s"
                .formatted(component.getName(), row.getClass().getSimpleName(), e),
            e);
      }
    }
    return values;
  }

  static Object value(Object value) {
    if (value instanceof Record row) {
      return of(row);
    }
    if (value instanceof List<?> list) {
      return list.stream().map(FigureMap::value).toList();
    }
    return value instanceof Instant || value instanceof LocalDate ? value.toString() : value;
  }

  private static String snake(String name) {
    // A digit begins a word, too: low80 is low_80.
    return name.replaceAll("(?<=[a-z])(?=[A-Z]|[0-9])", "_").toLowerCase(Locale.ROOT);
  }
}
