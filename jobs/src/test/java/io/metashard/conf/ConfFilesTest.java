package io.metashard.conf;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.metashard.aggregate.AggregateOptions;
import io.metashard.config.Settings;
import io.metashard.encode.EncodeOptions;
import io.metashard.forecast.ForecastOptions;
import io.metashard.plan.PlanOptions;
import java.io.IOException;
import java.io.Reader;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.internal.config.ConfigEntry;
import org.apache.spark.sql.internal.SQLConf;
import org.junit.jupiter.api.Test;

/** Every file of conf/ can be read by what it is for. */
class ConfFilesTest {
  private static final Path CONF =
      Path.of(System.getProperty("metashard.basedir", ".")).resolve("../conf").normalize();

  private static final ObjectMapper STRICT_JSON =
      new ObjectMapper()
          .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  private static List<Path> files(String pattern) throws IOException {
    try (Stream<Path> files = Files.walk(CONF)) {
      return files
          .filter(Files::isRegularFile)
          .filter(file -> CONF.relativize(file).toString().matches(pattern))
          .sorted()
          .toList();
    }
  }

  @Test
  void everyFileIsOfAKindThatATestReads() throws IOException {
    List<Path> all = files(".*");
    int read =
        files(Kind.SPARK).size()
            + files(Kind.METASHARD).size()
            + files(Kind.JSON).size()
            + files(Kind.YAML).size()
            + files(Kind.PROPERTIES).size();
    assertThat(read).as("files read of %s", all).isEqualTo(all.size());
    assertThat(all).hasSizeGreaterThan(12);
  }

  private static final class Kind {
    static final String SPARK = "spark-[^/]*\\.conf";
    static final String METASHARD = "(?!spark-)[^/]*\\.conf";
    static final String JSON = ".*\\.json";
    static final String PROPERTIES = ".*\\.properties";

    /** Checked against the schemas of Kubernetes by ConfIT. */
    static final String YAML = "k8s/[^/]*\\.yaml";
  }

  @Test
  void configurationsHaveOnlyKnownKeysAndValuesThatFit() throws IOException {
    List<Path> found = files(Kind.METASHARD);
    assertThat(found).extracting(file -> file.getFileName().toString()).contains("cluster.conf");
    for (Path file : found) {
      options(Settings.parse(file.toString(), Files.readString(file), List.of()));
    }
  }

  @Test
  void theConfigurationInKubernetesHasOnlyKnownKeysToo() throws IOException {
    String text = Files.readString(CONF.resolve("k8s/configmap.yaml"));
    Matcher block = Pattern.compile("metashard\\.conf: \\|\\n((?: {4}.*\\n)+)").matcher(text);
    assertThat(block.find()).isTrue();
    Settings settings = Settings.parse("configmap.yaml", block.group(1), List.of());
    options(settings);
    assertThat(settings.string("lake.root")).startsWith("s3a://");
  }

  private static void options(Settings settings) {
    AggregateOptions.from(settings);
    ForecastOptions.from(settings);
    PlanOptions.from(settings);
    EncodeOptions.from(settings);
    settings.items(
        "locations", null, Set.of("name", "uri", "domain", "tier", "capacity", "state", "hadoop"));
  }

  @Test
  void sparkFilesHaveNoDuplicatesAndOnlyKeysThatSparkDeltaAndHadoopKnow() throws IOException {
    Set<String> hadoop = hadoopKeys();
    List<String> unknown = new ArrayList<>();
    int checked = 0;
    for (Path file : files(Kind.SPARK)) {
      for (String key : settings(file).keySet()) {
        checked++;
        if (key.startsWith("spark.hadoop.")) {
          if (!hadoop.contains(key.substring("spark.hadoop.".length()))) {
            unknown.add(key);
          }
        } else if (!knownToSpark(key)) {
          unknown.add(key);
        }
      }
    }
    assertThat(unknown).isEmpty();
    assertThat(checked).isGreaterThan(25);
  }

  /** Keys with values; each has a comment before it that says why. */
  private static Map<String, String> settings(Path file) throws IOException {
    Map<String, String> settings = new LinkedHashMap<>();
    boolean told = false;
    for (String line : Files.readAllLines(file)) {
      if (line.startsWith("#")) {
        told = !line.startsWith("# ---");
      } else if (line.isBlank()) {
        told = false;
      } else {
        String[] parts = line.split("\\s+", 2);
        assertThat(parts).as("%s: %s", file, line).hasSize(2);
        assertThat(told).as("%s has no comment before %s", file, parts[0]).isTrue();
        assertThat(settings.put(parts[0], parts[1]))
            .as("%s: %s stands twice", file, parts[0])
            .isNull();
      }
    }
    // Spark reads the file as Java properties: the same must come out.
    Properties properties = new Properties();
    try (Reader reader = Files.newBufferedReader(file)) {
      properties.load(reader);
    }
    assertThat(new TreeMap<Object, Object>(properties)).isEqualTo(new TreeMap<>(settings));
    return settings;
  }

