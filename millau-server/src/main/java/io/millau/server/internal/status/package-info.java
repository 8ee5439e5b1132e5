/** The telemetry port: health, the status page and its JSON, explanations, and what has changed. */
@NullMarked
package io.millau.server.internal.status;

import org.jspecify.annotations.NullMarked;
