/** What the labels of other proxies become here, for {@code check --from}. */
@NullMarked
package io.millau.server.internal.moving;

import org.jspecify.annotations.NullMarked;
