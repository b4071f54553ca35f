/**
 * The words of the house: objects, segments, blocks, locations. Records that import nothing but the
 * JDK and that every room may use.
 */
package io.metashard;
