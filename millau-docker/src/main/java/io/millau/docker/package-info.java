/** Routes from the services and containers of a Docker Engine. */
@NullMarked
package io.millau.docker;

import org.jspecify.annotations.NullMarked;
