package io.metashard.job;

import io.metashard.encode.Findings;
import io.metashard.lake.TableDefinition;
import java.util.List;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/** One row per thing that a check of stored blocks found wrong. */
final class VerifyFindings {
  static final String RUN_ID = "run_id";
  static final String FOUND_AT = "found_at";

  static final StructType SCHEMA = schema();

  static final TableDefinition TABLE = new TableDefinition("verify_findings", SCHEMA, List.of());

  private VerifyFindings() {}

  private static StructType schema() {
    StructType schema =
        new StructType()
            .add(RUN_ID, DataTypes.StringType, false)
            .add(FOUND_AT, DataTypes.TimestampType, false);
    for (StructField field : Findings.SCHEMA.fields()) {
      schema = schema.add(field);
    }
    return schema;
  }
}
