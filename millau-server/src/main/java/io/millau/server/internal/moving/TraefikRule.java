package io.millau.server.internal.moving;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The rule of a router of Traefik 2 or 3, as far as hosts, paths and clients go: {@code Host(`a`) || Host(`b`) && PathPrefix(`/x`)}.
 * For one thread.
 *
 * <p>See <a href="https://doc.traefik.io/traefik/reference/routing-configuration/http/routing/rules-and-priority/">its reference</a>.
 */
final class TraefikRule {

    private static final int MOST_ALTERNATIVES = 100;
    private static final int DEEPEST = 50;
    private static final int LONGEST = 10_000;

    private static final Pattern SPACE = Pattern.compile("\\s*");
    private static final Pattern NAME = Pattern.compile("[A-Za-z]{1,40}");
    private static final Pattern ARGUMENT = Pattern.compile("`([^`]*)`|\"([^\"\\\\]*)\"|'([^'\\\\]*)'");

    private static final String CHARACTERS = "(?:\\.|\\[[^\\]{}]*\\]|\\\\[wS])[+*]";
    private static final String DOMAIN = "[A-Za-z0-9_$][^\\s`|()\\[\\]*+?^\\\\]*";

    /** Any host, in the words of both versions. */
    private static final Pattern ANY = Pattern.compile("\\{\\w*:\\.[+*]\\}|\\^?\\(?\\.[+*]\\)?\\$?");

    private static final Pattern SUBDOMAINS = Pattern.compile(
            "(?:\\{\\w*:" + CHARACTERS + "\\}\\.|\\^?\\(?" + CHARACTERS + "\\)?\\.)(" + DOMAIN + ")\\$?");

    /** It begins with characters other than dots. */
    private static final Pattern ONE_LABEL =
            Pattern.compile("(?:\\{\\w*:|\\^?\\(?)(?:\\[\\^[^\\]]*\\.[^\\]]*\\]|\\[[^\\]^.][^\\].]*\\]|\\\\w)[+*]");

    private static final Pattern LITERAL = Pattern.compile("\\^?(" + DOMAIN + ")\\$?");

    /**
     * A rule.
     *
     * @param ignored of each condition that has no label, why; without it the rule selects more than it should
     */
    record Reading(List<Selection> selections, Set<String> ignored) {}

    /**
     * What one of several conditions selects; lists of no element stand for all.
     *
     * @param oneLabel whether one of the hosts stands for names of one more label alone
     */
    record Selection(List<String> hosts, String path, boolean exact, List<String> clients, boolean oneLabel) {}

    /** What must hold together. */
    private record Term(Set<String> hosts, Set<String> paths, Set<String> exactPaths, Set<String> clients) {
        static final Term ALL = new Term(Set.of(), Set.of(), Set.of(), Set.of());

        Term and(Term other) {
            boolean twoPaths =
                    !paths.isEmpty() && !other.exactPaths.isEmpty() || !exactPaths.isEmpty() && !other.paths.isEmpty();
            if (twoPaths) {
                throw new IllegalArgumentException("expected no two paths at once");
            }
            return new Term(
                    either(hosts, other.hosts, "two hosts"),
                    either(paths, other.paths, "two paths"),
                    either(exactPaths, other.exactPaths, "two paths"),
                    either(clients, other.clients, "two ranges of clients"));
        }

        private static Set<String> either(Set<String> one, Set<String> other, String what) {
            if (!one.isEmpty() && !other.isEmpty() && !one.equals(other)) {
                throw new IllegalArgumentException("expected no " + what + " at once");
            }
            return one.isEmpty() ? other : one;
        }
    }

    private final String text;
    private final Set<String> ignored = new LinkedHashSet<>();
    private boolean oneLabel;
    private int at;

    private TraefikRule(String text) {
        this.text = text;
    }

