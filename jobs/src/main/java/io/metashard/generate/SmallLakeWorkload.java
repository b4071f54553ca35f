package io.metashard.generate;

import io.metashard.logs.Requests;
import java.time.DayOfWeek;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;

/**
 * A small data lake: a dataset with a new partition each day, tables, models, and jobs that read
 * them. {@link LakeWorkload} is the one that forecasts are tried on.
 *
 * <ul>
 *   <li>A partition is hot when new and cools as a power of its age: in Facebook's store of photos
 *       and videos a file's request rate falls a hundredfold within weeks (Muralidhar et al.: "f4:
 *       Facebook's warm BLOB storage system", OSDI 2014); in Hadoop clusters most re-accesses come
 *       within hours or days, and file popularity is Zipf's (Chen, Alspaugh, Katz: "Interactive
 *       analytical processing in big data systems", VLDB 2012; Abad et al.: "A storage-centric
 *       analysis of MapReduce workloads", IISWC 2012).
 *   <li>A query reads the footer at the file's end, then the chunks of the columns that it wants;
 *       few columns are wanted by most.
 *   <li>A report reads the last seven partitions whole every Monday, and a table nobody else reads.
 *   <li>A job asks for the day's partition before it is there: 404, twice, then 200.
 *   <li>A new version of a model is fetched whole by every server, once; an archive by nobody.
 * </ul>
 */
final class SmallLakeWorkload implements Workload {
  /** Partition of day D is written on D, at this second: what day D asks for came before. */
  private static final long WRITTEN_AT_SECOND = 23 * 3600 + 1800;

  private static final double FIRST_DAY_QUERIES = 60;
  private static final double COOLING_EXPONENT = 1.4;
  private static final int COLUMNS = 8;

  /** How often each of the columns is wanted. */
  private static final double[] COLUMN_WEIGHTS = {10, 1, 0.5, 6, 1, 0.5, 2, 0.5};

  private static final long FOOTER_BYTES = 64L << 10;
  private static final int SERVERS = 24;
  private static final int MODEL_EVERY_DAYS = 7;
  private static final int MODELS = 3;
  private static final int TABLES = 4;

  private final GenerateOptions options;

  SmallLakeWorkload(GenerateOptions options) {
    this.options = options;
  }

  @Override
  public List<DemoObject> objects() {
    List<DemoObject> objects = new ArrayList<>(partitions());
    objects.addAll(tables());
    objects.addAll(models());
    objects.add(archive());
    objects.add(targets());
    return List.copyOf(objects);
  }

  /** One a day, in order of days. */
  private List<DemoObject> partitions() {
    Dice dice = new Dice(options.seed(), "lake partitions");
    List<DemoObject> partitions = new ArrayList<>();
    for (int d = 0; d < options.days(); d++) {
      LocalDate day = options.firstDay().plusDays(d);
      long bytes = Math.round((3_500_000 + 250_000 * dice.normal()) * weekday(day));
      partitions.add(
          new DemoObject(
              "events/dt=%s/part-0000.parquet".formatted(day),
              Math.max(200_000, bytes),
              moment(day, WRITTEN_AT_SECOND)));
    }
    return partitions;
  }

  private static double weekday(LocalDate day) {
    return Clocks.isWeekend(day) ? 0.6 : 1.0;
  }

  private List<DemoObject> tables() {
    Dice dice = new Dice(options.seed(), "lake tables");
    List<DemoObject> objects = new ArrayList<>();
    for (int i = 0; i < TABLES; i++) {
      objects.add(
          new DemoObject(
              "tables/dimension-%02d/part-0000.parquet".formatted(i),
              dice.logUniform(200_000, 8_000_000),
              moment(options.firstDay().minusDays(1 + dice.below(90)), dice.below(86_400))));
    }
    return objects;
  }

  private List<DemoObject> models() {
    List<DemoObject> objects = new ArrayList<>();
    for (int i = 0; i < MODELS; i++) {
      LocalDate day = options.firstDay().plusDays((long) i * MODEL_EVERY_DAYS);
      if (day.isBefore(options.end())) {
        objects.add(
            new DemoObject(
                "models/ranker-v%d.bin".formatted(i + 1),
                4_000_000 + 500_000L * i,
                moment(day, 9 * 3600)));
      }
    }
    return objects;
  }

  private DemoObject archive() {
    return new DemoObject(
        "archive/2024.tar", 12_000_000, moment(options.firstDay().minusDays(200), 0));
  }

  /** A table that only the weekly report reads. */
  private DemoObject targets() {
    return new DemoObject(
        "tables/targets/part-0000.parquet", 600_000, moment(options.firstDay().minusDays(40), 0));
  }

