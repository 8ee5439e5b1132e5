package io.millau.server.cli;

import io.millau.core.Problem;
import io.millau.core.Router;
import io.millau.core.Service;
import io.millau.core.Snapshot;
import io.millau.core.internal.Words;
import io.millau.server.internal.status.ExplainHandler;
import io.millau.server.internal.status.RequestUrl;
import io.millau.server.internal.status.UrlExplanation;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URLEncoder;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * {@code explain URL}: asks the running proxy, since only that knows which endpoints are out of rotation. If none is
 * running, or sources are given, reads the sources itself. For one thread.
 */
final class ExplainCommand {

    private static final String USAGE = "explain: expected one URL, and perhaps --all, --services FILE or --docker";

    /** What Java reads in place of bytes that the locale does not have. */
    private static final char REPLACEMENT = '\uFFFD';

    private final PrintStream out;
    private final PrintStream err;
    private final Configuration configuration;
    private final RequestUrl url;
    private final @Nullable Path services;
    private final boolean docker;
    private final boolean all;

    ExplainCommand(List<String> arguments, Map<String, String> environment, PrintStream out, PrintStream err)
            throws CommandException, Configuration.WrongException {
        this.out = out;
        this.err = err;
        String target = null;
        Path file = null;
        boolean engine = false;
        boolean whole = false;
        for (Iterator<String> rest = arguments.iterator(); rest.hasNext(); ) {
            String argument = rest.next();
            if (argument.equals("--docker")) {
                engine = true;
            } else if (argument.equals("--all")) {
                whole = true;
            } else if (argument.equals("--services") && rest.hasNext()) {
                file = Path.of(rest.next());
            } else if (argument.startsWith("-") || target != null) {
                throw new CommandException(
                        USAGE + Console.didYouMean(argument, List.of("--all", "--services", "--docker")));
            } else {
                target = argument;
            }
        }
        if (target == null) {
            throw new CommandException(USAGE);
        }
        services = file;
        docker = engine;
        all = whole;
        url = read(target);
        configuration = Configuration.read(environment, Configuration.Addresses.USUAL);
    }

    private static RequestUrl read(String target) throws CommandException {
        if (target.indexOf(REPLACEMENT) >= 0) {
            throw new CommandException(
                    "explain " + target + ": expected a URL in ASCII, since this system's locale has no"
                            + " other characters: write the Punycode form of the host name, xn--…, or set LC_ALL=C.UTF-8");
        }
        try {
            return RequestUrl.parse(target);
        } catch (IllegalArgumentException e) {
            throw new CommandException("explain " + target + ": " + e.getMessage());
        }
    }

    /** Returns the exit status: 0 if a service with a running instance matches the URL, else 1. */
    int run() throws CommandException {
        UrlExplanation explanation = services != null || docker ? explainFromSources(namedSources()) : explain();
        out.print(Console.clean(all ? explanation.wholeText() : explanation.text()));
        if (configuration.dockerLabel() != null) {
            out.println(Console.clean("Services in Docker need the label " + configuration.dockerLabel()
                    + " (DOCKER_LABEL); others are not known here"));
        }
        out.flush();
        return explanation.served() ? 0 : 1;
    }

    private UrlExplanation explain() throws CommandException {
        RunningProxy proxy = new RunningProxy(configuration.telemetry());
        try {
            return ask(proxy);
        } catch (IOException e) {
            err.println("No running Millau responds at " + proxy + ", so the following is from its sources: "
                    + Words.reason(e));
            return explainFromSources(configuredSources());
        }
    }

    private UrlExplanation ask(RunningProxy proxy) throws IOException {
        HttpResponse<String> response = proxy.get(ExplainHandler.PATH + "?" + (all ? ExplainHandler.ALL : "") + "url="
                + URLEncoder.encode(url.text(), StandardCharsets.UTF_8));
        boolean served = Boolean.parseBoolean(response.headers()
                .firstValue(ExplainHandler.SERVED)
                .orElseThrow(() -> new IOException("its response is not one of Millau")));
        return new UrlExplanation(served, response.body(), response.body());
    }

    private UrlExplanation explainFromSources(List<Snapshot> found) {
        List<Service> all = new ArrayList<>();
        List<Problem> problems = new ArrayList<>();
        for (Snapshot snapshot : found) {
            all.addAll(snapshot.services());
            problems.addAll(snapshot.problems());
        }
        Router router = new Router();
        router.replace(all);
        out.println("Which endpoints are out of rotation is unknown here");
        return UrlExplanation.of(url, router, problems, configuration.redirectToHttps(), false, configuration.trust());
    }

    private List<Snapshot> namedSources() throws CommandException {
        List<Snapshot> found = new ArrayList<>();
        if (services != null) {
            found.add(SourceReader.services(services));
        }
        if (docker) {
            found.add(SourceReader.docker(configuration));
        }
        return found;
    }

    /** The sources of a proxy with this environment. At least one must be readable. */
    private List<Snapshot> configuredSources() throws CommandException {
        List<Snapshot> found = new ArrayList<>();
        if (configuration.services() != null) {
            found.add(SourceReader.services(configuration.services()));
        }
        try {
            found.add(SourceReader.docker(configuration));
        } catch (CommandException e) {
            if (found.isEmpty()) {
                throw e;
            }
            err.println(e.getMessage());
        }
        return found;
    }
}
