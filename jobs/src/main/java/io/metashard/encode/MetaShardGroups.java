package io.metashard.encode;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.function.Function;
import org.apache.spark.sql.Row;

/**
 * The rows of a sorted partition, one list per meta-shard: at most {@link
 * io.metashard.Shape#MAX_BLOCKS} rows are held at a time. Or one list per container, which has no
 * more rows than a footer can hold.
 */
final class MetaShardGroups<T> implements Iterator<List<T>> {
  private final Iterator<Row> rows;
  private final Function<Row, T> convert;
  private final Function<T, String> metaShardId;
  private T next;

  MetaShardGroups(Iterator<Row> rows, Function<Row, T> convert, Function<T, String> metaShardId) {
    this.rows = rows;
    this.convert = convert;
    this.metaShardId = metaShardId;
    this.next = rows.hasNext() ? convert.apply(rows.next()) : null;
  }

  @Override
  public boolean hasNext() {
    return next != null;
  }

  @Override
  public List<T> next() {
    if (next == null) {
      throw new NoSuchElementException();
    }
    List<T> group = new ArrayList<>();
    String id = metaShardId.apply(next);
    while (next != null && metaShardId.apply(next).equals(id)) {
      group.add(next);
      next = rows.hasNext() ? convert.apply(rows.next()) : null;
    }
    return group;
  }
}
