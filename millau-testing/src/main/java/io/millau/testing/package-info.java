/**
 * Endpoints on real sockets that run a test's script, byte by byte, or fail in a typical way.
 */
@NullMarked
package io.millau.testing;

import org.jspecify.annotations.NullMarked;
