/** The proxy itself: its embedding API, its data path and its standalone main class. */
@NullMarked
package io.millau.server;

import org.jspecify.annotations.NullMarked;
