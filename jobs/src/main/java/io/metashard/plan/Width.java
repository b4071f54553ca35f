package io.metashard.plan;

import io.metashard.Shape;
import java.io.Serializable;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;

/**
 * How wide meta-shards may be: what the failure domains allow.
 *
 * @param k most data blocks
 * @param m parity blocks of every meta-shard
 * @param wideCodec codec of meta-shards with two or more data blocks
 * @param domains failure domains that take new blocks
 */
public record Width(int k, int m, String wideCodec, int domains) implements Serializable {
  /**
   * As wide as the options and the sites allow.
   *
   * @throws PlanRefusedException if there are fewer domains than one data block and its parity need
   */
  public static Width of(PlanOptions options, List<Site> sites) {
    boolean drawn = options.policy() == PlanOptions.Policy.WEIGHTED_RANDOM;
    boolean xorAsked = drawn && options.draw().code() == DrawOptions.Code.XOR;
    int m = xorAsked ? 1 : options.survive();
    int maxK = drawn ? options.draw().maxK() : options.maxK();
    int domains = domains(sites, 1 + m);
    if (domains < 1 + m) {
      throw new PlanRefusedException(
          "Cannot survive the loss of %d domains: active locations with room are in %d domains, %d are needed (1 data and %d parity blocks, each in a domain of its own); add locations in other domains, raise capacities or lower plan.survive"
              .formatted(m, domains, 1 + m, m));
    }
    int k = Math.min(Math.min(maxK, domains - m), Shape.MAX_BLOCKS - m);
    // Parity of one block is the same sum in both codes; xor is the cheaper one to compute.
    boolean xor = xorAsked || (!drawn && m == 1);
    return new Width(k, m, xor ? Shape.XOR : Shape.RS, domains);
  }

  /**
   * The domains with room that blocks may always be in. A tier that is limited is for what is hot:
   * were it counted, all meta-shards would be so wide that each must have blocks there. So it is
   * only where there are too few without it; the roomiest first.
   */
  private static int domains(List<Site> sites, int least) {
    NavigableMap<Long, Set<String>> byCapacity = new TreeMap<>(Collections.reverseOrder());
    for (Site site : sites) {
      if (site.roomBytes() > 0) {
        byCapacity
            .computeIfAbsent(site.tier().capacityBytes(), capacity -> new HashSet<>())
            .add(site.domain());
      }
    }
    Set<String> domains = new HashSet<>();
    for (Set<String> next : byCapacity.values()) {
      if (domains.size() < least) {
        domains.addAll(next);
      }
    }
    return domains.size();
  }

  /** The same for what must survive the loss of more domains, as far as there are enough. */
  Width surviving(int lostDomains) {
    int parity = Math.min(lostDomains, domains - 1);
    return parity <= m
        ? this
        : new Width(
            Math.min(k, Math.min(domains, Shape.MAX_BLOCKS) - parity), parity, Shape.RS, domains);
  }

  /** The shape of a meta-shard with so many data blocks. */
  Shape shape(int dataBlocks) {
    return shape(dataBlocks, m);
  }

  /** The same with as much parity as is said. */
  Shape shape(int dataBlocks, int parity) {
    String wide = parity == m ? wideCodec : Shape.RS;
    return new Shape(dataBlocks == 1 ? Shape.COPY : wide, dataBlocks, parity);
  }

  /** Physical bytes per logical byte when all data blocks are equally long and there are k. */
  public double leastRatio() {
    return (double) (k + m) / k;
  }

  @Override
  public String toString() {
    return "up to " + k + "+" + m;
  }
}
