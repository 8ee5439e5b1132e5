/** Certificates that are obtained, stored and renewed by ACME. */
@NullMarked
package io.millau.acme;

import org.jspecify.annotations.NullMarked;
