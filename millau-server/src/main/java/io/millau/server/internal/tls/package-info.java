/** TLS in both directions, and the certificates that clients are shown. */
@NullMarked
package io.millau.server.internal.tls;

import org.jspecify.annotations.NullMarked;
