/**
 * A proxy and its upstreams for tests: {@link io.millau.testing.MillauExtension} for JUnit Jupiter, {@link
 * io.millau.testing.TestGateway} for everything else. Below them, {@link io.millau.testing.ScriptedEndpoint} is an endpoint on a real
 * socket that runs a test's script, byte by byte.
 */
@NullMarked
package io.millau.testing;

import org.jspecify.annotations.NullMarked;
