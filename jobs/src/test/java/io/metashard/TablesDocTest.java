package io.metashard;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaField;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.metashard.lake.TableDefinition;
import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.junit.jupiter.api.Test;

/** {@code TABLES.md} says of every table what the code says. */
class TablesDocTest {
  private static final Path DOC =
      Path.of(System.getProperty("metashard.basedir", ".")).resolve("TABLES.md");
  private static final String NAMES_COLUMNS = "| column | type | null | unit and meaning |";
  private static final Pattern WORD = Pattern.compile("`([a-z0-9_]+)`");

  /** What the page says of one table. */
  private record Section(String text) {
    /** One line a column: name, type, and whether it may be null. */
    List<String> columns() {
      List<String> columns = new ArrayList<>();
      boolean inTable = false;
      for (String line : text.lines().toList()) {
        inTable = line.equals(NAMES_COLUMNS) || inTable && line.startsWith("|");
        if (inTable && line.startsWith("| `")) {
          String[] cells = line.substring(1).split("(?<!\\\\)\\|", -1);
          columns.add(
              "%s %s null:%s"
                  .formatted(
                      cells[0].strip().replace("`", ""), cells[1].strip(), cells[2].strip()));
        }
      }
      return columns;
    }

    List<String> partitionedBy() {
      String line = fact("Partitioned by");
      return WORD.matcher(line).results().map(found -> found.group(1)).toList();
    }

    String fact(String name) {
      Matcher matcher = Pattern.compile("(?m)^- " + name + ": (\\S.*)$").matcher(text);
      assertThat(matcher.find()).as("line '- %s: ...' of%n%s", name, text).isTrue();
      return matcher.group(1);
    }
  }

  @Test
  void everyTableIsDescribedAsItIs() throws IOException {
    Map<String, TableDefinition> tables = tables();
    Map<String, Section> sections = sections();
    assertThat(sections.keySet()).isEqualTo(tables.keySet());
    tables.forEach(
        (name, table) -> {
          Section section = sections.get(name);
          List<String> expected =
              Arrays.stream(table.schema().fields())
                  .map(
                      field ->
                          "%s %s null:%s"
                              .formatted(
                                  field.name(),
                                  word(field.dataType()),
                                  field.nullable() ? "yes" : "no"))
                  .toList();
          assertThat(section.columns()).as(name).containsExactlyElementsOf(expected);
          assertThat(section.partitionedBy()).as(name).isEqualTo(table.partitionBy());
        });
    // As many as DESIGN has by now, so that an import that finds nothing does not pass.
    assertThat(tables).hasSizeGreaterThanOrEqualTo(14);
  }

  @Test
  void everyTableHasItsRowKeysWriterRetentionAndQueriesForBothEngines() throws IOException {
    int sections = 0;
    for (Map.Entry<String, Section> section : sections().entrySet()) {
      assertThat(section.getValue().text())
          .as(section.getKey())
          .containsPattern("(?m)^One row is ")
          .containsOnlyOnce("```python\n# pyspark\n")
          .containsOnlyOnce("```python\n# delta-rs\n");
      for (String fact : List.of("Keys", "Written by", "Retention")) {
        assertThat(section.getValue().fact(fact)).as(section.getKey()).endsWith(".").isNotBlank();
      }
      sections++;
    }
    assertThat(sections).isEqualTo(tables().size());
  }

  @Test
  void theOverviewListsEveryTable() throws IOException {
    String overview = Files.readString(DOC).split("(?m)^## ")[0];
    List<String> listed =
        Pattern.compile("(?m)^\\| \\[`([a-z_]+)`\\]\\(#([a-z_]+)\\) \\|")
            .matcher(overview)
            .results()
            .peek(row -> assertThat(row.group(2)).isEqualTo(row.group(1)))
            .map(row -> row.group(1))
            .toList();
    assertThat(listed).containsExactlyInAnyOrderElementsOf(tables().keySet());
  }

  private static Map<String, Section> sections() throws IOException {
    Map<String, Section> sections = new TreeMap<>();
    for (String part : Files.readString(DOC).split("(?m)^## ")) {
      String title = part.lines().findFirst().orElseThrow();
      if (part.contains(NAMES_COLUMNS)) {
        assertThat(sections.put(title, new Section(part))).as(title).isNull();
      }
    }
    return sections;
  }

  /** Every table that any class of the project defines, by name. */
  private static Map<String, TableDefinition> tables() {
    Map<String, TableDefinition> tables = new TreeMap<>();
    for (JavaClass type :
        new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("io.metashard")) {
      for (JavaField field : type.getFields()) {
        if (field.getRawType().isEquivalentTo(TableDefinition.class)
            && field.getModifiers().contains(JavaModifier.STATIC)) {
          TableDefinition table = value(field.reflect());
          assertThat(tables.put(table.name(), table)).as(table.name()).isNull();
        }
      }
    }
    return tables;
  }

  private static TableDefinition value(Field field) {
    try {
      field.setAccessible(true);
      return (TableDefinition) field.get(null);
    } catch (IllegalAccessException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String word(DataType type) {
    return type.equals(DataTypes.IntegerType) ? "int" : type.typeName();
  }
}
