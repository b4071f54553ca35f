package io.metashard.simulate;

import io.metashard.LocationModel;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/**
 * What reading through a layout would be like.
 *
 * @param imbalance (most - mean) / mean of the bytes that locations send
 * @param busyShare of the locations' time
 * @param storageRatio physical bytes per logical byte
 * @param reads how many were replayed
 */
public record Replay(
    double meanMillis,
    double p50Millis,
    double p95Millis,
    double p99Millis,
    double imbalance,
    double busyShare,
    double storageRatio,
    long reads) {

  /** The same through locations that are as fast as the model. */
  public static Replay of(
      List<PlacedBlock> blocks,
      Iterator<ReadRequest> requests,
      LocationModel model,
      int locations,
      int extra,
      long seed) {
    return of(blocks, requests, model, Collections.nCopies(locations, 1.0), extra, seed);
  }

  /**
   * Replays reads through a layout that fits into memory.
   *
   * @param blocks all of the layout
   * @param requests in order of time
   * @param speeds of the locations, one each, in times of the model
   * @param extra blocks asked for beyond what is needed
   * @param seed of which requests are slow
   * @throws IllegalArgumentException if an object that is read has no block
   */
  public static Replay of(
      List<PlacedBlock> blocks,
      Iterator<ReadRequest> requests,
      LocationModel model,
      List<Double> speeds,
      int extra,
      long seed) {
    Map<String, List<PlacedBlock>> shards = new HashMap<>();
    long physical = 0;
    long logical = 0;
    for (PlacedBlock block : blocks) {
      shards.computeIfAbsent(block.metaShardId(), id -> new ArrayList<>()).add(block);
      physical += block.length();
    }
    Map<String, List<PlacedBlock>> ofObject = new HashMap<>();
    for (List<PlacedBlock> shard : shards.values()) {
      shard.stream()
          .filter(block -> block.objectId() != null)
          .map(PlacedBlock::objectId)
          .distinct()
          .forEach(id -> ofObject.computeIfAbsent(id, o -> new ArrayList<>()).addAll(shard));
    }
    Map<String, ObjectLayout> layouts = new HashMap<>();
    for (Map.Entry<String, List<PlacedBlock>> object : ofObject.entrySet()) {
      ObjectLayout layout = ObjectLayout.of(object.getKey(), object.getValue());
      layouts.put(object.getKey(), layout);
      logical += layout.bytes();
    }
    Simulation simulation = new Simulation(model, speeds, seed);
    Map<ReadRequest, List<Fetch>> known = new HashMap<>();
    while (requests.hasNext()) {
      ReadRequest request = requests.next();
      ObjectLayout layout = layouts.get(request.objectId());
      if (layout == null) {
        throw new IllegalArgumentException("Cannot replay a read: no block holds its object");
      }
      // The same range is asked for again and again.
      ReadRequest range = new ReadRequest(0, request.objectId(), request.from(), request.to());
      simulation.read(
          request.atMillis(),
          known.computeIfAbsent(range, r -> layout.fetches(r.from(), r.to(), extra)));
    }
    TimeHistogram times = simulation.times();
    return new Replay(
        times.mean(),
        times.percentile(0.5),
        times.percentile(0.95),
        times.percentile(0.99),
        simulation.imbalance(),
        simulation.busyShare(),
        (double) physical / logical,
        times.count());
  }
}
