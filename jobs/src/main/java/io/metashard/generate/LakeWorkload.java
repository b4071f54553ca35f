package io.metashard.generate;

import io.metashard.logs.Requests;
import java.time.DayOfWeek;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;

/**
 * A data lake where yesterday's counts say little of today: a partition that nobody has asked for
 * is hot the day after it was written, last week's cools, and Monday's report reads what nobody
 * read on Sunday. {@link LakeDataset#all} says what is in it.
 *
 * <p>What published studies say:
 *
 * <ul>
 *   <li>A new file is hot and cools by orders of magnitude within weeks, at a speed that differs by
 *       what it holds (Muralidhar et al.: "f4: Facebook's warm BLOB storage system", OSDI 2014).
 *   <li>Popularity is Zipf's with an exponent of about 5/6, and most re-accesses come within hours
 *       (Chen, Alspaugh, Katz: "Interactive analytical processing in big data systems", VLDB 2012).
 *       Many files of a Hadoop cluster are hardly read at all, and those that are mostly when young
 *       (Abad et al.: "A storage-centric analysis of MapReduce workloads", IISWC 2012).
 *   <li>Much of a cluster's work is jobs that recur with a fixed period (Jyothi et al.: "Morpheus:
 *       towards automated SLOs for enterprise clusters", OSDI 2016).
 * </ul>
 *
 * <p>What is assumed, so that not all of it can be foretold: how much the interest in a dataset
 * drifts and how much a day or a partition differs from the next, how often a job is skipped or run
 * twice, that people look into some weeks of the past now and then, and that every few days
 * something happens that makes them all query one old partition. All sizes, hours and rates are
 * assumed too; they are small, so that two months fit into memory.
 */
final class LakeWorkload implements Workload {
  // Standard deviations of logarithms.

  /** Of a day's step of the interest in a dataset. */
  private static final double DRIFT = 0.05;

  /** Of one day's interest in a dataset, around that walk. */
  private static final double DAY_NOISE = 0.2;

  /** Of the interest in a partition, as long as it lives. */
  private static final double PARTITION_NOISE = 0.3;

  /** Of one day's interest in one partition. */
  private static final double PARTITION_DAY_NOISE = 0.6;

  /** Of a partition's size. */
  private static final double SIZE_NOISE = 0.15;

  private static final double SKIPPED_SHARE = 0.02;
  private static final double RERUN_SHARE = 0.04;

  private static final double STUDIES_PER_DAY = 2.5;

  /** Days of partitions that a study reads at most; a day's at most of an hourly dataset. */
  private static final int STUDY_LONGEST_DAYS = 14;

  private static final int INCIDENT_EVERY_DAYS = 4;
  private static final int INCIDENT_QUERIES = 40;
  private static final int INCIDENT_OLDEST_DAYS = 40;

  /** How often each of the columns is wanted, in an order of its own for each dataset. */
  private static final double[] COLUMN_WEIGHTS = {10, 6, 2, 1, 1, 0.5, 0.5, 0.5};

  private static final int TABLES = 11;
  private static final double TABLE_QUERIES = 20;
  private static final int ARCHIVES = 3;
  private static final int SERVERS = 24;
  private static final int MODEL_EVERY_DAYS = 7;
  private static final double RESTARTS_PER_DAY = 3;

  private final GenerateOptions options;
  private final List<LakeDataset> datasets = LakeDataset.all();

  LakeWorkload(GenerateOptions options) {
    this.options = options;
  }

  /**
   * One partition.
   *
   * @param interest that people take in it, relative to an average one
   */
  private record Partition(LocalDate day, DemoObject object, double interest) {
    boolean isThereAt(Instant moment) {
      return object.modifiedAt().isBefore(moment);
    }
  }

  @Override
  public List<DemoObject> objects() {
    List<DemoObject> objects = new ArrayList<>();
    for (LakeDataset dataset : datasets) {
      partitions(dataset).forEach(partition -> objects.add(partition.object()));
    }
    objects.addAll(tables());
    objects.add(targets());
    objects.addAll(models());
    objects.addAll(archives());
    return List.copyOf(objects);
  }

