package io.metashard.job;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;

import io.metashard.ObjectIds;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Which objects a command is for: some by id, those with a prefix, or all. */
final class SelectedObjects {
  /** Ids that a message names. */
  private static final int NAMED = 10;

  @Parameters(paramLabel = "OBJECT_ID", description = "the objects' ids", arity = "1..*")
  private List<String> objectIds = List.of();

  @Option(
      names = "--prefix",
      paramLabel = "PREFIX",
      description = "all objects whose ids begin with this")
  private String prefix;

  @Option(names = "--all", description = "all objects")
  private boolean all;

  static SelectedObjects everything() {
    SelectedObjects selected = new SelectedObjects();
    selected.all = true;
    return selected;
  }

  static SelectedObjects of(List<String> objectIds) {
    SelectedObjects selected = new SelectedObjects();
    selected.objectIds = objectIds;
    return selected;
  }

  static SelectedObjects withPrefix(String prefix) {
    SelectedObjects selected = new SelectedObjects();
    selected.prefix = prefix;
    return selected;
  }

  /** For run ids: other objects are another run. */
  String key() {
    return CommonOptions.sha256(
        all ? "all" : prefix != null ? "prefix " + prefix : "ids " + new TreeSet<>(objectIds));
  }

  /** Whether an id is selected. */
  Column condition(String idColumn) {
    Column id = col(idColumn);
    return all
        ? lit(true)
        : prefix != null ? id.startsWith(lit(prefix)) : id.isInCollection(objectIds);
  }

  /**
   * Refuses ids that are not there.
   *
   * @param rows with each object once at least
   * @param where for people, what they were looked for in
   */
  void requireIn(Dataset<Row> rows, String idColumn, String where) {
    if (all || prefix != null) {
      return;
    }
    TreeSet<String> unknown = new TreeSet<>(objectIds);
    rows.where(condition(idColumn)).select(idColumn).distinct().collectAsList().stream()
        .map(row -> row.getString(0)) // as many as were given on the command line
        .forEach(unknown::remove);
    if (!unknown.isEmpty()) {
      throw new MetashardException(
          MetashardException.USAGE,
          "Cannot find %d of the objects in %s: %s; ls and the table objects list what there is, nothing was changed"
              .formatted(
                  unknown.size(),
                  where,
                  unknown.stream()
                      .limit(NAMED)
                      .map(ObjectIds::printable)
                      .collect(Collectors.joining(", "))));
    }
  }
}
