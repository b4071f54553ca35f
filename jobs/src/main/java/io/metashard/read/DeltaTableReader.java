package io.metashard.read;

import io.delta.kernel.Scan;
import io.delta.kernel.Snapshot;
import io.delta.kernel.Table;
import io.delta.kernel.data.ColumnarBatch;
import io.delta.kernel.data.FilteredColumnarBatch;
import io.delta.kernel.data.Row;
import io.delta.kernel.defaults.engine.DefaultEngine;
import io.delta.kernel.engine.Engine;
import io.delta.kernel.engine.FileReadResult;
import io.delta.kernel.exceptions.TableNotFoundException;
import io.delta.kernel.expressions.Column;
import io.delta.kernel.expressions.Expression;
import io.delta.kernel.expressions.Literal;
import io.delta.kernel.expressions.Predicate;
import io.delta.kernel.internal.InternalScanFileUtils;
import io.delta.kernel.internal.data.ScanStateRow;
import io.delta.kernel.types.StructType;
import io.delta.kernel.utils.CloseableIterator;
import io.delta.kernel.utils.FileStatus;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;

/**
 * One version of a Delta table, read by Delta Kernel: no Spark.
 *
 * <p>Files are pruned by partition and by statistics, row groups by Parquet's own; what is left is
 * filtered by the caller, since pruning promises no more than to leave out what cannot match.
 */
final class DeltaTableReader {
  private final Engine engine;
  private final Snapshot snapshot;

  private DeltaTableReader(Engine engine, Snapshot snapshot) {
    this.engine = engine;
    this.snapshot = snapshot;
  }

  /**
   * Opens the newest version.
   *
   * @throws FileNotFoundException if there is no such table
   */
  static DeltaTableReader open(String path, Configuration hadoop) throws IOException {
    Engine engine = DefaultEngine.create(hadoop);
    try {
      return new DeltaTableReader(engine, Table.forPath(engine, path).getLatestSnapshot(engine));
    } catch (TableNotFoundException e) {
      throw missing(path, e);
    }
  }

  /**
   * Opens a version.
   *
   * @throws FileNotFoundException if there is no such table
   */
  static DeltaTableReader openAt(String path, long version, Configuration hadoop)
      throws IOException {
    Engine engine = DefaultEngine.create(hadoop);
    try {
      return new DeltaTableReader(
          engine, Table.forPath(engine, path).getSnapshotAsOfVersion(engine, version));
    } catch (TableNotFoundException e) {
      throw missing(path, e);
    }
  }

  private static FileNotFoundException missing(String path, Throwable cause) {
    FileNotFoundException missing =
        new FileNotFoundException("Cannot open Delta table %s: it is not there".formatted(path));
    missing.initCause(cause);
    return missing;
  }

  long version() {
    return snapshot.getVersion();
  }

  /** {@code column = value}. */
  static Predicate equal(String column, Object value) {
    Expression literal =
        value instanceof Integer number
            ? Literal.ofInt(number)
            : Literal.ofString(String.valueOf(value));
    return new Predicate("=", List.of(new Column(column), literal));
  }

  static Predicate both(Predicate left, Predicate right) {
    return new Predicate("AND", List.of(left, right));
  }

  /** Takes rows one by one. */
  interface RowVisitor {
    /** Says whether to go on. */
    boolean visit(Row row);
  }

  /**
   * Calls back with every row that may match, until the visitor has enough.
   *
   * @param columns to read; the callback's row has them in this order
   * @param filter what to prune by; null for everything
   */
  void scan(List<String> columns, Predicate filter, RowVisitor visitor) throws IOException {
    StructType schema = new StructType();
    for (String column : columns) {
      schema = schema.add(snapshot.getSchema().get(column));
    }
    var builder = snapshot.getScanBuilder().withReadSchema(schema);
    if (filter != null) {
      builder = builder.withFilter(filter);
    }
    Scan scan = builder.build();
    Row state = scan.getScanState(engine);
    StructType physical = ScanStateRow.getPhysicalDataReadSchema(state);
    Optional<Predicate> remaining = scan.getRemainingFilter();
    try (CloseableIterator<FilteredColumnarBatch> files = scan.getScanFiles(engine)) {
      while (files.hasNext()) {
        try (CloseableIterator<Row> fileRows = files.next().getRows()) {
          while (fileRows.hasNext()) {
            if (!readFile(state, physical, remaining, fileRows.next(), visitor)) {
              return;
            }
          }
        }
      }
    }
  }

  private boolean readFile(
      Row state, StructType physical, Optional<Predicate> remaining, Row file, RowVisitor visitor)
      throws IOException {
    FileStatus status = InternalScanFileUtils.getAddFileStatus(file);
    try (CloseableIterator<ColumnarBatch> data =
            engine
                .getParquetHandler()
                .readParquetFiles(one(status), physical, remaining)
                .map(FileReadResult::getData);
        CloseableIterator<FilteredColumnarBatch> logical =
            Scan.transformPhysicalData(engine, state, file, data)) {
      while (logical.hasNext()) {
        try (CloseableIterator<Row> batch = logical.next().getRows()) {
          while (batch.hasNext()) {
            if (!visitor.visit(batch.next())) {
              return false;
            }
          }
        }
      }
    }
    return true;
  }

  private static <T> CloseableIterator<T> one(T value) {
    return new CloseableIterator<>() {
      private boolean taken;

      @Override
      public boolean hasNext() {
        return !taken;
      }

      @Override
      public T next() {
        if (taken) {
          throw new java.util.NoSuchElementException();
        }
        taken = true;
        return value;
      }

      @Override
      public void close() {}
    };
  }
}
