package io.metashard.encode;

import io.metashard.Block;
import io.metashard.ObjectIds;
import io.metashard.Shape;
import io.metashard.codec.BlockCoder;
import io.metashard.codec.CodingEngine;
import io.metashard.store.BlockReader;
import io.metashard.store.ObjectStore;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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
  private final Map<String, ObjectStore> stores;
  private final Map<String, BlockReader> readers = new HashMap<>();

  MetaShardCheck(String engine, Map<String, ObjectStore> stores) {
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
    boolean[] good = new boolean[shape.blocks()];
    Map<Integer, String[]> problems = readAll(blocks, good);
    int readable = count(good);
    int spare = readable - shape.k();
    problems.forEach(
        (index, problem) ->
            findings.add(Findings.of(blocks.get(index), problem[0], problem[1], spare)));
    if (spare < 0) {
      findings.add(
          Findings.of(
              first,
              Findings.LOST,
              "Only %d blocks are good, %d are needed".formatted(readable, shape.k()),
              spare));
    } else if (shape.m() > 0) {
      findings.addAll(decode(blocks, shape, good, spare));
    }
    return findings;
  }

  private static boolean complete(List<Block> blocks, Shape shape) {
    boolean complete = blocks.size() == shape.blocks();
    for (int i = 0; complete && i < blocks.size(); i++) {
      Block block = blocks.get(i);
      complete =
          block.blockIndex() == i
              && block.shape().equals(shape)
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
            reader(block).read(block, position, cells[index], 0, stored);
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
          requireExists(block);
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

  /** Reads each block alone: frames and checksum. Problem and detail by index of the bad ones. */
  private Map<Integer, String[]> readAll(List<Block> blocks, boolean[] good) {
    Map<Integer, String[]> problems = new java.util.TreeMap<>();
    for (Block block : blocks) {
      CRC32C crc = new CRC32C();
      byte[] buffer = new byte[block.frameBytes()];
      try {
        BlockReader reader = reader(block);
        for (long position = 0; position < block.length(); position += buffer.length) {
          int length = (int) Math.min(buffer.length, block.length() - position);
          reader.read(block, position, buffer, 0, length);
          crc.update(buffer, 0, length);
        }
        if (block.length() == 0) {
          requireExists(block);
        }
        if (crc.getValue() == block.crc32c()) {
          good[block.blockIndex()] = true;
        } else {
          problems.put(
              block.blockIndex(),
              new String[] {
                Findings.CORRUPT,
                "The block's checksum is %08x, the map says %08x"
                    .formatted(crc.getValue(), block.crc32c())
              });
        }
      } catch (io.metashard.store.CorruptFrameException e) {
        problems.put(block.blockIndex(), new String[] {Findings.CORRUPT, e.getMessage()});
      } catch (IOException e) {
        problems.put(
            block.blockIndex(),
            new String[] {
              Findings.UNREADABLE, e.getClass().getSimpleName() + ": " + e.getMessage()
            });
      }
    }
    return problems;
  }

  private void requireExists(Block block) throws IOException {
    store(block).length(block.path());
  }

  private ObjectStore store(Block block) throws IOException {
    ObjectStore store = stores.get(block.location());
    if (store == null) {
      throw new IOException(
          "location %s is not configured".formatted(ObjectIds.printable(block.location())));
    }
    return store;
  }

  private BlockReader reader(Block block) throws IOException {
    ObjectStore store = store(block);
    return readers.computeIfAbsent(block.location(), name -> new BlockReader(store));
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
    try {
      long blockBytes = blocks.get(0).blockBytes();
      for (long position = 0; position < blockBytes; position += cell) {
        int length = (int) Math.min(cell, blockBytes - position);
        for (Block block : blocks) {
          int index = block.blockIndex();
          if (present[index]) {
            int stored = stored(block, position, length);
            if (stored > 0) {
              reader(block).read(block, position, cells[index], 0, stored);
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
    } catch (IOException e) {
      findings.add(
          Findings.of(
              blocks.get(0),
              Findings.UNREADABLE,
              "Reading for a decode: " + e.getClass().getSimpleName() + ": " + e.getMessage(),
              spare));
      return findings;
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

  private static int stored(Block block, long position, int length) {
    return (int) Math.max(0, Math.min(length, block.length() - position));
  }

  private static int count(boolean[] flags) {
    int count = 0;
    for (boolean flag : flags) {
      count += flag ? 1 : 0;
    }
    return count;
  }
}
