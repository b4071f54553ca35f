package io.metashard.lake;

import java.util.List;
import org.apache.spark.sql.types.StructType;

/**
 * A table of the lake: its name, columns and partitioning.
 *
 * @param name folder below {@code lake.root}
 * @param schema columns; Spark widens nullability as it computes, so writers check for nulls
 * @param partitionBy columns that it is partitioned by, possibly none
 */
public record TableDefinition(String name, StructType schema, List<String> partitionBy) {
  public TableDefinition {
    partitionBy = List.copyOf(partitionBy);
    for (String column : partitionBy) {
      schema.fieldIndex(column);
    }
  }
}
