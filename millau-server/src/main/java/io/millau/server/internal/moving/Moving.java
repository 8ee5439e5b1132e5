package io.millau.server.internal.moving;

import io.millau.core.Service;
import io.millau.core.internal.Words;
import io.millau.server.internal.compose.ComposeServices;
import io.millau.server.internal.compose.NotComposeException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;

/**
 * What the labels of other proxies in a Compose or stack file become. The file is untrusted; values that may be secret are not printed.
 * Immutable.
 */
public final class Moving {

    /** Another proxy. */
    public enum Proxy {
        /** Traefik 2 and 3. */
        TRAEFIK("traefik", TraefikRows.ROWS, FromTraefik::read),
        /** caddy-docker-proxy. */
        CADDY("caddy", CaddyRows.ROWS, FromCaddy::read),
        /** nginx-proxy with acme-companion. */
        NGINX_PROXY("nginx-proxy", FromNginxProxy.ROWS, FromNginxProxy::read);

        private final String name;
        private final Rows rows;
        private final Function<List<ComposeServices.Service>, List<MovedService>> reader;

        Proxy(String name, Rows rows, Function<List<ComposeServices.Service>, List<MovedService>> reader) {
            this.name = name;
            this.rows = rows;
            this.reader = reader;
        }

        /** The table of {@code docs/how-to/migrating.md}. */
        String table() {
            return rows.table();
        }

        /** The table of its arguments; empty if it has none that are read. */
        String argumentTable() {
            return this == TRAEFIK ? TraefikArgumentRows.ROWS.table() : "";
        }

        /** Its name in commands. */
        @Override
        public String toString() {
            return name;
        }
    }

    /** A name that can have subdomains: no wildcard, and no address. */
    private static final Pattern NAME = Pattern.compile("[^*].*\\.[^.]*[^0-9.\\]]");

    private final List<String> lines = new ArrayList<>();
    private int services;
    private int problems;

    private Moving(Proxy proxy, List<ComposeServices.Service> all) {
        List<String> problemLines = new ArrayList<>();
        Set<String> hosts = new LinkedHashSet<>();
        List<String> notes = new ArrayList<>();
        for (MovedService service : proxy.reader.apply(all)) {
            sayWhatIsUnread(service, proxy, notes);
            service.routes().forEach(route -> hosts.addAll(route.hosts()));
            if (!service.isEmpty()) {
                lines.addAll(service.text());
                problemLines.addAll(service.problemText());
                services++;
                problems += service.problems();
            }
        }
        if (!problemLines.isEmpty()) {
            lines.add("# To do by hand:");
            lines.addAll(problemLines);
        }
        lines.addAll(notes);
        hosts.stream()
                .filter(host -> NAME.matcher(host).matches() && !hosts.contains(Service.SUBDOMAINS + host))
                .findFirst()
                .ifPresent(host -> lines.add("# millau.hosts=" + Words.shown(host)
                        + " also takes all subdomains of that name; " + proxy + " takes the name alone"));
        if (proxy == Proxy.TRAEFIK && services > 0 && all.stream().noneMatch(TraefikArguments::isTraefik)) {
            lines.add(
                    "# Traefik itself is not here: check its file together with this one, since its arguments may protect"
                            + " every service");
        }
        if (proxy == Proxy.NGINX_PROXY && services > 0 && !FromNginxProxy.isIn(all)) {
            lines.add("# nginx-proxy itself is not here: check its file together with this one, since its folder "
                    + NginxFolders.LOGINS + " may protect services");
        }
    }

    /** What was not read may protect a service, or be all that there is of it. */
    private static void sayWhatIsUnread(MovedService service, Proxy proxy, List<String> notes) {
        boolean isEmpty = service.isEmpty();
        service.unread().forEach((key, why) -> {
            boolean matters = !key.equals("env_file") || proxy == Proxy.NGINX_PROXY;
            if (matters && isEmpty) {
                notes.add("# " + Words.shown(service.name()) + ": " + key + ": " + why);
            } else if (matters) {
                service.close(key, why);
            }
        });
    }

    /**
     * Reads a file.
     *
     * @param name the file's name in messages
     * @throws NotComposeException if it is not a Compose file; the message has the name
     */
    public static Moving from(Proxy proxy, String name, String text) throws NotComposeException {
        return new Moving(proxy, ComposeServices.read(name, text));
    }

    /** Carries services of several files over, of which one may have what others use. */
    public static Moving of(Proxy proxy, List<ComposeServices.Service> services) {
        return new Moving(proxy, services);
    }

    /** Each service with each of its labels, and the new ones; then what can't be carried over. */
    public List<String> lines() {
        return lines;
    }

    /** The number of services that the other proxy has labels of. */
    public int services() {
        return services;
    }

    /** The number of labels that can't be carried over. */
    public int problems() {
        return problems;
    }
}
