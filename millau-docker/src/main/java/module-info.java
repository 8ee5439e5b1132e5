/** Routes from the services and containers of a Docker Engine. */
module io.millau.docker {
    requires transitive io.millau.core;
    requires org.slf4j;
    requires static transitive org.jspecify;
    requires com.github.dockerjava.core;
}
