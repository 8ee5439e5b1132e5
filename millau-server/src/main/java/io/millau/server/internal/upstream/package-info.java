/** Towards endpoints: pools of connections, HTTP/2 to endpoints, and health checks. */
@NullMarked
package io.millau.server.internal.upstream;

import org.jspecify.annotations.NullMarked;
