package io.millau.server;

import org.conscrypt.OpenSSLProvider;

/** HTTPS with the provider that the standalone server takes. */
class ConscryptTlsTest extends TlsTest {

    @Override
    public Millau.Builder builder() {
        return super.builder().tlsProvider(new OpenSSLProvider());
    }
}
