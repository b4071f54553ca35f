package io.metashard.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.metashard.Tier;
import io.metashard.plan.RepairPlacement.Stored;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class RepairPlacementTest {
  private static final Tier FAST = new Tier("fast", 4, Long.MAX_VALUE);
  private static final Tier MIDDLE = new Tier("middle", 2, Long.MAX_VALUE);
  private static final Tier SLOW = new Tier("slow", 1, Long.MAX_VALUE);

  private static Site site(String name, String domain, Tier tier) {
    return new Site(name, domain, Long.MAX_VALUE, tier);
  }

  private static RepairPlacement placement(List<Site> all, List<Site> usable) {
    return new RepairPlacement(Places.ofSites(all), usable);
  }

  private static Stored stays(int index, String location) {
    return new Stored(index, location, 100, false);
  }

  private static Stored moves(int index, String location) {
    return new Stored(index, location, 100, true);
  }

  @Test
  void aBlockStaysWhereItWasIfThatCanBeWritten() {
    List<Site> sites = List.of(site("a", "1", SLOW), site("b", "2", SLOW), site("c", "3", SLOW));
    assertThat(placement(sites, sites).place("m", List.of(moves(0, "a"), stays(1, "b"))))
        .containsExactlyEntriesOf(Map.of(0, "a"));
  }

  @Test
  void elsewhereItGoesToADomainThatNoOtherBlockIsIn() {
    List<Site> sites =
        List.of(
            site("a", "1", SLOW),
            site("b", "2", SLOW),
            site("b2", "2", SLOW),
            site("c", "3", SLOW));
    assertThat(
            placement(sites, sites.subList(1, 4)).place("m", List.of(moves(0, "a"), stays(1, "b"))))
        .containsExactlyEntriesOf(Map.of(0, "c"));
    // Another location of its own domain is as good as any.
    List<Site> twins = List.of(site("a", "1", SLOW), site("a2", "1", SLOW), site("b", "2", SLOW));
    assertThat(
            placement(twins, twins.subList(1, 3)).place("m", List.of(moves(0, "a"), stays(1, "b"))))
        .containsExactlyEntriesOf(Map.of(0, "a2"));
  }

  @Test
  void itsTierComesFirstThenSlowerOnesThenFaster() {
    Site lost = site("a", "1", MIDDLE);
    Site fast = site("f", "2", FAST);
    Site middle = site("m", "3", MIDDLE);
    Site slow = site("s", "4", SLOW);
    List<Site> all = List.of(lost, fast, middle, slow);
    List<Stored> blocks = List.of(moves(0, "a"));
    assertThat(placement(all, List.of(fast, middle, slow)).place("x", blocks))
        .containsEntry(0, "m");
    assertThat(placement(all, List.of(fast, slow)).place("x", blocks)).containsEntry(0, "s");
    assertThat(placement(all, List.of(fast)).place("x", blocks)).containsEntry(0, "f");
    assertThat(placement(all, List.of()).place("x", blocks)).isEmpty();
  }

  @Test
  void roomIsNeverPassed() {
    List<Site> all = List.of(site("a", "1", SLOW), site("b", "2", SLOW));
    RepairPlacement placement =
        new RepairPlacement(Places.ofSites(all), List.of(new Site("b", "2", 250)));
    int placed = 0;
    for (int i = 0; i < 5; i++) {
      placed += placement.place("m" + i, List.of(moves(0, "a"))).size();
    }
    assertThat(placed).isEqualTo(2);
  }

  @Test
  void aLostLocationsBlocksAreSpreadOverAllOthersAlikeEachTime() {
    Random random = new Random(7);
    List<Site> all = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      all.add(site("l" + i, "d" + i, SLOW));
    }
    List<Site> usable = all.subList(1, 10);
    RepairPlacement placement = placement(all, usable);
    RepairPlacement again = placement(all, usable);
    Map<String, Integer> counts = new HashMap<>();
    int cases = 9_000;
    for (int i = 0; i < cases; i++) {
      Set<Integer> others = new HashSet<>();
      while (others.size() < 4) {
        others.add(1 + random.nextInt(9));
      }
      List<Stored> blocks = new ArrayList<>(List.of(moves(0, "l0")));
      others.forEach(other -> blocks.add(stays(blocks.size(), "l" + other)));
      Map<Integer, String> placed = placement.place("m" + i, blocks);
      assertThat(placed).isEqualTo(again.place("m" + i, blocks)).hasSize(1);
      assertThat(others).doesNotContain(Integer.parseInt(placed.get(0).substring(1)));
      counts.merge(placed.get(0), 1, Integer::sum);
    }
    assertThat(counts).hasSize(9);
    assertThat(counts.values()).allMatch(count -> Math.abs(count - cases / 9) < 150);
  }
}
