package io.millau.core.testing;

import io.millau.core.Request;
import org.jspecify.annotations.Nullable;

/** A request that nobody sent, for tests that only need its method. */
public record MadeUpRequest(String method) implements Request {

    @Override
    public String id() {
        return "made-up";
    }

    @Override
    public String address() {
        return "127.0.0.1";
    }

    @Override
    public String host() {
        return "a";
    }

    @Override
    public String path() {
        return "/";
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
