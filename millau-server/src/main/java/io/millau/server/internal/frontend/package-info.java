/** The side of the clients: listeners, connections, and their requests over HTTP/1.1 and HTTP/2. */
@NullMarked
package io.millau.server.internal.frontend;

import org.jspecify.annotations.NullMarked;
