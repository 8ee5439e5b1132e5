/** Services, routes, failover and health, without I/O; and the interfaces that adapters implement. */
@SuppressWarnings("module") // the modules that it exports to are compiled after it
module io.millau.core {
    requires java.net.http;
    requires org.slf4j;
    requires spring.security.crypto;
    requires static org.jspecify;

    exports io.millau.core;
    exports io.millau.core.internal to
            io.millau.acme,
            io.millau.docker,
            io.millau.metrics,
            io.millau.opentelemetry,
            io.millau.server,
            io.millau.testing;
}
