/** Services, routes, failover and health, without I/O; and the interfaces that adapters implement. */
@NullMarked
package io.millau.core;

import org.jspecify.annotations.NullMarked;
