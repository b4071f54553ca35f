/** Benchmarks: workloads of any size made by Spark, and what a run took. */
package io.metashard.bench;
