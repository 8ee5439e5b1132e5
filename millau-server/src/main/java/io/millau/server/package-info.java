/** The proxy: its API for embedding, and how its parts are connected. */
@NullMarked
package io.millau.server;

import org.jspecify.annotations.NullMarked;
