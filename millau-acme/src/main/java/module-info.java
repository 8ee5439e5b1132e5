/** Obtains, stores and renews certificates by ACME. */
module io.millau.acme {
    requires transitive io.millau.core;
    requires java.net.http;
    requires org.shredzone.acme4j;
    requires org.slf4j;
    requires static org.dnsjava;
    requires static org.jspecify;

    exports io.millau.acme;
}
