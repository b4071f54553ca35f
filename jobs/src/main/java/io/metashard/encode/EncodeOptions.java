package io.metashard.encode;

import io.metashard.config.Settings;
import io.metashard.config.SettingsException;
import java.io.Serializable;

/**
 * How blocks are encoded and written.
 *
 * @param engine name of the coding engine
 * @param frameBytes payload of a full frame, also the cell that is coded at once: a task holds k +
 *     m of them
 * @param containerBytes size at which a container is closed and the next begun
 * @param taskBytes logical bytes that one task encodes, about
 * @param readBack {@code all}, {@code sample} or {@code none}
 * @param digest {@code on}: a SHA-256 of every block is kept
 */
public record EncodeOptions(
    String engine,
    int frameBytes,
    long containerBytes,
    long taskBytes,
    String readBack,
    String digest)
    implements Serializable {
  /** Bounds what a reader must hold to verify one frame. */
  public static final long MAX_FRAME_BYTES = 1L << 20;

  public EncodeOptions {
    if (frameBytes < 512 || frameBytes > MAX_FRAME_BYTES) {
      throw new SettingsException(
          "Cannot use reshard.frame-bytes = %d: it must be 512 bytes to 1 MiB"
              .formatted(frameBytes));
    }
    if (containerBytes < 1 || taskBytes < 1) {
      throw new SettingsException(
          "Cannot use reshard.container-bytes = %d, reshard.task-bytes = %d: each must be 1 or more"
              .formatted(containerBytes, taskBytes));
    }
  }

  public static EncodeOptions from(Settings settings) {
    return new EncodeOptions(
        settings.oneOf("reshard.engine", "long", "jrs"),
        (int) Math.min(settings.bytes("reshard.frame-bytes"), Integer.MAX_VALUE),
        settings.bytes("reshard.container-bytes"),
        settings.bytes("reshard.task-bytes"),
        settings.oneOf("reshard.read-back", "all", "sample", "none"),
        settings.oneOf("integrity.sha256", "on", "off"));
  }
}
