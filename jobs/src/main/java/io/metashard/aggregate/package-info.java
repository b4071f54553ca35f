/** How often each segment of each object was read, per time bucket. */
package io.metashard.aggregate;