  @Override
  public List<DemoRequest> requests() {
    Dice dice = new Dice(options.seed(), "lake requests");
    List<DemoObject> partitions = partitions();
    List<DemoRequest> requests = new ArrayList<>();
    for (int d = 0; d < options.days(); d++) {
      LocalDate day = options.firstDay().plusDays(d);
      for (DemoObject partition : partitions) {
        coolingReads(dice, requests, partition, day);
      }
      for (DemoObject table : tables()) {
        tableReads(dice, requests, table, day);
      }
      if (day.getDayOfWeek() == DayOfWeek.MONDAY) {
        weeklyReport(dice, requests, partitions, day);
      }
      maintenance(requests, partitions, d, day);
    }
    for (DemoObject partition : partitions) {
      polls(requests, partition);
    }
    for (DemoObject model : models()) {
      rollout(dice, requests, model);
    }
    requests.removeIf(r -> !r.ts().isBefore(moment(options.end(), 0)));
    return requests;
  }

  private static void coolingReads(
      Dice dice, List<DemoRequest> requests, DemoObject partition, LocalDate day) {
    for (int hour = 0; hour < 24; hour++) {
      Instant from = moment(day, hour * 3600L);
      double age =
          (from.getEpochSecond() + 1800 - partition.modifiedAt().getEpochSecond()) / 86_400.0;
      if (age <= 0) {
        continue;
      }
      double perDay = FIRST_DAY_QUERIES * StrictMath.pow(1 + age, -COOLING_EXPONENT);
      double mean = perDay / 24 * Clocks.office(day, hour);
      for (int n = dice.poisson(mean); n > 0; n--) {
        Instant ts = from.plusSeconds(dice.below(3600));
        if (ts.isAfter(partition.modifiedAt())) {
          query(dice, requests, partition, ts);
        }
      }
    }
  }

  private static void tableReads(
      Dice dice, List<DemoRequest> requests, DemoObject table, LocalDate day) {
    // The nightly join reads it whole; analysts want columns.
    requests.add(
        DemoRequest.whole(
            moment(day, 3 * 3600L + dice.below(600)), table, DemoRequest.GET, "192.0.2.11"));
    for (int hour = 0; hour < 24; hour++) {
      for (int n = dice.poisson(0.35 * Clocks.office(day, hour)); n > 0; n--) {
        query(dice, requests, table, moment(day, hour * 3600L + dice.below(3600)));
      }
    }
  }

  /** The footer, then one to four column chunks, within seconds. */
  private static void query(Dice dice, List<DemoRequest> requests, DemoObject object, Instant ts) {
    String client = "192.0.2." + (20 + dice.below(40));
    long bytes = object.bytes();
    requests.add(DemoRequest.range(ts, object, bytes - FOOTER_BYTES, bytes, client));
    long chunk = (bytes - FOOTER_BYTES) / COLUMNS;
    for (int n = 1 + dice.below(4); n > 0; n--) {
      long column = dice.pick(COLUMN_WEIGHTS);
      requests.add(
          DemoRequest.range(
              ts.plusSeconds(1 + dice.below(3)),
              object,
              column * chunk,
              (column + 1) * chunk,
              client));
    }
  }

  private void weeklyReport(
      Dice dice, List<DemoRequest> requests, List<DemoObject> partitions, LocalDate monday) {
    long second = 6 * 3600;
    List<DemoObject> wanted = new ArrayList<>();
    for (DemoObject partition : partitions) {
      Instant written = partition.modifiedAt();
      if (written.isBefore(moment(monday, 0)) && written.isAfter(moment(monday.minusDays(7), 0))) {
        wanted.add(partition);
      }
    }
    wanted.add(targets());
    for (DemoObject object : wanted) {
      for (int task = 0; task < 3; task++) {
        second += 1 + dice.below(20);
        requests.add(
            DemoRequest.whole(moment(monday, second), object, DemoRequest.GET, "192.0.2.12"));
      }
    }
  }

  /** Our own reads, which must not count: a check of one partition a day. */
  private static void maintenance(
      List<DemoRequest> requests, List<DemoObject> partitions, int d, LocalDate day) {
    if (d > 0) {
      requests.add(
          DemoRequest.whole(
              moment(day, 2 * 3600), partitions.get(d - 1), Requests.MAINTENANCE, "192.0.2.9"));
    }
  }

  private static void polls(List<DemoRequest> requests, DemoObject partition) {
    String client = "192.0.2.13";
    Instant written = partition.modifiedAt();
    requests.add(
        DemoRequest.notFound(written.minusSeconds(1200), partition.id(), DemoRequest.HEAD, client));
    requests.add(
        DemoRequest.notFound(written.minusSeconds(300), partition.id(), DemoRequest.HEAD, client));
    requests.add(DemoRequest.head(written.plusSeconds(600), partition, client));
  }

  private static void rollout(Dice dice, List<DemoRequest> requests, DemoObject model) {
    for (int server = 0; server < SERVERS; server++) {
      requests.add(
          DemoRequest.whole(
              model.modifiedAt().plusSeconds(60 + dice.below(5400)),
              model,
              DemoRequest.GET,
              "192.0.2." + (100 + server)));
    }
  }

  /** A second of a day, UTC. */
  static Instant moment(LocalDate day, long second) {
    return day.atStartOfDay().toInstant(ZoneOffset.UTC).plusSeconds(second);
  }
}
