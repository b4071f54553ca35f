package io.metashard.job;

/** How many requests a location may still get. Thread safe. */
final class RequestBudget {
  private final int most;
  private int spent;

  RequestBudget(int most) {
    this.most = most;
  }

  /**
   * Called before requests are made.
   *
   * @throws IllegalStateException if there are not so many left: nobody may ask for more
   */
  synchronized void spend(int requests) {
    if (requests > left()) {
      throw new IllegalStateException(
          "Cannot make %d more requests: %d of %d are spent".formatted(requests, spent, most));
    }
    spent += requests;
  }

  synchronized int left() {
    return most - spent;
  }

  synchronized int spent() {
    return spent;
  }
}
