/** Settings: one door over HOCON, with every key and default in {@code conf/reference.conf}. */
package io.metashard.config;
