/** What is a request, and which log lines are refused and why. */
package io.metashard.logs;
