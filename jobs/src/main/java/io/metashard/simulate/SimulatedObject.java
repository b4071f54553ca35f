package io.metashard.simulate;

/**
 * An object of a simulation.
 *
 * @param expectedRequests what a layout may know of how often it will be read
 */
public record SimulatedObject(String objectId, long bytes, double expectedRequests) {}
