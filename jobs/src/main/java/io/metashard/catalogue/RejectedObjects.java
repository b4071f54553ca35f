package io.metashard.catalogue;

import io.metashard.lake.TableDefinition;
import java.util.List;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** One row per run and name below a source root that cannot be an object. */
public final class RejectedObjects {
  public static final String RUN_ID = "run_id";
  public static final String ROOT = "root";

  /** One of {@code ObjectIds.problem}'s reasons or of this class's constants. */
  public static final String REASON = "reason";

  /** The name below the root, escaped and shortened: for people's eyes. */
  public static final String NAME = "name";

  public static final String AT = "at";

  /** Bytes of the name are no UTF-8. */
  public static final String NOT_UTF8 = "object-id-not-utf8";

  /** A symbolic link, or a name, that leads out of its root. */
  public static final String LEADS_OUT = "leads-out-of-root";

  /** A symbolic link to nothing. */
  public static final String BROKEN_LINK = "broken-link";

  /** A symbolic link to a folder: following it could go round in circles. */
  public static final String LINKED_FOLDER = "linked-folder";

  /** A pipe, socket or device. */
  public static final String NOT_A_FILE = "not-a-file";

  /** This JVM's locale cannot spell the name, so it could not be opened by it. */
  public static final String NOT_IN_LOCALE = "name-not-in-locale";

  /** Hadoop paths cannot name it: an empty part, or one of {@code .} and {@code ..}. */
  public static final String NO_PATH = "no-hadoop-path";

  /** An inventory's entry without key, size or time. */
  public static final String BROKEN_ENTRY = "broken-inventory-entry";

  public static final StructType SCHEMA =
      new StructType()
          .add(RUN_ID, DataTypes.StringType, false)
          .add(ROOT, DataTypes.StringType, false)
          .add(REASON, DataTypes.StringType, false)
          .add(NAME, DataTypes.StringType, false)
          .add(AT, DataTypes.TimestampType, false);

  public static final TableDefinition TABLE =
      new TableDefinition("objects_rejected", SCHEMA, List.of());

  private RejectedObjects() {}
}
