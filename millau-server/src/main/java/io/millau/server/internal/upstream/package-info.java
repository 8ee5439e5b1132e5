/** The side of the endpoints: pools of connections, HTTP/2, and health checks. */
@NullMarked
package io.millau.server.internal.upstream;

import org.jspecify.annotations.NullMarked;
