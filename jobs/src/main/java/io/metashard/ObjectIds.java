package io.metashard;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * What may be an object id: 1 to 1,024 bytes of valid UTF-8 without NUL, as in S3.
 *
 * <p>Ids come from strangers. They never become paths, SQL, HTML or log lines as they are: {@link
 * #printable} is for people's eyes.
 */
public final class ObjectIds {
  /** Longest id, in bytes of UTF-8 (S3's limit for a key). */
  public static final int MAX_BYTES = 1024;

  private ObjectIds() {}

  /** Why {@code id} cannot be an object id, as a kebab-case reason; empty when it can. */
  public static Optional<String> problem(String id) {
    if (id == null || id.isEmpty()) {
      return Optional.of("object-id-empty");
    }
    if (id.length() > MAX_BYTES) {
      return Optional.of("object-id-too-long");
    }
    if (id.indexOf('\0') >= 0) {
      return Optional.of("object-id-has-nul");
    }
    try {
      ByteBuffer bytes =
          StandardCharsets.UTF_8
              .newEncoder()
              .onMalformedInput(CodingErrorAction.REPORT)
              .encode(CharBuffer.wrap(id));
      return bytes.remaining() > MAX_BYTES ? Optional.of("object-id-too-long") : Optional.empty();
    } catch (CharacterCodingException e) {
      return Optional.of("object-id-not-utf8");
    }
  }

  /** Decodes strictly; empty when the bytes are not UTF-8. */
  public static Optional<String> decodeUtf8(byte[] bytes, int offset, int length) {
    try {
      return Optional.of(
          StandardCharsets.UTF_8
              .newDecoder()
              .onMalformedInput(CodingErrorAction.REPORT)
              .onUnmappableCharacter(CodingErrorAction.REPORT)
              .decode(ByteBuffer.wrap(bytes, offset, length))
              .toString());
    } catch (CharacterCodingException e) {
      return Optional.empty();
    }
  }

  /**
   * The text with control characters, line separators, direction marks and lone surrogates written
   * as {@code \\uXXXX}, cut to {@code maxChars} characters (an ellipsis says that it was cut).
   */
  public static String printable(String text, int maxChars) {
    if (text == null) {
      return "null";
    }
    StringBuilder out = new StringBuilder(Math.min(text.length(), maxChars) + 16);
    int position = 0;
    while (position < text.length() && out.length() < maxChars) {
      int codePoint = text.codePointAt(position);
      position += Character.charCount(codePoint);
      switch (Character.getType(codePoint)) {
        case Character.CONTROL,
            Character.FORMAT,
            Character.LINE_SEPARATOR,
            Character.PARAGRAPH_SEPARATOR,
            Character.SURROGATE,
            Character.PRIVATE_USE,
            Character.UNASSIGNED -> {
          for (char unit : Character.toChars(codePoint)) {
            out.append("\\u%04x".formatted((int) unit));
          }
        }
        default -> {
          if (codePoint == '\\') {
            out.append("\\\\");
          } else {
            out.appendCodePoint(codePoint);
          }
        }
      }
    }
    if (position < text.length()) {
      out.append('…');
    }
    return out.toString();
  }

  /** {@link #printable(String, int)} at 200 characters. */
  public static String printable(String text) {
    return printable(text, 200);
  }
}
