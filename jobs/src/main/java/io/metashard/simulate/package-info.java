/** How long would reading take: models of locations, and of reads that need some of many blocks. */
package io.metashard.simulate;
