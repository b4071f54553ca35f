/** Where bytes live: ranged reads, create-only writes, containers of framed blocks. */
package io.metashard.store;
