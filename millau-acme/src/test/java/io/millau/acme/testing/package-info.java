/** A CA for tests: Debian's pebble, with a DNS server that resolves every name to this machine. */
@NullMarked
package io.millau.acme.testing;

import org.jspecify.annotations.NullMarked;
