package io.millau.acme.testing;

import io.millau.core.testing.RequiresCommands;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** Tests that need {@link Pebble}. */
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@RequiresCommands({Pebble.PEBBLE, Pebble.DNS})
public @interface RequiresPebble {}
