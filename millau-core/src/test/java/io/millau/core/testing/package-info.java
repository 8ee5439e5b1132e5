/** Test code shared by several modules. */
@NullMarked
package io.millau.core.testing;

import org.jspecify.annotations.NullMarked;
