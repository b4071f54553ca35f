package io.metashard.simulate;

import java.io.Serializable;

/**
 * How a layout that plans are compared with cuts an object: a rule that needs to know nothing but
 * the object.
 */
public sealed interface LayoutRule extends Serializable {
  /**
   * @param data equal parts that hold the object
   * @param spare blocks of parity, or further copies when there is one part
   */
  record Parts(int data, int spare) {}

  Parts of(SimulatedObject object);

  /** Every object alike. */
  record Uniform(int k, int m) implements LayoutRule {
    @Override
    public Parts of(SimulatedObject object) {
      return new Parts(k, m);
    }
  }

  /**
   * One parity block more for what is popular.
   *
   * @param fromRequests expected of an object that has it
   */
  record MoreForTheHottest(int k, int m, double fromRequests) implements LayoutRule {
    @Override
    public Parts of(SimulatedObject object) {
      return new Parts(k, object.expectedRequests() >= fromRequests ? m + 1 : m);
    }
  }

  /**
   * As many copies as make each be read no more than so much.
   *
   * @param mostReadBytes of each copy
   * @param most copies
   */
  record Copies(double mostReadBytes, int most) implements LayoutRule {
    @Override
    public Parts of(SimulatedObject object) {
      return new Parts(1, copies(object.expectedRequests() * object.bytes()) - 1);
    }

    int copies(double readBytes) {
      return (int) Math.max(1, Math.min(most, Math.ceil(readBytes / mostReadBytes)));
    }
  }

  /**
   * The more parts, the more bytes are read of it.
   *
   * @param partsPerReadByte scale of the rule
   * @param most parts
   */
  record Split(double partsPerReadByte, int most) implements LayoutRule {
    @Override
    public Parts of(SimulatedObject object) {
      double parts = Math.ceil(partsPerReadByte * object.expectedRequests() * object.bytes());
      return new Parts((int) Math.max(1, Math.min(Math.min(most, object.bytes()), parts)), 0);
    }
  }
}
