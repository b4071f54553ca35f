package io.metashard.logs;

import io.metashard.ObjectIds;
import io.metashard.config.Settings;
import io.metashard.config.SettingsException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What an object of a bucket is called here.
 *
 * @param roots the source roots that are on buckets, longest prefix first
 * @param others what becomes of objects that are under none of them
 */
public record BucketMapping(List<BucketRoot> roots, Others others) implements Serializable {
  private static final Set<String> ROOT_KEYS =
      Set.of("name", "uri", "include", "exclude", "min-bytes", "min-age", "log-uri", "inventory");

  /**
   * @param prefix empty, or ends with a slash
   */
  public record BucketRoot(String bucket, String prefix) implements Serializable {}

  /** What becomes of an object that is under no root on a bucket. */
  public enum Others {
    /** Its key is its id: some root is on no bucket, so the log may be of any. */
    KEY_IS_ID,
    /** It is not ours. */
    OUTSIDE
  }

  public BucketMapping {
    roots =
        roots.stream()
            .sorted(Comparator.comparingInt((BucketRoot root) -> -root.prefix().length()))
            .toList();
  }

  /** From {@code objects.roots}: a root's {@code log-uri}, else its {@code uri}. */
  public static BucketMapping from(Settings settings) {
    List<BucketRoot> roots = new ArrayList<>();
    List<Settings> items = settings.items("objects.roots", "uri", ROOT_KEYS);
    boolean elsewhere = items.isEmpty();
    for (Settings item : items) {
      if (item.has("log-uri")) {
        String uri = item.string("log-uri");
        roots.add(
            bucketRoot(uri)
                .orElseThrow(
                    () ->
                        new SettingsException(
                            "Cannot use log-uri %s (%s): it must be s3://BUCKET or s3://BUCKET/PREFIX"
                                .formatted(ObjectIds.printable(uri), item.source()))));
      } else {
        Optional<BucketRoot> root = bucketRoot(item.string("uri"));
        root.ifPresent(roots::add);
        elsewhere |= root.isEmpty();
      }
    }
    return new BucketMapping(roots, elsewhere ? Others.KEY_IS_ID : Others.OUTSIDE);
  }

  private static Optional<BucketRoot> bucketRoot(String uri) {
    for (String scheme : List.of("s3://", "s3a://")) {
      if (uri.startsWith(scheme)) {
        String rest = uri.substring(scheme.length());
        int slash = rest.indexOf('/');
        String bucket = slash < 0 ? rest : rest.substring(0, slash);
        String prefix = slash < 0 ? "" : rest.substring(slash + 1);
        if (!prefix.isEmpty() && !prefix.endsWith("/")) {
          prefix += "/";
        }
        return bucket.isEmpty() ? Optional.empty() : Optional.of(new BucketRoot(bucket, prefix));
      }
    }
    return Optional.empty();
  }

  /** The object's id; empty when it is under no root. */
  public Optional<String> objectId(String bucket, String key) {
    for (BucketRoot root : roots) {
      if (root.bucket().equals(bucket) && key.startsWith(root.prefix())) {
        return Optional.of(key.substring(root.prefix().length()));
      }
    }
    return others == Others.KEY_IS_ID ? Optional.of(key) : Optional.empty();
  }
}
