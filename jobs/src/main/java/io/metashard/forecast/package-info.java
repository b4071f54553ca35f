/** How often each segment will be requested. */
package io.metashard.forecast;
