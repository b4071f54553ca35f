package io.metashard.logs;

/** Reads one line, or one record, of a text log. Any text gives a request or a reason. */
@FunctionalInterface
public interface LineParser {
  ParsedLine parse(String line);
}
