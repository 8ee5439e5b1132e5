/** The frames of HTTP/2 (RFC 9113), towards clients and endpoints. */
@NullMarked
package io.millau.server.internal.http2;

import org.jspecify.annotations.NullMarked;
