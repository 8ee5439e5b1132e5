package io.millau.examples;

import io.millau.testing.Routes;
import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code compose-minio.yml} and {@code compose-gitlab.yml}: several routes of one service. Their images are never pulled. */
class RoutesOfAServiceTest {

    @ParameterizedTest
    @CsvSource({
        "compose-minio.yml,  https://s3.example/bucket/key,       minio/api",
        "compose-minio.yml,  https://photos.s3.example/key,       minio/api",
        "compose-minio.yml,  https://console.example/login,       minio/console",
        "compose-minio.yml,  https://minio.example/,              ",
        "compose-gitlab.yml, https://gitlab.example/group/repo,   gitlab",
        "compose-gitlab.yml, https://registry.example/v2/,        gitlab/registry",
        "compose-gitlab.yml, https://registry.gitlab.example/v2/, gitlab",
    })
    void aUrlGoesToOneRoute(String file, String url, String route) {
        Routes.Sent sent = Routes.of(Path.of(file)).sends(url);

        if (route == null) {
            sent.nowhere();
        } else {
            sent.to(route);
        }
    }
}
