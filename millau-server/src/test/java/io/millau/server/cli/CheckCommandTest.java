package io.millau.server.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.testing.StandaloneServer;
import io.millau.server.FakeDocker;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CheckCommandTest extends CommandTest {

    @ParameterizedTest
    @CsvSource({
        "traefik, 'labels: [\"traefik.http.routers.a.rule=Host(`a.example`)\"]'",
        "caddy, 'labels: {caddy: a.example}'",
        "nginx-proxy, 'environment: [VIRTUAL_HOST=a.example]'"
    })
    void aFileForAnotherProxyIsNoted(String proxy, String settings) throws Exception {
        run("check", file("a.yml", "services: {web: {" + settings + "}}"));

        assertThat(out)
                .isEqualTo("a.yml: note: it has settings of " + proxy + ", none of Millau: check --from " + proxy
                        + " a.yml says what they become\n0 services, no problems\n");
        assertThat(status).isZero();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "check --form | check --form: expected files, --docker, or --from; did you mean --from?",
                "wait --timout 5 x | wait: expected the name of a service, and perhaps --replicas N or --timeout SECONDS; did you mean --timeout?",
                "explain --al x | explain: expected one URL, and perhaps --all, --services FILE or --docker; did you mean --all?",
                "explian x | FATAL explian x: expected no argument, demo, proxy, explain, check, wait, --help or --version; did you mean explain?",
                "--halp | FATAL --halp: expected no argument, demo, proxy, explain, check, wait, --help or --version; did you mean --help?",
                "proxy --form :80 | FATAL proxy: expected --to URL, once or more, and perhaps --from ADDRESS; did you mean --from?",
                "proxy --to x --from abc | FATAL proxy --from abc: expected 8080, :8080, 127.0.0.1:8080 or [::1]:8080",
            })
    void theNearestCommandOrOptionIsNamed(String command, String message) {
        run(command.split(" "));

        assertThat(err).isEqualTo(message + "\n");
    }

    @Test
    void theHelpNamesTheProgramAsItIsCalled() throws Exception {
        run("--help");
        assertThat(out)
                .contains("  java -jar millau-server.jar demo     show it", "\n" + " ".repeat(39) + "running proxy at");

        assertThat(Files.readString(Path.of("src/main/image/java.options"))).contains("\n-Dmillau.command=millau\n");
        System.setProperty("millau.command", "millau");
        try {
            run("--help");
        } finally {
            System.clearProperty("millau.command");
        }
        assertThat(out)
                .doesNotContain("java -jar")
                .contains("  millau demo     show it", "\n" + " ".repeat(18) + "running proxy at");
    }

    @Test
    void aServicesFileWithoutProblems() throws Exception {
        run("check", file("a.properties", "app.endpoints = http://127.0.0.1:8081\n"));

        assertThat(out).isEqualTo("1 service, no problems\n");
        assertThat(err).isEmpty();
        assertThat(status).isZero();
    }

    @Test
    void aFolderOfServicesFilesIsCheckedFileByFileAndAsAWhole() throws Exception {
        file("a.properties", "app.endpoints = http://127.0.0.1:8081\n\napp.timeuot = 3\n");
        file("b.properties", "app.endpoints = http://127.0.0.1:8082\n");
        file("b.properties.bak", "app.x = y\n");
        run("check", folder.toString());

        assertThat(out.replace(folder + "/", "").replace(folder.toString(), "FOLDER"))
                .isEqualTo("""
                        a.properties:3: app: app.timeuot=3: unknown, did you mean app.timeout?
                        FOLDER: app: two files have a service of this name, a.properties and b.properties: both are served, \
                        but look like one in logs and metrics; expected different names
                        a.properties: app: note: shares requests with app of b.properties, which has the same host and path
                        2 problems in 2 services
                        """);
        assertThat(status).isEqualTo(1);
    }

    @Test
    void problemsOfAServicesFileHaveLineNumbers() throws Exception {
        run("check", file("a.properties", """
                # app.path
                app.endpoints = http://127.0.0.1:8081 \\
                                http://127.0.0.1:8082/x
                  app.path=api

                app\\u002etimeuot : 3
                ! comment \\
                shop.hosts = shop.example
                lone
                """));

        assertThat(out).isEqualTo("""
                a.properties:4: app: app.path=api: expected a path that starts with /, /api for instance (the service is left out)
                a.properties:6: app: app.timeuot=3: unknown, did you mean app.timeout? (the service is left out)
                a.properties:8: shop: shop.endpoints is missing: expected URLs separated by spaces, http://10.0.0.5:8080 for instance
                a.properties:9: lone: expected keys like lone.endpoints (the service is left out)
                4 problems in 3 services
                """);
        assertThat(status).isEqualTo(1);
    }

    @Test
    void aMistakeInALabelOfAHeaderHasItsLineAndItsService() throws Exception {
        run("check", file("a.properties", """
                app.endpoints = http://127.0.0.1:8081
                app.request-header.X-Key = s3cret
                app.request-header.Host = shop.example
                app.requst-header.X-Key = s3cret
                """));

        assertThat(out).isEqualTo("""
                a.properties:3: app: app.request-header.Host: header Host: expected another, since it frames the message, or belongs \
                to the connection or the routing (the service is left out)
                a.properties:4: app: app.requst-header.X-Key: unknown, did you mean app.request-header.X-Key? (the service is left out)
                2 problems in 1 service
                """);
    }

    @Test
    void duplicatesAndLinesThatCannotBeReadAreNamed() throws Exception {
        Path file = folder.resolve("a.properties");
        Files.write(file, """
                app.endpoints = http://127.0.0.1:8081
                shop.endpoints = http://127.0.0.1:8082
                app.endpoints = http://127.0.0.1:8083
                shop.hosts = gr\u00f6\u00dfe.example
                """.getBytes(StandardCharsets.ISO_8859_1));
        run("check", file.toString());

        assertThat(out).isEqualTo("""
                a.properties:3: app: app.endpoints is there twice: line 3 counts, line 1 has no effect
                a.properties:4: shop: line 4: expected UTF-8, but byte 16 of this line is 0xf6 (the service is left out)
                2 problems in 2 services
                """);
        assertThat(status).isEqualTo(1);
    }

    @Test
    void severalFilesAreCheckedAlthoughOneCannotBeRead() throws Exception {
        run(
                "check",
                folder.resolve("none.yml").toString(),
                file("a.properties", "app.endpoints = http://127.0.0.1:8081\n"),
                file("b.YAML", "services: {shop: {labels: {millau.enabled: true, millau.port: 80}}}"),
                file("c.txt", ""));

        assertThat(out).endsWith("2 services, no problems\n");
        assertThat(err).isEqualTo("""
                none.yml: expected a file that can be read (there is none)
                c.txt: expected a services file, .properties, a folder of them, or a Compose or stack file, .yml or .yaml
                """);
        assertThat(status).isEqualTo(2);
    }

    /** Two stacks got each other's requests, and nothing said so before they were deployed. */
    @Test
    void servicesOfTwoFilesThatShareRequestsAreNoted() throws Exception {
        String one = file(
                "one.yml",
                "services: {web: {labels: {millau.enabled: true, millau.port: 80}}, api: {labels: {millau.enabled: true,"
                        + " millau.port: 80, millau.path: /api}}}");
        String other = file("other.yml", "services: {blog: {labels: {millau.enabled: true, millau.port: 80}}}");
        run("check", one, other);

        assertThat(out).isEqualTo("""
                one.yml: web: note: shares requests with blog of other.yml, which has the same host and path
                3 services, no problems
                """);
        assertThat(status).isZero();
    }

    /** "0 services, no problems", said of a project's folder, sounds as if its Compose file were right. */
    @Test
    void aFolderWithoutServicesFilesIsRefused() throws Exception {
        run("check", folder.toString());
        assertThat(err.replace(folder.toString(), "FOLDER"))
                .isEqualTo("FOLDER: expected services files, .properties, in this folder, but there are none\n");
        assertThat(out).isEmpty();
        assertThat(status).isEqualTo(2);

        file("compose.yml", "services: {a: {labels: {milau.enabled: true}}}");
        file("stack.YAML", "services: {}");
        run("check", folder.toString());
        assertThat(err.replace(folder.toString(), "FOLDER"))
                .isEqualTo("FOLDER: expected services files, .properties, in this folder, but there are none:"
                        + " write check compose.yml stack.YAML\n");
        assertThat(status).isEqualTo(2);

        run("check", "--from", "traefik", folder.toString());
        assertThat(err.replace(folder.toString(), "FOLDER"))
                .isEqualTo("FOLDER: expected a Compose or stack file, but this is a folder: write check --from traefik"
                        + " compose.yml stack.YAML\n");
        assertThat(status).isEqualTo(2);

        file("a.properties", "app.endpoints = http://127.0.0.1:8081\n");
        run("check", folder.toString());
        assertThat(out).isEqualTo("1 service, no problems\n");
    }

    @Test
    void problemsOfAnEngineAreShownWithItsName() throws Exception {
        FakeDocker docker = docker("["
                + FakeDocker.container("good", "\"millau.enabled\":\"false\"") + ","
                + FakeDocker.container("shop", "\"millau.enabled\":\"true\",\"millau.port\":\"80\\u001b1\"") + "]");
        run("check", "--docker");

        assertThat(out)
                .isEqualTo("Docker " + docker.host()
                        + ": shop: millau.port=80?1: expected a port from 1 to 65535 (the service is left out)\n"
                        + "1 problem in 2 services\n");
        assertThat(status).isEqualTo(1);
    }

    /** Nothing in the log, in the status and in explain told why the service was not there. */
    @Test
    void aTypoInThePrefixOfAllLabelsOfAContainerIsAProblem() throws Exception {
        docker("[" + FakeDocker.container("shop", "\"milau.enabled\":\"true\",\"milau.port\":\"80\"") + "]");
        run("check", "--docker");

        assertThat(out)
                .contains(
                        ": shop: milau.enabled=true: unknown, did you mean millau.enabled? (the service is left out)\n")
                .endsWith("\n2 problems in 1 service\n");
        assertThat(status).isEqualTo(1);
    }

    @Test
    void aServiceOfWhichOnlyRoutesAreServedIsNotCountedOnceMore() throws Exception {
        docker("["
                + FakeDocker.container("shop", "\"millau.a.path\":\"/a\",\"millau.b.path\":\"/b\",\"millau.x\":\"1\"")
                + "]");
        run("check", "--docker");

        assertThat(out).contains(": shop: millau.x=1: unknown").endsWith("\n1 problem in 2 services\n");
    }

    @Test
    void aMistakeInARouteOfAServicesFileHasItsLine() throws Exception {
        run(
                "check",
                file(
                        "a.properties",
                        "\nshop.endpoints=http://127.0.0.1:8081\nshop.admin.path=/a\nshop.admin.alow=x\n"));

        assertThat(out)
                .isEqualTo(
                        "a.properties:4: shop: shop.admin.alow=x: unknown, did you mean shop.admin.allow? Without it"
                                + " the service is not protected (the service is closed: requests get 503)\n1 problem in 1 service\n");
    }

    @Test
    void withoutArgumentsItChecksTheSourcesOfTheServer() throws Exception {
        docker("[]");
        environment.put("SERVICES", file("a.properties", "app.endpoints = http://127.0.0.1:8081\n"));
        run("check");
        assertThat(out).isEqualTo("1 service, no problems\n");
        assertThat(status).isZero();

        environment.put("DOCKER_HOST", StandaloneServer.NO_ENGINE);
        run("check");
        assertThat(out).isEqualTo("1 service, no problems\n");
        assertThat(err.lines()).singleElement().asString().startsWith("Docker Engine " + StandaloneServer.NO_ENGINE);
        assertThat(status).isEqualTo(2);

        environment.put("SERVICES", "/no/such/file");
        run("check");
        assertThat(err).startsWith("SERVICES=/no/such/file: expected a properties file, or a folder of them, that");
        assertThat(out).isEmpty();
        assertThat(status).isEqualTo(2);
    }

    @Test
    void anUnknownOptionIsNamed() {
        run("check", "--dokcer");

        assertThat(err).isEqualTo("check --dokcer: expected files, --docker, or --from; did you mean --docker?\n");
        assertThat(status).isEqualTo(2);
    }

    @ParameterizedTest
    @CsvSource({"a.properties, ', but byte 3 is 0'", "a.yml, ''"})
    void aFileThatIsTooLongOrBinaryIsRejected(String name, String detail) throws Exception {
        Path file = folder.resolve(name);
        Files.write(file, new byte[] {(byte) 0xff, (byte) 0xfe, 0});
        run("check", file.toString());
        assertThat(err).isEqualTo(name + ": expected a text file in UTF-8" + detail + "\n");
        assertThat(status).isEqualTo(2);

        Files.write(file, new byte[2_000_000]);
        run("check", file.toString());
        assertThat(err).isEqualTo(name + ": expected at most 1048576 bytes\n");
        assertThat(out).isEmpty();
        assertThat(status).isEqualTo(2);
    }
}
