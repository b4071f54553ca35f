/** Keeps what is stored in order: are the containers there that a map names. */
package io.metashard.upkeep;
