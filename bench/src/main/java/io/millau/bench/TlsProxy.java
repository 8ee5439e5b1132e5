package io.millau.bench;

import io.millau.core.Certificate;
import io.millau.core.CertificateSource;
import io.millau.core.Endpoint;
import io.millau.core.Service;
import io.millau.core.ServiceSource;
import io.millau.metrics.PrometheusMetrics;
import io.millau.server.Millau;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.List;
import org.conscrypt.OpenSSLProvider;

/** Millau with HTTPS, by Conscrypt as the image has it, before one backend, and metrics as in the product. */
public final class TlsProxy {

    private TlsProxy() {}

    /** Arguments: the port to listen on, the backend's port, and the folder of the certificate. */
    public static void main(String[] arguments) throws IOException, GeneralSecurityException {
        Pem pem = Pem.read(Path.of(arguments[2]));
        Endpoint backend = Endpoint.http(
                new InetSocketAddress(InetAddress.getByName("127.0.0.1"), Integer.parseInt(arguments[1])));
        Millau.builder()
                .https("127.0.0.1:" + arguments[0])
                .tlsProvider(new OpenSSLProvider())
                .certificates(CertificateSource.of(new Certificate(pem.key(), List.of(pem.certificate()))))
                .source(ServiceSource.of(Service.named("app").endpoints(backend).build()))
                .listener(new PrometheusMetrics())
                .start();
    }
}
