package io.metashard.forecast;

import java.util.List;
import java.util.Map;
import org.apache.spark.ml.PipelineModel;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/**
 * A forecast and how it came about. Close it when the forecast is written: it lets go of what is
 * cached.
 */
public final class ForecastResult implements AutoCloseable {
  /** One metric of one model in the back-test; volume is {@code all} or a class of volume. */
  public record Quality(
      ModelChoice model, String volume, String metric, double value, Chosen chosen) {}

  /** Whether a model made the forecast. */
  public enum Chosen {
    YES,
    NO
  }

  private final Dataset<Row> forecast;
  private final ModelChoice model;
  private final String reason;
  private final List<Quality> quality;
  private final Map<ModelChoice, PipelineModel> trained;
  private final Map<String, Object> figures;
  private final List<Dataset<Row>> cached;

  ForecastResult(
      Dataset<Row> forecast,
      ModelChoice model,
      String reason,
      List<Quality> quality,
      Map<ModelChoice, PipelineModel> trained,
      Map<String, Object> figures,
      List<Dataset<Row>> cached) {
    this.forecast = forecast;
    this.model = model;
    this.reason = reason;
    this.quality = List.copyOf(quality);
    this.trained = java.util.Collections.unmodifiableMap(new java.util.TreeMap<>(trained));
    this.figures = java.util.Collections.unmodifiableMap(new java.util.LinkedHashMap<>(figures));
    this.cached = List.copyOf(cached);
  }

  /** Columns of {@link Forecasts} but the run's id and date. */
  public Dataset<Row> forecast() {
    return forecast;
  }

  /** Which model made it. */
  public ModelChoice model() {
    return model;
  }

  /** Why that one, in words and figures. */
  public String reason() {
    return reason;
  }

  public List<Quality> quality() {
    return quality;
  }

  /** MLlib's models, trained on all back-test origins; empty when there was too little to train. */
  public Map<ModelChoice, PipelineModel> trained() {
    return trained;
  }

  /** What to print, in order. */
  public Map<String, Object> figures() {
    return figures;
  }

  @Override
  public void close() {
    cached.forEach(Dataset::unpersist);
  }
}
