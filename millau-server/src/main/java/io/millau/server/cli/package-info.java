/**
 * The standalone server: its configuration, the wiring of adapters, and the commands {@code explain} and {@code check}.
 * Not in the library jar.
 */
@NullMarked
package io.millau.server.cli;

import org.jspecify.annotations.NullMarked;
