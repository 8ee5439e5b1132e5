/** The telemetry port: health, the status page and its JSON, explanations, and the history of changes. */
@NullMarked
package io.millau.server.internal.status;

import org.jspecify.annotations.NullMarked;
