package io.metashard.job;

import io.metashard.catalogue.Objects;
import io.metashard.lake.TableDefinition;
import java.util.List;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** One row per object that was forgotten: none of its bytes is left in any container. */
final class Forgotten {
  static final String RUN_ID = "run_id";
  static final String AT = "at";
  static final String OBJECT_ID = Objects.OBJECT_ID;

  /** Containers that held blocks which its bytes were in, or parity of them. */
  static final String CONTAINERS = "containers";

  static final String CONTAINER_BYTES = "container_bytes";

  /** The oldest switch that a rollback can go to since. */
  static final String FLOOR_SEQUENCE = "floor_sequence";

  static final StructType SCHEMA =
      new StructType()
          .add(RUN_ID, DataTypes.StringType, false)
          .add(AT, DataTypes.TimestampType, false)
          .add(OBJECT_ID, DataTypes.StringType, false)
          .add(CONTAINERS, DataTypes.LongType, false)
          .add(CONTAINER_BYTES, DataTypes.LongType, false)
          .add(FLOOR_SEQUENCE, DataTypes.LongType, false);

  static final TableDefinition TABLE = new TableDefinition("forgotten", SCHEMA, List.of());

  private Forgotten() {}
}
