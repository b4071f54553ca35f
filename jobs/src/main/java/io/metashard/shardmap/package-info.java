/** Where every block is, at which version. */
package io.metashard.shardmap;
