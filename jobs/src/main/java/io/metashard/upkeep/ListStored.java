package io.metashard.upkeep;

import io.metashard.Location;
import io.metashard.store.HadoopStore;
import io.metashard.store.ObjectStore;
import io.metashard.store.StoredFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.sql.Timestamp;
import java.util.Collections;
import java.util.Iterator;
import java.util.Map;
import java.util.NoSuchElementException;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.util.SerializableConfiguration;
import org.apache.spark.util.TaskCompletionListener;
import org.slf4j.LoggerFactory;

/**
 * Lists what is stored at the locations of one partition, file by file: nothing is held. What a
 * location that does not answer holds is not told.
 */
record ListStored(Map<String, Location> locations, SerializableConfiguration hadoop)
    implements MapPartitionsFunction<String, Row> {
  @Override
  public Iterator<Row> call(Iterator<String> names) {
    return new Files(names);
  }

  private final class Files implements Iterator<Row> {
    private final Iterator<String> names;
    private String name;
    private Iterator<StoredFile> files = Collections.emptyIterator();

    Files(Iterator<String> names) {
      this.names = names;
    }

    @Override
    public boolean hasNext() {
      while (true) {
        try {
          if (files.hasNext()) {
            return true;
          }
          if (!names.hasNext()) {
            return false;
          }
          name = names.next();
          ObjectStore store = new HadoopStore(locations.get(name).uri(), hadoop.value());
          TaskContext.get()
              .addTaskCompletionListener((TaskCompletionListener) task -> closeQuietly(store));
          files = store.list(Containers.FOLDER);
        } catch (IOException | UncheckedIOException e) {
          LoggerFactory.getLogger(ListStored.class)
              .warn("Cannot list what is stored at location {}: {}", name, e.getMessage());
          files = Collections.emptyIterator();
        }
      }
    }

    @Override
    public Row next() {
      if (!hasNext()) {
        throw new NoSuchElementException("No more files");
      }
      StoredFile file = files.next();
      return RowFactory.create(name, file.path(), file.length(), Timestamp.from(file.modifiedAt()));
    }
  }

  private static void closeQuietly(ObjectStore store) {
    try {
      store.close();
    } catch (IOException e) {
      // It was only listed.
    }
  }
}
