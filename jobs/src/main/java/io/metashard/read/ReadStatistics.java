package io.metashard.read;

/**
 * What a reader did so far.
 *
 * @param bytesServed bytes given to callers
 * @param rebuiltBytes bytes among them that were decoded from other blocks
 * @param sourceBytes bytes among them that came from the source
 */
public record ReadStatistics(long bytesServed, long rebuiltBytes, long sourceBytes) {}
