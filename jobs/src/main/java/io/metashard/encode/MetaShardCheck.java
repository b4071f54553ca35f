package io.metashard.encode;

import io.metashard.Block;
import io.metashard.ObjectIds;
import io.metashard.Shape;
import io.metashard.codec.BlockCoder;
import io.metashard.codec.CodingEngine;
import io.metashard.encode.LocationStores.Problem;
import io.metashard.store.ContainerWriter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.zip.CRC32C;
import org.apache.spark.sql.Row;

/**
 * Reads every frame of a meta-shard and decodes it once with parity in use.
 *
 * <p>As Hadoop's DecodingValidator: blocks that are there are derived again from the others and
 * compared. Here with the checksum taken when the source was read, so that parity that was computed
 * wrong is found before anybody needs it. Cell by cell: memory is (k + m) cells.
 */
final class MetaShardCheck {
  private final CodingEngine engine;
  private final LocationStores stores;

  MetaShardCheck(String engine, LocationStores stores) {
    this.engine = CodingEngine.named(engine);
    this.stores = stores;
  }

  /**
   * What is wrong with a meta-shard; nothing if it is whole.
   *
   * @param blocks its rows of the map, in order of their index
   */
  List<Row> check(List<Block> blocks) {
    Block first = blocks.get(0);
    List<Row> findings = new ArrayList<>();
    Shape shape = first.shape();
    if (!complete(blocks, shape)) {
      findings.add(
          Findings.of(
              first,
              Findings.INCOMPLETE,
              "The map has %d blocks of meta-shard %s, which is %s"
                  .formatted(blocks.size(), ObjectIds.printable(first.metaShardId()), shape),
              null));
      return findings;
    }
    if (isWhole(blocks, shape)) {
      return findings;
    }
    // Something is wrong: each block alone says what.
    Map<Integer, Problem> problems = readAll(blocks);
    boolean[] good = new boolean[shape.blocks()];
    for (int index = 0; index < good.length; index++) {
      good[index] = !problems.containsKey(index);
    }
    int spare = shape.m() - problems.size();
    problems.forEach(
        (index, problem) ->
            findings.add(Findings.of(blocks.get(index), problem.name(), problem.detail(), spare)));
    if (spare < 0) {
      findings.addAll(lost(blocks, problems));
    } else if (shape.m() > 0) {
      findings.addAll(decode(blocks, shape, good, spare));
    }
    return findings;
  }

  /**
   * What can no longer be had of a meta-shard of which fewer than k blocks are good: a finding for
   * each bad data block, with all that is known of it.
   *
   * @param blocks in order of their index
   * @param problems of the bad ones, by index
   */
  static List<Row> lost(List<Block> blocks, Map<Integer, Problem> problems) {
    Shape shape = blocks.get(0).shape();
    int good = shape.blocks() - problems.size();
    String causes =
        problems.entrySet().stream()
            .map(
                entry ->
                    "block %d at %s (%s)"
                        .formatted(
                            entry.getKey(),
                            ObjectIds.printable(blocks.get(entry.getKey()).location()),
                            entry.getValue().name()))
            .collect(Collectors.joining(", "));
    List<Row> findings = new ArrayList<>();
    for (int index : problems.keySet()) {
      Block block = blocks.get(index);
      if (!block.isParity()) {
        findings.add(
            Findings.of(
                block,
                Findings.LOST,
                "bytes %d to %d of the %d of object %s at version %s%s cannot be had: %d of the %d blocks of meta-shard %s are good, %d are needed; bad are %s"
                    .formatted(
                        block.objectOffset(),
                        block.objectEnd(),
                        block.objectBytes(),
                        ObjectIds.printable(block.objectId()),
                        ObjectIds.printable(block.objectVersion()),
                        block.live() ? "" : " (no longer served)",
                        good,
                        shape.blocks(),
                        ObjectIds.printable(block.metaShardId()),
                        shape.k(),
                        causes),
                good - shape.k()));
      }
    }
    return findings;
  }

  /** Whether the rows are those of one meta-shard, and none asks for too much memory. */
  static boolean complete(List<Block> blocks, Shape shape) {
    boolean complete = blocks.size() == shape.blocks();
    for (int i = 0; complete && i < blocks.size(); i++) {
      Block block = blocks.get(i);
      complete =
          block.blockIndex() == i
              && block.shape().equals(shape)
              && block.frameBytes() <= ContainerWriter.MAX_FRAME_BYTES
              && block.blockBytes() == blocks.get(0).blockBytes();
    }
    return complete;
  }

