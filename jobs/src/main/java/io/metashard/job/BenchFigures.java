package io.metashard.job;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.metashard.bench.Usage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What a measured run tells the process that started it. */
final class BenchFigures {
  private BenchFigures() {}

  static Map<String, Object> told(StageReport report, Usage usage) {
    Map<String, Object> told = new LinkedHashMap<>();
    told.put("figures", report.figures());
    told.put("seconds", usage.seconds());
    told.put("cpu_seconds", usage.cpuSeconds());
    told.put("heap_bytes", usage.heapBytes());
    told.put("rss_bytes", usage.rssBytes());
    told.put("failed_tasks", usage.failedTasks());
    List<Map<String, Object>> work = new ArrayList<>();
    for (Usage.Work one : usage.work()) {
      Map<String, Object> of = new LinkedHashMap<>();
      of.put("query", one.name());
      of.put("stages", one.stages());
      of.put("task_seconds", one.taskSeconds());
      of.put("shuffled_bytes", one.shuffledBytes());
      of.put("spilled_bytes", one.spilledBytes());
      of.put("result_bytes", one.resultBytes());
      work.add(of);
    }
    told.put("work", work);
    return told;
  }

  /** What {@link #told} wrote. */
  static Usage usage(JsonNode told) {
    List<Usage.Work> work = new ArrayList<>();
    for (JsonNode one : told.get("work")) {
      work.add(
          new Usage.Work(
              one.get("query").asText(),
              one.get("stages").asInt(),
              one.get("task_seconds").asDouble(),
              one.get("shuffled_bytes").asLong(),
              one.get("spilled_bytes").asLong(),
              one.get("result_bytes").asLong()));
    }
    return new Usage(
        told.get("seconds").asDouble(),
        told.get("cpu_seconds").asDouble(),
        told.get("heap_bytes").asLong(),
        told.get("rss_bytes").asLong(),
        told.get("failed_tasks").asLong(),
        work);
  }

  static JsonNode read(Path result) throws IOException {
    return new ObjectMapper().readTree(result.toFile());
  }
}
