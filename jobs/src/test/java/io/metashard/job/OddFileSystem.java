package io.metashard.job;

import java.io.IOException;
import java.net.URI;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.fs.permission.FsPermission;
import org.apache.hadoop.util.Progressable;

/**
 * Local folders that are not as they should be, by the authority of their URIs: {@code both} lets
 * every writer win, {@code late} has a clock that is an hour behind, {@code keeps} deletes nothing.
 */
public class OddFileSystem extends FileSystem {
  static final String BOTH = "both";
  static final String LATE = "late";
  static final String KEEPS = "keeps";

  private final RawLocalFileSystem local = new RawLocalFileSystem();
  private URI uri;

  @Override
  public void initialize(URI name, Configuration conf) throws IOException {
    super.initialize(name, conf);
    setConf(conf);
    uri = URI.create("odd://" + name.getAuthority());
    local.initialize(URI.create("file:///"), conf);
  }

  private boolean is(String authority) {
    return authority.equals(uri.getAuthority());
  }

  private static Path inner(Path path) {
    return new Path("file", null, path.toUri().getPath());
  }

  private FileStatus outer(FileStatus status) {
    return new FileStatus(
        status.getLen(),
        status.isDirectory(),
        1,
        1,
        status.getModificationTime() - (is(LATE) ? 3_600_000 : 0),
        makeQualified(new Path(status.getPath().toUri().getPath())));
  }

  @Override
  public URI getUri() {
    return uri;
  }

  @Override
  public FSDataInputStream open(Path path, int bufferSize) throws IOException {
    return local.open(inner(path), bufferSize);
  }

  @Override
  public FSDataOutputStream create(
      Path path,
      FsPermission permission,
      boolean overwrite,
      int bufferSize,
      short replication,
      long blockSize,
      Progressable progress)
      throws IOException {
    return local.create(inner(path), overwrite || is(BOTH), bufferSize, replication, blockSize);
  }

  @Override
  public FSDataOutputStream append(Path path, int bufferSize, Progressable progress)
      throws IOException {
    return local.append(inner(path), bufferSize, progress);
  }

  @Override
  public boolean rename(Path from, Path to) throws IOException {
    return local.rename(inner(from), inner(to));
  }

  @Override
  public boolean delete(Path path, boolean recursive) throws IOException {
    if (is(KEEPS)) {
      throw new IOException("deletes are forbidden here");
    }
    return local.delete(inner(path), recursive);
  }

  @Override
  public FileStatus[] listStatus(Path path) throws IOException {
    FileStatus[] found = local.listStatus(inner(path));
    for (int i = 0; i < found.length; i++) {
      found[i] = outer(found[i]);
    }
    return found;
  }

  @Override
  public void setWorkingDirectory(Path folder) {
    local.setWorkingDirectory(inner(folder));
  }

  @Override
  public Path getWorkingDirectory() {
    return new Path(uri.getScheme(), uri.getAuthority(), "/");
  }

  @Override
  public boolean mkdirs(Path path, FsPermission permission) throws IOException {
    return local.mkdirs(inner(path));
  }

  @Override
  public FileStatus getFileStatus(Path path) throws IOException {
    return outer(local.getFileStatus(inner(path)));
  }
}
