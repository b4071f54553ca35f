package io.metashard.config;

import static java.util.stream.Collectors.joining;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigList;
import com.typesafe.config.ConfigObject;
import com.typesafe.config.ConfigParseOptions;
import com.typesafe.config.ConfigRenderOptions;
import com.typesafe.config.ConfigSyntax;
import com.typesafe.config.ConfigUtil;
import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueFactory;
import com.typesafe.config.ConfigValueType;
import io.metashard.ObjectIds;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The configuration of a run: a HOCON text over {@code conf/reference.conf}, which holds every key
 * with its unit, default and effect.
 *
 * <p>A key that reference.conf does not know is refused by name, with the nearest known one. Sizes
 * are written as {@code 64 MiB}, durations as {@code 24h}.
 */
public final class Settings {
  private static final String REFERENCE = "/io/metashard/reference.conf";

  /** Below these, any key may stand: they are handed on to Hadoop and Spark as they are. */
  private static final Set<String> OPEN = Set.of("hadoop", "spark");

  private static final Set<String> SECRET_WORDS =
      Set.of(
          "secret",
          "password",
          "token",
          "access.key",
          "access-key",
          "credential",
          "account.key",
          "encryption.key",
          "accesskey",
          "private.key",
          "private-key",
          "privatekey",
          "api.key",
          "api-key",
          "apikey",
          "azure.sas",
          "passphrase",
          "passwd");

  /** Such as {@code -Djavax.net.ssl.keyStorePassword=x}, or {@code sig=x} of a signed URL. */
  private static final Pattern NAMED_SECRET =
      Pattern.compile(
          "(?i)([\\w.-]*(?:%s|\\bsig|signature)[\\w.-]*)=[^\\s\"',;&]+"
              .formatted(SECRET_WORDS.stream().sorted().map(Pattern::quote).collect(joining("|"))));

  /**
   * Up to the last {@code @} before the path; where a colon parts a name and a password, of which a
   * slash may be a part, up to the last one at all. A port is digits up to a slash.
   */
  private static final Pattern USER_INFO =
      Pattern.compile("(?<=://)(?:[^/@:\\s\"]*:(?![0-9]*(?:[/\\s\"]|$))[^\\s\"]*|[^/\\s\"]*)@");

  /** Sizes are taken apart as decimal numbers: an exponent would make one of any length. */
  private static final Pattern PLAIN_NUMBER =
      Pattern.compile("\\s*-?[0-9.]{1,30}\\s*[A-Za-z]*\\s*");

  private static final int LONGEST_KEY_COMPARED = 200;

  private final String source;
  private final Config values;

  private Settings(String source, Config values) {
    this.source = source;
    this.values = values;
  }

  /** Only the defaults. */
  public static Settings defaults() {
    return parse("defaults", "", List.of());
  }

  /**
   * Reads a configuration.
   *
   * @param source what to call it in messages, such as its file name
   * @param hocon its text
   * @param overrides {@code key=value} each, the later the stronger
   * @throws SettingsException if the text is not HOCON, a key is unknown or an override has no "="
   */
  public static Settings parse(String source, String hocon, List<String> overrides) {
    Config reference = reference();
    try {
      ConfigParseOptions options =
          ConfigParseOptions.defaults()
              .setSyntax(ConfigSyntax.CONF)
              .setAllowMissing(false)
              .setOriginDescription(source)
              // A configuration is one text: an include could read any file of the machine.
              .setIncluder(new NoInclude());
      Config user = ConfigFactory.parseString(hocon, options);
      for (String override : overrides) {
        int equals = override.indexOf('=');
        if (equals < 1) {
          throw new SettingsException(
              "Cannot use --set %s: write it as key=value"
                  .formatted(
                      isSecret(override)
                          ? "(redacted)"
                          : ObjectIds.printable(withoutSecrets(override))));
        }
        user =
            override(override.substring(0, equals).strip(), override.substring(equals + 1), user);
      }
      Config merged = user.withFallback(reference).resolve();
      rejectUnknown(source, user.resolveWith(merged), reference);
      return new Settings(source, merged);
    } catch (ConfigException.BugOrBroken e) {
      // Its message is the whole configuration, secrets and all.
      throw new SettingsException(
          "Cannot read configuration %s: a value is built on one that has a default, as += is; write the whole list or value"
              .formatted(source));
    } catch (ConfigException e) {
      // Without the cause, whose message may quote a credential.
      throw new SettingsException(
          "Cannot read configuration %s: %s".formatted(source, harmless(e.getMessage(), hocon)));
    } catch (StackOverflowError e) {
      throw new SettingsException(
          "Cannot read configuration %s: its values are nested too deep".formatted(source));
    }
  }

