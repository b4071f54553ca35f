package io.metashard.lake;

import io.delta.kernel.data.ArrayValue;
import io.delta.kernel.data.MapValue;
import io.delta.kernel.data.Row;
import io.delta.kernel.types.StructType;
import java.math.BigDecimal;
import java.sql.Date;
import java.sql.Timestamp;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;

/** A row of Spark as Delta Kernel reads it; of plain columns, found by their names. */
final class KernelRow implements Row {
  private final StructType schema;
  private final List<String> names;
  private final org.apache.spark.sql.Row row;

  /**
   * @param schema columns as Delta Kernel asks for them; what the row has not is null
   * @param of the row's own schema
   */
  KernelRow(
      StructType schema, org.apache.spark.sql.types.StructType of, org.apache.spark.sql.Row row) {
    this.schema = schema;
    this.names = List.of(of.fieldNames());
    this.row = row;
  }

  /** A moment as Delta Kernel has it. */
  static long micros(Instant moment) {
    return ChronoUnit.MICROS.between(Instant.EPOCH, moment);
  }

  private Object value(int ordinal) {
    int at = names.indexOf(schema.at(ordinal).getName());
    return at < 0 ? null : row.get(at);
  }

  @Override
  public StructType getSchema() {
    return schema;
  }

  @Override
  public boolean isNullAt(int ordinal) {
    return value(ordinal) == null;
  }

  @Override
  public boolean getBoolean(int ordinal) {
    return (Boolean) value(ordinal);
  }

  @Override
  public byte getByte(int ordinal) {
    return (Byte) value(ordinal);
  }

  @Override
  public short getShort(int ordinal) {
    return (Short) value(ordinal);
  }

  /** A date is its days since 1970. */
  @Override
  public int getInt(int ordinal) {
    return value(ordinal) instanceof Date day
        ? (int) day.toLocalDate().toEpochDay()
        : (Integer) value(ordinal);
  }

  /** A moment is its microseconds since 1970. */
  @Override
  public long getLong(int ordinal) {
    return value(ordinal) instanceof Timestamp time
        ? micros(time.toInstant())
        : (Long) value(ordinal);
  }

  @Override
  public float getFloat(int ordinal) {
    return (Float) value(ordinal);
  }

  @Override
  public double getDouble(int ordinal) {
    return (Double) value(ordinal);
  }

  @Override
  public String getString(int ordinal) {
    return (String) value(ordinal);
  }

  @Override
  public BigDecimal getDecimal(int ordinal) {
    return (BigDecimal) value(ordinal);
  }

  @Override
  public byte[] getBinary(int ordinal) {
    return (byte[]) value(ordinal);
  }

  @Override
  public Row getStruct(int ordinal) {
    throw notPlain(ordinal);
  }

  @Override
  public ArrayValue getArray(int ordinal) {
    throw notPlain(ordinal);
  }

  @Override
  public MapValue getMap(int ordinal) {
    throw notPlain(ordinal);
  }

  private UnsupportedOperationException notPlain(int ordinal) {
    return new UnsupportedOperationException(
        "Cannot append column %s: a single row has plain columns only"
            .formatted(schema.at(ordinal).getName()));
  }
}
