/** Metrics for Prometheus. */
@NullMarked
package io.millau.metrics;

import org.jspecify.annotations.NullMarked;
