/** Obtains, stores and renews certificates by ACME. */
@NullMarked
package io.millau.acme;

import org.jspecify.annotations.NullMarked;
