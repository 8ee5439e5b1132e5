/** HTTP/2 frame by frame, for scripted endpoints and for Millau's own tests. May change at any time. */
@NullMarked
package io.millau.testing.internal;

import org.jspecify.annotations.NullMarked;
