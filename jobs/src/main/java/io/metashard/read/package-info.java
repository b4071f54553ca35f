/** Any byte range of an object, through the shard map, even with locations lost. No Spark. */
package io.metashard.read;
