package io.metashard.logs;

import java.io.Serializable;
import java.util.List;

/**
 * Whose requests do not count.
 *
 * @param excluded parts of user agents
 */
public record ClientRules(List<String> excluded) implements Serializable {
  /** How Metashard's own S3 clients call themselves. */
  private static final String OURS = "Metashard/";

  public ClientRules {
    excluded = List.copyOf(excluded);
    if (excluded.contains("")) {
      throw new IllegalArgumentException(
          "Cannot exclude the client \"\": it is part of every name; remove it from"
              + " exclude-clients");
    }
  }

  /** The operation, or {@code maintenance} when the client's requests do not count. */
  String operation(String operation, String client) {
    boolean counts =
        client == null || !client.startsWith(OURS) && excluded.stream().noneMatch(client::contains);
    return counts ? operation : Requests.MAINTENANCE;
  }
}
