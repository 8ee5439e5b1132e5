package io.millau.server.internal.text;

import java.util.Objects;

/** The version of this jar. */
public final class Version {

    /** As the jar's manifest names it. */
    public static final String VERSION =
            Objects.requireNonNullElse(Version.class.getPackage().getImplementationVersion(), "(not packaged)");

    private Version() {}
}
