package io.metashard.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class PaceTest {
  private static final long SECOND = 1_000_000_000L;

  private final AtomicLong nanos = new AtomicLong(-5 * SECOND); // a clock may begin anywhere

  private Pace pace(long bytesPerSecond) {
    return new Pace(bytesPerSecond, nanos::get, nanos::addAndGet);
  }

  @Test
  void afterOneSecondsWorthBytesTakeTheirTime() {
    Pace pace = pace(1_000);
    long begun = nanos.get();
    for (int i = 0; i < 50; i++) {
      pace.take(100);
    }
    // 5,000 bytes, of which the first 1,000 are free.
    assertThat(nanos.get() - begun).isEqualTo(4 * SECOND);
  }

  @Test
  void whatWasNotUsedIsKeptForASecondOnly() {
    Pace pace = pace(1_000);
    pace.take(1_000);
    nanos.addAndGet(60 * SECOND);
    long begun = nanos.get();
    pace.take(3_000);
    assertThat(nanos.get() - begun).isEqualTo(2 * SECOND);
  }

  @Test
  void withoutALimitNobodyWaits() {
    Pace pace = pace(0);
    long begun = nanos.get();
    pace.take(Long.MAX_VALUE);
    assertThat(nanos.get()).isEqualTo(begun);
    assertThatThrownBy(() -> new Pace(-1)).hasMessageContaining("-1 bytes a second");
  }

  @Test
  void aStoreReadsAndWritesAtItsPace() throws IOException {
    PacedStore store = new PacedStore(new MemoryStore(), pace(1_000));
    long begun = nanos.get();
    try (StoreOutput out = store.create("f")) {
      out.write(new byte[2_000]);
    }
    byte[] buffer = new byte[2_000];
    store.readFully("f", 0, buffer, 0, 2_000);
    assertThat(nanos.get() - begun).isEqualTo(3 * SECOND);
    assertThat(store.length("f")).isEqualTo(2_000);
    assertThat(store.list("")).toIterable().hasSize(1);
    store.delete("f");
    assertThat(store.list("")).isExhausted();
  }
}
