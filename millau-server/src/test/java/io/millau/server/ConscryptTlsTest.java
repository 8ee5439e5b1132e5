package io.millau.server;

import org.conscrypt.OpenSSLProvider;

/** HTTPS with the TLS provider of the standalone server. */
class ConscryptTlsTest extends TlsTest {

    @Override
    public Millau.Builder builder() {
        return super.builder().tlsProvider(new OpenSSLProvider());
    }
}
