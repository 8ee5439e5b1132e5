/** Routes from the services and containers of a Docker Engine, and a store that its Swarm keeps. */
module io.millau.docker {
    requires transitive io.millau.core;
    requires com.fasterxml.jackson.core;
    requires com.github.dockerjava.transport;
    requires com.github.dockerjava.transport.zerodep;
    requires org.slf4j;
    requires static org.jspecify;

    exports io.millau.docker;
}
