package io.millau.testing;

/** Upstreams that speak the protocol of a test. */
final class Upstreams {

    private Upstreams() {}

    /** One of a service named app. */
    static ScriptedUpstream app(MillauExtension millau, ScriptedUpstream.Protocol protocol) {
        return switch (protocol) {
            case HTTP -> millau.upstream("app");
            case HTTPS -> millau.tlsUpstream("app");
            case H2C -> millau.h2cUpstream("app");
        };
    }
}
