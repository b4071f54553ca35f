package io.metashard.job;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** Folders of this machine that only one run uses. */
final class LocalFolders {
  private LocalFolders() {}

  /** Deletes a folder with everything in it; links are deleted, not followed. */
  static void delete(Path folder) throws IOException {
    List<Path> deepestFirst;
    try (Stream<Path> all = Files.walk(folder)) {
      deepestFirst = all.sorted(Comparator.reverseOrder()).toList();
    } catch (UncheckedIOException e) {
      throw new IOException("Cannot list %s: %s".formatted(folder, e.getMessage()), e);
    }
    for (Path path : deepestFirst) {
      Files.deleteIfExists(path);
    }
  }
}
