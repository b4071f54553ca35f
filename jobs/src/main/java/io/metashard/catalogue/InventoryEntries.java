package io.metashard.catalogue;

import io.metashard.ObjectIds;
import io.metashard.ObjectVersions;
import java.time.Instant;
import java.util.Arrays;
import java.util.Iterator;
import java.util.Optional;
import java.util.Spliterators;
import java.util.stream.StreamSupport;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** What the entries of an S3 Inventory are to a source root: listed, refused or left alone. */
public final class InventoryEntries {
  public static final String KEY = "key";
  public static final String SIZE = "size";

  /** Milliseconds since 1970 UTC. */
  public static final String MODIFIED_MILLIS = "modified_millis";

  /** Null where the store has no ETags. */
  public static final String ETAG = "etag";

  /** What is read: one row per current object of the bucket. */
  public static final StructType SCHEMA =
      new StructType()
          .add(KEY, DataTypes.StringType, true)
          .add(SIZE, DataTypes.LongType, true)
          .add(MODIFIED_MILLIS, DataTypes.LongType, true)
          .add(ETAG, DataTypes.StringType, true);

  /** {@link #TAKEN}, {@link #WAITS}, {@link #LEFT} or {@link #REFUSED}. */
  public static final String KIND = "kind";

  public static final String TAKEN = "taken";
  public static final String WAITS = "waits";
  public static final String LEFT = "left";
  public static final String REFUSED = "refused";

  /** Of refused ones: {@link RejectedObjects}'s reason and name. */
  public static final String REASON = RejectedObjects.REASON;

  public static final String NAME = RejectedObjects.NAME;

  /** {@link Listing#SCHEMA}, with what became of the entry. */
  public static final StructType SORTED =
      new StructType(
          java.util.stream.Stream.concat(
                  Arrays.stream(Listing.SCHEMA.fields())
                      .map(
                          field ->
                              DataTypes.createStructField(field.name(), field.dataType(), true)),
                  java.util.stream.Stream.of(KIND, REASON, NAME)
                      .map(name -> DataTypes.createStructField(name, DataTypes.StringType, true)))
              .toArray(org.apache.spark.sql.types.StructField[]::new));

  private InventoryEntries() {}

  /**
   * Sorts entries out by a root's conditions.
   *
   * @param entries as {@link #SCHEMA}
   * @param prefix of the keys below the root: empty, or ends with a slash
   * @param rootUri qualified, ends with a slash
   * @return as {@link #SORTED}; keys outside the prefix and folder markers are left out
   */
  public static Dataset<Row> sorted(
      Dataset<Row> entries, SourceRoot root, String prefix, String rootUri, Instant at) {
    return entries.mapPartitions(new Sort(root, prefix, rootUri, at), Encoders.row(SORTED));
  }

  private record Sort(SourceRoot root, String prefix, String rootUri, Instant at)
      implements MapPartitionsFunction<Row, Row> {
    @Override
    public Iterator<Row> call(Iterator<Row> entries) {
      return StreamSupport.stream(Spliterators.spliteratorUnknownSize(entries, 0), false)
          .map(this::sorted)
          .flatMap(Optional::stream)
          .iterator();
    }

    private Optional<Row> sorted(Row entry) {
      String key = entry.getAs(KEY);
      Long size = entry.getAs(SIZE);
      Long modifiedMillis = entry.getAs(MODIFIED_MILLIS);
      if (key == null || size == null || size < 0 || modifiedMillis == null) {
        return Optional.of(refused(String.valueOf(key), RejectedObjects.BROKEN_ENTRY));
      }
      // As a listing through Hadoop has it: a key that ends with a slash is a folder.
      if (!key.startsWith(prefix) || key.endsWith("/")) {
        return Optional.empty();
      }
      String id = key.substring(prefix.length());
      Optional<String> problem = ObjectIds.problem(id);
      if (problem.isPresent()) {
        return Optional.of(refused(id, problem.get()));
      }
      if (id.indexOf('\ufffd') >= 0) {
        return Optional.of(refused(id, RejectedObjects.NOT_UTF8));
      }
      for (String part : id.split("/", -1)) {
        if (part.isEmpty() || part.equals(".") || part.equals("..")) {
          return Optional.of(refused(id, RejectedObjects.NO_PATH));
        }
      }
      SourceRoot.Choice choice = root.choice(id, size, Instant.ofEpochMilli(modifiedMillis), at);
      boolean waits = choice == SourceRoot.Choice.WAITING;
      String kind = choice == SourceRoot.Choice.LEFT ? LEFT : waits ? WAITS : TAKEN;
      return Optional.of(
          RowFactory.create(
              id,
              rootUri + id,
              root.name(),
              size,
              ObjectVersions.of(entry.getAs(ETAG), size, modifiedMillis),
              modifiedMillis,
              waits,
              kind,
              null,
              null));
    }

    private Row refused(String name, String reason) {
      return RowFactory.create(
          null,
          null,
          root.name(),
          null,
          null,
          null,
          null,
          REFUSED,
          reason,
          ObjectIds.printable(name));
    }
  }
}
