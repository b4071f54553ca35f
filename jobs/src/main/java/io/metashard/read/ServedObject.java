package io.metashard.read;

/** An object that the shard map serves, at the version and length that it serves. */
public record ServedObject(String objectId, String objectVersion, long objectBytes) {}
