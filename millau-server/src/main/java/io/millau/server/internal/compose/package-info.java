/** Compose and stack files. Needs SnakeYAML, which an embedder may not have. */
@NullMarked
package io.millau.server.internal.compose;

import org.jspecify.annotations.NullMarked;
