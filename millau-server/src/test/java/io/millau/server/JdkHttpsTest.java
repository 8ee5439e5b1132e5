package io.millau.server;

/** As embedders get it. */
class JdkHttpsTest extends HttpsTest {}