  /** In order of days; those that are not written by the end are left out. */
  private List<Partition> partitions(LakeDataset dataset) {
    Dice dice = new Dice(options.seed(), "lake partitions of " + dataset.name());
    List<Partition> partitions = new ArrayList<>();
    for (int d = 0; d < options.days(); d++) {
      LocalDate day = options.firstDay().plusDays(d);
      for (int hour = 0; hour < dataset.partitionsPerDay(); hour++) {
        double size = dataset.hourly() ? Clocks.web(day, hour) : Clocks.isWeekend(day) ? 0.6 : 1;
        long bytes =
            Math.round(dataset.bytes() * size * StrictMath.exp(SIZE_NOISE * dice.normal()));
        Instant written = moment(day, hour * 3600L + dataset.landsAfterSeconds() + dice.below(300));
        double interest = StrictMath.exp(PARTITION_NOISE * dice.normal());
        if (written.isBefore(end())) {
          partitions.add(
              new Partition(
                  day,
                  new DemoObject(dataset.objectId(day, hour), Math.max(10_000, bytes), written),
                  interest));
        }
      }
    }
    return partitions;
  }

  private List<DemoObject> tables() {
    Dice dice = new Dice(options.seed(), "lake tables");
    List<DemoObject> objects = new ArrayList<>();
    for (int i = 0; i < TABLES; i++) {
      objects.add(
          new DemoObject(
              "tables/dimension-%02d/part-0000.parquet".formatted(i),
              dice.logUniform(60_000, 640_000),
              before(1 + dice.below(90))));
    }
    return objects;
  }

  /** A table that only the weekly report reads. */
  private DemoObject targets() {
    return new DemoObject("tables/targets/part-0000.parquet", 200_000, before(40));
  }

  private List<DemoObject> models() {
    List<DemoObject> objects = new ArrayList<>();
    for (int d = 0; d < options.days(); d += MODEL_EVERY_DAYS) {
      objects.add(
          new DemoObject(
              "models/ranker-v%d.bin".formatted(objects.size() + 1),
              400_000 + 10_000L * objects.size(),
              moment(options.firstDay().plusDays(d), 9 * 3600)));
    }
    return objects;
  }

  private List<DemoObject> archives() {
    List<DemoObject> objects = new ArrayList<>();
    for (int i = 1; i <= ARCHIVES; i++) {
      objects.add(
          new DemoObject("archive/backup-%d.tar".formatted(i), 1_000_000L, before(100 * i)));
    }
    return objects;
  }

  private Instant before(int days) {
    return moment(options.firstDay().minusDays(days), 12 * 3600);
  }

  private static Instant moment(LocalDate day, long second) {
    return SmallLakeWorkload.moment(day, second);
  }

  private Instant end() {
    return moment(options.end(), 0);
  }

  @Override
  public List<DemoRequest> requests() {
    List<DemoRequest> requests = new ArrayList<>();
    for (LakeDataset dataset : datasets) {
      List<Partition> partitions = partitions(dataset);
      queries(requests, dataset, partitions);
      jobs(requests, dataset, partitions);
      if (!dataset.jobs().isEmpty() && !dataset.hourly()) {
        partitions.forEach(partition -> polls(requests, partition.object()));
      }
    }
    studies(requests);
    incidents(requests);
    tableReads(requests);
    modelReads(requests);
    maintenance(requests);
    Instant start = moment(options.firstDay(), 0);
    requests.removeIf(r -> r.ts().isBefore(start) || !r.ts().isBefore(end()));
    return requests;
  }

  private void queries(
      List<DemoRequest> requests, LakeDataset dataset, List<Partition> partitions) {
    Dice dice = new Dice(options.seed(), "lake queries of " + dataset.name());
    double[] weights = weights(dataset.name());
    double drift = 0;
    for (int d = 0; d < options.days(); d++) {
      LocalDate day = options.firstDay().plusDays(d);
      drift += DRIFT * dice.normal();
      double interest = StrictMath.exp(drift + DAY_NOISE * dice.normal());
      for (Partition partition : partitions) {
        double ofDay =
            interest * partition.interest() * StrictMath.exp(PARTITION_DAY_NOISE * dice.normal());
        for (int hour = 0; hour < 24; hour++) {
          Instant from = moment(day, hour * 3600L);
          double age = days(partition.object().modifiedAt(), from.plusSeconds(1800));
          if (age <= 0) {
            continue;
          }
          double mean = ofDay * dataset.queries(day, hour, age);
          for (int n = dice.poisson(mean); n > 0; n--) {
            Instant ts = from.plusSeconds(dice.below(3600));
            if (partition.isThereAt(ts)) {
              query(dice, requests, partition.object(), weights, ts);
            }
          }
        }
      }
    }
  }

