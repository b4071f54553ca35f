package io.metashard.job;

import static org.apache.spark.sql.functions.array;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.least;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.log2;
import static org.apache.spark.sql.functions.round;
import static org.apache.spark.sql.functions.struct;

import io.metashard.LocationModel;
import io.metashard.simulate.PartClass;
import io.metashard.simulate.ReadPart;
import io.metashard.simulate.ReadTimes;
import io.metashard.simulate.SimulateOptions;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * Draws how long each kind of read takes, as counts per bin of time, which can be added up.
 *
 * @param meanMillis of reads that a location serves, by layout; what a wait is made of
 */
record ReadTimeTask(SimulateOptions options, Map<String, Double> meanMillis)
    implements FlatMapFunction<Row, Row> {
  private static final int TIMES_PER_OCTAVE = 64;

  static final String LAYOUT = "layout";
  static final String NEEDED = "needed";
  static final String ASKED = "asked";
  static final String SIZE = "size_class";
  static final String BUSY = "busy_class";

  /** Column: in how many times of the model's a read takes place: below 1 at fast tiers. */
  static final String SLOWNESS = "slowness";

  static final String REQUESTS = "requests";

  /** Column: of each such read, all of which must come. */
  static final String PARTS = "parts";

  static final String TURNS = "turns";
  static final String COUNT = "parts_alike";

  /** Column: requests to locations and sources of all such reads. */
  static final String BLOCK_READS = "block_reads";

  /** A {@link PartClass}. */
  static final StructType PART =
      new StructType()
          .add(NEEDED, DataTypes.IntegerType, false)
          .add(ASKED, DataTypes.IntegerType, false)
          .add(SIZE, DataTypes.IntegerType, false)
          .add(BUSY, DataTypes.IntegerType, false)
          .add(SLOWNESS, DataTypes.DoubleType, false)
          .add(TURNS, DataTypes.IntegerType, false)
          .add(COUNT, DataTypes.IntegerType, false);

  static final StructType KINDS =
      new StructType()
          .add(LAYOUT, DataTypes.StringType, false)
          .add(PARTS, DataTypes.createArrayType(PART, false), false)
          .add(REQUESTS, DataTypes.DoubleType, false)
          .add(BLOCK_READS, DataTypes.DoubleType, false);

  static final String MODEL = "model";
  static final String BIN = "bin";
  static final String MILLIS = "millis";

  static final StructType TIMES =
      new StructType()
          .add(LAYOUT, DataTypes.StringType, false)
          .add(MODEL, DataTypes.StringType, false)
          .add(BIN, DataTypes.IntegerType, false)
          .add(REQUESTS, DataTypes.DoubleType, false)
          .add(MILLIS, DataTypes.DoubleType, false);

  /** Reads, with {@link #REQUESTS} of each, of one part each as rows of {@link #KINDS}. */
  static Dataset<Row> kindsOfOnePart(
      String layout,
      Dataset<Row> reads,
      Column needed,
      Column asked,
      Column bytes,
      Column busyShare,
      Column slowness) {
    Column size = round(log2(bytes.plus(1)).multiply(PartClass.SIZES_PER_OCTAVE));
    Column busy = round(least(busyShare, lit(1.0)).multiply(PartClass.BUSY_STEPS));
    return reads.select(
        lit(layout).as(LAYOUT),
        array(
                struct(
                    needed.as(NEEDED),
                    asked.as(ASKED),
                    size.cast(DataTypes.IntegerType).as(SIZE),
                    busy.cast(DataTypes.IntegerType).as(BUSY),
                    slowness.as(SLOWNESS),
                    lit(1).as(TURNS),
                    lit(1).as(COUNT)))
            .as(PARTS),
        col(REQUESTS),
        col(REQUESTS).multiply(asked).as(BLOCK_READS));
  }

  /** Parts as rows of {@link #PART}. */
  static Row[] rows(List<PartClass> parts) {
    return parts.stream()
        .map(
            part ->
                RowFactory.create(
                    part.needed(),
                    part.asked(),
                    part.size(),
                    part.busy(),
                    part.slowness(),
                    part.turns(),
                    part.count()))
        .toArray(Row[]::new);
  }

  private static PartClass partClass(Row part) {
    return new PartClass(
        part.<Integer>getAs(NEEDED),
        part.<Integer>getAs(ASKED),
        part.<Integer>getAs(SIZE),
        part.<Integer>getAs(BUSY),
        part.<Double>getAs(SLOWNESS),
        part.<Integer>getAs(TURNS),
        part.<Integer>getAs(COUNT));
  }

  /** From a row of {@link #KINDS} to rows of {@link #TIMES}, one a model and bin. */
  @Override
  public Iterator<Row> call(Row kind) {
    String layout = kind.getAs(LAYOUT);
    double requests = kind.<Double>getAs(REQUESTS);
    List<ReadPart> parts = new ArrayList<>();
    for (Row part : kind.<Row>getList(kind.fieldIndex(PARTS))) {
      parts.add(partClass(part).part(meanMillis.get(layout)));
    }
    ReadTimes times = new ReadTimes(options.draws(), options.seed());
    List<Row> rows = new ArrayList<>();
    for (LocationModel model : options.models()) {
      Map<Integer, double[]> bins = new TreeMap<>();
      for (double millis : times.of(model, parts)) {
        int bin =
            (int) Math.floor(Math.log(Math.max(millis, 1e-6)) / Math.log(2) * TIMES_PER_OCTAVE);
        double[] sums = bins.computeIfAbsent(bin, b -> new double[2]);
        sums[0] += requests / options.draws();
        sums[1] += millis * requests / options.draws();
      }
      bins.forEach(
          (bin, sums) -> rows.add(RowFactory.create(layout, model.word(), bin, sums[0], sums[1])));
    }
    return rows.iterator();
  }
}
