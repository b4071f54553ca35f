package io.metashard.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;

/**
 * How far plans are from the best, as Markdown.
 *
 * @param found one or more
 */
public record OptimumTable(List<PlanOptimum.Found> found) {
  /** What plans are to be within. */
  public static final double MOST_EXCESS = 0.05;

  public OptimumTable {
    found = List.copyOf(found);
    if (found.isEmpty()) {
      throw new IllegalArgumentException("Cannot tell of no plan");
    }
  }

  /** The table. */
  public String markdown() {
    Map<String, List<PlanOptimum.Found>> rows = new TreeMap<>();
    for (PlanOptimum.Found one : found) {
      rows.computeIfAbsent(
              String.format(Locale.ROOT, "%s | %.2f x", one.model(), one.times()),
              any -> new ArrayList<>())
          .add(one);
    }
    List<List<String>> lines = new ArrayList<>();
    lines.add(
        List.of(
            "read model",
            "budget",
            "plans",
            "median excess",
            "most",
            "within 5 %",
            "of the whole budget, median",
            "most"));
    rows.forEach((name, plans) -> lines.add(line(name.split(" \\| ", -1), plans)));
    lines.add(line(new String[] {"all", ""}, found));
    return Markdown.table(lines);
  }

  private static List<String> line(String[] name, List<PlanOptimum.Found> plans) {
    return List.of(
        name[0],
        name[1],
        Integer.toString(plans.size()),
        percent(quantile(plans, PlanOptimum.Found::excess, 0.5)),
        percent(quantile(plans, PlanOptimum.Found::excess, 1)),
        Long.toString(plans.stream().filter(one -> one.excess() <= MOST_EXCESS).count()),
        percent(quantile(plans, PlanOptimum.Found::excessOfAll, 0.5)),
        percent(quantile(plans, PlanOptimum.Found::excessOfAll, 1)));
  }

  /** Whether every plan is within {@link #MOST_EXCESS} of the best. */
  public boolean isNear() {
    return found.stream().allMatch(one -> one.excess() <= MOST_EXCESS);
  }

  private static double quantile(
      List<PlanOptimum.Found> plans, ToDoubleFunction<PlanOptimum.Found> figure, double share) {
    double[] sorted = plans.stream().mapToDouble(figure).sorted().toArray();
    return sorted[(int) Math.ceil(share * sorted.length) - 1];
  }

  private static String percent(double excess) {
    return Double.isInfinite(excess)
        ? "over capacity"
        : String.format(Locale.ROOT, "%.2f %%", 100 * excess);
  }
}
