/** HTTP messages (RFC 9110, 9112, 9113) as both directions read them. */
@NullMarked
package io.millau.server.internal.http;

import org.jspecify.annotations.NullMarked;
