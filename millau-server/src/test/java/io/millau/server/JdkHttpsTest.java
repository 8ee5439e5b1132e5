package io.millau.server;

/** With the JDK's TLS, the default of embedders. */
class JdkHttpsTest extends HttpsTest {}
