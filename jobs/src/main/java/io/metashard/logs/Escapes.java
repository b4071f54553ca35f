package io.metashard.logs;

import io.metashard.ObjectIds;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/** Escapes in log lines, decoded to bytes and strictly to UTF-8. */
final class Escapes {
  private Escapes() {}

  /**
   * Percent escapes to text; {@code +} stays.
   *
   * @throws RefusedLineException if an escape is cut or not hexadecimal, or the result is not UTF-8
   */
  static String percentDecoded(byte[] text) {
    ByteArrayOutputStream out = new ByteArrayOutputStream(text.length);
    for (int i = 0; i < text.length; i++) {
      if (text[i] == '%') {
        out.write(hexByte(text, i + 1));
        i += 2;
      } else {
        out.write(text[i]);
      }
    }
    return utf8(out.toByteArray());
  }

  static String percentDecoded(String text) {
    return percentDecoded(text.getBytes(StandardCharsets.UTF_8));
  }

  /**
   * Backslash escapes of a quoted field, as Apache ({@code \"}, {@code \\}, {@code \n}, {@code
   * \xHH}) and nginx ({@code \xHH}) write them, to bytes.
   */
  static byte[] backslashDecoded(String text) {
    byte[] in = text.getBytes(StandardCharsets.UTF_8);
    ByteArrayOutputStream out = new ByteArrayOutputStream(in.length);
    for (int i = 0; i < in.length; i++) {
      if (in[i] != '\\') {
        out.write(in[i]);
        continue;
      }
      i++;
      if (i == in.length) {
        throw new RefusedLineException(Reasons.ESCAPE_MALFORMED);
      }
      switch (in[i]) {
        case 'x' -> {
          out.write(hexByte(in, i + 1));
          i += 2;
        }
        case 'n' -> out.write('\n');
        case 't' -> out.write('\t');
        case 'r' -> out.write('\r');
        case 'b' -> out.write('\b');
        case 'f' -> out.write('\f');
        case 'v' -> out.write(0x0b);
        case '"', '\\' -> out.write(in[i]);
        default -> throw new RefusedLineException(Reasons.ESCAPE_MALFORMED);
      }
    }
    return out.toByteArray();
  }

  static String utf8(byte[] bytes) {
    return ObjectIds.decodeUtf8(bytes, 0, bytes.length)
        .orElseThrow(() -> new RefusedLineException(Reasons.NOT_UTF8));
  }

  private static int hexByte(byte[] text, int at) {
    if (at + 2 > text.length) {
      throw new RefusedLineException(Reasons.ESCAPE_MALFORMED);
    }
    int high = Character.digit(text[at], 16);
    int low = Character.digit(text[at + 1], 16);
    if (high < 0 || low < 0) {
      throw new RefusedLineException(Reasons.ESCAPE_MALFORMED);
    }
    return high << 4 | low;
  }
}
