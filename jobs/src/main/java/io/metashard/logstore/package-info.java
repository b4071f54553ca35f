/** How Delta commits on S3: one conditional put a version, so that several drivers may meet. */
package io.metashard.logstore;
