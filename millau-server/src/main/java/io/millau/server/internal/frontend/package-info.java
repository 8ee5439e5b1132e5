/** Towards clients: listeners, connections, and the requests that come over them, by HTTP/1.1 and HTTP/2. */
@NullMarked
package io.millau.server.internal.frontend;

import org.jspecify.annotations.NullMarked;