  /** A parser's message quotes what it stopped at: not what stands in a line of a credential. */
  private static String harmless(String message, String hocon) {
    String harmless = message;
    for (String line : hocon.lines().filter(Settings::isSecret).toList()) {
      Matcher value = Pattern.compile("[=:{]").matcher(line);
      if (value.find()) {
        for (String word : line.substring(value.end()).split("[\\s\"'{}\\[\\],=:+#]+")) {
          harmless = word.length() < 3 ? harmless : harmless.replace(word, "(redacted)");
        }
      }
    }
    return ObjectIds.printable(withoutSecrets(harmless), 1000);
  }

  /** The same settings but for one value. */
  public Settings with(String key, Object value) {
    string(key); // of a key that there is
    return new Settings(source, values.withValue(key, ConfigValueFactory.fromAnyRef(value)));
  }

  /** The value is HOCON when it parses as such (a list, an object, a number), else a string. */
  private static Config override(String key, String value, Config below) {
    Config one;
    try {
      one = ConfigFactory.parseString(key + " = " + value);
    } catch (ConfigException notHocon) {
      one = ConfigFactory.empty().withValue(key, ConfigValueFactory.fromAnyRef(value.strip()));
    }
    return one.withFallback(below);
  }

  private static Config reference() {
    return Reference.VALUES;
  }

  /** Read once: it is not small, and never changes. */
  private static final class Reference {
    static final Config VALUES = read();

    private static Config read() {
      try (InputStream in = Settings.class.getResourceAsStream(REFERENCE)) {
        if (in == null) {
          throw new IllegalStateException("Cannot find " + REFERENCE + " on the class path");
        }
        return ConfigFactory.parseReader(new InputStreamReader(in, StandardCharsets.UTF_8));
      } catch (IOException e) {
        throw new IllegalStateException("Cannot read " + REFERENCE, e);
      }
    }
  }

  /** Every key of reference.conf, sorted. */
  public static Set<String> knownKeys() {
    Set<String> keys = new TreeSet<>();
    leaves("", reference().root(), keys);
    return keys;
  }

  private static void leaves(String prefix, ConfigObject object, Set<String> keys) {
    object.forEach(
        (name, value) -> {
          String key = prefix.isEmpty() ? name : prefix + "." + name;
          if (value.valueType() == ConfigValueType.OBJECT && !OPEN.contains(key)) {
            leaves(key, (ConfigObject) value, keys);
          } else {
            keys.add(key);
          }
        });
  }

  private static void rejectUnknown(String source, Config user, Config reference) {
    Set<String> known = new TreeSet<>();
    leaves("", reference.root(), known);
    Set<String> given = new TreeSet<>();
    leaves("", user.root(), given);
    for (String key : given) {
      if (!known.contains(key)) {
        throw unknown(source, key, known);
      }
    }
  }

  private static SettingsException unknown(String where, String key, Collection<String> known) {
    String compared = key.substring(0, Math.min(key.length(), LONGEST_KEY_COMPARED));
    String nearest =
        known.stream()
            .min(
                java.util.Comparator.<String>comparingInt(k -> distance(k, compared))
                    .thenComparing(k -> k))
            .orElse("none");
    return new SettingsException(
        "Cannot use %s: unknown key %s; the nearest known one is %s (conf/reference.conf lists all)"
            .formatted(where, ObjectIds.printable(key), nearest));
  }

