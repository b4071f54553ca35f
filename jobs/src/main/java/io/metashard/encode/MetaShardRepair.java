package io.metashard.encode;

import io.metashard.Block;
import io.metashard.ObjectIds;
import io.metashard.Shape;
import io.metashard.codec.BlockCoder;
import io.metashard.codec.CodingEngine;
import io.metashard.encode.LocationStores.Problem;
import io.metashard.encode.RepairBlocks.RepairBlock;
import io.metashard.plan.RepairPlacement;
import io.metashard.store.ContainerWriter;
import io.metashard.store.WrittenBlock;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32C;
import org.apache.spark.sql.Row;

/**
 * Writes blocks again that are lost or damaged, from those that are not, meta-shard by meta-shard.
 *
 * <p>A block counts as written only if its bytes have the checksums of its row of the map; of what
 * does not, bytes stay in the container that no footer and no map names. A block that turns out to
 * be bad while others are rebuilt from it is left out, and said. Cell by cell: memory is k + m
 * cells. Not thread safe.
 */
final class MetaShardRepair {
  private final CodingEngine engine;
  private final long containerBytes;
  private final int newFrameBytes;
  private final LocationStores stores;
  private final OpenContainers containers;
  private final RepairPlacement placement;
  private final String generation;
  private final Instant writtenAt;

  /**
   * @param generation of the rows that are written
   */
  MetaShardRepair(
      EncodeOptions options,
      LocationStores stores,
      OpenContainers containers,
      RepairPlacement placement,
      String generation,
      Instant writtenAt) {
    this.engine = CodingEngine.named(options.engine());
    this.containerBytes = options.containerBytes();
    this.newFrameBytes = options.frameBytes();
    this.stores = stores;
    this.containers = containers;
    this.placement = placement;
    this.generation = generation;
    this.writtenAt = writtenAt;
  }

  /** The state of one meta-shard's repair. */
  private static final class Work {
    private final List<Block> blocks;
    private final Shape shape;

    /** Of those that cannot be read. */
    private final Map<Integer, Problem> problems = new TreeMap<>();

    /** Found while rebuilding; the others were known. */
    private final BitSet found = new BitSet();

    /** Where those go that are yet to be written. */
    private final Map<Integer, String> targets = new TreeMap<>();

    private final List<Row> findings = new ArrayList<>();

    Work(List<Block> blocks) {
      this.blocks = blocks;
      this.shape = blocks.get(0).shape();
    }

    List<Integer> good() {
      List<Integer> good = new ArrayList<>();
      for (int index = 0; index < blocks.size(); index++) {
        if (!problems.containsKey(index)) {
          good.add(index);
        }
      }
      return good;
    }

    boolean mustRebuild() {
      return targets.keySet().stream().anyMatch(problems::containsKey);
    }

    int spare() {
      return shape.m() - problems.size();
    }
  }

  /**
   * Writes what is to be written of a meta-shard.
   *
   * @param all its blocks, in order of their index
   * @return what could not be done, as {@link Findings#SCHEMA}
   */
  List<Row> repair(List<RepairBlock> all) throws IOException {
    Work work = new Work(all.stream().map(RepairBlock::block).toList());
    Block first = work.blocks.get(0);
    if (!MetaShardCheck.complete(work.blocks, work.shape)) {
      return List.of(
          Findings.of(
              first,
              Findings.INCOMPLETE,
              "The map has %d blocks of meta-shard %s, which is %s"
                  .formatted(
                      work.blocks.size(), ObjectIds.printable(first.metaShardId()), work.shape),
              null));
    }
    for (RepairBlock one : all) {
      if (!one.isGood()) {
        work.problems.put(one.block().blockIndex(), new Problem(one.problem(), "known before"));
      }
    }
    if (work.spare() < 0) {
      return MetaShardCheck.lost(work.blocks, work.problems);
    }
    containers.switchTo(all.get(0).group());
    containers.rollFull(containerBytes);
    place(work, all);
    boolean goesOn = !work.targets.isEmpty();
    while (goesOn) {
      goesOn = attempt(work);
    }
    for (int index = work.found.nextSetBit(0);
        index >= 0;
        index = work.found.nextSetBit(index + 1)) {
      Problem problem = work.problems.get(index);
      work.findings.add(
          Findings.of(work.blocks.get(index), problem.name(), problem.detail(), work.spare()));
    }
    return work.findings;
  }

  private void place(Work work, List<RepairBlock> all) {
    List<RepairPlacement.Stored> stored =
        all.stream()
            .map(
                one ->
                    new RepairPlacement.Stored(
                        one.block().blockIndex(),
                        one.block().location(),
                        Block.physicalBytes(one.block().length(), newFrameBytes),
                        one.isWrittenAgain()))
            .toList();
    work.targets.putAll(placement.place(work.blocks.get(0).metaShardId(), stored));
    for (RepairBlock one : all) {
      if (one.isWrittenAgain() && !work.targets.containsKey(one.block().blockIndex())) {
        work.findings.add(
            Findings.of(
                one.block(),
                Findings.NO_PLACE,
                "It can be rebuilt (%s), but no location that can be written is in a domain of its own and has room for its %d bytes"
                    .formatted(one.problem(), one.block().length()),
                work.spare()));
      }
    }
  }

