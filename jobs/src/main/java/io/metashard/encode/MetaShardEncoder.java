package io.metashard.encode;

import io.metashard.Block;
import io.metashard.Location;
import io.metashard.ObjectIds;
import io.metashard.Shape;
import io.metashard.codec.BlockCoder;
import io.metashard.codec.CodingEngine;
import io.metashard.plan.PlannedBlock;
import io.metashard.store.ContainerWriter;
import io.metashard.store.Digest;
import io.metashard.store.Pace;
import io.metashard.store.SourceFiles;
import io.metashard.store.WrittenBlock;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;

/**
 * Encodes meta-shards one after the other into one open container per location.
 *
 * <p>Sources are read, coded and written cell by cell: memory is (k + m) cells whatever the
 * segment's size. Not thread safe; one per task.
 */
final class MetaShardEncoder implements Closeable {
  /** A container is closed at so many times its size even between what is placed together. */
  private static final int MOST_OVER = 2;

  private final EncodeOptions options;
  private final String generation;
  private final int buckets;
  private final Instant writtenAt;
  private final OpenContainers containers;
  private final CodingEngine engine;
  private byte[][] allCells = new byte[0][];
  private String bundle = "";

  MetaShardEncoder(
      EncodeOptions options,
      Map<String, Location> locations,
      String containerPrefix,
      String generation,
      int buckets,
      Instant writtenAt,
      Configuration hadoop) {
    this.options = options;
    this.generation = generation;
    this.buckets = buckets;
    this.writtenAt = writtenAt;
    this.containers =
        new OpenContainers(
            options.frameBytes(),
            options.digest().equals("on") ? Digest.SHA256 : Digest.CRC32C,
            locations,
            containerPrefix,
            hadoop,
            Pace.UNLIMITED);
    this.engine = CodingEngine.named(options.engine());
  }

  /**
   * Reads, codes and writes one meta-shard.
   *
   * @param blocks all its k + m blocks, in order of their index
   * @param slices that have its data blocks
   */
  void encode(List<PlannedBlock> blocks, SourceSlices slices) throws IOException {
    PlannedBlock first = blocks.get(0);
    Shape shape = new Shape(first.codec(), first.k(), first.m());
    requireComplete(blocks, shape);
    BlockCoder coder = BlockCoder.of(shape, engine);
    byte[][] cells = cells(shape.blocks());
    // Different groups never share a container, so that what is isolated stays isolated.
    containers.switchTo(first.group());
    String next = PlannedBlock.bundle(first.metaShardId());
    // What is placed together stays in one container, which may so become somewhat longer.
    containers.rollFull(
        next.equals(bundle) ? MOST_OVER * options.containerBytes() : options.containerBytes());
    bundle = next;
    List<InputStream> sources = new ArrayList<>(shape.k());
    try {
      for (PlannedBlock block : blocks.subList(0, shape.k())) {
        sources.add(slices.open(block));
      }
      List<ContainerWriter> writers = new ArrayList<>(blocks.size());
      for (PlannedBlock block : blocks) {
        ContainerWriter writer = containers.open(block.location());
        writer.beginBlock();
        writers.add(writer);
      }
      long position = 0;
      while (position < first.blockBytes()) {
        int cell = (int) Math.min(options.frameBytes(), first.blockBytes() - position);
        for (int i = 0; i < shape.k(); i++) {
          PlannedBlock block = blocks.get(i);
          int present = (int) Math.max(0, Math.min(cell, block.length() - position));
          SourceFiles.readFully(sources.get(i), cells[i], present, block.objectId());
          Arrays.fill(cells[i], present, cell, (byte) 0);
        }
        coder.encode(cells, 0, cell);
        for (int i = 0; i < blocks.size(); i++) {
          int present = (int) Math.max(0, Math.min(cell, blocks.get(i).length() - position));
          writers.get(i).append(cells[i], 0, present);
        }
        position += cell;
      }
      for (int i = 0; i < blocks.size(); i++) {
        ContainerWriter writer = writers.get(i);
        WrittenBlock written = writer.endBlock();
        containers.written(blocks.get(i).location(), row(blocks.get(i), writer.path(), written));
      }
    } finally {
      for (InputStream source : sources) {
        source.close();
      }
    }
  }

  private static void requireComplete(List<PlannedBlock> blocks, Shape shape) {
    boolean complete = blocks.size() == shape.blocks();
    for (int i = 0; complete && i < blocks.size(); i++) {
      PlannedBlock block = blocks.get(i);
      complete =
          block.blockIndex() == i
              && block.blockBytes() == blocks.get(0).blockBytes()
              && block.length() <= block.blockBytes();
    }
    if (!complete) {
      throw new IllegalStateException(
          "Cannot encode meta-shard %s: its plan has %d blocks where %s needs %d, in order and of one length; plan again"
              .formatted(
                  ObjectIds.printable(blocks.get(0).metaShardId()),
                  blocks.size(),
                  shape,
                  shape.blocks()));
    }
  }

  /** One cell a block; the same arrays for every meta-shard. */
  private byte[][] cells(int blocks) {
    if (allCells.length < blocks) {
      byte[][] more = Arrays.copyOf(allCells, blocks);
      for (int i = allCells.length; i < blocks; i++) {
        more[i] = new byte[options.frameBytes()];
      }
      allCells = more;
    }
    return Arrays.copyOf(allCells, blocks);
  }

  private Block row(PlannedBlock planned, String path, WrittenBlock written) {
    return new Block(
        Block.FORMAT,
        planned.bucket(),
        buckets,
        planned.objectId(),
        planned.objectVersion(),
        planned.objectBytes(),
        true,
        planned.segment(),
        planned.objectOffset(),
        planned.length(),
        planned.metaShardId(),
        planned.k(),
        planned.m(),
        planned.codec(),
        planned.blockIndex(),
        planned.blockBytes(),
        planned.location(),
        path,
        written.containerOffset(),
        options.frameBytes(),
        written.crc32c(),
        written.sha256(),
        "none",
        generation,
        writtenAt,
        planned.expectedRequests(),
        planned.heatClass());
  }

  /** Finishes all open containers and gives back the rows of every block written. */
  List<Block> finish() throws IOException {
    return containers.finish();
  }

  /** Discards what is not finished. */
  @Override
  public void close() {
    containers.close();
  }
}
