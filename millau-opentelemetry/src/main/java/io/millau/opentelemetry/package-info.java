/** Traces and durations of requests, for OpenTelemetry. */
@NullMarked
package io.millau.opentelemetry;

import org.jspecify.annotations.NullMarked;
