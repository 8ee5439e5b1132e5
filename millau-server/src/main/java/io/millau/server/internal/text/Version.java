package io.millau.server.internal.text;

import java.util.Objects;

/** The version of this jar. */
public final class Version {

    /** The version in the jar's manifest. */
    public static final String VERSION =
            Objects.requireNonNullElse(Version.class.getPackage().getImplementationVersion(), "(not packaged)");

    private Version() {}
}
