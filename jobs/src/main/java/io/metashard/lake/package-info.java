/** The lake's Delta tables: their declaration, and how they are created, read and committed to. */
package io.metashard.lake;
