/** The path of a request: the services it is routed to, its attempts, its body, and the response to the client. */
@NullMarked
package io.millau.server.internal.proxy;

import org.jspecify.annotations.NullMarked;
