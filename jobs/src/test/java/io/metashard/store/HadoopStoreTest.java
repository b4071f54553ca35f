package io.metashard.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.metashard.SharedSpark;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;

class HadoopStoreTest extends ObjectStoreContract {
  private final Path root = SharedSpark.tempFolder("store").resolve("not made yet");

  @Override
  ObjectStore emptyStore() {
    return new HadoopStore(root.toUri().toString().replace("%20", " "), new Configuration(false));
  }

  @Test
  void writesNoSideFiles() throws IOException {
    try (ObjectStore store = emptyStore()) {
      store.create("c/1").close();
      store.create("c/2").abort();
    }
    try (Stream<Path> files = Files.walk(root)) {
      List<String> found =
          files
              .filter(Files::isRegularFile)
              .map(file -> root.relativize(file).toString())
              .collect(Collectors.toList());
      assertThat(found).containsExactly("c/1");
    }
  }

  @Test
  void takesARootWithoutASchemeAndWithASlash() throws IOException {
    try (ObjectStore store = new HadoopStore(root + "/", new Configuration(false))) {
      store.create("x/y").close();
      assertThat(store.list("").next().path()).isEqualTo("x/y");
    }
    assertThat(root.resolve("x/y")).exists();
  }

  @Test
  void leavesFilesOfOthersOutOfListings() throws IOException {
    try (ObjectStore store = emptyStore()) {
      store.create("ours").close();
      Files.writeString(root.resolve("not ours"), "x");
      store.list("").forEachRemaining(file -> assertThat(file.path()).isEqualTo("ours"));
    }
  }

  @Test
  void saysWhichFolderIsAFile() throws IOException {
    try (ObjectStore store = emptyStore()) {
      store.create("taken").close();
      assertThatThrownBy(() -> store.create("taken/below"))
          .isInstanceOf(IOException.class)
          .isNotInstanceOf(FileAlreadyExistsException.class)
          .hasMessageStartingWith("Cannot create ")
          .hasMessageContaining("is a file, not a folder");
    }
  }

  @Test
  void anInterruptedReaderDoesNotBreakTheNext() throws IOException {
    try (ObjectStore store = emptyStore()) {
      try (StoreOutput output = store.create("f")) {
        output.write(new byte[] {1, 2, 3});
      }
      byte[] buffer = new byte[3];
      store.readFully("f", 0, buffer, 0, 3);
      Thread.currentThread().interrupt(); // closes the file channel that all readers share
      assertThatThrownBy(() -> store.readFully("f", 0, buffer, 0, 3))
          .isInstanceOf(ClosedByInterruptException.class);
      assertThat(Thread.interrupted()).isTrue();
      store.readFully("f", 1, buffer, 0, 2);
      assertThat(buffer).isEqualTo(new byte[] {2, 3, 3});
    }
  }

  @Test
  void refusesAnUnknownFileSystem() {
    assertThatThrownBy(() -> new HadoopStore("nosuch://x/y", new Configuration(false)))
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageContaining("Cannot open the file system of nosuch://x/y")
        .hasMessageContaining("check the URI and its credentials");
  }
}
