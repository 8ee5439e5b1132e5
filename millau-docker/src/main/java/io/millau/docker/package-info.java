/** Routes from the services and containers of a Docker Engine, and a store that its Swarm keeps. */
@NullMarked
package io.millau.docker;

import org.jspecify.annotations.NullMarked;
