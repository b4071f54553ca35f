package io.metashard.encode;

import io.metashard.store.SourceFiles;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.util.SerializableConfiguration;

/** Finds the sources of a partition that are not at the version that was read. */
record CheckSources(SerializableConfiguration hadoop) implements MapPartitionsFunction<Row, Row> {
  @Override
  public Iterator<Row> call(Iterator<Row> sources) throws IOException {
    List<Row> findings = new ArrayList<>();
    while (sources.hasNext()) {
      Row source = sources.next();
      String objectId = source.getAs(PlannedBlocks.OBJECT_ID);
      try {
        SourceFiles.requireVersion(
            hadoop.value(),
            objectId,
            source.getAs(PlannedBlocks.URI),
            source.getAs(PlannedBlocks.OBJECT_VERSION));
      } catch (SourceFiles.SourceChangedException e) {
        findings.add(Findings.source(objectId, e.getMessage()));
      }
    }
    return findings.iterator();
  }
}
