/** Docker Engines for tests: the one that is there, or one's own. */
@NullMarked
package io.millau.docker.testing;

import org.jspecify.annotations.NullMarked;
