/** Which objects the source roots hold. */
package io.metashard.catalogue;
