package io.metashard.simulate;

/**
 * A read that is replayed.
 *
 * @param atMillis since the beginning
 * @param from first byte
 * @param to first byte after the range
 */
public record ReadRequest(double atMillis, String objectId, long from, long to) {}
