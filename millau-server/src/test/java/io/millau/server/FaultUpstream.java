package io.millau.server;

import io.millau.core.Endpoint;
import io.millau.core.UpstreamTls;
import io.millau.core.testing.Authority;
import io.millau.testing.Fault;
import io.millau.testing.ScriptedEndpoint;
import io.millau.testing.internal.Http2Fault;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;

/** How the endpoints of the fault matrix and of the random run are spoken to, and what endpoints of that kind can do. */
enum FaultUpstream {
    HTTP {
        @Override
        ScriptedEndpoint that(String fault) {
            return ScriptedEndpoint.that(named(Fault.values(), fault));
        }

        @Override
        ScriptedEndpoint thatSays(String body) {
            return ScriptedEndpoint.thatSays(body);
        }

        @Override
        Endpoint endpoint(String id, Endpoint plain) {
            return Endpoint.http(id, plain.address(), plain.port());
        }

        @Override
        Stream<String> faults() {
            return Arrays.stream(Fault.values())
                    .filter(fault -> fault.layer() == Fault.Layer.HTTP)
                    .map(Fault::toString);
        }
    },

    HTTPS {
        @Override
        ScriptedEndpoint that(String name) {
            Fault fault = named(Fault.values(), name);
            return ScriptedEndpoint.overTls(
                    switch (fault) {
                        case CERTIFICATE_NOT_TRUSTED -> STRANGER;
                        case CERTIFICATE_EXPIRED -> EXPIRED;
                        default -> TRUSTED;
                    },
                    fault);
        }

        @Override
        ScriptedEndpoint thatSays(String body) {
            return playing(ScriptedEndpoint.saying(body));
        }

        @Override
        ScriptedEndpoint playing(ScriptedEndpoint.Script script) {
            return ScriptedEndpoint.overTls(TRUSTED, script);
        }

        @Override
        Endpoint endpoint(String id, Endpoint plain) {
            return Endpoint.https(id, plain.address(), plain.port(), TLS);
        }

        @Override
        Stream<String> faults() {
            return Arrays.stream(Fault.values())
                    .filter(fault -> fault.layer() != Fault.Layer.HTTP2)
                    .map(Fault::toString);
        }
    },

    H2C {
        @Override
        ScriptedEndpoint that(String name) {
            return named(Http2Fault.values(), name).endpoint();
        }

        @Override
        ScriptedEndpoint thatSays(String body) {
            return ScriptedEndpoint.that(Http2Fault.saying(body));
        }

        @Override
        Endpoint endpoint(String id, Endpoint plain) {
            return Endpoint.h2c(id, plain.address(), plain.port());
        }

        @Override
        Stream<String> faults() {
            return Arrays.stream(Http2Fault.values()).map(Http2Fault::toString);
        }

        @Override
        Fault.Stage stage(String fault) {
            return named(Http2Fault.values(), fault).stage();
        }
    };

    private static final String NAME = "app.internal";
    private static final Authority ROOT = Authority.root("root");
    private static final UpstreamTls TLS = new UpstreamTls(Set.of(ROOT.certificate()), NAME);
    private static final SSLContext TRUSTED = Authority.server(ROOT.issue(NAME));
    private static final SSLContext EXPIRED =
            Authority.server(ROOT.order().names(NAME).expired().issue());
    private static final SSLContext STRANGER =
            Authority.server(Authority.root("stranger").issue(NAME));

    /** An endpoint that has the fault of that name. */
    abstract ScriptedEndpoint that(String fault);

    /** An endpoint that responds to each request with 200 and this body. */
    abstract ScriptedEndpoint thatSays(String body);

    /** An endpoint that plays the script on each connection, over TLS if this kind has TLS. */
    ScriptedEndpoint playing(ScriptedEndpoint.Script script) {
        return ScriptedEndpoint.that(script);
    }

    /** The endpoint's address, for a service. */
    Endpoint endpoint(ScriptedEndpoint scripted) {
        Endpoint plain = scripted.endpoint();
        return endpoint(plain.id(), plain);
    }

    /** @param plain its address as one that speaks HTTP */
    abstract Endpoint endpoint(String id, Endpoint plain);

    /** The names of the faults that it can have. */
    abstract Stream<String> faults();

    /** Whether its faults include the one of that name in the table. */
    boolean canHave(String inTable) {
        return faults().anyMatch(FaultMatrixTest.withoutCircumstance(inTable)::equals);
    }

    /** When the fault happens. */
    Fault.Stage stage(String fault) {
        return named(Fault.values(), fault).stage();
    }

    /** The methods and bodies that are played: with HTTP, all; with the others, what shows the difference between two rows. */
    boolean plays(String method, FaultMatrixTest.Body body) {
        return this == HTTP
                || List.of("GET", "POST").contains(method)
                        && (body == FaultMatrixTest.Body.NONE || body == FaultMatrixTest.Body.CHUNKED);
    }

    private static <T> T named(T[] faults, String name) {
        return Arrays.stream(faults)
                .filter(fault -> fault.toString().equals(name))
                .findAny()
                .orElseThrow(() -> new AssertionError("no fault " + name));
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
