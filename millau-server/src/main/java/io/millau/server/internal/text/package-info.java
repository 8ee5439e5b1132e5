/** Formatting and parsing of text: log lines, JSON, listen addresses. */
@NullMarked
package io.millau.server.internal.text;

import org.jspecify.annotations.NullMarked;
