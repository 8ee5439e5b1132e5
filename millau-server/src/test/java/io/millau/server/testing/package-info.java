/**
 * Endpoints on real sockets that do what a test says, byte by byte, or fail in one of the ways in which endpoints fail. For
 * the tests of whoever embeds the proxy, too: in this module's test jar, which needs no other jar than {@code millau-core}.
 */
@NullMarked
package io.millau.server.testing;

import org.jspecify.annotations.NullMarked;
