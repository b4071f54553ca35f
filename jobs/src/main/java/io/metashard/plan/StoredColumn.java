package io.metashard.plan;

/**
 * What of an object lies together at one location.
 *
 * @param readMillis of all reads that are expected there now
 * @param needed columns that a read waits for
 * @param moved whether the heat is another than when it was written, by the hysteresis
 */
record StoredColumn(String location, long bytes, double readMillis, int needed, boolean moved) {}
