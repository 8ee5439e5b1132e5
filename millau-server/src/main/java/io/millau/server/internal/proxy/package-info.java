/** A request on its way: which service it goes to, its attempts, its body, and the response that is passed on. */
@NullMarked
package io.millau.server.internal.proxy;

import org.jspecify.annotations.NullMarked;
