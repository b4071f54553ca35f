package io.metashard.job;

import io.metashard.ObjectIds;
import io.metashard.catalogue.RejectedObjects;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.EtagSource;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocatedFileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RemoteIterator;

/**
 * Walks a source root and hands on what it finds, one file at a time, in no order.
 *
 * <p>Nothing is skipped silently: names that begin with a dot or an underscore are objects, and
 * what cannot be one is handed on as refused. The local file system is walked with {@code
 * java.nio}, since Hadoop's hides {@code .crc} files and leaves out, without a word, files whose
 * names the JVM cannot spell.
 */
final class RootWalk {
  /** Takes what is found. */
  interface Visitor {
    /**
     * @param objectId valid
     * @param uri opens by {@code new Path(uri)}; a local file by the raw local file system, as
     *     Hadoop's checksummed one refuses names with a colon
     * @param etag null when the file system knows none
     */
    void file(String objectId, String uri, long bytes, long modifiedMillis, String etag)
        throws IOException;

    /**
     * @param name below the root, as good as it can be spelt
     */
    void refused(String name, String reason) throws IOException;
  }

  private RootWalk() {}

  /**
   * Walks a root.
   *
   * @throws java.io.FileNotFoundException if there is no such folder
   * @throws java.nio.file.NotDirectoryException if it is a file
   * @throws IOException if a part of it cannot be read: what was found so far is not all
   */
  static void walk(Path root, Configuration hadoop, Visitor visitor) throws IOException {
    FileSystem fs = root.getFileSystem(hadoop);
    if ("file".equals(fs.getUri().getScheme())) {
      walkLocal(fs.makeQualified(root), visitor);
    } else {
      walkRemote(fs.makeQualified(root), fs, visitor);
    }
  }

  private static void walkRemote(Path root, FileSystem fs, Visitor visitor) throws IOException {
    FileStatus status = fs.getFileStatus(root);
    if (!status.isDirectory()) {
      throw new NotDirectoryException(root.toString());
    }
    String prefix = withSlash(root.toUri().getPath());
    RemoteIterator<LocatedFileStatus> files = fs.listFiles(root, true);
    while (files.hasNext()) {
      LocatedFileStatus file = files.next();
      String path = file.getPath().toUri().getPath();
      if (!path.startsWith(prefix)) {
        visitor.refused(path, RejectedObjects.LEADS_OUT);
        continue;
      }
      String id = path.substring(prefix.length());
      Optional<String> problem = problem(id);
      if (problem.isPresent()) {
        visitor.refused(id, problem.get());
        continue;
      }
      // Only some file systems' entries know an ETag, and some of those not of every file.
      String etag = file instanceof EtagSource tagged ? tagged.getEtag() : null;
      visitor.file(id, file.getPath().toString(), file.getLen(), file.getModificationTime(), etag);
    }
  }

  private static void walkLocal(Path root, Visitor visitor) throws IOException {
    java.nio.file.Path folder = java.nio.file.Path.of(root.toUri().getPath());
    if (!Files.exists(folder)) {
      throw new java.io.FileNotFoundException(folder.toString());
    }
    if (!Files.isDirectory(folder)) {
      throw new NotDirectoryException(folder.toString());
    }
    java.nio.file.Path real = folder.toRealPath();
    Files.walkFileTree(real, new LocalVisitor(real, withSlash(root.toString()), visitor));
  }

  private static final class LocalVisitor extends SimpleFileVisitor<java.nio.file.Path> {
    private final java.nio.file.Path root;
    private final int rootBytes;
    private final String rootUri;
    private final Visitor visitor;

    LocalVisitor(java.nio.file.Path root, String rootUri, Visitor visitor) {
      this.root = root;
      this.rootBytes = withSlash(root.toUri().getRawPath()).length();
      this.rootUri = rootUri;
      this.visitor = visitor;
    }

    @Override
    public FileVisitResult visitFile(java.nio.file.Path file, BasicFileAttributes attributes)
        throws IOException {
      BasicFileAttributes target = attributes;
      if (attributes.isSymbolicLink()) {
        try {
          if (!file.toRealPath().startsWith(root)) {
            return refused(file, RejectedObjects.LEADS_OUT);
          }
          target = Files.readAttributes(file, BasicFileAttributes.class);
        } catch (IOException e) {
          return refused(file, RejectedObjects.BROKEN_LINK);
        }
      }
      if (target.isDirectory()) {
        return refused(file, RejectedObjects.LINKED_FOLDER);
      }
      if (!target.isRegularFile()) {
        return refused(file, RejectedObjects.NOT_A_FILE);
      }
      Optional<String> name = name(file);
      if (name.isEmpty()) {
        return refused(file, RejectedObjects.NOT_UTF8);
      }
      String id = name.get();
      Optional<String> problem = problem(id);
      if (problem.isPresent()) {
        return refused(file, problem.get());
      }
      // Hadoop opens files through java.io.File, which spells names in the locale's charset.
      if (!StandardCharsets.US_ASCII.newEncoder().canEncode(id)
          && !new java.io.File(root.toFile(), id).exists()) {
        return refused(file, RejectedObjects.NOT_IN_LOCALE);
      }
      visitor.file(id, rootUri + id, target.size(), target.lastModifiedTime().toMillis(), null);
      return FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult visitFileFailed(java.nio.file.Path file, IOException e)
        throws IOException {
      if (e instanceof NoSuchFileException && !file.equals(root)) {
        return FileVisitResult.CONTINUE; // deleted since its folder was listed
      }
      throw e;
    }

    private FileVisitResult refused(java.nio.file.Path file, String reason) throws IOException {
      visitor.refused(name(file).orElse(root.relativize(file).toString()), reason);
      return FileVisitResult.CONTINUE;
    }

    /** The bytes of the name below the root as UTF-8, whatever the locale. */
    private Optional<String> name(java.nio.file.Path file) {
      String rest = file.toUri().getRawPath().substring(rootBytes);
      // A link to a folder is spelt with a slash at its end.
      byte[] bytes =
          percentDecoded(rest.endsWith("/") ? rest.substring(0, rest.length() - 1) : rest);
      return ObjectIds.decodeUtf8(bytes, 0, bytes.length);
    }
  }

  private static byte[] percentDecoded(String text) {
    ByteBuffer bytes = ByteBuffer.allocate(text.length());
    for (int i = 0; i < text.length(); i++) {
      char character = text.charAt(i);
      if (character == '%') {
        bytes.put((byte) Integer.parseInt(text, i + 1, i + 3, 16));
        i += 2;
      } else {
        bytes.put((byte) character);
      }
    }
    byte[] decoded = new byte[bytes.position()];
    bytes.flip().get(decoded);
    return decoded;
  }

  private static Optional<String> problem(String id) {
    // A file system that could not decode a name put U+FFFD there: it could not be opened by it.
    return id.indexOf('\ufffd') >= 0
        ? Optional.of(RejectedObjects.NOT_UTF8)
        : ObjectIds.problem(id);
  }

  private static String withSlash(String path) {
    return path.endsWith("/") ? path : path + "/";
  }
}
