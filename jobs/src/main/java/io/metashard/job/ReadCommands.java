package io.metashard.job;

import io.metashard.ObjectIds;
import io.metashard.read.DeltaShardLookup;
import io.metashard.read.MetaShardReader;
import io.metashard.read.ReadOptions;
import io.metashard.read.ReadStatistics;
import io.metashard.read.ServedObject;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.OutputStream;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Commands that read through the map. They need no Spark. */
final class ReadCommands {
  private static final Pattern RANGE = Pattern.compile("([0-9]{1,18})-([0-9]{0,18})");

  private ReadCommands() {}

  @Command(
      name = "ls",
      description = "List the objects that the shard map serves, with their versions.")
  static final class Ls extends LakeCommand {
    @Option(names = "--prefix", description = "only ids that begin with this", defaultValue = "")
    private String prefix;

    @Option(names = "--bytes", description = "sizes as numbers of bytes, not as 64 MiB")
    private boolean exact;

    Ls() {
      super("ls");
    }

    @Override
    Answer run(Start start) throws IOException {
      long objects = 0;
      long bytes = 0;
      try (MetaShardReader reader =
          MetaShardReader.open(
              start.lakeRoot(), ReadOptions.from(start.settings()), start.hadoop())) {
        DeltaShardLookup lookup = reader.lookup();
        // Bucket by bucket: as many ids at a time as one bucket has.
        for (int bucket = 0; bucket < lookup.buckets(); bucket++) {
          for (ServedObject object : lookup.objects(bucket).values()) {
            if (object.objectId().startsWith(prefix)) {
              objects++;
              bytes += object.objectBytes();
              if (!options().json()) {
                out()
                    .printf(
                        exact ? "%14s  %s  %s%n" : "%9s  %s  %s%n",
                        exact
                            ? Long.toString(object.objectBytes())
                            : Figures.bytes(object.objectBytes()),
                        ObjectIds.printable(object.objectVersion()),
                        ObjectIds.printable(object.objectId(), Integer.MAX_VALUE));
              }
            }
          }
        }
      }
      return new Answer(0, null, Map.of("objects", objects, "bytes", bytes));
    }
  }

  @Command(
      name = "cat",
      description = {
        "Write an object, or a range of it, to stdout; with --sha256, of any number of objects their digests.",
        "Lost or corrupt blocks are rebuilt from the others; read.fallback allows the source."
      })
  static final class Cat extends LakeCommand {
    /** Objects by id, or all that the map serves. */
    static final class Which {
      @Parameters(
          paramLabel = "OBJECT_ID",
          description = "the object's id; several with --sha256",
          arity = "1..*")
      private List<String> objectIds = List.of();

      @Option(names = "--all", description = "every object that the map serves (with --sha256)")
      private boolean all;
    }

    @ArgGroup(multiplicity = "1")
    private Which which;

    @Option(
        names = "--range",
        paramLabel = "A-B",
        description = "bytes A to B, both included, as in HTTP; A- for the rest")
    private String range;

    @Option(
        names = "--sha256",
        description = "print the SHA-256 and the id instead of the bytes, as sha256sum does")
    private boolean sha256;

    Cat() {
      super("cat");
    }

    @Override
    Answer run(Start start) throws IOException {
      if ((which.all || which.objectIds.size() > 1) && (!sha256 || range != null)) {
        throw new MetashardException(
            MetashardException.USAGE,
            "Cannot write several objects one after the other: use --sha256 and no --range, or name one object");
      }
      Map<String, Object> values = new LinkedHashMap<>();
      ReadStatistics statistics;
      try (MetaShardReader reader =
          MetaShardReader.open(
              start.lakeRoot(), ReadOptions.from(start.settings()), start.hadoop())) {
        if (which.all) {
          values.put("objects", digestAll(reader));
        } else if (sha256) {
          for (String objectId : which.objectIds) {
            digest(reader, objectId);
          }
        } else {
          copy(reader, which.objectIds.get(0), out());
          out().flush();
        }
        statistics = reader.statistics();
      }
      values.put("bytes", statistics.bytesServed());
      values.put("rebuilt_bytes", statistics.rebuiltBytes());
      values.put("source_bytes", statistics.sourceBytes());
      return new Answer(0, null, values);
    }

    private long digestAll(MetaShardReader reader) throws IOException {
      long objects = 0;
      for (int bucket = 0; bucket < reader.lookup().buckets(); bucket++) {
        for (String objectId : reader.lookup().objects(bucket).keySet()) {
          digest(reader, objectId);
          objects++;
        }
      }
      return objects;
    }

    private void digest(MetaShardReader reader, String objectId) throws IOException {
      try {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        copy(reader, objectId, new DigestOutputStream(OutputStream.nullOutputStream(), digest));
        out()
            .printf(
                "%s  %s%n",
                HexFormat.of().formatHex(digest.digest()),
                ObjectIds.printable(objectId, Integer.MAX_VALUE));
      } catch (NoSuchAlgorithmException e) {
        throw new IllegalStateException("SHA-256 is part of every Java platform", e);
      }
    }

    private void copy(MetaShardReader reader, String objectId, OutputStream out)
        throws IOException {
      ObjectIds.problem(objectId)
          .ifPresent(
              problem -> {
                throw new MetashardException(
                    MetashardException.USAGE,
                    "Cannot read object %s: its id cannot be one (%s)"
                        .formatted(ObjectIds.printable(objectId), problem));
              });
      long from = 0;
      long to = Long.MAX_VALUE;
      if (range != null) {
        Matcher matcher = RANGE.matcher(range);
        if (!matcher.matches()) {
          throw badRange("write it as A-B, both included, such as 0-1023, or A- for the rest");
        }
        from = Long.parseLong(matcher.group(1));
        to =
            matcher.group(2).isEmpty()
                ? Long.MAX_VALUE
                : Math.addExact(Long.parseLong(matcher.group(2)), 1);
        if (to <= from) {
          throw badRange("its end is before its beginning");
        }
      }
      try {
        reader.copy(objectId, from, to, out);
      } catch (FileNotFoundException | IllegalArgumentException e) {
        throw new MetashardException(MetashardException.USAGE, e.getMessage(), e);
      }
    }

    private MetashardException badRange(String why) {
      return new MetashardException(
          MetashardException.USAGE,
          "Cannot use --range %s: %s".formatted(ObjectIds.printable(range), why));
    }
  }
}