  private static double days(Instant from, Instant to) {
    return (to.getEpochSecond() - from.getEpochSecond()) / 86_400.0;
  }

  /** The columns' weights, in an order that belongs to a name. */
  private double[] weights(String name) {
    int[] order =
        new Dice(options.seed(), "lake columns of " + name).permutation(COLUMN_WEIGHTS.length);
    double[] weights = new double[order.length];
    for (int i = 0; i < order.length; i++) {
      weights[i] = COLUMN_WEIGHTS[order[i]];
    }
    return weights;
  }

  /** The footer at the file's end, then one to four column chunks, within seconds. */
  private static void query(
      Dice dice, List<DemoRequest> requests, DemoObject object, double[] weights, Instant ts) {
    String client = "192.0.2." + (20 + dice.below(40));
    long bytes = object.bytes();
    long footer = Math.max(4_096, bytes / 32);
    requests.add(DemoRequest.range(ts, object, bytes - footer, bytes, client));
    long chunk = (bytes - footer) / weights.length;
    for (int n = 1 + dice.below(4); n > 0; n--) {
      long column = dice.pick(weights);
      requests.add(
          DemoRequest.range(
              ts.plusSeconds(1 + dice.below(3)),
              object,
              column * chunk,
              (column + 1) * chunk,
              client));
    }
  }

  private void jobs(List<DemoRequest> requests, LakeDataset dataset, List<Partition> partitions) {
    Dice dice = new Dice(options.seed(), "lake jobs of " + dataset.name());
    for (int d = 0; d < options.days(); d++) {
      LocalDate day = options.firstDay().plusDays(d);
      for (LakeJob job : dataset.jobs()) {
        int runs = dice.chance(SKIPPED_SHARE) ? 0 : dice.chance(RERUN_SHARE) ? 2 : 1;
        for (int run = 0; run < runs; run++) {
          long second = (job.hour() + run) * 3600L + dice.below(900);
          Instant started = moment(day, second);
          for (Partition partition : partitions) {
            if (job.reads(day, partition.day()) && partition.isThereAt(started)) {
              for (int task = 0; task < job.tasks(); task++) {
                second += 1 + dice.below(5);
                requests.add(
                    DemoRequest.whole(
                        moment(day, second), partition.object(), DemoRequest.GET, "192.0.2.12"));
              }
            }
          }
        }
      }
    }
  }

  /** Somebody waits for the partition: 404, twice, then 200. */
  private static void polls(List<DemoRequest> requests, DemoObject partition) {
    String client = "192.0.2.13";
    Instant written = partition.modifiedAt();
    for (int early : new int[] {1200, 300}) {
      requests.add(
          DemoRequest.notFound(
              written.minusSeconds(early), partition.id(), DemoRequest.HEAD, client));
    }
    requests.add(DemoRequest.head(written.plusSeconds(600), partition, client));
  }

  /** On working days somebody looks into some weeks of the past, of any dataset, once. */
  private void studies(List<DemoRequest> requests) {
    Dice dice = new Dice(options.seed(), "lake studies");
    for (int d = 1; d < options.days(); d++) {
      LocalDate day = options.firstDay().plusDays(d);
      double mean = STUDIES_PER_DAY * (Clocks.isWeekend(day) ? 0.15 : 1.34);
      for (int n = dice.poisson(mean); n > 0; n--) {
        LakeDataset dataset = datasets.get(dice.below(datasets.size()));
        double[] weights = weights(dataset.name());
        LocalDate newest = day.minusDays(1 + dice.below(d));
        LocalDate oldest = newest.minusDays(dataset.hourly() ? 0 : dice.below(STUDY_LONGEST_DAYS));
        int rounds = 1 + dice.below(3);
        Instant ts = moment(day, 8 * 3600 + dice.below(9 * 3600));
        for (Partition partition : partitions(dataset)) {
          if (!partition.day().isBefore(oldest)
              && !partition.day().isAfter(newest)
              && partition.isThereAt(ts)) {
            for (int round = 0; round < rounds; round++) {
              query(dice, requests, partition.object(), weights, ts.plusSeconds(600L * round));
            }
          }
        }
      }
    }
  }

