/** Seeded, realistic demo objects and request logs. */
package io.metashard.generate;
