package io.millau.core;

import org.jspecify.annotations.Nullable;

/** A request of which nothing is known but where it goes. Immutable. */
record PlainRequest(String host, String path, String method) implements Request {

    @Override
    public String id() {
        return "";
    }

    @Override
    public String address() {
        return "";
    }

    @Override
    public String protocol() {
        return "HTTP/1.1";
    }

    @Override
    public @Nullable String header(String name) {
        return null;
    }

    @Override
    public @Nullable String tlsVersion() {
        return null;
    }
}
