/** How bytes become blocks and come back: Reed-Solomon, XOR, copies. Pure, JDK only. */
package io.metashard.codec;