  private static boolean knownToSpark(String key) {
    // These objects register their entries when they are first used.
    assertThat(org.apache.spark.internal.config.package$.MODULE$.DRIVER_MEMORY()).isNotNull();
    assertThat(org.apache.spark.internal.config.UI$.MODULE$.UI_SHOW_CONSOLE_PROGRESS()).isNotNull();
    assertThat(SQLConf.ADAPTIVE_EXECUTION_ENABLED()).isNotNull();
    assertThat(org.apache.spark.sql.internal.StaticSQLConf.SPARK_SESSION_EXTENSIONS()).isNotNull();
    // Spark makes the catalogs' keys, and Delta the stores', from names that users choose.
    return ConfigEntry.findEntry(key) != null
        || key.equals("spark.sql.catalog.spark_catalog")
        || key.matches("spark\\.delta\\.logStore\\.[a-z0-9]+\\.impl");
  }

  /** Keys of Hadoop's own defaults and those that its S3A and Parquet name in their classes. */
  private static Set<String> hadoopKeys() {
    Set<String> keys = new HashSet<>();
    new Configuration().forEach(entry -> keys.add(entry.getKey()));
    List<Class<?>> namers =
        List.of(
            org.apache.hadoop.fs.s3a.Constants.class,
            org.apache.parquet.hadoop.ParquetInputFormat.class);
    for (Class<?> namer : namers) {
      for (Field field : namer.getFields()) {
        if (Modifier.isStatic(field.getModifiers()) && field.getType() == String.class) {
          try {
            keys.add((String) field.get(null));
          } catch (IllegalAccessException e) {
            throw new AssertionError(e);
          }
        }
      }
    }
    return keys;
  }

  @Test
  void driversAreGivenAllThatSparkOpensForItself() throws IOException {
    assertThat(
            settings(CONF.resolve("spark-defaults.conf"))
                .get("spark.driver.extraJavaOptions")
                .split(" "))
        .contains(
            org.apache.spark.launcher.JavaModuleOptions.defaultModuleOptions().strip().split(" +"));
  }

  @Test
  void theUncheckedFileRepeatsTheOptionsItReplaces() throws IOException {
    Map<String, String> defaults = settings(CONF.resolve("spark-defaults.conf"));
    Map<String, String> unchecked = settings(CONF.resolve("spark-unchecked.conf"));
    assertThat(unchecked)
        .containsOnlyKeys("spark.driver.extraJavaOptions", "spark.executor.extraJavaOptions");
    unchecked.forEach(
        (key, value) ->
            assertThat(value)
                .isEqualTo(
                    defaults.get(key) + " -Djdk.incubator.vector.VECTOR_ACCESS_OOB_CHECK=0"));
  }

  @Test
  void jsonAndPropertiesFilesAreWellFormed() throws IOException {
    List<Path> json = files(Kind.JSON);
    assertThat(json).hasSizeGreaterThan(6);
    for (Path file : json) {
      assertThat(STRICT_JSON.readTree(file.toFile()).isObject()).as("%s", file).isTrue();
    }
    for (Path file : files(Kind.PROPERTIES)) {
      Properties properties = new Properties();
      try (Reader reader = Files.newBufferedReader(file)) {
        properties.load(reader);
      }
      assertThat(properties).as("%s", file).isNotEmpty();
    }
  }

  @Test
  void emrServerlessIsGivenTheSameSparkSettings() throws IOException {
    Map<String, String> given = new TreeMap<>();
    STRICT_JSON
        .readTree(CONF.resolve("emr/serverless-job-run.json").toFile())
        .at("/configurationOverrides/applicationConfiguration/0/properties")
        .properties()
        .forEach(field -> given.put(field.getKey(), field.getValue().asText()));
    Map<String, String> expected = new TreeMap<>(settings(CONF.resolve("spark-defaults.conf")));
    // Sizes are the job's.
    Set.of("spark.driver.memory", "spark.executor.memory").forEach(expected::remove);
    assertThat(given).isEqualTo(expected);
  }
}
