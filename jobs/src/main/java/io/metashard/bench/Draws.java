package io.metashard.bench;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.pmod;
import static org.apache.spark.sql.functions.shiftrightunsigned;
import static org.apache.spark.sql.functions.xxhash64;

import java.util.Arrays;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/** Columns drawn by hash: the same for a seed, however and wherever Spark computes them. */
final class Draws {
  /** Multiplies places to spread the popular objects; a prime beyond any number of objects. */
  private static final long SPREAD = 2_654_435_761L;

  private Draws() {}

  /** A number between 0 and 1, both excluded, that the columns, the seed and the purpose make. */
  static Column uniform(long seed, String purpose, String... columns) {
    Column[] hashed = new Column[columns.length + 2];
    hashed[0] = lit(seed);
    hashed[1] = lit(purpose);
    for (int i = 0; i < columns.length; i++) {
      hashed[i + 2] = col(columns[i]);
    }
    int kept = 52;
    return shiftrightunsigned(xxhash64(hashed), Long.SIZE - kept)
        .plus(0.5)
        .divide((double) (1L << kept));
  }

  /** The place of a numbered object among all by how popular it is, from 0; each has its own. */
  static Column place(String number, long objects, long seed) {
    return pmod(col(number).multiply(SPREAD).plus(lit(seed)), lit(objects));
  }

  /** The columns of a schema, as its types. */
  static Dataset<Row> conformed(Dataset<Row> rows, StructType schema) {
    return rows.select(
        Arrays.stream(schema.fields())
            .map((StructField field) -> col(field.name()).cast(field.dataType()).as(field.name()))
            .toArray(Column[]::new));
  }
}
