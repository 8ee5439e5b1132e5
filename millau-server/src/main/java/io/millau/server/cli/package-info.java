/**
 * The standalone server: what it reads, how it wires the adapters, and the commands {@code explain} and {@code check}. Not part
 * of the library jar.
 */
@NullMarked
package io.millau.server.cli;

import org.jspecify.annotations.NullMarked;
