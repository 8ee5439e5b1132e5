package io.millau.server.cli;

import io.millau.core.internal.LabelReader;
import io.millau.core.internal.Words;
import io.millau.docker.Deployment;
import io.millau.server.internal.status.ExplainHandler;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URI;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.YAMLException;

/**
 * {@code wait SERVICE}: waits until all instances of what was deployed last are in rotation at the running proxy, no others are, and each
 * answers. For one thread.
 */
final class WaitCommand {

    private static final String USAGE =
            "wait: expected the name of a service, and perhaps --replicas N or --timeout SECONDS";

    private static final Duration USUAL_TIMEOUT = Duration.ofSeconds(60);
    private static final Duration PAUSE = Duration.ofMillis(500);

    /** More than the proxy needs to read the labels of what was deployed. */
    private static final Duration UNTIL_READ = Duration.ofSeconds(5);

    private static final int LONGEST_STATUS = 64 * 1024 * 1024;

    private final PrintStream out;
    private final PrintStream err;
    private final Configuration configuration;
    private final RunningProxy proxy;
    private final String service;
    private final Duration timeout;

    /** How many instances there have to be; 0 for any number. */
    private final int replicas;

    /** The last mistake in labels that was seen, and since when. */
    private @Nullable String mistake;

    private long mistakeSince;
    private boolean engineIsMissing;
    private boolean engineHasAnswered;

    WaitCommand(List<String> arguments, Map<String, String> environment, PrintStream out, PrintStream err)
            throws CommandException, Configuration.WrongException {
        this.out = out;
        this.err = err;
        String name = null;
        int number = 0;
        Duration atMost = USUAL_TIMEOUT;
        for (Iterator<String> rest = arguments.iterator(); rest.hasNext(); ) {
            String argument = rest.next();
            if (argument.equals("--replicas") && rest.hasNext()) {
                number = number(rest.next(), "--replicas", 100_000);
            } else if (argument.equals("--timeout") && rest.hasNext()) {
                atMost = Duration.ofSeconds(number(rest.next(), "--timeout", 86_400));
            } else if (argument.startsWith("-") || name != null) {
                throw new CommandException(USAGE + Console.didYouMean(argument, List.of("--replicas", "--timeout")));
            } else {
                name = argument;
            }
        }
        if (name == null) {
            throw new CommandException(USAGE);
        }
        service = name;
        replicas = number;
        timeout = atMost;
        configuration = Configuration.read(environment, Configuration.Addresses.USUAL);
        proxy = new RunningProxy(configuration.telemetry());
    }

    private static int number(String text, String option, int most) throws CommandException {
        if (!text.matches("[0-9]{1,6}") || Integer.parseInt(text) < 1 || Integer.parseInt(text) > most) {
            throw new CommandException("wait " + option + " " + text + ": expected a number from 1 to " + most);
        }
        return Integer.parseInt(text);
    }

    /** What is still to be waited for. */
    private record Missing(String reason, boolean isFinal) {}

    /** Returns the exit status: 0 if all instances are in rotation and answer; 1 if not in time; 2 if that is unknown. */
    int run() throws CommandException {
        long end = System.nanoTime() + timeout.toNanos();
        while (true) {
            boolean isLast = System.nanoTime() - end >= 0;
            Missing missing;
            try {
                missing = look(isLast);
            } catch (IOException e) {
                if (isLast) {
                    throw new CommandException("No running Millau responds at " + proxy + ": " + Words.reason(e));
                }
                missing = new Missing("no running Millau responds at " + proxy, false);
            }
            if (missing == null) {
                return 0;
            }
            if (missing.isFinal || isLast) {
                out.println(Console.clean(service + ": " + missing.reason
                        + (missing.isFinal ? "" : ", after " + timeout.toSeconds() + " s")));
                return 1;
            }
            pause();
        }
    }

