package io.metashard.job;

import io.metashard.LocationModel;
import io.metashard.simulate.BlockReads;
import io.metashard.simulate.ReadTimes;
import io.metashard.simulate.SimulateOptions;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.api.java.function.FlatMapFunction;
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
  /** A kind of read is told apart from others by its bytes to an eighth of a factor of two. */
  static final int SIZES_PER_OCTAVE = 8;

  /** And by how busy its locations are, to so many parts of their time. */
  static final int BUSY_STEPS = 32;

  private static final int TIMES_PER_OCTAVE = 64;

  static final String LAYOUT = "layout";
  static final String NEEDED = "needed";
  static final String ASKED = "asked";
  static final String SIZE = "size_class";
  static final String BUSY = "busy_class";

  /** Column: in how many times of the model's a read takes place: below 1 at fast tiers. */
  static final String SLOWNESS = "slowness";

  static final String REQUESTS = "requests";

  static final StructType KINDS =
      new StructType()
          .add(LAYOUT, DataTypes.StringType, false)
          .add(NEEDED, DataTypes.IntegerType, false)
          .add(ASKED, DataTypes.IntegerType, false)
          .add(SIZE, DataTypes.IntegerType, false)
          .add(BUSY, DataTypes.IntegerType, false)
          .add(SLOWNESS, DataTypes.DoubleType, false)
          .add(REQUESTS, DataTypes.DoubleType, false);

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

  /** From a row of {@link #KINDS} to rows of {@link #TIMES}, one a model and bin. */
  @Override
  public Iterator<Row> call(Row kind) {
    String layout = kind.getAs(LAYOUT);
    double requests = kind.<Double>getAs(REQUESTS);
    double slowness = kind.<Double>getAs(SLOWNESS);
    long bytes = Math.round(Math.pow(2, kind.<Integer>getAs(SIZE) / (double) SIZES_PER_OCTAVE)) - 1;
    BlockReads reads =
        new BlockReads(kind.<Integer>getAs(NEEDED), kind.<Integer>getAs(ASKED), bytes);
    LocationModel.Load load =
        new LocationModel.Load(
            kind.<Integer>getAs(BUSY) / (double) BUSY_STEPS, meanMillis.get(layout));
    ReadTimes times = new ReadTimes(options.draws(), options.seed());
    List<Row> rows = new ArrayList<>();
    for (LocationModel model : options.models()) {
      Map<Integer, double[]> bins = new TreeMap<>();
      for (double ofModel : times.of(model, reads, load)) {
        double millis = ofModel * slowness;
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