    /**
     * Reads a rule.
     *
     * @return at least one selection, with hosts in common where their paths and clients are the same
     * @throws IllegalArgumentException if it can't be carried over; the message says why
     */
    static Reading read(String text) {
        if (text.length() > LONGEST) {
            throw new IllegalArgumentException("expected a rule of at most " + LONGEST + " characters");
        }
        TraefikRule rule = new TraefikRule(text);
        List<Term> terms = rule.alternatives(0);
        if (rule.at < text.length()) {
            throw rule.unexpected();
        }
        return new Reading(rule.selections(terms), rule.ignored);
    }

    private List<Selection> selections(List<Term> terms) {
        Map<Place, Set<String>> clients = new LinkedHashMap<>();
        for (Term term : terms) {
            places(term).forEach(place -> clients.merge(place, term.clients, TraefikRule::anyOf));
        }
        record Key(String path, boolean exact, Set<String> clients) {}
        Map<Key, Set<String>> hosts = new LinkedHashMap<>();
        clients.forEach((place, own) -> {
            Place anyHost = new Place("*", place.path, place.exact);
            Set<String> of = anyOf(own, clients.getOrDefault(anyHost, own));
            hosts.computeIfAbsent(new Key(place.path, place.exact, of), key -> new LinkedHashSet<>())
                    .add(place.host);
        });
        return hosts.entrySet().stream()
                .map(entry -> new Selection(
                        entry.getValue().contains("*") ? List.of() : List.copyOf(entry.getValue()),
                        entry.getKey().path,
                        entry.getKey().exact,
                        List.copyOf(entry.getKey().clients),
                        oneLabel))
                .collect(Collectors.toList());
    }

    /** What one route at most is for, whoever asks. */
    private record Place(String host, String path, boolean exact) {}

    private static List<Place> places(Term term) {
        List<Place> places = new ArrayList<>();
        for (String host : term.hosts.isEmpty() ? Set.of("*") : term.hosts) {
            String of = host.contains("$") ? host : host.toLowerCase(Locale.ROOT);
            term.paths.forEach(path -> places.add(new Place(of, path.equals("/") ? "" : path, false)));
            term.exactPaths.forEach(path -> places.add(new Place(of, path, true)));
            if (term.paths.isEmpty() && term.exactPaths.isEmpty()) {
                places.add(new Place(of, "", false));
            }
        }
        return places;
    }

    /** The clients of either; no element stands for all. */
    private static Set<String> anyOf(Set<String> one, Set<String> other) {
        Set<String> both = new LinkedHashSet<>(one);
        both.addAll(other);
        return one.isEmpty() || other.isEmpty() ? Set.of() : both;
    }

    private List<Term> alternatives(int depth) {
        checkDepth(depth);
        List<Term> all = new ArrayList<>(together(depth));
        while (take("||")) {
            all.addAll(together(depth));
            checkNumber(all);
        }
        return all;
    }

    private List<Term> together(int depth) {
        List<Term> all = one(depth);
        while (take("&&")) {
            List<Term> others = one(depth);
            List<Term> both = new ArrayList<>();
            for (Term term : all) {
                others.forEach(other -> both.add(term.and(other)));
                checkNumber(both);
            }
            all = both;
        }
        return all;
    }

    private static void checkDepth(int depth) {
        if (depth > DEEPEST) {
            throw new IllegalArgumentException("expected at most " + DEEPEST + " parentheses in one another");
        }
    }

    /** A condition that has no label: it selects all. */
    private List<Term> ignore(String why) {
        ignored.add(why);
        return List.of(Term.ALL);
    }

    private static void checkNumber(List<Term> terms) {
        if (terms.size() > MOST_ALTERNATIVES) {
            throw new IllegalArgumentException("expected at most " + MOST_ALTERNATIVES + " alternatives");
        }
    }