  /**
   * Tries all choices of sources until everything is written.
   *
   * @return whether another block turned out to be bad, so that it is to be tried without it
   */
  private boolean attempt(Work work) throws IOException {
    List<Integer> good = work.good();
    if (work.mustRebuild() && good.size() < work.shape.k()) {
      // What was found on the way made it so.
      work.findings.addAll(MetaShardCheck.lost(work.blocks, work.problems));
      return false;
    }
    List<BitSet> choices =
        work.mustRebuild() ? SourceChoices.of(good, work.shape.k()) : List.of(new BitSet());
    Map<Integer, Long> others = new TreeMap<>();
    for (BitSet sources : choices) {
      int bad = work.problems.size();
      others = write(work, sources);
      if (work.problems.size() > bad) {
        return !work.targets.isEmpty();
      }
      if (work.targets.isEmpty()) {
        return false;
      }
    }
    others.forEach(
        (index, crc32c) ->
            work.findings.add(
                Findings.of(
                    work.blocks.get(index),
                    Findings.DECODE_MISMATCH,
                    "Rebuilt from any of the choices of other blocks that were tried (%d) it is not what was written; the last gave checksum %08x, the map says %08x"
                        .formatted(choices.size(), crc32c, work.blocks.get(index).crc32c()),
                    work.spare())));
    return false;
  }

  /**
   * Writes the targets in one pass; those that come out right are no targets any more.
   *
   * @param sources indices of k good blocks; none if nothing must be rebuilt
   * @return checksums of rebuilt blocks that came out wrong
   */
  private Map<Integer, Long> write(Work work, BitSet sources) throws IOException {
    List<Block> blocks = work.blocks;
    boolean[] present = new boolean[blocks.size()];
    boolean[] wanted = new boolean[blocks.size()];
    boolean[] read = new boolean[blocks.size()];
    Map<Integer, ContainerWriter> writers = new HashMap<>();
    for (Block block : blocks) {
      int index = block.blockIndex();
      boolean isTarget = work.targets.containsKey(index);
      present[index] = sources.get(index);
      wanted[index] = isTarget && work.problems.containsKey(index);
      read[index] = present[index] || isTarget && !work.problems.containsKey(index);
      if (isTarget) {
        ContainerWriter writer = containers.open(work.targets.get(index));
        writer.beginBlock();
        writers.put(index, writer);
      }
    }
    CRC32C[] sums = new CRC32C[blocks.size()];
    Arrays.setAll(sums, i -> new CRC32C());
    pass(work, present, wanted, read, writers, sums);
    Map<Integer, WrittenBlock> ended = new TreeMap<>();
    for (Map.Entry<Integer, ContainerWriter> entry : writers.entrySet()) {
      ended.put(entry.getKey(), entry.getValue().endBlock());
    }
    if (anyRead(work, read)) {
      return Map.of(); // a source could not be read: nothing of this pass counts
    }
    for (Block block : blocks) {
      int index = block.blockIndex();
      if (read[index] && sums[index].getValue() != block.crc32c()) {
        bad(work, index, MetaShardCheck.otherBytes(block, sums[index].getValue()));
      }
    }
    Map<Integer, Long> wrong = new TreeMap<>();
    ended.forEach(
        (index, written) -> {
          Block block = blocks.get(index);
          boolean isRight =
              written.length() == block.length()
                  && written.crc32c() == block.crc32c()
                  && (block.sha256() == null || Arrays.equals(written.sha256(), block.sha256()));
          if (isRight) {
            String location = work.targets.remove(index);
            containers.written(
                location,
                block.movedTo(
                    location,
                    writers.get(index).path(),
                    written.containerOffset(),
                    newFrameBytes,
                    generation,
                    writtenAt));
          } else if (!read[index]) {
            wrong.put(index, written.crc32c());
          } else if (!work.problems.containsKey(index)) {
            bad(
                work,
                index,
                new Problem(
                    Findings.CORRUPT, "The block's SHA-256 is not the one that the map has of it"));
          }
        });
    return wrong;
  }

  private static void bad(Work work, int index, Problem problem) {
    work.problems.put(index, problem);
    work.found.set(index);
  }

  /** Whether one of the blocks that were to be read is known to be bad now. */
  private static boolean anyRead(Work work, boolean[] read) {
    return work.problems.keySet().stream().anyMatch(index -> read[index]);
  }

  /** Reads, rebuilds and appends cell by cell; ends at the first block that cannot be read. */
  private void pass(
      Work work,
      boolean[] present,
      boolean[] wanted,
      boolean[] read,
      Map<Integer, ContainerWriter> writers,
      CRC32C[] sums)
      throws IOException {
    BlockCoder coder = BlockCoder.of(work.shape, engine);
    int cell = work.blocks.get(0).frameBytes();
    byte[][] cells = new byte[work.blocks.size()][cell];
    long blockBytes = work.blocks.get(0).blockBytes();
    for (long position = 0; position < blockBytes; position += cell) {
      int length = (int) Math.min(cell, blockBytes - position);
      for (Block block : work.blocks) {
        int index = block.blockIndex();
        if (read[index]) {
          int stored = MetaShardCheck.stored(block, position, length);
          if (stored > 0) {
            try {
              stores.read(block, position, cells[index], stored);
            } catch (IOException e) {
              bad(work, index, stores.problem(block.location(), e));
              return;
            }
            sums[index].update(cells[index], 0, stored);
          }
          Arrays.fill(cells[index], stored, length, (byte) 0);
        }
      }
      coder.rebuild(cells, present, wanted, 0, length);
      for (Map.Entry<Integer, ContainerWriter> entry : writers.entrySet()) {
        int index = entry.getKey();
        entry
            .getValue()
            .append(
                cells[index], 0, MetaShardCheck.stored(work.blocks.get(index), position, length));
      }
    }
  }
}
