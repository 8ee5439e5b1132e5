/** A CA for tests: Debian's pebble, and a DNS in which every name is this machine. */
@NullMarked
package io.millau.acme.testing;

import org.jspecify.annotations.NullMarked;
