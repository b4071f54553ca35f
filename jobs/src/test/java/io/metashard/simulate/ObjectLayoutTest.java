package io.metashard.simulate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class ObjectLayoutTest {
  private static PlacedBlock data(
      String object, long offset, long length, String shard, int k, int index, int location) {
    return new PlacedBlock(object, offset, length, shard, "bundle", k, index, location);
  }

  private static PlacedBlock parity(long length, String shard, int k, int index, int location) {
    return new PlacedBlock(null, 0, length, shard, "bundle", k, index, location);
  }

  /** Two rows of 2+1: columns at locations 0 and 1, parity at 2. */
  private static ObjectLayout striped() {
    return ObjectLayout.of(
        "o",
        List.of(
            data("o", 0, 10, "row0", 2, 0, 0),
            data("o", 20, 10, "row0", 2, 1, 1),
            parity(10, "row0", 2, 2, 2),
            data("o", 10, 10, "row1", 2, 0, 0),
            data("o", 30, 5, "row1", 2, 1, 1),
            parity(10, "row1", 2, 2, 2)));
  }

  @Test
  void aStripeReadWholeAsksAnyOfItsColumnsWithOneRequestEach() {
    assertThat(striped().bytes()).isEqualTo(35);
    assertThat(striped().fetches(0, 35, 1))
        .containsExactly(
            new Fetch(
                2,
                3,
                List.of(
                    new Fetch.Choice(0, 20), new Fetch.Choice(1, 15), new Fetch.Choice(2, 20))));
    assertThat(striped().fetches(0, 35, 0).get(0).asked()).isEqualTo(2);
  }

  @Test
  void aReadOfSomeOfItAsksForTheBytesThatItNeeds() {
    assertThat(striped().fetches(12, 21, 1))
        .containsExactlyInAnyOrder(
            new Fetch(1, 1, List.of(new Fetch.Choice(0, 8))),
            new Fetch(1, 1, List.of(new Fetch.Choice(1, 1))));
  }

  @Test
  void aPackedObjectIsOneRequestToItsColumn() {
    ObjectLayout layout =
        ObjectLayout.of(
            "o",
            List.of(
                data("o", 0, 10, "row0", 2, 0, 4),
                data("p", 0, 10, "row0", 2, 1, 5),
                parity(10, "row0", 2, 2, 6),
                data("o", 10, 10, "row1", 2, 0, 4),
                data("p", 10, 10, "row1", 2, 1, 5),
                parity(10, "row1", 2, 2, 6)));
    assertThat(layout.fetches(0, 20, 1))
        .containsExactly(new Fetch(1, 1, List.of(new Fetch.Choice(4, 20))));
  }

  @Test
  void anyCopyWillDo() {
    ObjectLayout copies =
        ObjectLayout.of(
            "o",
            List.of(
                data("o", 0, 8, "s", 1, 0, 1), parity(8, "s", 1, 1, 2), parity(8, "s", 1, 2, 3)));
    assertThat(copies.fetches(2, 6, 1))
        .containsExactly(
            new Fetch(
                1,
                1,
                List.of(new Fetch.Choice(1, 4), new Fetch.Choice(2, 4), new Fetch.Choice(3, 4))));
    ObjectLayout twice =
        ObjectLayout.of(
            "o",
            List.of(
                data("o", 0, 8, "s", 3, 0, 1),
                data("o", 0, 8, "s", 3, 1, 2),
                data("p", 0, 8, "s", 3, 2, 3)));
    assertThat(twice.fetches(0, 8, 1))
        .containsExactly(new Fetch(1, 1, List.of(new Fetch.Choice(1, 8), new Fetch.Choice(2, 8))));
  }

  @Test
  void aHoleIsTold() {
    ObjectLayout layout =
        ObjectLayout.of("o", List.of(data("o", 0, 4, "s", 2, 0, 0), data("o", 6, 4, "s", 2, 1, 1)));
    assertThatThrownBy(() -> layout.fetches(0, 10, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("its layout ends at 4");
  }

  @Test
  void theOrderOfBlocksDoesNotMatter() {
    List<PlacedBlock> blocks =
        new ArrayList<>(
            Baselines.blocks(
                new SimulatedObject("o", 9000, 1), new LayoutRule.Uniform(6, 3), 25, 1));
    List<Fetch> fetches = ObjectLayout.of("o", blocks).fetches(0, 9000, 1);
    assertThat(fetches).hasSize(1);
    for (int seed = 0; seed < 10; seed++) {
      java.util.Collections.shuffle(blocks, new java.util.Random(seed));
      assertThat(ObjectLayout.of("o", blocks).fetches(0, 9000, 1)).isEqualTo(fetches);
    }
  }

  @Test
  void baselinesHoldEveryByteAndStoreWhatTheySay() {
    List<SimulatedObject> objects = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      objects.add(new SimulatedObject("o" + i, 1000 + 37L * i, 100.0 / (i + 1)));
    }
    Baselines baselines = new Baselines(Heat.of(objects), 25);
    Map<String, LayoutRule> layouts = new TreeMap<>();
    layouts.put("1.000 source", baselines.source());
    layouts.put("3.000 copies-3", baselines.uniform(1, 2));
    layouts.put("1.501 rs-6-3", baselines.uniform(6, 3));
    layouts.put("1.149 ec-cache", baselines.ecCache());
    layouts.put("1.498 selective", baselines.selective(1.5));
    layouts.put("1.000 sp-cache", baselines.spCache(9));
    long all = objects.stream().mapToLong(SimulatedObject::bytes).sum();
    layouts.forEach(
        (name, rule) -> {
          List<PlacedBlock> blocks = Baselines.blocks(objects, rule, 25, 1);
          for (SimulatedObject object : objects) {
            List<PlacedBlock> own =
                blocks.stream().filter(b -> b.metaShardId().equals(object.objectId())).toList();
            assertThat(own.stream().map(PlacedBlock::location).distinct().count())
                .as(name)
                .isEqualTo(own.size());
            assertThat(ObjectLayout.of(object.objectId(), own).fetches(0, object.bytes(), 1))
                .as(name)
                .isNotEmpty();
          }
          double ratio = blocks.stream().mapToLong(PlacedBlock::length).sum() / (double) all;
          assertThat(ratio)
              .as(name)
              .isBetween(
                  Double.parseDouble(name.substring(0, 5)) - 0.02,
                  Double.parseDouble(name.substring(0, 5)) + 0.002);
        });
    assertThat(layouts).hasSize(6);
    assertThatThrownBy(() -> baselines.uniform(20, 6))
        .hasMessageContaining("Cannot place 20+6 blocks at different locations: there are 25");
  }

  @Test
  void aWorkloadIsTheSameForItsSeedAndAsBusyAsItSays() {
    SyntheticWorkload workload = SyntheticWorkload.MIXED;
    SyntheticWorkload.Drawn drawn = workload.drawn(125e6, 3);
    assertThat(drawn.truth(10)).isEqualTo(workload.drawn(125e6, 3).truth(10));
    assertThat(drawn.truth(10)).isNotEqualTo(workload.drawn(125e6, 4).truth(10));
    assertThat(drawn.truth(10)).isNotEqualTo(drawn.forecast(10));
    double bytes = 0;
    double last = 0;
    int reads = 0;
    for (var i = drawn.requests(50_000, 9); i.hasNext(); reads++) {
      ReadRequest read = i.next();
      bytes += read.to() - read.from();
      last = read.atMillis();
    }
    assertThat(reads).isEqualTo(50_000);
    assertThat(bytes / (last / 1000) / (125e6 * workload.locations())).isBetween(0.48, 0.52);
    assertThatThrownBy(() -> SyntheticWorkload.named("huge"))
        .hasMessageContaining("known are ec-cache, mixed, small");
  }
}
