package io.metashard.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.EOFException;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What every store must do; one subclass per store. */
abstract class ObjectStoreContract {
  private ObjectStore store;

  /** A store with nothing in it. */
  abstract ObjectStore emptyStore();

  @BeforeEach
  void openStore() {
    store = emptyStore();
  }

  @AfterEach
  void closeStore() throws IOException {
    store.close();
  }

  @Test
  void readsBackWhatWasWritten() throws IOException {
    byte[] content = write("a/b/c=1/file-0_1.bin", 200_000);
    assertThat(store.length("a/b/c=1/file-0_1.bin")).isEqualTo(200_000);
    assertThat(read("a/b/c=1/file-0_1.bin", 0, 200_000)).isEqualTo(content);
  }

  @Test
  void fillsOnlyTheRangeAskedFor() throws IOException {
    byte[] content = write("f", 1000);
    byte[] buffer = new byte[20];
    store.readFully("f", 990, buffer, 5, 10);
    byte[] expected = new byte[20];
    System.arraycopy(content, 990, expected, 5, 10);
    assertThat(buffer).isEqualTo(expected);
  }

  @Test
  void keepsEmptyFiles() throws IOException {
    write("empty", 0);
    assertThat(store.length("empty")).isZero();
    assertThat(read("empty", 0, 0)).isEmpty();
    assertThatThrownBy(() -> read("empty", 0, 1)).isInstanceOf(EOFException.class);
  }

  @Test
  void aReadPastTheEndIsAnEndOfFile() throws IOException {
    byte[] content = write("f", 100);
    assertThatThrownBy(() -> read("f", 0, 101)).isInstanceOf(EOFException.class);
    assertThatThrownBy(() -> read("f", 100, 1)).isInstanceOf(EOFException.class);
    assertThatThrownBy(() -> read("f", Long.MAX_VALUE - 5, 4)).isInstanceOf(EOFException.class);
    assertThat(read("f", 99, 1)).isEqualTo(new byte[] {content[99]}); // and goes on working
  }

  @Test
  void aMissingFileIsNoSuchFile() {
    assertThatThrownBy(() -> read("none/x", 0, 1))
        .isInstanceOf(NoSuchFileException.class)
        .hasMessageContaining("none/x");
    assertThatThrownBy(() -> store.length("none/x"))
        .isInstanceOf(NoSuchFileException.class)
        .hasMessageContaining("none/x");
  }

  @Test
  void refusesRangesOutsideTheBufferAndNegativePositions() throws IOException {
    write("f", 100);
    assertThatThrownBy(() -> store.readFully("f", 0, new byte[4], 2, 3))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> store.readFully("f", 0, new byte[4], 0, -1))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> store.readFully("f", -1, new byte[4], 0, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Cannot read f at -1: the position is negative");
  }

  @Test
  void neverWritesAPathTwice() throws IOException {
    byte[] first = write("once", 50);
    assertThatThrownBy(() -> store.create("once").close())
        .isInstanceOf(FileAlreadyExistsException.class)
        .hasMessageContaining("once");
    assertThat(read("once", 0, 50)).isEqualTo(first);
  }

