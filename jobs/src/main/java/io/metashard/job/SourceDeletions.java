package io.metashard.job;

import static org.apache.spark.sql.functions.col;

import io.metashard.catalogue.Objects;
import io.metashard.lake.TableDefinition;
import java.util.List;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * What {@code delete-sources} found of each source, and did with it. A row is written before a
 * source is deleted and another one after: a run that was killed in between has told which sources
 * may be gone by its hand.
 */
final class SourceDeletions {
  static final String RUN_ID = "run_id";
  static final String AT = "at";
  static final String OBJECT_ID = Objects.OBJECT_ID;
  static final String URI = Objects.URI;
  static final String OBJECT_VERSION = Objects.OBJECT_VERSION;
  static final String OBJECT_BYTES = Objects.OBJECT_BYTES;

  /** {@link #LISTED}, {@link #KEPT}, {@link #APPROVED} or {@link #DELETED}. */
  static final String OUTCOME = "outcome";

  /** Why it is kept; empty otherwise. */
  static final String REASON = "reason";

  /** It would be deleted by {@code --yes}. */
  static final String LISTED = "listed";

  /** It is not deleted. */
  static final String KEPT = "kept";

  /** It is about to be deleted. */
  static final String APPROVED = "approved";

  /** It is gone. */
  static final String DELETED = "deleted";

  static final StructType SCHEMA =
      new StructType()
          .add(RUN_ID, DataTypes.StringType, false)
          .add(AT, DataTypes.TimestampType, false)
          .add(OBJECT_ID, DataTypes.StringType, false)
          .add(URI, DataTypes.StringType, false)
          .add(OBJECT_VERSION, DataTypes.StringType, false)
          .add(OBJECT_BYTES, DataTypes.LongType, false)
          .add(OUTCOME, DataTypes.StringType, false)
          .add(REASON, DataTypes.StringType, false);

  static final TableDefinition TABLE = new TableDefinition("source_deletions", SCHEMA, List.of());

  private SourceDeletions() {}

  /** Ids and versions of the sources that may have been deleted. */
  static Dataset<Row> approved(io.metashard.lake.Lake lake) {
    return lake.read(TABLE)
        .where(col(OUTCOME).equalTo(APPROVED))
        .select(OBJECT_ID, OBJECT_VERSION)
        .distinct();
  }
}
