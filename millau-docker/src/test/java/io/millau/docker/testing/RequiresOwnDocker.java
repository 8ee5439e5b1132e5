package io.millau.docker.testing;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Tests that start engines of their own, {@link Engine#start}: skipped where that isn't possible, failed if {@code
 * -Dmillau.docker=required} says that it has to be.
 */
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(DockerCondition.Own.class)
public @interface RequiresOwnDocker {}
