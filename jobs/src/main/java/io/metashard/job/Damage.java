package io.metashard.job;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.lit;

import io.metashard.encode.Findings;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/** What problems of stored blocks mean, and what is done about each. */
final class Damage {
  private static final Map<String, String> WHAT_TO_DO = new LinkedHashMap<>();

  static {
    WHAT_TO_DO.put(
        Findings.LOST,
        "bring back the locations that its detail names, then verify again; while the source is there, nightly --full encodes the object anew");
    WHAT_TO_DO.put(
        Findings.UNREADABLE,
        "bring the location back, then verify again; replaced by an empty one: repair --location NAME; lost for good: repair --location NAME --gone");
    WHAT_TO_DO.put(Findings.MISSING, "repair");
    WHAT_TO_DO.put(Findings.CORRUPT, "repair");
    WHAT_TO_DO.put(Findings.FOOTER, "repair; blocks are read all the same");
    WHAT_TO_DO.put(
        Findings.NO_PLACE,
        "add locations in other domains, or room, and run the night or repair again");
    WHAT_TO_DO.put(
        Findings.DECODE_MISMATCH,
        "blocks do not fit each other, parity was written wrong: data is served right, nightly --full encodes it anew; please report it");
    WHAT_TO_DO.put(
        Findings.INCOMPLETE, "the map lost rows: rollback --dry-run shows maps that may have them");
    WHAT_TO_DO.put(Findings.ORPHAN, "nothing: no damage; a run that is writing now has some, too");
  }

  private Damage() {}

  /** Findings by problem, all that are not zero: words of our own, few. */
  static Map<String, Long> byProblem(Dataset<Row> findings) {
    Map<String, Long> counts = new TreeMap<>();
    findings
        .groupBy(col(Findings.PROBLEM))
        .agg(count(lit(1)))
        .collectAsList()
        .forEach(row -> counts.put(row.getString(0), row.getLong(1)));
    return counts;
  }

  /** What to do, problem by problem. */
  static String whatToDo(Map<String, Long> byProblem) {
    return WHAT_TO_DO.entrySet().stream()
        .filter(entry -> byProblem.containsKey(entry.getKey()))
        .map(entry -> entry.getKey() + ": " + entry.getValue())
        .collect(Collectors.joining(". "));
  }
}
