package io.millau.server;

import java.util.Objects;

/** The version of this jar. */
final class Version {

    /** As the jar's manifest names it. */
    static final String VERSION =
            Objects.requireNonNullElse(Version.class.getPackage().getImplementationVersion(), "(not packaged)");

    private Version() {}
}
