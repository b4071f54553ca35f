package io.metashard.it;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.util.EnumSet;
import org.apache.hadoop.fs.CreateFlag;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.permission.FsPermission;
import org.apache.hadoop.util.Progressable;
import org.apache.spark.TaskContext;

/**
 * The local file system, on which every file that a task's first attempt writes is complete before
 * the attempt fails.
 *
 * <p>Each failure leaves a file in the folder {@link #FOLDER}, for the test to count.
 */
public final class FirstAttemptsFail extends LocalFileSystem {
  static final String FOLDER = "metashard.test.failures";

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
    return failing(
        path,
        super.create(path, permission, overwrite, bufferSize, replication, blockSize, progress));
  }

  @Override
  public FSDataOutputStream createNonRecursive(
      Path path,
      FsPermission permission,
      EnumSet<CreateFlag> flags,
      int bufferSize,
      short replication,
      long blockSize,
      Progressable progress)
      throws IOException {
    return failing(
        path,
        super.createNonRecursive(
            path, permission, flags, bufferSize, replication, blockSize, progress));
  }

  private FSDataOutputStream failing(Path path, FSDataOutputStream out) throws IOException {
    TaskContext task = TaskContext.get();
    if (task == null || task.attemptNumber() > 0) {
      return out;
    }
    String mark = "%d-%d-%s".formatted(task.stageId(), task.partitionId(), path.getName());
    java.nio.file.Path failures = java.nio.file.Path.of(getConf().get(FOLDER));
    return new FSDataOutputStream(
        new OutputStream() {
          @Override
          public void write(int b) throws IOException {
            out.write(b);
          }

          @Override
          public void write(byte[] bytes, int offset, int length) throws IOException {
            out.write(bytes, offset, length);
          }

          @Override
          public void flush() throws IOException {
            out.flush();
          }

          @Override
          public void close() throws IOException {
            out.close();
            Files.writeString(failures.resolve(mark), path.toString());
            throw new IOException("first attempts fail in this test, after " + path);
          }
        },
        null);
  }
}
