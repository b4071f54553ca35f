package io.metashard.job;

import io.metashard.ObjectIds;
import io.metashard.config.Settings;
import io.metashard.config.SettingsException;
import java.net.URI;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;

/**
 * What Hadoop is told, in this process and on executors: {@code hadoop { }}, the S3A options of
 * locations, and what Metashard's own way of using S3 rests on.
 */
final class HadoopSettings {
  private static final String SPARK = "spark.hadoop.";
  private static final String S3A = "fs.s3a.";
  private static final String BUCKET = "fs.s3a.bucket.";
  private static final String USER_AGENT = "fs.s3a.user.agent.prefix";

  /** Ingest keeps requests of it as maintenance: what Metashard itself reads is no demand. */
  private static final String OUR_USER_AGENT = "Metashard/" + Version.text();

  private static final String FILE_COMMITTER =
      "org.apache.hadoop.mapreduce.lib.output.FileOutputCommitterFactory";

  private static final Set<String> SCHEMES = Set.of("s3", "s3a", "s3n");

  /**
   * Set unless the configuration says otherwise; {@code conf/s3.conf} and OPERATIONS say what each
   * is worth.
   */
  private static final Map<String, String> DEFAULTS =
      Map.of(
          // s3:// and s3a:// are one; on EMR, s3:// is set already and stays what it is.
          "fs.s3.impl", "org.apache.hadoop.fs.s3a.S3AFileSystem",
          // Paths of ours are written once, under names that nobody else uses: nothing need be
          // looked at before a put, no folder be marked or unmarked.
          "fs.s3a.performance.flags", "create,mkdir,delete",
          "fs.s3a.multipart.size", "64M",
          // One request for one container or object, read forward.
          "fs.s3a.readahead.range", "256K",
          // Hadoop's own default for these stores, the manifest committer, needs a class that is
          // not
          // in Spark's distribution; without it Spark writes into its final folder and fails.
          "mapreduce.outputcommitter.factory.scheme.gs", FILE_COMMITTER,
          "mapreduce.outputcommitter.factory.scheme.abfs", FILE_COMMITTER,
          "mapreduce.outputcommitter.factory.scheme.abfss", FILE_COMMITTER);

  private HadoopSettings() {}

  /** What the machine's Hadoop configuration and spark-submit say. */
  static Configuration site() {
    Configuration site = new Configuration();
    for (String name : System.getProperties().stringPropertyNames()) {
      if (name.startsWith(SPARK)) {
        site.set(name.substring(SPARK.length()), System.getProperty(name));
      }
    }
    return site;
  }

  /** The configuration of this process. */
  static Configuration configuration(Settings settings) {
    Configuration hadoop = site();
    of(settings).forEach(hadoop::set);
    return hadoop;
  }

  /**
   * The keys to set, over {@link #site}.
   *
   * @throws SettingsException if a location's options cannot be used
   */
  static Map<String, String> of(Settings settings) {
    Configuration site = site();
    Map<String, String> configured = settings.open("hadoop");
    Map<String, String> all = new TreeMap<>();
    DEFAULTS.forEach(
        (key, value) -> {
          if (!isSet(site, key)) {
            all.put(key, value);
          }
        });
    all.putAll(configured);
    all.put(USER_AGENT, userAgent(all.getOrDefault(USER_AGENT, site.get(USER_AGENT, ""))));
    ofLocations(settings)
        .forEach(
            (key, value) -> {
              String before = configured.get(key);
              if (before != null && !before.equals(value)) {
                throw new SettingsException(
                    "Cannot use %s of %s: it is set below hadoop and, to another value, by a location in that bucket; keep one of them"
                        .formatted(key, settings.source()));
              }
              all.put(key, value);
            });
    return all;
  }

  /** Whether somebody chose the value; what Hadoop's own jar says was not chosen. */
  private static boolean isSet(Configuration site, String key) {
    if (site.getRaw(key) == null) {
      return false;
    }
    String[] sources = site.getPropertySources(key);
    return sources == null
        || sources.length == 0
        || !sources[sources.length - 1].endsWith("-default.xml");
  }

  private static String userAgent(String theirs) {
    if (theirs.isBlank() || theirs.contains("Metashard/")) {
      return theirs.isBlank() ? OUR_USER_AGENT : theirs;
    }
    return OUR_USER_AGENT + ", " + theirs;
  }

  /** {@code locations[].hadoop} as options of the locations' buckets. */
  private static Map<String, String> ofLocations(Settings settings) {
    Map<String, Map<String, String>> byBucket = new LinkedHashMap<>();
    Map<String, String> nameOfBucket = new LinkedHashMap<>();
    for (Settings item : settings.items("locations", null, Locations.KEYS)) {
      Map<String, String> options = item.open("hadoop");
      if (!item.has("uri") || !item.has("name")) {
        continue; // Locations says so
      }
      String name = item.string("name");
      URI uri = uri(item.string("uri"));
      boolean onS3 = uri != null && uri.getScheme() != null && SCHEMES.contains(uri.getScheme());
      if (!onS3) {
        if (!options.isEmpty()) {
          throw new SettingsException(
              "Cannot use hadoop of location %s (%s): only locations on s3a:// have options of their own; set it below hadoop"
                  .formatted(ObjectIds.printable(name), settings.source()));
        }
        continue;
      }
      options.keySet().forEach(key -> requireBucketOption(key, name, settings));
      String bucket = uri.getHost() == null ? uri.getAuthority() : uri.getHost();
      Map<String, String> others = byBucket.putIfAbsent(bucket, options);
      String other = nameOfBucket.putIfAbsent(bucket, name);
      if (others != null && !others.equals(options)) {
        // Neither keys' values nor a diff of them: they may be secrets.
        throw new SettingsException(
            "Cannot use locations %s and %s of %s: both are in bucket %s, and their hadoop options differ; S3A has one set of options a bucket, so give both the same"
                .formatted(
                    ObjectIds.printable(other),
                    ObjectIds.printable(name),
                    settings.source(),
                    ObjectIds.printable(bucket)));
      }
    }
    Map<String, String> all = new TreeMap<>();
    byBucket.forEach(
        (bucket, options) ->
            options.forEach(
                (key, value) ->
                    all.put(BUCKET + bucket + "." + key.substring(S3A.length()), value)));
    return all;
  }

  private static URI uri(String text) {
    try {
      return new org.apache.hadoop.fs.Path(text).toUri();
    } catch (IllegalArgumentException e) {
      return null; // Locations says so
    }
  }

  private static void requireBucketOption(String key, String location, Settings settings) {
    if (!key.startsWith(S3A) || key.startsWith(BUCKET) || key.equals("fs.s3a.impl")) {
      throw new SettingsException(
          "Cannot use %s in hadoop of location %s (%s): only options of S3A, fs.s3a.*, can differ from bucket to bucket; set others below hadoop"
              .formatted(
                  ObjectIds.printable(key), ObjectIds.printable(location), settings.source()));
    }
  }
}
