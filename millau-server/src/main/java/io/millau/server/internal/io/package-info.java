/** The basics of I/O threads: event loops, deadlines, buffers. */
@NullMarked
package io.millau.server.internal.io;

import org.jspecify.annotations.NullMarked;
