package io.millau.acme;

import io.millau.core.internal.LogText;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xbill.DNS.CNAMERecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Message;
import org.xbill.DNS.NSRecord;
import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.SimpleResolver;
import org.xbill.DNS.TSIG;
import org.xbill.DNS.TXTRecord;
import org.xbill.DNS.TextParseException;
import org.xbill.DNS.Type;
import org.xbill.DNS.Update;

/**
 * Publishes TXT records by updates of the name server that has the zone (RFC 2136), signed with a key (TSIG, RFC 8945). Follows CNAME
 * records, and waits until the other name servers of the zone have a record, too. Safe for use by several threads. Blocks.
 */
final class DnsUpdates implements DnsRecords {

    private static final Logger LOG = LoggerFactory.getLogger(AcmeCertificates.class);

    /** What {@code tsig-keygen} writes. */
    private static final Pattern KEY_FILE = Pattern.compile("secret\\s+\"([^\"]+)\"");

    private static final Duration RESPONSE = Duration.ofSeconds(5);
    private static final Duration OTHER_SERVERS = Duration.ofSeconds(60);
    private static final Duration LOOK = Duration.ofMillis(500);
    private static final int TTL_SECONDS = 60;
    private static final int MOST_ALIASES = 8;

    private final Server server;
    private final Name key;
    private final String algorithm;
    private final Path secretFile;

    /** The port of other name servers. */
    private final int otherPort;

    /** A name server. */
    record Server(String host, int port) {

        SimpleResolver resolver() throws UnknownHostException {
            SimpleResolver resolver = new SimpleResolver(new InetSocketAddress(InetAddress.getByName(host), port));
            resolver.setTimeout(RESPONSE);
            resolver.setTCP(true);
            return resolver;
        }

        @Override
        public String toString() {
            return host + ":" + port;
        }
    }

    /** @param otherPort where the other name servers of a zone are asked */
    DnsUpdates(Server server, Name key, String algorithm, Path secretFile, int otherPort) {
        this.server = server;
        this.key = key;
        this.algorithm = algorithm;
        this.secretFile = secretFile;
        this.otherPort = otherPort;
    }

    /** @throws IllegalArgumentException if the key has no valid name */
    static DnsUpdates of(String host, int port, String key, String algorithm, Path secretFile) {
        try {
            Name name = Name.fromString(key, Name.root);
            return new DnsUpdates(new Server(host, port), name, algorithm, secretFile, 53);
        } catch (TextParseException e) {
            throw new IllegalArgumentException("key=" + key + ": expected the name of a TSIG key", e);
        }
    }

    @Override
    public Challenges.Response publish(String name, String digest, Deadline deadline)
            throws OrderException, InterruptedException {
        try {
            SimpleResolver signed = server.resolver();
            signed.setTSIGKey(new TSIG(algorithm, key.toString(), secret()));
            SimpleResolver resolver = server.resolver();
            Place place = find(resolver, Name.fromString(LABEL + name, Name.root));
            TXTRecord record = new TXTRecord(place.name, DClass.IN, TTL_SECONDS, digest);
            Update update = new Update(place.zone);
            update.add(record);
            send(signed, update);
            Challenges.Response response = () -> withdraw(signed, place, record);
            try {
                awaitOthers(resolver, place, record, deadline);
            } catch (OrderException | InterruptedException | RuntimeException e) {
                response.close();
                throw e;
            }
            return response;
        } catch (IOException e) {
            throw failed(LogMessages.of(e));
        }
    }

    private OrderException failed(String reason) {
        return OrderException.challengeFailed(ChallengeType.DNS + " failed: the name server " + server + ": " + reason);
    }

    /** Read for each order, since it may have been replaced. */
    private String secret() throws OrderException {
        String text;
        try {
            text = Files.readString(secretFile, StandardCharsets.ISO_8859_1).strip();
        } catch (IOException e) {
            throw failed("the key can't be read from " + secretFile + ": " + LogMessages.of(e));
        }
        Matcher written = KEY_FILE.matcher(text);
        String secret = written.find() ? written.group(1) : text;
        try {
            Base64.getDecoder().decode(secret);
            return secret;
        } catch (IllegalArgumentException e) {
            throw failed(secretFile + " has no key: expected it in Base64, or as tsig-keygen writes it");
        }
    }

    // ---- Where the record belongs

    /** The end of all aliases, and the zone that has it. */
    private record Place(Name name, Name zone) {}

    private Place find(SimpleResolver resolver, Name first) throws IOException, OrderException {
        Name name = first;
        for (int i = 0; i < MOST_ALIASES; i++) {
            Name alias = alias(ask(resolver, name, Type.CNAME), name);
            if (alias == null) {
                Name zone = zone(resolver, name);
                if (zone != null) {
                    return new Place(name, zone);
                }
                alias = publicAlias(name);
            }
            if (alias == null) {
                throw failed("it has no zone for " + name + ": expected the primary server of that zone");
            }
            name = alias;
        }
        throw failed(first + " has too many CNAME records");
    }

