package io.metashard.lake;

import org.apache.hadoop.fs.Path;
import org.apache.hadoop.mapreduce.JobContext;
import org.apache.hadoop.mapreduce.TaskAttemptContext;
import org.apache.spark.internal.io.FileCommitProtocol;
import scala.Option;
import scala.collection.immutable.Seq;

/**
 * Writes the files of a job where they shall be, under names that the job and the partition decide:
 * for object stores, where Spark's own way, to write elsewhere and rename, copies every file.
 *
 * <p>Sound where a file is there whole or not at all and putting it again replaces it, as on object
 * stores: an attempt of a task that is tried again writes the same file, and there is no second one
 * to tell apart. Not for local files or HDFS, where half a file can be seen. A job that fails
 * leaves files behind, so its folder must be its own; what Metashard writes this way are the MLlib
 * models of one attempt.
 */
@SuppressWarnings("deprecation") // two methods that Spark deprecates are abstract all the same
public final class InPlaceCommitProtocol extends FileCommitProtocol
    implements java.io.Serializable {
  private static final long serialVersionUID = 1L;

  private final String jobId;
  private final String folder;

  /** As Spark makes it, by reflection. */
  public InPlaceCommitProtocol(String jobId, String path) {
    this.jobId = jobId;
    this.folder = path;
  }

  @Override
  public void setupJob(JobContext job) {
    // Nothing: folders come with files.
  }

  @Override
  public void commitJob(JobContext job, Seq<TaskCommitMessage> tasks) {
    // Every file is where it shall be.
  }

  @Override
  public void abortJob(JobContext job) {
    // What was written stays until its folder expires; nobody names it.
  }

  @Override
  public void setupTask(TaskAttemptContext task) {
    // Nothing: names follow from the job and the partition.
  }

  @Override
  public String newTaskTempFile(TaskAttemptContext task, Option<String> subfolder, String ext) {
    Path parent = new Path(folder);
    if (subfolder.isDefined()) {
      parent = new Path(parent, subfolder.get());
    }
    int partition = task.getTaskAttemptID().getTaskID().getId();
    return new Path(parent, "part-%05d-%s%s".formatted(partition, jobId, ext)).toString();
  }

  @Override
  public String newTaskTempFileAbsPath(TaskAttemptContext task, String absoluteFolder, String ext) {
    throw new UnsupportedOperationException(
        "Cannot write to %s: partitions at places of their own are not written in place"
            .formatted(absoluteFolder));
  }

  @Override
  public TaskCommitMessage commitTask(TaskAttemptContext task) {
    return new TaskCommitMessage(jobId);
  }

  @Override
  public void abortTask(TaskAttemptContext task) {
    // The next attempt puts the same file; a failed job's folder is nobody's.
  }
}
