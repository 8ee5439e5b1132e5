package io.millau.server;

import org.conscrypt.OpenSSLProvider;

/** With the TLS provider of the standalone server. */
class ConscryptHttpsTest extends HttpsTest {

    @Override
    public Millau.Builder builder() {
        return super.builder().tlsProvider(new OpenSSLProvider());
    }
}