    private List<Term> one(int depth) {
        if (take("(")) {
            List<Term> inside = alternatives(depth + 1);
            expect(")");
            return inside;
        }
        if (take("!")) {
            checkDepth(depth);
            one(depth + 1);
            return ignore("! has no counterpart: the longest path and the best host win, so give what is"
                    + " excluded a service or a route of its own");
        }
        Matcher name = NAME.matcher(text).region(at, text.length());
        if (!name.lookingAt()) {
            throw unexpected();
        }
        at = name.end();
        expect("(");
        List<String> arguments = new ArrayList<>();
        do {
            Matcher argument = ARGUMENT.matcher(text).region(at, text.length());
            if (!argument.lookingAt()) {
                throw unexpected();
            }
            at = argument.end();
            arguments.add(argument.group(0).substring(1, argument.group(0).length() - 1));
        } while (take(","));
        expect(")");
        try {
            return List.of(term(name.group(), arguments));
        } catch (IllegalArgumentException e) {
            return ignore(String.valueOf(e.getMessage()));
        }
    }

    private Term term(String matcher, List<String> arguments) {
        Set<String> values = new LinkedHashSet<>(arguments);
        Term all = Term.ALL;
        return switch (matcher) {
            case "Host", "HostHeader" -> new Term(values, all.paths, all.exactPaths, all.clients);
            case "HostRegexp" -> {
                oneLabel |= arguments.stream()
                        .anyMatch(pattern -> ONE_LABEL.matcher(pattern).lookingAt());
                Set<String> hosts = arguments.stream()
                        .map(TraefikRule::hostOf)
                        .collect(Collectors.toCollection(LinkedHashSet::new));
                yield new Term(hosts.contains("*") ? all.hosts : hosts, all.paths, all.exactPaths, all.clients);
            }
            case "PathPrefix" -> new Term(all.hosts, paths(values), all.exactPaths, all.clients);
            case "Path" -> new Term(all.hosts, all.paths, paths(values), all.clients);
            case "ClientIP" -> new Term(all.hosts, all.paths, all.exactPaths, values);
            case "Header", "Headers", "HeadersRegexp", "HeaderRegexp", "Method", "Query", "QueryRegexp", "PathRegexp" ->
                throw new IllegalArgumentException(
                        matcher + " has no label: services are chosen by host and path, and a filter in"
                                + " code can look at more");
            default ->
                throw new IllegalArgumentException(matcher + " is not known here: expected Host, PathPrefix or Path");
        };
    }

    private static Set<String> paths(Set<String> paths) {
        if (paths.stream().anyMatch(path -> path.contains("{") && !path.contains("${"))) {
            throw new IllegalArgumentException("a path with a pattern has no label: expected the beginning of a path");
        }
        return paths;
    }

    private static String hostOf(String pattern) {
        String plain = pattern.replace("$$", "$").replace("\\.", ".");
        if (ANY.matcher(plain).matches()) {
            return "*";
        }
        Matcher literal = LITERAL.matcher(plain);
        if (literal.matches()) {
            return withoutEnd(literal.group(1));
        }
        Matcher subdomains = SUBDOMAINS.matcher(plain);
        if (subdomains.matches()) {
            return "*." + withoutEnd(subdomains.group(1));
        }
        throw new IllegalArgumentException(
                "this HostRegexp has no label: expected the names, or all subdomains of one, such as *.shop.example");
    }

    private static String withoutEnd(String host) {
        return host.endsWith("$") ? host.substring(0, host.length() - 1) : host;
    }

    private boolean take(String token) {
        skipSpace();
        if (!text.startsWith(token, at)) {
            return false;
        }
        at += token.length();
        skipSpace();
        return true;
    }

    private void expect(String token) {
        if (!take(token)) {
            throw unexpected();
        }
    }

    private void skipSpace() {
        Matcher space = SPACE.matcher(text).region(at, text.length());
        if (space.lookingAt()) {
            at = space.end();
        }
    }

    private IllegalArgumentException unexpected() {
        return new IllegalArgumentException(
                "character " + (at + 1) + " of the rule: expected Host(`shop.example`), perhaps with"
                        + " && PathPrefix(`/path`), and || between several");
    }
}
