/** What every implementation of an interface of the core has to pass. */
@NullMarked
package io.millau.core.testing;

import org.jspecify.annotations.NullMarked;
