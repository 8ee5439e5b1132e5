package io.millau.server.cli;

import io.millau.core.Endpoint;
import io.millau.core.Service;
import io.millau.core.ServiceSource;
import io.millau.core.UpstreamTls;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** {@code proxy --from ADDRESS --to URL}: one service, which gets all requests, without a file or an engine. Immutable. */
final class ProxyCommand {

    static final String NAME = "proxy";

    private static final String USAGE = "proxy: expected --to URL, once or more, and perhaps --from ADDRESS";

    private static final Pattern TARGET =
            Pattern.compile("(?:(https?|h2c)://)?(\\[[0-9A-Fa-f:.]+\\]|[^\\s/:?#@\\[\\]]*)(?::([0-9]{1,5}))?/?");

    private final String from;
    private final List<Endpoint> targets = new ArrayList<>();

    ProxyCommand(List<String> arguments) throws CommandException {
        String address = ":8080";
        for (Iterator<String> rest = arguments.iterator(); rest.hasNext(); ) {
            String argument = rest.next();
            if (argument.equals("--from") && rest.hasNext()) {
                address = rest.next();
            } else if (argument.equals("--to") && rest.hasNext()) {
                targets.add(target(rest.next()));
            } else {
                throw new CommandException(USAGE + Console.didYouMean(argument, List.of("--from", "--to")));
            }
        }
        if (targets.isEmpty()) {
            throw new CommandException(USAGE);
        }
        from = address;
    }

    private static Endpoint target(String text) throws CommandException {
        Matcher parts = TARGET.matcher(text);
        boolean isKnown = parts.matches() && !(parts.group(2).isEmpty() && parts.group(3) == null);
        if (!isKnown) {
            throw new CommandException(
                    "proxy --to " + text + ": expected HOST:PORT, http://HOST:PORT, https://HOST or h2c://HOST:PORT");
        }
        String host = parts.group(2).isEmpty() ? "localhost" : parts.group(2).replaceAll("[\\[\\]]", "");
        boolean secure = "https".equals(parts.group(1));
        int port = parts.group(3) == null ? secure ? 443 : 80 : Integer.parseInt(parts.group(3));
        try {
            return secure
                    ? Endpoint.https(host, port, new UpstreamTls(Set.of(), host))
                    : "h2c".equals(parts.group(1)) ? Endpoint.h2c(host, port) : Endpoint.http(host, port);
        } catch (IllegalArgumentException e) {
            throw new CommandException("proxy --to " + text + ": " + e.getMessage());
        }
    }

    /** The environment of the server: it listens where this command says. */
    Map<String, String> environment(Map<String, String> given) {
        Map<String, String> environment = new HashMap<>(given);
        environment.put("HTTP", from);
        environment.putIfAbsent("HTTPS", "off");
        return environment;
    }

    /** The message of what is wrong with that environment: who wrote {@code --from} knows nothing of {@code HTTP}. */
    static String message(Configuration.WrongException wrong) {
        return String.valueOf(wrong.getMessage()).replaceFirst("^HTTP=", "proxy --from ");
    }

    ServiceSource source() {
        return ServiceSource.of(
                Service.named(NAME).endpoints(targets.toArray(Endpoint[]::new)).build());
    }
}
