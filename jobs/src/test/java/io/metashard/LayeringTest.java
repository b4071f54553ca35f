package io.metashard;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** Data goes one way through the rooms; planning and coding know neither Spark nor IO. */
class LayeringTest {
  private static final String BASE = "io.metashard";

  /** What stands outside, by the prefix of its packages. */
  private static final Map<String, String> OUTSIDE =
      Map.ofEntries(
          Map.entry("java.", "jdk"),
          Map.entry("javax.crypto", "jdk"),
          Map.entry("javax.management", "jdk"),
          Map.entry("com.sun.management", "jdk"),
          Map.entry("org.apache.spark.ml", "mllib"),
          // Linear algebra that MLlib brings along.
          Map.entry("org.apache.commons.math3", "math"),
          Map.entry("org.apache.spark", "spark"),
          Map.entry("scala", "spark"),
          Map.entry("io.delta.kernel", "kernel"),
          Map.entry("io.delta", "delta"),
          Map.entry("org.apache.hadoop", "hadoop"),
          Map.entry("org.apache.parquet", "parquet"),
          Map.entry("com.typesafe.config", "hocon"),
          Map.entry("com.backblaze.erasure", "jrs"),
          Map.entry("com.univocity", "csv"),
          Map.entry("com.fasterxml.jackson", "jackson"),
          Map.entry("picocli", "picocli"),
          Map.entry("org.apache.logging.log4j", "log4j"),
          Map.entry("org.slf4j", "slf4j"));

  /** Room to what it may import, beside the JDK and the vocabulary. */
  private static final Map<String, Set<String>> MAY =
      Map.ofEntries(
          Map.entry("", Set.of()),
          Map.entry("config", Set.of("hocon")),
          Map.entry("lake", Set.of("spark", "delta", "kernel", "hadoop")),
          Map.entry("logs", Set.of("config", "lake", "spark", "hadoop", "csv", "parquet")),
          Map.entry("catalogue", Set.of("config", "lake", "spark", "hadoop")),
          Map.entry("aggregate", Set.of("config", "lake", "logs", "catalogue", "spark")),
          Map.entry(
              "forecast",
              Set.of(
                  "config", "lake", "aggregate", "catalogue", "spark", "mllib", "math", "slf4j")),
          Map.entry("plan", Set.of("config")),
          Map.entry("simulate", Set.of("config", "math")),
          Map.entry("bench", Set.of("aggregate", "catalogue", "forecast", "plan", "spark")),
          Map.entry("codec", Set.of("jrs")),
          Map.entry("store", Set.of("hadoop")),
          Map.entry("shardmap", Set.of("lake", "store", "spark", "delta", "kernel", "hadoop")),
          Map.entry(
              "encode",
              Set.of("config", "plan", "codec", "store", "shardmap", "spark", "hadoop", "slf4j")),
          Map.entry("upkeep", Set.of("shardmap", "store", "spark", "hadoop", "slf4j")),
          Map.entry("read", Set.of("config", "codec", "store", "hadoop", "kernel", "slf4j")),
          Map.entry("report", Set.of()),
          Map.entry("logstore", Set.of("delta", "hadoop")),
          Map.entry("generate", Set.of("config", "hadoop", "parquet")));

  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages(BASE);

  @Test
  void roomsImportOnlyWhatTheirTableAllows() {
    List<String> forbidden = new ArrayList<>();
    Set<String> seen = new TreeSet<>();
    int arrows = 0;
    for (JavaClass from : CLASSES) {
      String room = room(from.getPackageName());
      seen.add(room);
      if (room.equals("job")) {
        continue; // may use everything
      }
      assertThat(MAY).as("room of %s", from.getName()).containsKey(room);
      for (Dependency dependency : from.getDirectDependenciesFromSelf()) {
        String to = target(dependency.getTargetClass());
        if (!to.equals("jdk") && !to.equals(room) && !to.isEmpty()) {
          arrows++;
          if (!MAY.get(room).contains(to)) {
            forbidden.add(dependency.getDescription());
          }
        }
      }
    }
    assertThat(forbidden).isEmpty();
    assertThat(arrows).as("arrows looked at").isGreaterThan(500);
    // A room that nobody entered would make this test say nothing of it.
    Set<String> expected = new TreeSet<>(MAY.keySet());
    expected.add("job");
    assertThat(seen).isEqualTo(expected);
  }

  @Test
  void onlyTwoClassesOfStoreKnowHadoop() {
    assertThat(users("store", "hadoop")).containsExactly("HadoopStore", "SourceFiles");
  }

  @Test
  void onlyOneClassOfCodecKnowsJavaReedSolomon() {
    assertThat(users("codec", "jrs")).containsExactly("JrsEngine");
  }

  private static Set<String> users(String room, String outside) {
    Set<String> users = new TreeSet<>();
    for (JavaClass from : CLASSES) {
      if (room(from.getPackageName()).equals(room)
          && from.getDirectDependenciesFromSelf().stream()
              .anyMatch(d -> target(d.getTargetClass()).equals(outside))) {
        users.add(from.getName().replaceAll(".*\\.", "").replaceAll("\\$.*", ""));
      }
    }
    return users;
  }

  private static String room(String packageName) {
    String rest = packageName.substring(BASE.length());
    return rest.isEmpty() ? "" : rest.substring(1).replaceAll("\\..*", "");
  }

  /** The room or outside library of a class; the vocabulary is "". */
  private static String target(JavaClass target) {
    JavaClass element = target.getBaseComponentType();
    String name = element.getName();
    if (element.isPrimitive()) {
      return "jdk";
    }
    if (name.startsWith(BASE + ".")) {
      return room(element.getPackageName());
    }
    String longest =
        OUTSIDE.keySet().stream()
            .filter(name::startsWith)
            .max(java.util.Comparator.comparingInt(String::length))
            .orElse(null);
    return longest == null ? name : OUTSIDE.get(longest);
  }
}
