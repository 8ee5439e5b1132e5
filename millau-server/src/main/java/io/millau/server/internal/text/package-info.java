/** Text that is written or read: log lines, JSON, listen addresses. */
@NullMarked
package io.millau.server.internal.text;

import org.jspecify.annotations.NullMarked;
