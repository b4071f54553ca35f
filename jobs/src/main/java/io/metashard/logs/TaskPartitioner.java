package io.metashard.logs;

import org.apache.spark.Partitioner;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.sql.Row;

/** Key n goes into partition n. */
final class TaskPartitioner extends Partitioner {
  private static final long serialVersionUID = 1L;

  private final int tasks;

  TaskPartitioner(int tasks) {
    this.tasks = tasks;
  }

  @Override
  public int numPartitions() {
    return tasks;
  }

  @Override
  public int getPartition(Object key) {
    return (Integer) key;
  }

  // Equal partitioners let Spark leave out a shuffle.
  @Override
  public boolean equals(Object other) {
    return other instanceof TaskPartitioner that && that.tasks == tasks;
  }

  @Override
  public int hashCode() {
    return tasks;
  }

  /** The number of the task, which stands in the given column. */
  record TaskOf(int column) implements Function<Row, Integer> {
    @Override
    public Integer call(Row row) {
      return row.getInt(column);
    }
  }
}
