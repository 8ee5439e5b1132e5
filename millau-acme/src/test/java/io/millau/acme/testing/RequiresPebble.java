package io.millau.acme.testing;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Tests that need {@link Pebble}: skipped where it isn't installed, failed if {@code -Dmillau.docker=required} says that
 * nothing may be skipped.
 */
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(PebbleCondition.class)
public @interface RequiresPebble {}