    private static void pause() throws CommandException {
        try {
            Thread.sleep(PAUSE.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CommandException("wait was interrupted");
        }
    }

    /** Returns null if there is nothing to wait for any more. */
    private @Nullable Missing look(boolean isLast) throws IOException {
        Optional<Deployment> deployed;
        try {
            deployed = deployment();
        } catch (IOException e) {
            return new Missing(String.valueOf(e.getMessage()), false);
        }
        Missing missing = deployed.map(this::missing).orElse(null);
        if (missing != null) {
            return explained(missing);
        }
        Map<?, ?> status = status();
        String problem = problem(status, deployed.isPresent());
        if (problem != null) {
            return new Missing(problem, deployed.isPresent() && isThereToStay(problem));
        }
        List<Map<?, ?>> routes =
                list(status, "services").stream().filter(this::isOfService).toList();
        if (routes.isEmpty()) {
            return new Missing(isLast ? whyNone(status) : "it is not there yet", false);
        }
        String ambiguity = ambiguity(routes);
        if (ambiguity != null) {
            return new Missing(ambiguity, true);
        }
        int instances = 0;
        for (Map<?, ?> route : routes) {
            String missingHere = missing(route, deployed.map(Deployment::instances));
            if (missingHere != null) {
                return new Missing(missingHere, false);
            }
            instances = list(route, "endpoints").size();
        }
        out.println(Console.clean(service + ": " + instances + (instances == 1 ? " instance is" : " instances are")
                + " in rotation, and each answers"));
        return null;
    }

    /** Why it is unclear which service is meant; null if it is clear. */
    private static @Nullable String ambiguity(List<Map<?, ?>> routes) {
        Map<String, Set<String>> ids = new TreeMap<>();
        routes.forEach(route -> ids.computeIfAbsent(text(route, "name"), name -> new TreeSet<>())
                .add(idOfService(route)));
        return ids.values().stream()
                .filter(ofOneName -> ofOneName.size() > 1)
                .findFirst()
                .map(ofOneName -> ofOneName.size() + " services have this name: expected the id of one, "
                        + String.join(" or ", ofOneName))
                .orElse(null);
    }

    private boolean isOfService(Map<?, ?> route) {
        String name = text(route, "name");
        return isId() ? idOfService(route).equals(service) : name.equals(service) || name.startsWith(service + "/");
    }

    /** Whether the service was named by its id, such as {@code compose:blog/web}: names in Docker have no colon. */
    private boolean isId() {
        return service.indexOf(':') >= 0;
    }

    private static String idOfService(Map<?, ?> route) {
        return LabelReader.Route.serviceOf(text(route, "id"));
    }

    /** Why the proxy has no service of this name. */
    private String whyNone(Map<?, ?> status) throws IOException {
        boolean disabled = proxy.get(ExplainHandler.PATH + "?" + ExplainHandler.ALL + "url=localhost")
                .body()
                .lines()
                .anyMatch(line -> line.startsWith(service + ": not enabled")
                        || line.startsWith(service + "/") && line.contains(": not enabled"));
        if (disabled) {
            return "it is not enabled: expected millau.enabled=true";
        }
        List<String> names = list(status, "services").stream()
                .map(route -> text(route, isId() ? "id" : "name"))
                .toList();
        return "the proxy at " + proxy + " has no service of this " + (isId() ? "id" : "name")
                + Console.didYouMean(service, names);
    }

    /** With what the proxy knows of it. */
    private Missing explained(Missing missing) {
        try {
            String problem = problem(status(), false);
            return problem == null ? missing : new Missing(missing.reason + ": " + problem, missing.isFinal);
        } catch (IOException e) {
            return missing; // the proxy can't be asked, and need not be
        }
    }

    /** Whether a mistake in the labels is that of the last deployment: the proxy knew of it for long enough. */
    private boolean isThereToStay(String problem) {
        long now = System.nanoTime();
        if (!problem.equals(mistake)) {
            mistake = problem;
            mistakeSince = now;
        }
        return now - mistakeSince >= UNTIL_READ.toNanos();
    }

    /**
     * The first of the service's problems that the proxy knows. They have names alone, so that those of an id are unknown.
     *
     * @param allRun whether those with instances are over
     */
    private @Nullable String problem(Map<?, ?> status, boolean allRun) {
        return list(status, "problems").stream()
                .filter(problem -> !isId() && text(problem, "service").equals(nameOf(service)))
                .filter(problem -> !allRun || !Boolean.TRUE.equals(problem.get("ofInstance")))
                .map(problem -> text(problem, "message"))
                .findFirst()
                .orElse(null);
    }

    /** The name of a route's service. */
    private static String nameOf(String route) {
        int slash = route.indexOf('/');
        return slash < 0 ? route : route.substring(0, slash);
    }

    private Optional<Deployment> deployment() throws IOException {
        if (engineIsMissing) {
            return Optional.empty();
        }
        try {
            Optional<Deployment> known = Main.docker(configuration).deployment(isId() ? service : nameOf(service));
            engineHasAnswered = true;
            return known;
        } catch (Configuration.WrongException e) {
            throw new IOException(e.getMessage(), e);
        } catch (IOException e) {
            if (engineHasAnswered) {
                throw e;
            }
            engineIsMissing = true;
            err.println(Console.clean(
                    "What was deployed is unknown, so the instances that the proxy knows count: " + e.getMessage()));
            return Optional.empty();
        }
    }

    private @Nullable Missing missing(Deployment deployed) {
        if (deployed.failure() != null) {
            return new Missing(deployed.failure(), true);
        }
        int running = deployed.instances().size();
        if (deployed.updating()) {
            return new Missing("the update is in progress: " + running + " instances run as deployed", false);
        }
        if (deployed.wanted() == 0 && running == 0 && deployed.others() == 0) {
            return new Missing("no instance is to run: it is scaled to 0, or no node fits", false);
        }
        if (!deployed.isDone()) {
            return new Missing(
                    running + " of " + Math.max(deployed.wanted(), running + deployed.others())
                            + " instances run as deployed",
                    false);
        }
        return null;
    }

    /** @param deployed ids of the instances that have to be there, and no others; empty if that is unknown */
    private @Nullable String missing(Map<?, ?> route, Optional<Set<String>> deployed) {
        String name = text(route, "name");
        if (Boolean.TRUE.equals(route.get("closed"))) {
            return name + " is closed: requests get 503, since a label that protects it has a mistake";
        }
        List<Map<?, ?>> endpoints = list(route, "endpoints");
        Set<String> known = new TreeSet<>();
        endpoints.forEach(endpoint -> known.add(nameOf(text(endpoint, "id"))));
        if (deployed.isPresent() && !known.equals(deployed.get())) {
            return name + " has other instances at the proxy than those that were deployed";
        }
        if (replicas == 0 ? endpoints.isEmpty() : endpoints.size() != replicas) {
            return name + " has " + endpoints.size() + " instances, expected "
                    + (replicas == 0 ? "one at least" : replicas);
        }
        for (Map<?, ?> endpoint : endpoints) {
            String url = text(endpoint, "url");
            URI address = URI.create(url);
            String state = text(endpoint, "state");
            if (!state.equals("up") && !state.equals("recovering")) {
                return url + " is out of rotation (" + state + "): "
                        + Words.reasonWithHint(text(endpoint, "reason"), address.getPort(), text(route, "id"));
            }
            String failure = InstanceProbe.failure(address, host(route, url), text(route, "path"));
            if (failure != null) {
                return url + " does not answer: " + Words.reasonWithHint(failure, address.getPort(), text(route, "id"));
            }
        }
        return null;
    }

    /** A host of the service, since an application may accept only its own names. */
    private static String host(Map<?, ?> route, String url) {
        return route.get("hosts") instanceof List<?> hosts
                ? hosts.stream()
                        .map(String::valueOf)
                        .filter(host -> !host.startsWith("*"))
                        .findFirst()
                        .orElse(URI.create(url).getRawAuthority())
                : URI.create(url).getRawAuthority();
    }

    // ---- JSON, which YAML 1.1 includes

    private Map<?, ?> status() throws IOException {
        HttpResponse<String> response = proxy.get("/status.json");
        LoaderOptions options = new LoaderOptions();
        options.setCodePointLimit(LONGEST_STATUS);
        try {
            Object read = new Yaml(new SafeConstructor(options)).load(response.body());
            if (response.statusCode() == 200 && read instanceof Map<?, ?> status && status.containsKey("services")) {
                return status;
            }
        } catch (YAMLException e) {
            throw new IOException("its response is not one of Millau", e);
        }
        throw new IOException("its response is not one of Millau");
    }

    private static List<Map<?, ?>> list(Map<?, ?> of, String name) {
        List<Map<?, ?>> all = new ArrayList<>();
        if (of.get(name) instanceof List<?> elements) {
            elements.forEach(element -> {
                if (element instanceof Map<?, ?> map) {
                    all.add(map);
                }
            });
        }
        return all;
    }

    private static String text(Map<?, ?> of, String name) {
        return String.valueOf(of.get(name));
    }
}
