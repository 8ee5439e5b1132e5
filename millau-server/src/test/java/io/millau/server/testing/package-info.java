/**
 * Endpoints on real sockets that run a test's script, byte by byte, or fail in a typical way. Also for the tests of
 * embedders: they are in this module's test jar, which needs only {@code millau-core}.
 */
@NullMarked
package io.millau.server.testing;

import org.jspecify.annotations.NullMarked;