  /**
   * Whether every frame is sound, every checksum fits and the decode is right: found out in one
   * pass, which reads each container forward.
   */
  private boolean isWhole(List<Block> blocks, Shape shape) {
    boolean[] present = new boolean[shape.blocks()];
    Arrays.fill(present, true);
    boolean[] wanted = chooseLost(blocks, shape, present, shape.m());
    BlockCoder coder = BlockCoder.of(shape, engine);
    int cell = blocks.get(0).frameBytes();
    byte[][] cells = new byte[shape.blocks()][cell];
    CRC32C[] read = sums(shape);
    CRC32C[] rebuilt = sums(shape);
    try {
      long blockBytes = blocks.get(0).blockBytes();
      for (long position = 0; position < blockBytes; position += cell) {
        int length = (int) Math.min(cell, blockBytes - position);
        for (Block block : blocks) {
          int index = block.blockIndex();
          int stored = stored(block, position, length);
          if (stored > 0) {
            stores.read(block, position, cells[index], stored);
            read[index].update(cells[index], 0, stored);
          }
          Arrays.fill(cells[index], stored, length, (byte) 0);
        }
        if (shape.m() > 0) {
          // What was read of the wanted ones is written over: nothing of it can help.
          coder.rebuild(cells, present, wanted, 0, length);
        }
        for (Block block : blocks) {
          int index = block.blockIndex();
          rebuilt[index].update(cells[index], 0, stored(block, position, length));
        }
      }
      for (Block block : blocks) {
        if (block.length() == 0) {
          stores.requireExists(block);
        }
        int index = block.blockIndex();
        if (read[index].getValue() != block.crc32c()
            || rebuilt[index].getValue() != block.crc32c()) {
          return false;
        }
      }
      return true;
    } catch (IOException e) {
      return false; // the second look names it
    }
  }

  private static CRC32C[] sums(Shape shape) {
    CRC32C[] sums = new CRC32C[shape.blocks()];
    Arrays.setAll(sums, i -> new CRC32C());
    return sums;
  }

  /** Reads each block alone: frames and checksum. The problems of the bad ones, by index. */
  private Map<Integer, Problem> readAll(List<Block> blocks) {
    Map<Integer, Problem> problems = new TreeMap<>();
    for (Block block : blocks) {
      CRC32C crc = new CRC32C();
      byte[] buffer = new byte[block.frameBytes()];
      try {
        for (long position = 0; position < block.length(); position += buffer.length) {
          int length = (int) Math.min(buffer.length, block.length() - position);
          stores.read(block, position, buffer, length);
          crc.update(buffer, 0, length);
        }
        if (block.length() == 0) {
          stores.requireExists(block);
        }
        if (crc.getValue() != block.crc32c()) {
          problems.put(block.blockIndex(), otherBytes(block, crc.getValue()));
        }
      } catch (IOException e) {
        problems.put(block.blockIndex(), stores.problem(block.location(), e));
      }
    }
    return problems;
  }

  /** Of a block whose frames are sound, and are not those of the bytes that the map tells of. */
  static Problem otherBytes(Block block, long crc32c) {
    return new Problem(
        Findings.CORRUPT,
        "The block's checksum is %08x, the map says %08x".formatted(crc32c, block.crc32c()));
  }

  /** Chooses up to {@code count} of the blocks that are present, and marks them as not present. */
  private static boolean[] chooseLost(
      List<Block> blocks, Shape shape, boolean[] present, int count) {
    boolean[] wanted = new boolean[shape.blocks()];
    int start = Math.floorMod(blocks.get(0).metaShardId().hashCode(), shape.blocks());
    int left = count;
    for (int step = 0; step < shape.blocks() && left > 0; step++) {
      int index = (start + step) % shape.blocks();
      // Data first: that is what a reader will ask for.
      if (present[index] && index < shape.k()) {
        present[index] = false;
        wanted[index] = true;
        left--;
      }
    }
    if (left > 0) {
      // More spare blocks than data blocks: also derive parity again.
      for (int index = shape.k(); index < shape.blocks() && left > 0; index++) {
        if (present[index]) {
          present[index] = false;
          wanted[index] = true;
          left--;
        }
      }
    }
    return wanted;
  }

  /** Treats up to m good data blocks as lost, rebuilds them, and compares checksums. */
  private List<Row> decode(List<Block> blocks, Shape shape, boolean[] good, int spare) {
    boolean[] present = good.clone();
    boolean[] wanted = chooseLost(blocks, shape, present, spare);
    List<Row> findings = new ArrayList<>();
    BlockCoder coder = BlockCoder.of(shape, engine);
    int cell = blocks.get(0).frameBytes();
    byte[][] cells = new byte[shape.blocks()][cell];
    CRC32C[] sums = sums(shape);
    long blockBytes = blocks.get(0).blockBytes();
    for (long position = 0; position < blockBytes; position += cell) {
      int length = (int) Math.min(cell, blockBytes - position);
      for (Block block : blocks) {
        int index = block.blockIndex();
        if (present[index]) {
          int stored = stored(block, position, length);
          if (stored > 0) {
            try {
              stores.read(block, position, cells[index], stored);
            } catch (IOException e) { // it was good a moment ago
              Problem problem = stores.problem(block.location(), e);
              return List.of(Findings.of(block, problem.name(), problem.detail(), spare - 1));
            }
          }
          Arrays.fill(cells[index], stored, length, (byte) 0);
        }
      }
      coder.rebuild(cells, present, wanted, 0, length);
      for (Block block : blocks) {
        int index = block.blockIndex();
        if (wanted[index]) {
          sums[index].update(cells[index], 0, stored(block, position, length));
        }
      }
    }
    for (Block block : blocks) {
      int index = block.blockIndex();
      if (wanted[index] && sums[index].getValue() != block.crc32c()) {
        findings.add(
            Findings.of(
                block,
                Findings.DECODE_MISMATCH,
                "Rebuilt from the other blocks its checksum is %08x, the map says %08x"
                    .formatted(sums[index].getValue(), block.crc32c()),
                spare));
      }
    }
    return findings;
  }

  /** How many of a cell's bytes the block has. */
  static int stored(Block block, long position, int length) {
    return (int) Math.max(0, Math.min(length, block.length() - position));
  }
}
