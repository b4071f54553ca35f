/** Carries out plans: reads sources, encodes, writes containers, reads back. */
package io.metashard.encode;
