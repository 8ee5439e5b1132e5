/** What everything on an I/O thread uses: event loops, deadlines, buffers. */
@NullMarked
package io.millau.server.internal.io;

import org.jspecify.annotations.NullMarked;