  /** Something happened on a past day: for two days of office hours all look at one partition. */
  private void incidents(List<DemoRequest> requests) {
    Dice dice = new Dice(options.seed(), "lake incidents");
    List<LakeDataset> daily = datasets.stream().filter(dataset -> !dataset.hourly()).toList();
    for (int d = INCIDENT_EVERY_DAYS; d < options.days(); d++) {
      LakeDataset dataset = daily.get(dice.below(daily.size()));
      int age = 2 + dice.below(INCIDENT_OLDEST_DAYS);
      if (dice.below(INCIDENT_EVERY_DAYS) > 0 || age > d) {
        continue;
      }
      DemoObject object = partitions(dataset).get(d - age).object();
      double[] weights = weights(dataset.name());
      for (int n = dice.poisson(INCIDENT_QUERIES); n > 0; n--) {
        LocalDate day = options.firstDay().plusDays(d + (dice.chance(0.4) ? 1 : 0));
        query(dice, requests, object, weights, moment(day, 8 * 3600 + dice.below(10 * 3600)));
      }
    }
  }

  /** The nightly join reads every table whole, analysts some columns; a weekly report targets. */
  private void tableReads(List<DemoRequest> requests) {
    Dice dice = new Dice(options.seed(), "lake table reads");
    List<DemoObject> tables = tables();
    for (int d = 0; d < options.days(); d++) {
      LocalDate day = options.firstDay().plusDays(d);
      for (int i = 0; i < TABLES; i++) {
        DemoObject table = tables.get(i);
        double[] weights = weights(table.id());
        requests.add(
            DemoRequest.whole(
                moment(day, 3 * 3600L + dice.below(600)), table, DemoRequest.GET, "192.0.2.11"));
        for (int hour = 0; hour < 24; hour++) {
          double mean = TABLE_QUERIES / (i + 1) / 24 * Clocks.office(day, hour);
          for (int n = dice.poisson(mean); n > 0; n--) {
            Instant ts = moment(day, hour * 3600L + dice.below(3600));
            query(dice, requests, table, weights, ts);
          }
        }
      }
      if (day.getDayOfWeek() == DayOfWeek.MONDAY) {
        requests.add(
            DemoRequest.whole(moment(day, 6 * 3600), targets(), DemoRequest.GET, "192.0.2.12"));
      }
    }
  }

  /** Every server fetches a new model, and the newest one whenever it is restarted. */
  private void modelReads(List<DemoRequest> requests) {
    Dice dice = new Dice(options.seed(), "lake model reads");
    for (DemoObject model : models()) {
      for (int server = 0; server < SERVERS; server++) {
        fetch(requests, model, 60 + dice.below(5400), server);
      }
      for (int n = dice.poisson(RESTARTS_PER_DAY * MODEL_EVERY_DAYS); n > 0; n--) {
        fetch(requests, model, 5460 + dice.below(86_400 * MODEL_EVERY_DAYS), dice.below(SERVERS));
      }
    }
  }

  private static void fetch(
      List<DemoRequest> requests, DemoObject model, long secondsLater, int server) {
    requests.add(
        DemoRequest.whole(
            model.modifiedAt().plusSeconds(secondsLater),
            model,
            DemoRequest.GET,
            "192.0.2." + (100 + server)));
  }

  /** Our own reads, which must not count: a check of one partition a day. */
  private void maintenance(List<DemoRequest> requests) {
    List<Partition> partitions = partitions(datasets.get(0));
    for (int d = 1; d < options.days(); d++) {
      requests.add(
          DemoRequest.whole(
              moment(options.firstDay().plusDays(d), 4 * 3600),
              partitions.get(d - 1).object(),
              Requests.MAINTENANCE,
              "192.0.2.9"));
    }
  }
}
