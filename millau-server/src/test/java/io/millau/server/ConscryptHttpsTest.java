package io.millau.server;

import org.conscrypt.OpenSSLProvider;

/** With the provider that the standalone server takes. */
class ConscryptHttpsTest extends HttpsTest {

    @Override
    public Millau.Builder builder() {
        return super.builder().tlsProvider(new OpenSSLProvider());
    }
}
