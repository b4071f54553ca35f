/** The command line: options, wiring, printing; one job a stage. */
package io.metashard.job;
