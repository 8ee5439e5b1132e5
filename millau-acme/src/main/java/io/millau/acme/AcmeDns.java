package io.millau.acme;

import io.millau.core.Store;
import io.millau.core.internal.LogText;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.shredzone.acme4j.connector.NetworkSettings;
import org.shredzone.acme4j.toolbox.JSON;
import org.shredzone.acme4j.toolbox.JSONBuilder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Publishes TXT records by the API of an acme-dns server. For each name there is a registration, which is kept in the store: the
 * operator points a CNAME record to it once. Safe for use by several threads. Blocks.
 */
final class AcmeDns implements DnsRecords {

    private static final Logger LOG = LoggerFactory.getLogger(AcmeCertificates.class);

    private static final Duration RESPONSE = Duration.ofSeconds(20);
    private static final Duration REGISTRATION = Duration.ofSeconds(40);
    private static final long LARGEST = 64 * 1024;

    private static final String USER = "user";
    private static final String KEY = "key";
    private static final String SUBDOMAIN = "subdomain";
    private static final String TARGET = "target";

    private final URI api;
    private final Store store;
    private final HttpProvider provider;

    AcmeDns(URI api, Store store, HttpProvider provider) {
        this.api = api;
        this.store = store;
        this.provider = provider;
    }

    /** @param target what the CNAME record of the name has to point to */
    private record Registration(String user, String key, String subdomain, String target) {

        byte[] bytes() {
            String text = Header.line(USER, user)
                    + Header.line(KEY, key)
                    + Header.line(SUBDOMAIN, subdomain)
                    + Header.line(TARGET, target);
            return text.getBytes(StandardCharsets.UTF_8);
        }

        static Registration parse(byte[] bytes) {
            String text = new String(bytes, StandardCharsets.UTF_8);
            return new Registration(
                    Header.get(text, USER),
                    Header.get(text, KEY),
                    Header.get(text, SUBDOMAIN),
                    Header.get(text, TARGET));
        }

        /** Without the key. */
        @Override
        public String toString() {
            return target;
        }
    }

    @Override
    public Challenges.Response publish(String name, String digest, Deadline deadline)
            throws IOException, OrderException, InterruptedException {
        Optional<Registration> known = find(name);
        if (known.isEmpty()) {
            throw register(name);
        }
        Registration registration = known.get();
        String body = new JSONBuilder()
                .put("subdomain", registration.subdomain)
                .put("txt", digest)
                .toString();
        ask(HttpRequest.newBuilder(api.resolve("/update"))
                .header("X-Api-User", registration.user)
                .header("X-Api-Key", registration.key)
                .POST(BodyPublishers.ofString(body)));
        return () -> {}; // the server keeps the last two
    }

    private Optional<Registration> find(String name) throws IOException {
        Optional<byte[]> stored = store.get(value(name));
        try {
            return stored.map(Registration::parse);
        } catch (IllegalArgumentException e) {
            LOG.warn(
                    "Set aside, since it can't be used stored={} reason={}",
                    LogText.value(value(name)),
                    LogText.value(LogMessages.of(e)));
            store.setAside(value(name));
            return Optional.empty();
        }
    }

    /** Returns a failure that says what the operator has to do now, so that the CA is not asked in vain. */
    private OrderException register(String name) throws IOException, OrderException, InterruptedException {
        Optional<Store.Lock> lock = store.tryLock(value(name), REGISTRATION);
        if (lock.isEmpty()) {
            return failed("another replica is registering " + name);
        }
        try {
            Optional<Registration> meanwhile = find(name);
            Registration registration = meanwhile.isPresent() ? meanwhile.get() : registered();
            store.put(value(name), registration.bytes());
            return OrderException.challengeFailed("registered at " + api.getRawAuthority()
                    + ": add the DNS record " + LABEL + name + " CNAME " + registration.target
                    + ". and wait for the next try");
        } finally {
            Threads.uninterrupted(lock.get()::close);
        }
    }

    private Registration registered() throws OrderException, InterruptedException {
        String body = ask(HttpRequest.newBuilder(api.resolve("/register")).POST(BodyPublishers.noBody()));
        try {
            JSON json = JSON.parse(body);
            return new Registration(
                    text(json, "username"), text(json, "password"), text(json, "subdomain"), text(json, "fulldomain"));
        } catch (Exception e) { // acme4j's own, checked and not
            throw failed("its response can't be understood: " + LogMessages.of(e));
        }
    }

    private static String text(JSON json, String key) {
        String value = json.get(key).asString();
        if (!value.matches("[!-~]{1,255}")) {
            throw new IllegalArgumentException(key + " has an unexpected value");
        }
        return value;
    }

    private String ask(HttpRequest.Builder request) throws OrderException, InterruptedException {
        HttpRequest whole = request.header("Content-Type", "application/json").build();
        CompletableFuture<HttpResponse<InputStream>> asked =
                provider.createHttpClient(new NetworkSettings()).sendAsync(whole, head -> new LimitedBody(LARGEST));
        try {
            HttpResponse<InputStream> response = asked.get(RESPONSE.toMillis(), TimeUnit.MILLISECONDS);
            if (response.statusCode() / 100 != 2) {
                throw failed("status " + response.statusCode()); // its body may have a key
            }
            return new String(response.body().readAllBytes(), StandardCharsets.UTF_8);
        } catch (TimeoutException e) {
            throw failed("no complete response within " + RESPONSE.toSeconds() + " s");
        } catch (ExecutionException | IOException e) {
            throw failed(LogMessages.of(e));
        } finally {
            asked.cancel(true);
        }
    }

    private OrderException failed(String reason) {
        return OrderException.challengeFailed(ChallengeType.DNS + " failed: " + api + ": " + reason);
    }

    private String value(String name) {
        return "acme-dns/" + api.getRawAuthority().replaceAll("[^a-z0-9.-]+", "_") + "/" + name;
    }

    @Override
    public String question(String name) {
        try {
            return "is " + LABEL + name + " a CNAME record of "
                    + find(name).map(Registration::target).orElse("this registration") + "?";
        } catch (IOException e) {
            return "is " + LABEL + name + " a CNAME record of the registration in the store?";
        }
    }
}