  /** Levenshtein distance. */
  private static int distance(String a, String b) {
    int[] row = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int change = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(change, Math.min(row[j], row[j - 1]) + 1);
      }
    }
    return row[b.length()];
  }

  /** What this configuration is called in messages. */
  public String source() {
    return source;
  }

  public boolean has(String key) {
    return values.hasPath(key);
  }

  public String string(String key) {
    return read(key, () -> values.getString(key));
  }

  /** One of the given words, in any case. */
  public String oneOf(String key, String... words) {
    String value = string(key).toLowerCase(Locale.ROOT);
    if (!List.of(words).contains(value)) {
      throw new SettingsException(
          "Cannot use %s = %s: it must be one of %s"
              .formatted(name(key), ObjectIds.printable(value), String.join(", ", words)));
    }
    return value;
  }

  public int integer(String key) {
    return read(key, () -> values.getInt(key));
  }

  public long longInteger(String key) {
    return read(key, () -> values.getLong(key));
  }

  /** A finite number. */
  public double number(String key) {
    double value = read(key, () -> values.getDouble(key));
    if (!Double.isFinite(value)) {
      throw new SettingsException("Cannot use %s = %s: not finite".formatted(name(key), value));
    }
    return value;
  }

  public boolean flag(String key) {
    return read(key, () -> values.getBoolean(key));
  }

  /** A size in bytes, written as {@code 64 KiB} or as a number; not negative. */
  public long bytes(String key) {
    ConfigValue written = read(key, () -> values.getValue(key));
    String text = String.valueOf(written.unwrapped());
    if (written.valueType() == ConfigValueType.STRING && !PLAIN_NUMBER.matcher(text).matches()) {
      throw new SettingsException(
          "Cannot use %s = %s: write a size as 64 MiB or as a number of bytes"
              .formatted(name(key), ObjectIds.printable(withoutSecrets(text), 60)));
    }
    long value = read(key, () -> values.getMemorySize(key).toBytes());
    if (value < 0) {
      throw new SettingsException("Cannot use %s = %d: negative".formatted(name(key), value));
    }
    return value;
  }

  /** A duration, written as {@code 24h}; a bare number is milliseconds. Not negative. */
  public Duration duration(String key) {
    Duration value = read(key, () -> values.getDuration(key));
    if (value.isNegative()) {
      throw new SettingsException("Cannot use %s = %s: negative".formatted(name(key), value));
    }
    return value;
  }

  /** A list of durations, each as {@link #duration} takes it. */
  public List<Duration> durations(String key) {
    List<Duration> found = List.copyOf(read(key, () -> values.getDurationList(key)));
    for (Duration value : found) {
      if (value.isNegative()) {
        throw new SettingsException("Cannot use %s = %s: negative".formatted(name(key), value));
      }
    }
    return found;
  }

  public List<String> strings(String key) {
    return List.copyOf(read(key, () -> values.getStringList(key)));
  }

  /** The keys and values below {@code hadoop} or {@code spark}, as written. */
  public Map<String, String> open(String key) {
    Map<String, String> found = new TreeMap<>();
    if (values.hasPath(key)) {
      values
          .getConfig(key)
          .entrySet()
          .forEach(
              e ->
                  found.put(
                      String.join(".", ConfigUtil.splitPath(e.getKey())),
                      String.valueOf(e.getValue().unwrapped())));
    }
    return found;
  }

  /**
   * A list of objects; an item that is a bare string stands for an object with that one key.
   *
   * @param bare key that a bare string is the value of; null when items must be objects
   * @param known keys that an item may have
   */
  public List<Settings> items(String key, String bare, Set<String> known) {
    ConfigList list = read(key, () -> values.getList(key));
    List<Settings> items = new ArrayList<>();
    for (ConfigValue value : list) {
      String where = "%s[%d]".formatted(key, items.size());
      Config item;
      if (value.valueType() == ConfigValueType.OBJECT) {
        item = ((ConfigObject) value).toConfig();
      } else if (value.valueType() == ConfigValueType.STRING && bare != null) {
        item = ConfigFactory.empty().withValue(bare, value);
      } else {
        throw new SettingsException(
            "Cannot use %s: it must be an object with keys of %s".formatted(name(where), known));
      }
      for (String name : item.root().keySet()) {
        if (!known.contains(name)) {
          throw unknown(source + ", " + where, name, known);
        }
      }
      items.add(new Settings(source + ", " + where, item));
    }
    return List.copyOf(items);
  }

  private String name(String key) {
    return key + " (" + source + ")";
  }

  private interface Read<T> {
    T value();
  }

  private <T> T read(String key, Read<T> read) {
    try {
      return read.value();
    } catch (ConfigException.Missing e) {
      throw new SettingsException("Cannot go on without %s: set it".formatted(name(key)), e);
    } catch (ConfigException e) {
      throw new SettingsException(
          "Cannot use %s: %s"
              .formatted(name(key), ObjectIds.printable(withoutSecrets(e.getMessage()), 1000)));
    } catch (IllegalArgumentException | ArithmeticException e) {
      throw new SettingsException("Cannot use %s: it is too large".formatted(name(key)), e);
    }
  }

  /** All keys and values with secrets replaced by {@code (redacted)}; sorted, one a line. */
  public String redacted() {
    Map<String, String> lines = new TreeMap<>();
    redact("", values.root(), lines);
    StringBuilder out = new StringBuilder();
    lines.forEach((key, value) -> out.append(key).append(" = ").append(value).append('\n'));
    return out.toString();
  }

  /**
   * The same for people: sizes and durations as one writes them, {@code 64 MiB} and {@code 24h},
   * however they were given.
   */
  public String shown() {
    Map<String, String> lines = new TreeMap<>();
    redact("", values.root(), lines);
    Config reference = reference();
    StringBuilder out = new StringBuilder();
    lines.forEach(
        (key, value) ->
            out.append(key).append(" = ").append(shown(reference, key, value)).append('\n'));
    return out.toString();
  }

  private String shown(Config reference, String key, String value) {
    boolean inOpen = OPEN.stream().anyMatch(open -> key.startsWith(open + "."));
    if (inOpen || key.contains("[") || !reference.hasPath(key) || isSecret(key)) {
      return value;
    }
    String usual = String.valueOf(reference.getValue(key).unwrapped());
    if (usual.matches("[0-9.]+ ?[KMGTPE]i?B")) {
      return bytesText(bytes(key));
    }
    return usual.matches("[0-9.]+ ?(?:ms|[smhd])") ? durationText(duration(key)) : value;
  }

  /** In the largest unit that has it whole: {@code 64 MiB}, {@code 1000 B}. */
  static String bytesText(long bytes) {
    String[] units = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    int unit = 0;
    long rest = bytes;
    while (rest != 0 && rest % 1024 == 0 && unit < units.length - 1) {
      rest /= 1024;
      unit++;
    }
    return rest + " " + units[unit];
  }

  /** In the largest unit that has it whole; days from three on: {@code 35d}, {@code 24h}. */
  public static String durationText(Duration duration) {
    long millis = duration.toMillis();
    if (millis != 0 && millis % 86_400_000 == 0 && millis >= 3 * 86_400_000L) {
      return millis / 86_400_000 + "d";
    }
    if (millis != 0 && millis % 3_600_000 == 0) {
      return millis / 3_600_000 + "h";
    }
    if (millis != 0 && millis % 60_000 == 0) {
      return millis / 60_000 + "m";
    }
    return millis % 1000 == 0 ? millis / 1000 + "s" : millis + "ms";
  }

  private static void redact(String prefix, ConfigObject object, Map<String, String> lines) {
    Map<String, ConfigValue> sorted = new LinkedHashMap<>(object);
    sorted.forEach(
        (name, value) -> {
          String key = prefix.isEmpty() ? name : prefix + "." + name;
          redact(key, value, lines);
        });
  }

  private static void redact(String key, ConfigValue value, Map<String, String> lines) {
    if (value.valueType() == ConfigValueType.OBJECT) {
      redact(key, (ConfigObject) value, lines);
    } else if (value.valueType() == ConfigValueType.LIST) {
      int i = 0;
      for (ConfigValue item : (ConfigList) value) {
        redact("%s[%d]".formatted(key, i++), item, lines);
      }
    } else {
      lines.put(key, shown(key, value));
    }
  }

  private static String shown(String key, ConfigValue value) {
    return isSecret(key)
        ? "(redacted)"
        : withoutSecrets(value.render(ConfigRenderOptions.concise()));
  }

  /** Whether a key's name says that its value is a credential. */
  public static boolean isSecret(String key) {
    String lower = key.toLowerCase(Locale.ROOT);
    return SECRET_WORDS.stream().anyMatch(lower::contains);
  }

  /** {@code scheme://user:password@host} without its user part. */
  public static String withoutUserInfo(String text) {
    return USER_INFO.matcher(text).replaceAll("(redacted)@");
  }

  /** The same, and without what follows {@code password=} and other names of credentials. */
  public static String withoutSecrets(String text) {
    return NAMED_SECRET.matcher(withoutUserInfo(text)).replaceAll("$1=(redacted)");
  }

  /** The values of all secret keys: what must never be printed. */
  public Set<String> secrets() {
    Set<String> found = new HashSet<>();
    values
        .entrySet()
        .forEach(
            e -> {
              if (isSecret(e.getKey())) {
                found.add(String.valueOf(e.getValue().unwrapped()));
              }
            });
    return found;
  }

  private static final class NoInclude implements com.typesafe.config.ConfigIncluder {
    @Override
    public com.typesafe.config.ConfigIncluder withFallback(
        com.typesafe.config.ConfigIncluder fallback) {
      return this;
    }

    @Override
    public ConfigObject include(com.typesafe.config.ConfigIncludeContext context, String what) {
      throw new SettingsException(
          "Cannot include %s: a configuration is one text; use --set for what differs"
              .formatted(ObjectIds.printable(what)));
    }
  }
}
