/**
 * Which objects are encoded, into which meta-shards, and where: pure decisions, no Spark, no IO.
 */
package io.metashard.plan;
