/** What the tests of several modules share. */
@NullMarked
package io.millau.core.testing;

import org.jspecify.annotations.NullMarked;