  @Test
  void oneOfManyWritersOfAPathWins() throws Exception {
    int writers = 8;
    ExecutorService threads = Executors.newFixedThreadPool(writers);
    try {
      for (int round = 0; round < 20; round++) {
        String path = "race/" + round;
        CountDownLatch start = new CountDownLatch(1);
        List<Future<Integer>> results = new ArrayList<>();
        for (int writer = 0; writer < writers; writer++) {
          int mark = writer;
          results.add(
              threads.submit(
                  () -> {
                    start.await();
                    try (StoreOutput output = store.create(path)) {
                      output.write(mark);
                    } catch (FileAlreadyExistsException e) {
                      return -1;
                    }
                    return mark;
                  }));
        }
        start.countDown();
        List<Integer> winners = new ArrayList<>();
        for (Future<Integer> result : results) {
          if (result.get() >= 0) {
            winners.add(result.get());
          }
        }
        assertThat(winners).as(path).hasSize(1);
        assertThat(read(path, 0, 1)[0]).isEqualTo(winners.get(0).byteValue());
      }
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void abortLeavesNothing() throws IOException {
    StoreOutput output = store.create("half");
    output.write(new byte[100_000]);
    assertThat(output.position()).isEqualTo(100_000);
    output.abort();
    output.abort();
    output.close();
    assertThatThrownBy(() -> store.length("half")).isInstanceOf(NoSuchFileException.class);
    assertThat(paths("")).isEmpty();
  }

  @Test
  void abortAfterCloseChangesNothing() throws IOException {
    StoreOutput output = store.create("whole");
    output.write(7);
    output.close();
    output.abort();
    assertThat(read("whole", 0, 1)).isEqualTo(new byte[] {7});
  }

  @Test
  void countsThePosition() throws IOException {
    try (StoreOutput output = store.create("p")) {
      assertThat(output.position()).isZero();
      output.write(1);
      output.write(new byte[10], 2, 5);
      assertThat(output.position()).isEqualTo(6);
    }
    assertThat(store.length("p")).isEqualTo(6);
  }

  @Test
  void listsAFolderAtAnyDepth() throws IOException {
    write("a/1", 10);
    write("a/b/c/2", 20);
    write("ab/3", 30);
    assertThat(paths("a")).containsExactlyInAnyOrder("a/1", "a/b/c/2");
    assertThat(paths("a/b")).containsExactly("a/b/c/2");
    assertThat(paths("")).containsExactlyInAnyOrder("a/1", "a/b/c/2", "ab/3");
    assertThat(paths("nothing/here")).isEmpty();
    StoredFile file = store.list("ab").next();
    assertThat(file.length()).isEqualTo(30);
    assertThat(file.modifiedAt()).isNotNull();
  }

  @Test
  void aListingEnds() throws IOException {
    write("a/1", 1);
    Iterator<StoredFile> files = store.list("a");
    files.next();
    assertThat(files.hasNext()).isFalse();
    assertThatThrownBy(files::next).isInstanceOf(NoSuchElementException.class);
  }

  @Test
  void deletesFilesAndForgivesMissingOnes() throws IOException {
    write("d/1", 10);
    read("d/1", 0, 10);
    store.delete("d/1");
    store.delete("d/1");
    store.delete("never/was");
    assertThat(paths("d")).isEmpty();
    assertThatThrownBy(() -> read("d/1", 0, 10)).isInstanceOf(NoSuchFileException.class);
  }

  @Test
  void manyThreadsReadManyFiles() throws Exception {
    List<byte[]> contents = new ArrayList<>();
    for (int file = 0; file < 100; file++) { // more than a store keeps open
      contents.add(write("many/" + file, 5000));
    }
    ExecutorService threads = Executors.newFixedThreadPool(6);
    try {
      List<Future<Integer>> results = new ArrayList<>();
      for (int thread = 0; thread < 6; thread++) {
        Random random = new Random(thread);
        results.add(
            threads.submit(
                () -> {
                  int right = 0;
                  for (int i = 0; i < 1000; i++) {
                    int file = random.nextInt(100);
                    int position = random.nextInt(4900);
                    byte[] part = read("many/" + file, position, 100);
                    right += startsAt(contents.get(file), position, part) ? 1 : 0;
                  }
                  return right;
                }));
      }
      for (Future<Integer> result : results) {
        assertThat(result.get()).isEqualTo(1000);
      }
    } finally {
      threads.shutdownNow();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "/abs",
        "a//b",
        "a/",
        "..",
        "../x",
        "a/../b",
        "a/..",
        "a..b",
        ".",
        "./a",
        "a/./b",
        "a b",
        "a\nb",
        "a\\b",
        "a%2e",
        "ü",
        "a:b",
        "a*",
        "s3a://b/c",
        "a\0b",
        "~a",
        "'; DROP TABLE"
      })
  void refusesPathsThatAreNotOurs(String path) {
    String message = "must be relative, of segments of A-Z a-z 0-9 . _ = - without ..";
    assertThatThrownBy(() -> store.create(path))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("Cannot use path ")
        .hasMessageContaining(message);
    assertThatThrownBy(() -> read(path, 0, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message);
    assertThatThrownBy(() -> store.length(path))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message);
    assertThatThrownBy(() -> store.delete(path))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message);
    if (!path.isEmpty()) { // the root may be listed
      assertThatThrownBy(() -> store.list(path))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining(message);
    }
  }

  @Test
  void refusesPathsThatAreTooLong() {
    assertThatThrownBy(() -> store.create("a".repeat(801)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("of at most 800 characters")
        .hasMessageContaining("a".repeat(200) + "…");
    assertThatThrownBy(() -> store.create(null)).isInstanceOf(IllegalArgumentException.class);
  }

  private byte[] write(String path, int bytes) throws IOException {
    byte[] content = new byte[bytes];
    new Random(path.hashCode()).nextBytes(content);
    try (StoreOutput output = store.create(path)) {
      output.write(content);
    }
    return content;
  }

  private byte[] read(String path, long position, int length) throws IOException {
    byte[] buffer = new byte[length];
    store.readFully(path, position, buffer, 0, length);
    return buffer;
  }

  private List<String> paths(String prefix) throws IOException {
    List<String> paths = new ArrayList<>();
    store.list(prefix).forEachRemaining(file -> paths.add(file.path()));
    return paths;
  }

  private static boolean startsAt(byte[] content, int position, byte[] part) {
    return Arrays.equals(content, position, position + part.length, part, 0, part.length);
  }
}