    private static Message ask(SimpleResolver resolver, Name name, int type) throws IOException {
        return resolver.send(Message.newQuery(Record.newRecord(name, type, DClass.IN)));
    }

    private static @Nullable Name alias(Message response, Name of) {
        for (Record record : response.getSection(Section.ANSWER)) {
            if (record instanceof CNAMERecord alias && record.getName().equals(of)) {
                return alias.getTarget();
            }
        }
        return null;
    }

    /** The zone of a name at this server: even for a name that it does not have, it names the zone's SOA record (RFC 2308). */
    private static @Nullable Name zone(SimpleResolver resolver, Name name) throws IOException {
        Message response = ask(resolver, name, Type.SOA);
        for (int section : new int[] {Section.ANSWER, Section.AUTHORITY}) {
            for (Record record : response.getSection(section)) {
                if (record.getType() == Type.SOA && name.subdomain(record.getName())) {
                    return record.getName();
                }
            }
        }
        return null;
    }

    /** What an alias in a zone of other servers leads to. */
    private static @Nullable Name publicAlias(Name name) {
        try {
            SimpleResolver ofSystem = new SimpleResolver();
            ofSystem.setTimeout(RESPONSE);
            return alias(ask(ofSystem, name, Type.CNAME), name);
        } catch (IOException e) {
            LOG.debug("No CNAME record of {} is known", name, e);
            return null;
        }
    }

    // ---- Updates

    private void send(SimpleResolver signed, Update update) throws IOException, OrderException {
        Message response = signed.send(update);
        int code = response.getRcode();
        if (code == Rcode.NOERROR && response.isVerified()) {
            return;
        }
        throw failed(
                switch (code) {
                    case Rcode.NOERROR -> "its response is not signed with the key " + key;
                    case Rcode.NOTAUTH ->
                        "it rejects the signature: expected key, algorithm and secret as it has them, and the same time";
                    case Rcode.REFUSED ->
                        "it refuses the update: expected that the key " + key + " may change TXT records of " + LABEL
                                + "NAME in the zone "
                                + update.getSection(Section.ZONE).get(0).getName();
                    default -> Rcode.string(code);
                });
    }

    private void withdraw(SimpleResolver signed, Place place, TXTRecord record) {
        Threads.uninterrupted(() -> {
            Update update = new Update(place.zone);
            update.delete(record);
            try {
                send(signed, update);
            } catch (IOException | OrderException e) {
                LOG.debug("A TXT record of {} could not be removed", place.name, e);
            }
        });
    }

    // ---- The other name servers of the zone

    private void awaitOthers(SimpleResolver resolver, Place place, TXTRecord record, Deadline deadline)
            throws OrderException, InterruptedException {
        List<Server> missing = others(resolver, place.zone);
        Deadline end = new Deadline(OTHER_SERVERS);
        while (true) {
            missing.removeIf(other -> has(other, record));
            if (missing.isEmpty()) {
                return;
            }
            if (end.left().isNegative()) {
                LOG.warn(
                        "Not on all name servers name={} without={} after={}s",
                        place.name,
                        LogText.value(missing.toString()),
                        OTHER_SERVERS.toSeconds());
                return;
            }
            deadline.pause(LOOK);
        }
    }

    private List<Server> others(SimpleResolver resolver, Name zone) {
        List<Server> others = new ArrayList<>();
        List<Record> records = List.of();
        try {
            records = ask(resolver, zone, Type.NS).getSection(Section.ANSWER);
        } catch (IOException e) {
            LOG.debug("The name servers of {} are unknown", zone, e);
        }
        for (Record record : records) {
            if (record instanceof NSRecord other) {
                String host = other.getTarget().toString(true);
                try {
                    for (InetAddress address : InetAddress.getAllByName(host)) {
                        Server found = new Server(address.getHostAddress(), otherPort);
                        if (!new InetSocketAddress(address, otherPort).equals(resolver.getAddress())) {
                            others.add(found);
                        }
                    }
                } catch (UnknownHostException e) {
                    LOG.debug("The name server {} of {} has no address", host, zone);
                }
            }
        }
        return others;
    }

    /** One that can't be asked from here counts as if it had the record: the CA may reach it, and is the judge. */
    private static boolean has(Server other, TXTRecord record) {
        try {
            return ask(other.resolver(), record.getName(), Type.TXT)
                    .getSection(Section.ANSWER)
                    .contains(record);
        } catch (IOException e) {
            LOG.debug("The name server {} can't be asked", other, e);
            return true;
        }
    }

    @Override
    public String question(String name) {
        return "do all name servers of " + name + " get the records that " + server + " has?";
    }
}
