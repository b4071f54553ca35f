package io.metashard.encode;

import io.metashard.ObjectIds;
import io.metashard.plan.PlannedBlock;
import io.metashard.store.SourceFiles;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;

/**
 * What meta-shards need of their sources, asked for once: neighbouring blocks of an object are one
 * request.
 *
 * <p>A meta-shard is coded cell by cell, so blocks of one object are read side by side. Where they
 * are neighbours they are fetched together, in pieces of 64 MiB or little more, into a file on the
 * local disk, which is removed when its last block has been read. A block alone is read as it
 * comes. What has no source is read from the map into such files. Not thread safe.
 */
final class SourceSlices implements Closeable {
  /** A request may be this long before the next begins. */
  private static final long SLICE_BYTES = 64L << 20;

  private static final int COPY_BYTES = 256 << 10;

  private final Configuration hadoop;
  private final MapSource.Reader map;
  private final Path folder;
  private final Map<Wanted, Slice> slices = new HashMap<>();

  /**
   * @param metaShards that will be read, each of their data blocks once
   * @param map what has no source is read from
   * @param folder on a local disk
   */
  SourceSlices(
      List<List<PlannedBlock>> metaShards,
      Configuration hadoop,
      MapSource.Reader map,
      Path folder) {
    this.hadoop = hadoop;
    this.map = map;
    this.folder = folder;
    Map<String, List<PlannedBlock>> byObject = new HashMap<>();
    for (List<PlannedBlock> metaShard : metaShards) {
      for (PlannedBlock block : metaShard) {
        if (block.objectId() != null) {
          byObject.computeIfAbsent(block.objectId(), id -> new ArrayList<>()).add(block);
        }
      }
    }
    byObject.values().forEach(this::cut);
  }

  /** A block's range of its object. */
  private record Wanted(String objectId, long offset, long length) {
    static Wanted of(PlannedBlock block) {
      return new Wanted(block.objectId(), block.objectOffset(), block.length());
    }
  }

  /** A range that is asked for at once. */
  private static final class Slice {
    private final long offset;
    private long end;
    private int reads; // blocks that are still to be read
    private Path file; // null until it is fetched

    Slice(long offset, long end) {
      this.offset = offset;
      this.end = end;
    }
  }

  private void cut(List<PlannedBlock> blocks) {
    blocks.sort(
        Comparator.comparingLong(PlannedBlock::objectOffset)
            .thenComparingLong(PlannedBlock::length));
    Slice open = null;
    for (PlannedBlock block : blocks) {
      long end = block.objectOffset() + block.length();
      boolean overlaps = open != null && block.objectOffset() < open.end;
      boolean adjoins =
          open != null && block.objectOffset() == open.end && open.end - open.offset < SLICE_BYTES;
      if (!overlaps && !adjoins) {
        open = new Slice(block.objectOffset(), end);
      }
      open.end = Math.max(open.end, end);
      open.reads++;
      slices.put(Wanted.of(block), open);
    }
  }

  /**
   * Opens a block for reading from its beginning to its end.
   *
   * @throws SourceFiles.SourceChangedException if the source is not at the block's version
   */
  InputStream open(PlannedBlock block) throws IOException {
    Slice slice = slices.get(Wanted.of(block));
    if (slice == null || slice.reads == 0) {
      throw new IllegalStateException(
          "Cannot read %d bytes at %d of object %s: they were not announced, or were read before"
              .formatted(
                  block.length(), block.objectOffset(), ObjectIds.printable(block.objectId())));
    }
    if (slice.file == null && slice.reads == 1 && block.uri() != null) {
      slice.reads = 0;
      return source(block, block.objectOffset(), block.length());
    }
    if (slice.file == null) {
      slice.file = fetched(block, slice);
    }
    return new BlockOfSlice(slice, block.objectOffset() - slice.offset, block.length());
  }

  private InputStream source(PlannedBlock block, long offset, long length) throws IOException {
    return SourceFiles.open(
        hadoop, block.objectId(), block.uri(), block.objectVersion(), offset, length);
  }

  private Path fetched(PlannedBlock block, Slice slice) throws IOException {
    long length = slice.end - slice.offset;
    Path file = Files.createTempFile(folder, "source-", ".part");
    if (block.uri() == null) {
      return fetchedFromMap(block, slice, file);
    }
    try (InputStream in = source(block, slice.offset, length);
        OutputStream out = Files.newOutputStream(file)) {
      byte[] buffer = new byte[(int) Math.min(COPY_BYTES, length)];
      for (long copied = 0; copied < length; ) {
        int piece = (int) Math.min(buffer.length, length - copied);
        SourceFiles.readFully(in, buffer, piece, block.objectId());
        out.write(buffer, 0, piece);
        copied += piece;
      }
      return file;
    } catch (IOException | RuntimeException e) {
      Files.deleteIfExists(file);
      throw e;
    }
  }

  private Path fetchedFromMap(PlannedBlock block, Slice slice, Path file) throws IOException {
    try (OutputStream out = Files.newOutputStream(file)) {
      map.copy(
          block.bucket(), block.objectId(), block.objectVersion(), slice.offset, slice.end, out);
      return file;
    } catch (IOException | RuntimeException e) {
      Files.deleteIfExists(file);
      throw e;
    }
  }

  /** A block of a slice that was fetched; the last one that is closed removes the file. */
  private static final class BlockOfSlice extends InputStream {
    private final Slice slice;
    private final FileChannel file;
    private long position;
    private long left;
    private boolean isClosed;

    BlockOfSlice(Slice slice, long position, long length) throws IOException {
      this.slice = slice;
      this.file = FileChannel.open(slice.file, StandardOpenOption.READ);
      this.position = position;
      this.left = length;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
      if (length == 0) {
        return 0;
      }
      int most = (int) Math.min(length, left);
      int read = most == 0 ? -1 : file.read(ByteBuffer.wrap(buffer, offset, most), position);
      if (read > 0) {
        position += read;
        left -= read;
      }
      return read;
    }

    @Override
    public void close() throws IOException {
      if (!isClosed) {
        isClosed = true;
        slice.reads--;
        file.close();
        if (slice.reads == 0) {
          Files.deleteIfExists(slice.file);
        }
      }
    }
  }

  /** Removes what is on the disk still. */
  @Override
  public void close() throws IOException {
    for (Slice slice : slices.values()) {
      if (slice.file != null) {
        Files.deleteIfExists(slice.file);
      }
    }
  }
}
