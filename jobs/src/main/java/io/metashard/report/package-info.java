/** One page about one night: its figures, what they mean, and what to do about them. */
package io.metashard.report;
