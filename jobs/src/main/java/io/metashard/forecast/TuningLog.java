package io.metashard.forecast;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * What was tried, changed and taken back, and what is in force after it.
 *
 * @param entries sorted: by moment of planning, then as they were written
 */
public record TuningLog(List<Entry> entries) {
  /** Nothing was ever tried. */
  public static final TuningLog EMPTY = new TuningLog(List.of());

  /** What became of a value. */
  public enum Action {
    /** Better: it is in force. */
    APPLIED,
    /** The value before a change, which did not hold up; it is in force again. */
    REVERTED,
    /** Better, and only written down. */
    SUGGESTED,
    /** Not better by enough, or not judged to the end. */
    REJECTED,
    /** A change was taken back by hand. */
    UNDONE,
    /** The configuration names a value: nothing is tried. */
    FIXED_BY_CONF;

    /** What it is called in tables. */
    public String word() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** The one of that name; empty if this version has none. */
    public static Optional<Action> of(String word) {
      return Arrays.stream(values()).filter(action -> action.word().equals(word)).findFirst();
    }

    /** Whether it puts a value in force. */
    public boolean changes() {
      return this == APPLIED || this == REVERTED;
    }
  }

  /**
   * One row of the table.
   *
   * @param undoneRunId of {@link Action#UNDONE}: the run whose change is taken back; else empty
   * @param at when it was written
   */
  public record Entry(
      String runId,
      Instant plannedAt,
      Tunable parameter,
      double from,
      double to,
      Action action,
      String undoneRunId,
      Instant at) {
    boolean steps(double before, double after) {
      return from == before && to == after;
    }
  }

  public TuningLog {
    entries =
        entries.stream()
            .sorted(
                Comparator.comparing(Entry::plannedAt)
                    .thenComparing(Entry::at)
                    .thenComparing(Entry::runId)
                    .thenComparing(Entry::parameter))
            .toList();
  }

  /** The same without what a run wrote: what the run found. */
  public TuningLog without(String runId) {
    return new TuningLog(entries.stream().filter(e -> !e.runId().equals(runId)).toList());
  }

  /** Whether a run wrote something. */
  public boolean has(String runId) {
    return entries.stream().anyMatch(e -> e.runId().equals(runId));
  }

  /** Whether a run tried something. */
  public boolean hasTuned(String runId) {
    return entries.stream()
        .filter(e -> e.runId().equals(runId))
        .anyMatch(e -> e.action() != Action.UNDONE && e.action() != Action.FIXED_BY_CONF);
  }

  private record Change(String runId, Tunable parameter) {}

  /** Changes that were not taken back, in order. */
  private List<Entry> changes() {
    Set<Change> undone = new HashSet<>();
    for (Entry entry : entries) {
      if (entry.action() == Action.UNDONE) {
        undone.add(new Change(entry.undoneRunId(), entry.parameter()));
      }
    }
    return entries.stream()
        .filter(e -> e.action().changes())
        .filter(e -> !undone.contains(new Change(e.runId(), e.parameter())))
        .toList();
  }

  /** The change that a parameter's value is from, for a run planned at a moment. */
  public Optional<Entry> change(Tunable parameter, Instant plannedAt) {
    return changes().stream()
        .filter(e -> e.parameter() == parameter && !e.plannedAt().isAfter(plannedAt))
        .reduce((earlier, later) -> later);
  }

  /**
   * What a run is made with: the newest changes, within the ladders, where the configuration does
   * not say otherwise. A run of a past moment is made with what counted then.
   */
  public ForecastOptions inForce(ForecastOptions configured, Instant plannedAt) {
    ForecastParameters parameters = configured.parameters();
    for (Tunable tunable : Tunable.values()) {
      parameters = parameters.with(tunable, value(tunable, plannedAt, configured.history()));
    }
    return configured.with(parameters);
  }

  /** The value of a parameter that is not fixed, for a run planned at a moment. */
  public double value(Tunable parameter, Instant plannedAt, Duration history) {
    return change(parameter, plannedAt)
        .map(change -> parameter.within(change.to(), history))
        .orElseGet(() -> parameter.usual(history));
  }

  /** The same, and then something more. */
  public TuningLog and(List<Entry> more) {
    List<Entry> all = new ArrayList<>(entries);
    all.addAll(more);
    return new TuningLog(all);
  }

  /** When a tuning last tried something before a moment; empty if none did. */
  public Optional<Instant> lastTuning(Instant before) {
    return entries.stream()
        .filter(e -> e.action() != Action.UNDONE && e.action() != Action.FIXED_BY_CONF)
        .map(Entry::plannedAt)
        .filter(plannedAt -> !plannedAt.isAfter(before))
        .max(Comparator.naturalOrder());
  }

  /**
   * The changes that taking a run's back would end.
   *
   * @param runId of the run; null for the newest that changed something
   * @return empty if there is none that is in force
   * @throws IllegalArgumentException if a later run changed the same parameter again
   */
  public List<Entry> undoable(String runId) {
    List<Entry> changes = changes();
    String wanted = runId;
    if (wanted == null && !changes.isEmpty()) {
      wanted =
          changes.stream()
              .max(Comparator.comparing(Entry::at).thenComparing(Entry::runId))
              .orElseThrow()
              .runId();
    }
    List<Entry> found = new ArrayList<>();
    for (Entry entry : changes) {
      if (entry.runId().equals(wanted)) {
        Entry newest = change(entry.parameter(), Instant.MAX).orElseThrow();
        if (!newest.equals(entry)) {
          throw new IllegalArgumentException(
              "Cannot undo run %s: run %s changed %s after it; undo that one first"
                  .formatted(wanted, newest.runId(), entry.parameter().word()));
        }
        found.add(entry);
      }
    }
    return List.copyOf(found);
  }
}
