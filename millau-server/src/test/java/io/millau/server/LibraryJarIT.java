package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.StringWriter;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarFile;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The library jar, and the build of a program that embeds it. */
class LibraryJarIT {

    private static final Path LIBRARY = Path.of(System.getProperty("millau.library.jar"));
    private static final Path LIBRARIES = Path.of(System.getProperty("millau.libraries"));

    private static final String EMBEDDER = """
            package stranger;

            import io.millau.core.Endpoint;
            import io.millau.core.InMemoryServices;
            import io.millau.core.Service;
            import io.millau.core.ServiceSource;
            import io.millau.server.AccessLog;
            import io.millau.server.Millau;
            import java.net.InetSocketAddress;

            public final class Gateway {
                private Gateway() {}

                public static void main(String[] arguments) throws Exception {
                    InMemoryServices services = ServiceSource.of(Service.named("app")
                            .endpoints(Endpoint.http(new InetSocketAddress("127.0.0.1", 8081)))
                            .build());
                    try (AccessLog log = AccessLog.json(System.out);
                            Millau millau = Millau.builder().http(":8080").source(services).accessLog(log).start()) {
                        System.out.println(millau.port());
                    }
                }
            }
            """;

    @Test
    void itHasNeitherTheStandaloneServerNorAClassPath() throws IOException {
        try (JarFile jar = new JarFile(LIBRARY.toFile())) {
            assertThat(jar.getManifest().getMainAttributes().getValue("Class-Path"))
                    .isNull();
            assertThat(jar.getManifest().getMainAttributes().getValue("Main-Class"))
                    .isNull();
            assertThat(jar.stream().map(entry -> entry.getName()))
                    .contains("io/millau/server/Millau.class")
                    .noneMatch(name -> name.startsWith("io/millau/server/cli/"));
        }
    }

    /** A build that treats warnings as errors still passes with Millau and without our optional libraries. */
    @Test
    void anEmbedderCompilesWithoutWarnings(@TempDir Path folder) throws IOException {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StringWriter said = new StringWriter();
        SimpleJavaFileObject source =
                new SimpleJavaFileObject(URI.create("string:///stranger/Gateway.java"), JavaFileObject.Kind.SOURCE) {
                    @Override
                    public CharSequence getCharContent(boolean ignoreEncodingErrors) {
                        return EMBEDDER;
                    }
                };

        boolean compiled = compiler.getTask(
                        said,
                        null,
                        null,
                        List.of("-Xlint:all", "-Werror", "-d", folder.toString(), "-classpath", classpath()),
                        null,
                        List.of(source))
                .call();

        assertThat(said.toString()).isEmpty();
        assertThat(compiled).isTrue();
    }

    private static String classpath() throws IOException {
        try (Stream<Path> jars = Files.list(LIBRARIES)) {
            return Stream.concat(Stream.of(LIBRARY), jars.filter(LibraryJarIT::isNeeded))
                    .map(Path::toString)
                    .collect(Collectors.joining(System.getProperty("path.separator")));
        }
    }

    private static boolean isNeeded(Path jar) {
        String name = jar.getFileName().toString();
        return name.startsWith("millau-core")
                || Stream.of("undertow", "xnio", "jboss", "wildfly", "slf4j-api", "spring-security-crypto")
                        .anyMatch(name::startsWith);
    }
}
