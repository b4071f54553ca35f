package io.metashard.plan;

/** No plan holds to what was asked; the message says which limit, by how much, and what to do. */
public final class PlanRefusedException extends RuntimeException {
  public PlanRefusedException(String message) {
    super(message);
  }
}
