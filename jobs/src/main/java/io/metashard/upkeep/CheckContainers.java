package io.metashard.upkeep;

import io.metashard.Location;
import io.metashard.store.HadoopStore;
import io.metashard.store.ObjectStore;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.util.SerializableConfiguration;

/** Asks for the lengths of the containers of one partition; gives back those that are not right. */
record CheckContainers(Map<String, Location> locations, SerializableConfiguration hadoop)
    implements MapPartitionsFunction<Row, Row> {
  @Override
  public Iterator<Row> call(Iterator<Row> containers) throws IOException {
    List<Row> problems = new ArrayList<>(); // as many as one task asks for
    Map<String, ObjectStore> stores = new HashMap<>();
    // Why a location does not answer: a store that is down is not asked for each of its containers.
    Map<String, String> outOfReach = new HashMap<>();
    try {
      while (containers.hasNext()) {
        Row container = containers.next();
        String name = container.getAs(Containers.LOCATION);
        String path = container.getAs(Containers.PATH);
        String problem = outOfReach.get(name);
        if (problem == null) {
          try {
            problem = problem(stores, name, path, container.getAs(Containers.NEEDED_BYTES));
          } catch (IOException | RuntimeException e) {
            problem = "its location cannot be asked: " + e.getMessage();
            outOfReach.put(name, problem);
          }
        }
        if (problem != null) {
          problems.add(RowFactory.create(name, path, problem));
        }
      }
    } finally {
      for (ObjectStore store : stores.values()) {
        store.close();
      }
    }
    return problems.iterator();
  }

  /** What is wrong with a container; null if nothing is. */
  private String problem(Map<String, ObjectStore> stores, String name, String path, long needed)
      throws IOException {
    Location location = locations.get(name);
    if (location == null) {
      return "the lake knows no location of that name";
    }
    ObjectStore store = stores.get(name);
    if (store == null) {
      store = new HadoopStore(location.uri(), hadoop.value());
      stores.put(name, store);
    }
    try {
      long length = store.length(path);
      return length >= needed
          ? null
          : "it has %d bytes, its blocks need %d".formatted(length, needed);
    } catch (NoSuchFileException e) {
      return "it is missing";
    }
  }
}
