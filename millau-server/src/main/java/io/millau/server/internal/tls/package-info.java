/** TLS to clients and to endpoints, and the certificates for clients. */
@NullMarked
package io.millau.server.internal.tls;

import org.jspecify.annotations.NullMarked;
