package io.metashard.job;

import io.metashard.Location;
import io.metashard.lake.TableDefinition;
import java.util.List;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** One row per location that ever held blocks of this lake; names are never reused. */
final class LocationsTable {
  static final String NAME = "name";
  static final String URI = "uri";
  static final String DOMAIN = "domain";
  static final String TIER = "tier";
  static final String CAPACITY_BYTES = "capacity_bytes";
  static final String STATE = "state";
  static final String SINCE = "since";

  static final StructType SCHEMA =
      new StructType()
          .add(NAME, DataTypes.StringType, false)
          .add(URI, DataTypes.StringType, false)
          .add(DOMAIN, DataTypes.StringType, false)
          .add(TIER, DataTypes.StringType, false)
          .add(CAPACITY_BYTES, DataTypes.LongType, false)
          .add(STATE, DataTypes.StringType, false)
          .add(SINCE, DataTypes.TimestampType, false);

  static final TableDefinition TABLE = new TableDefinition("locations", SCHEMA, List.of());

  private LocationsTable() {}

  static Location location(Row row) {
    return new Location(
        row.getAs(NAME),
        row.getAs(URI),
        row.getAs(DOMAIN),
        row.getAs(TIER),
        row.<Long>getAs(CAPACITY_BYTES),
        row.getAs(STATE));
  }
}
