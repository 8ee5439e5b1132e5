package io.millau.server.internal.status;

import io.millau.core.Explanation;
import io.millau.core.Problem;
import io.millau.core.Route;
import io.millau.core.Router;
import io.millau.core.Service;
import io.millau.core.internal.HostNames;
import io.millau.server.internal.text.Trust;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Explains what happens to a request for a URL, as text for users. Immutable.
 *
 * @param served whether a matching service has a running instance
 * @param text lines, each with a line end; of services that the request does not go to, and of problems, only those that come nearest
 * @param wholeText the same with all services and problems
 */
public record UrlExplanation(boolean served, String text, String wholeText) {

    private static final int MOST_OTHERS = 8;
    private static final int MOST_PROBLEMS = 5;

    /**
     * Explains a URL by the router.
     *
     * @param problems problems with services; the router may not know some services because of them
     * @param redirectAll whether all plain HTTP requests are redirected to HTTPS
     * @param filtered whether filters of the program see requests first
     * @param trust who is believed
     */
    public static UrlExplanation of(
            RequestUrl url, Router router, List<Problem> problems, boolean redirectAll, boolean filtered, Trust trust) {
        Explanation explanation = router.explain(url.host(), url.path());
        List<String> lines = new ArrayList<>();
        lines.add(url.text() + " " + outcome(explanation));
        List<Problem> reasons = reasons(problems, explanation, url);
        reasons.forEach(why -> lines.add("Why: " + why));
        List<Problem> rest = nearestFirst(
                problems.stream()
                        .distinct()
                        .filter(problem -> !reasons.contains(problem))
                        .toList(),
                explanation.verdicts(),
                url);
        boolean proves = explanation.clientCertificate() != Explanation.ClientCertificate.NOT_NEEDED;
        if (!url.secure() && (redirectAll || explanation.redirectToHttps() || proves)) {
            lines.add("Over plain HTTP it is redirected to HTTPS first: 308");
        }
        if (filtered) {
            lines.add("Filters of the program see it first: they may respond, or change its host and path");
        }
        switch (explanation.clientCertificate()) {
            case NEEDED -> lines.add("Its clients need a certificate (millau.client-ca)");
            case NONE_ACCEPTED ->
                lines.add(
                        "Every client is rejected: its services require different certificates (millau.client-ca): 421");
            case NOT_NEEDED -> {}
        }
        List<Explanation.Verdict> all = explanation.verdicts();
        int shown = Math.min(all.size(), explanation.chosen().size() + MOST_OTHERS);
        return new UrlExplanation(
                explanation.running(),
                text(lines, all.subList(0, shown), all.subList(shown, all.size()), rest, MOST_PROBLEMS, trust),
                text(lines, all, List.of(), rest, rest.size(), trust));
    }

    /** Why nothing runs, or why no service of the host gets the request: perhaps it was left out. */
    private static List<Problem> reasons(List<Problem> problems, Explanation explanation, RequestUrl url) {
        Set<String> notRunning = explanation.running() ? Set.of() : problemNames(explanation.chosen());
        Route route = explanation.route();
        boolean isOfNoHost = route == null || route.host().equals(Service.ANY_HOST);
        String host = HostNames.name(url.host());
        return problems.stream()
                .distinct()
                .filter(problem -> notRunning.contains(problem.service()) || isOfNoHost && isLeftOut(problem, host))
                .toList();
    }

    private static String text(
            List<String> start,
            List<Explanation.Verdict> shown,
            List<Explanation.Verdict> others,
            List<Problem> problems,
            int mostProblems,
            Trust trust) {
        List<String> lines = new ArrayList<>(start);
        shown.forEach(verdict -> lines.add(verdict.toString()));
        if (!others.isEmpty()) {
            lines.add("and " + others.size() + " more that fit less (explain --all, or /explain?all&url=)");
        }
        lines.add(trust.toString());
        Set<String> hidden = problemNames(services(others));
        hidden.removeAll(problemNames(services(shown)));
        List<Problem> near = problems.stream()
                .filter(problem -> !hidden.contains(problem.service()))
                .toList();
        int told = Math.min(near.size(), mostProblems);
        near.subList(0, told).forEach(problem -> lines.add("Problem: " + problem));
        if (told < near.size()) {
            int left = near.size() - told;
            lines.add("and " + left + (left == 1 ? " more problem" : " more problems") + " (explain --all)");
        }
        return lines.stream().map(line -> line + "\n").collect(Collectors.joining());
    }

    /** First problems that name the host or a part of it, then those of services in the order of the verdicts, then the others. */
    private static List<Problem> nearestFirst(
            List<Problem> problems, List<Explanation.Verdict> verdicts, RequestUrl url) {
        String host = HostNames.name(url.host());
        Map<String, Integer> order = new HashMap<>();
        problemNames(services(verdicts)).forEach(name -> order.put(name, order.size()));
        return problems.stream()
                .sorted(Comparator.comparing((Problem problem) -> !names(problem.toString(), host))
                        .thenComparing(problem -> order.getOrDefault(problem.service(), order.size())))
                .toList();
    }

    private static boolean isLeftOut(Problem problem, String host) {
        return problem.hosts().stream()
                .map(left -> left.toLowerCase(Locale.ROOT))
                .anyMatch(left -> host.equals(left) || HostNames.isBelow(left, host));
    }

    private static boolean names(String text, String host) {
        for (String end = host; end.contains("."); end = end.substring(end.indexOf('.') + 1)) {
            if (text.contains(end)) {
                return true;
            }
        }
        return text.contains(host);
    }

    private static List<Service> services(List<Explanation.Verdict> verdicts) {
        return verdicts.stream().map(Explanation.Verdict::service).toList();
    }

    /** The names that problems have: those of services, also where they have several routes. */
    private static Set<String> problemNames(List<Service> services) {
        return services.stream()
                .map(service -> service.name().replaceFirst("/.*", ""))
                .collect(Collectors.toCollection(LinkedHashSet::new));
    }

    private static String outcome(Explanation explanation) {
        List<Service> chosen = explanation.chosen();
        if (chosen.isEmpty() || explanation.removed()) {
            return "goes nowhere: 502 No matching services found";
        }
        String names = chosen.stream().map(Service::name).collect(Collectors.joining(", "));
        return "goes to " + names
                + (explanation.running()
                        ? ""
                        : ": 502 No running instance of " + chosen.get(0).name());
    }
}
