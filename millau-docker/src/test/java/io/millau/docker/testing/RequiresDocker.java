package io.millau.docker.testing;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Tests that need the environment's engine, {@link Engine#ofEnvironment}: skipped if there is none, or failed if {@code
 * -Dmillau.docker=required} is set.
 */
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(DockerCondition.OfEnvironment.class)
public @interface RequiresDocker {}
