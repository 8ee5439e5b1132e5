/** Docker Engines for tests: that of the environment, or engines started by the test. */
@NullMarked
package io.millau.docker.testing;

import org.jspecify.annotations.NullMarked;
