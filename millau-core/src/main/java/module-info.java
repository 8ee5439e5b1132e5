/** Services, routes, failover and health, without I/O; and the interfaces that adapters implement. */
module io.millau.core {
    requires org.slf4j;
    requires static transitive org.jspecify;

    exports io.millau.core;
}
