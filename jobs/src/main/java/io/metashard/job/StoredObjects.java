package io.metashard.job;

import io.metashard.ObjectIds;
import io.metashard.encode.MapSource;
import io.metashard.read.MetaShardReader;
import io.metashard.read.ReadOptions;
import io.metashard.read.ServedObject;
import io.metashard.store.SourceFiles;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.util.SerializableConfiguration;

/** Objects as the newest map has them, read with as many locations as there are. */
record StoredObjects(String lakeRoot, SerializableConfiguration hadoop) implements MapSource {
  static StoredObjects of(JobContext context) {
    return new StoredObjects(
        context.lake().root(), new SerializableConfiguration(context.hadoop()));
  }

  @Override
  public Reader open() throws IOException {
    return new BucketByBucket(
        MetaShardReader.open(lakeRoot, new ReadOptions(ReadOptions.Fallback.NONE), hadoop.value()));
  }

  /** Looks a bucket up once for all of its objects that are read one after the other. */
  private static final class BucketByBucket implements Reader {
    private final MetaShardReader reader;
    private int listed = -1;
    private Map<String, ServedObject> objects = Map.of();

    BucketByBucket(MetaShardReader reader) {
      this.reader = reader;
    }

    @Override
    public void copy(
        int bucket, String objectId, String objectVersion, long from, long to, OutputStream out)
        throws IOException {
      if (listed != bucket) {
        objects = reader.lookup().objects(bucket);
        listed = bucket;
      }
      Optional<String> version =
          Optional.ofNullable(objects.get(objectId)).map(ServedObject::objectVersion);
      if (!version.equals(Optional.of(objectVersion))) {
        throw new SourceFiles.SourceChangedException(
            "Cannot read object %s from the shard map: it has %s, version %s was planned; run again, the plan is made anew"
                .formatted(
                    ObjectIds.printable(objectId),
                    version.map(other -> "version " + ObjectIds.printable(other)).orElse("none"),
                    ObjectIds.printable(objectVersion)));
      }
      reader.copy(objectId, from, to, out);
    }

    @Override
    public void close() throws IOException {
      reader.close();
    }
  }
}
