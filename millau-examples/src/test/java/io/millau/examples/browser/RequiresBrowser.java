package io.millau.examples.browser;

import io.millau.core.testing.RequiresCommands;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** Tests that need a {@link Browser}. */
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@RequiresCommands({"chromium", Browser.DRIVER})
public @interface RequiresBrowser {}
