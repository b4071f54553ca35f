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

/**
 * Which objects a command is for.
 *
 * @param objectIds these, if there are any; sorted, each once
 * @param prefix else those whose ids begin with it: all, if it is empty
 */
record SelectedObjects(List<String> objectIds, String prefix) {
  static final SelectedObjects ALL = new SelectedObjects(List.of(), "");

  /** Ids that a message names. */
  private static final int NAMED = 10;

  SelectedObjects {
    objectIds = List.copyOf(new TreeSet<>(objectIds));
  }

  static SelectedObjects of(List<String> objectIds) {
    return new SelectedObjects(objectIds, "");
  }

  /** How they are named on the command line. */
  static final class Options {
    @Parameters(paramLabel = "OBJECT_ID", description = "the objects' ids", arity = "1..*")
    private List<String> objectIds = List.of();

    @Option(
        names = "--prefix",
        paramLabel = "PREFIX",
        description = "all objects whose ids begin with this")
    private String prefix;

    @Option(names = "--all", description = "all objects")
    private boolean all;

    /**
     * @throws MetashardException if an id cannot be one
     */
    SelectedObjects selected() {
      for (String objectId : objectIds) {
        ObjectIds.problem(objectId)
            .ifPresent(
                problem -> {
                  throw new MetashardException(
                      MetashardException.USAGE,
                      "Cannot select object %s: its id cannot be one (%s)"
                          .formatted(ObjectIds.printable(objectId), problem));
                });
      }
      return all ? ALL : prefix != null ? new SelectedObjects(List.of(), prefix) : of(objectIds);
    }
  }

  /** For run ids: other objects are another run. */
  String key() {
    return CommonOptions.sha256(prefix + "\0" + String.join("\0", objectIds));
  }

  /** Whether an id is selected. */
  Column condition(String idColumn) {
    return objectIds.isEmpty()
        ? col(idColumn).startsWith(lit(prefix))
        : col(idColumn).isInCollection(objectIds);
  }

  /**
   * Refuses ids that are not there.
   *
   * @param rows with each object once at least
   * @param where for people, what they were looked for in
   */
  void requireIn(Dataset<Row> rows, String idColumn, String where) {
    if (objectIds.isEmpty()) {
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
