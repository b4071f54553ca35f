package io.metashard.bench;

import com.sun.management.GarbageCollectionNotificationInfo;
import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.lang.management.MemoryUsage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import javax.management.ListenerNotFoundException;
import javax.management.NotificationEmitter;
import javax.management.NotificationListener;
import javax.management.openmbean.CompositeData;
import org.apache.spark.SparkContext;
import org.apache.spark.executor.TaskMetrics;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerEvent;
import org.apache.spark.scheduler.SparkListenerJobStart;
import org.apache.spark.scheduler.SparkListenerStageCompleted;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionStart;

/**
 * Measures what happens on a local Spark between {@link #start} and {@link #stop}.
 *
 * <p>Heap is what was in use right after a collection: what the collector had not looked at yet is
 * counted, so it is a bound from above of what was needed.
 */
public final class Meter {
  private static final Path STATUS = Path.of("/proc/self/status");
  private static final String PEAK_RSS = "VmHWM:";
  private static final long LISTENER_WAIT_SECONDS = 60;

  private final SparkContext spark;
  private final Listener listener = new Listener();
  private final AtomicLong heapBytes = new AtomicLong();
  private final NotificationListener collections =
      (notification, handback) -> {
        if (notification
            .getType()
            .equals(GarbageCollectionNotificationInfo.GARBAGE_COLLECTION_NOTIFICATION)) {
          GarbageCollectionNotificationInfo info =
              GarbageCollectionNotificationInfo.from((CompositeData) notification.getUserData());
          heapBytes.accumulateAndGet(heapIn(info.getGcInfo().getMemoryUsageAfterGc()), Math::max);
        }
      };
  private final TreeSet<String> heapPools = new TreeSet<>();
  private final long startNanos;
  private final long startCpuNanos;

  private Meter(SparkContext spark) {
    this.spark = spark;
    for (MemoryPoolMXBean pool : ManagementFactory.getMemoryPoolMXBeans()) {
      if (pool.getType() == MemoryType.HEAP) {
        heapPools.add(pool.getName());
      }
    }
    spark.addSparkListener(listener);
    for (GarbageCollectorMXBean collector : ManagementFactory.getGarbageCollectorMXBeans()) {
      ((NotificationEmitter) collector).addNotificationListener(collections, null, null);
    }
    startCpuNanos = cpuNanos();
    startNanos = System.nanoTime();
  }

  /** Begins to measure. */
  public static Meter start(SparkContext spark) {
    System.gc(); // what was before is not measured
    return new Meter(spark);
  }

  /** Ends. */
  public Usage stop() {
    double seconds = (System.nanoTime() - startNanos) / 1e9;
    double cpuSeconds = (cpuNanos() - startCpuNanos) / 1e9;
    // One collection at least: a short run may have had none.
    System.gc();
    heapBytes.accumulateAndGet(
        ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed(), Math::max);
    try {
      spark.listenerBus().waitUntilEmpty(TimeUnit.SECONDS.toMillis(LISTENER_WAIT_SECONDS));
    } catch (TimeoutException e) {
      throw new IllegalStateException(
          "Cannot measure: Spark did not tell of all its stages within %d s"
              .formatted(LISTENER_WAIT_SECONDS),
          e);
    } finally {
      spark.removeSparkListener(listener);
      for (GarbageCollectorMXBean collector : ManagementFactory.getGarbageCollectorMXBeans()) {
        try {
          ((NotificationEmitter) collector).removeNotificationListener(collections);
        } catch (ListenerNotFoundException e) {
          throw new IllegalStateException("Cannot stop measuring: it never began", e);
        }
      }
    }
    return listener.usage(seconds, cpuSeconds, heapBytes.get(), peakRssBytes());
  }

  private static long cpuNanos() {
    return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
        .getProcessCpuTime();
  }

  private long heapIn(Map<String, MemoryUsage> pools) {
    return pools.entrySet().stream()
        .filter(pool -> heapPools.contains(pool.getKey()))
        .mapToLong(pool -> pool.getValue().getUsed())
        .sum();
  }

  /** The most memory that the process had so far; empty where the system does not tell. */
  private static OptionalLong peakRssBytes() {
    try {
      for (String line : Files.readAllLines(STATUS)) {
        if (line.startsWith(PEAK_RSS)) {
          return OptionalLong.of(
              Long.parseLong(line.substring(PEAK_RSS.length()).replace("kB", "").strip()) << 10);
        }
      }
    } catch (IOException e) {
      return OptionalLong.empty(); // not Linux
    }
    return OptionalLong.empty();
  }

  /** Adds up stages, by the query they belong to. */
  private static final class Listener extends SparkListener {
    private static final String EXECUTION = "spark.sql.execution.id";

    private final Map<Long, String> queries = new HashMap<>();
    private final Map<Integer, String> ofStage = new HashMap<>();
    private final Map<String, Usage.Work> work = new HashMap<>();
    private long failedTasks;

    @Override
    public synchronized void onOtherEvent(SparkListenerEvent event) {
      if (event instanceof SparkListenerSQLExecutionStart query) {
        queries.put(query.executionId(), query.description());
      }
    }

    @Override
    public synchronized void onJobStart(SparkListenerJobStart job) {
      String execution = job.properties() == null ? null : job.properties().getProperty(EXECUTION);
      if (execution != null && queries.containsKey(Long.parseLong(execution))) {
        String query = queries.get(Long.parseLong(execution));
        job.stageIds().foreach(id -> ofStage.put((Integer) id, query));
      }
    }

    @Override
    public synchronized void onTaskEnd(SparkListenerTaskEnd task) {
      if (!task.taskInfo().successful()) {
        failedTasks++;
      }
    }

    @Override
    public synchronized void onStageCompleted(SparkListenerStageCompleted completed) {
      TaskMetrics metrics = completed.stageInfo().taskMetrics();
      String name =
          ofStage.getOrDefault(completed.stageInfo().stageId(), completed.stageInfo().name());
      work.merge(
          name,
          new Usage.Work(
              name,
              1,
              metrics.executorCpuTime() / 1e9,
              metrics.shuffleWriteMetrics().bytesWritten(),
              metrics.diskBytesSpilled(),
              metrics.resultSize()),
          Usage.Work::plus);
    }

    synchronized Usage usage(
        double seconds, double cpuSeconds, long heapBytes, OptionalLong rssBytes) {
      List<Usage.Work> slowestFirst = new ArrayList<>(work.values());
      slowestFirst.sort(Usage.Work.SLOWEST_FIRST);
      return new Usage(
          seconds, cpuSeconds, heapBytes, rssBytes.orElse(0), failedTasks, slowestFirst);
    }
  }
}
