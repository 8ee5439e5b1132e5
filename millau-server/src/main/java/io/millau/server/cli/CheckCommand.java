package io.millau.server.cli;

import io.millau.core.Problem;
import io.millau.core.Service;
import io.millau.core.ServiceSource;
import io.millau.core.Snapshot;
import io.millau.core.internal.PropertyLines;
import io.millau.core.internal.ServiceKeys;
import io.millau.core.internal.SharedRoutes;
import io.millau.core.internal.Words;
import io.millau.server.internal.compose.ComposeFile;
import io.millau.server.internal.compose.ComposeServices;
import io.millau.server.internal.compose.Diagnostics;
import io.millau.server.internal.compose.EnvFile;
import io.millau.server.internal.compose.NotComposeException;
import io.millau.server.internal.moving.Moving;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * {@code check FILE…}: reports problems in services files, Compose and stack files, and the engine, with the same
 * messages as the log, and their place; with {@code --from}, says what the labels of another proxy become. For one thread.
 */
final class CheckCommand {

    private static final int MOST_BYTES = 1024 * 1024;
    private static final int MOST_NAMED = 5;

    private final Map<String, String> environment;
    private final PrintStream out;
    private final PrintStream err;
    private final List<String> files = new ArrayList<>();
    private boolean docker;

    /** Whose labels the files have; null if they are ours. */
    private Moving.@Nullable Proxy from;

    private final List<ComposeServices.Service> toMove = new ArrayList<>();

    /** What would be served, and where it was read. */
    private final Map<Service, String> served = new IdentityHashMap<>();

    private int services;
    private int problems;
    private boolean unreadable;

    CheckCommand(List<String> arguments, Map<String, String> environment, PrintStream out, PrintStream err)
            throws CommandException {
        this.environment = environment;
        this.out = out;
        this.err = err;
        Iterator<String> rest = arguments.iterator();
        while (rest.hasNext()) {
            String argument = rest.next();
            if (argument.equals("--docker")) {
                docker = true;
            } else if (argument.equals("--from")) {
                from = proxy(rest.hasNext() ? rest.next() : "");
            } else if (argument.startsWith("-")) {
                throw new CommandException("check " + argument + ": expected files, --docker, or --from"
                        + Console.didYouMean(argument, List.of("--docker", "--from")));
            } else {
                files.add(argument);
            }
        }
        if (from != null && (docker || files.isEmpty())) {
            throw new CommandException("check --from " + from + ": expected Compose or stack files, and no --docker");
        }
    }

    private static Moving.Proxy proxy(String name) throws CommandException {
        for (Moving.Proxy proxy : Moving.Proxy.values()) {
            if (proxy.toString().equals(name)) {
                return proxy;
            }
        }
        List<String> names =
                Arrays.stream(Moving.Proxy.values()).map(Moving.Proxy::toString).toList();
        throw new CommandException(
                "check --from " + name + ": expected " + String.join(", ", names) + Console.didYouMean(name, names));
    }

    private interface Part {
        void check() throws CommandException, Configuration.WrongException;
    }

    /** Returns the exit status: 0 without problems, 1 with problems, 2 if something can't be read. */
    int run() {
        if (files.isEmpty() && !docker) {
            docker = true;
            check(() -> {
                Path file = configuration().services();
                if (file != null) {
                    checkServices(file);
                }
            });
        }
        files.forEach(file -> check(() -> checkFile(file)));
        if (from != null) {
            move(from);
        }
        if (docker) {
            check(this::checkEngine);
        }
        noteSharedRoutes();
        if (services > 0 || !unreadable) {
            out.println(summary());
        }
        out.flush();
        return unreadable ? 2 : problems > 0 ? 1 : 0;
    }

    /** Notes which services of several files get a part of each other's requests. It may be meant so. */
    private void noteSharedRoutes() {
        SharedRoutes shared = new SharedRoutes(served.keySet());
        List<String> notes = new ArrayList<>();
        served.forEach((service, where) -> shared.beside(service).stream()
                .filter(other -> where.compareTo(String.valueOf(served.get(other))) < 0)
                .forEach(other -> notes.add(where + ": " + service.name() + ": note: shares requests with "
                        + other.name() + " of " + served.get(other) + ", which has the same host and path")));
        notes.stream().sorted().forEach(note -> out.println(Console.clean(note)));
    }

    private void addServed(String where, Collection<Service> services) {
        services.stream().filter(Service::enabled).forEach(service -> served.put(service, where));
    }

    /** Runs one check. If it can't read something, the others still run. */
    private void check(Part part) {
        try {
            part.check();
        } catch (CommandException | Configuration.WrongException e) {
            unreadable = true;
            err.println(Console.clean(String.valueOf(e.getMessage())));
        }
    }

    private Configuration configuration() throws Configuration.WrongException {
        return Configuration.read(environment, Configuration.Addresses.USUAL);
    }

    private String summary() {
        String of = count(services, "service");
        if (from != null && services == 0) {
            return "no labels of " + from;
        }
        if (from != null) {
            return problems == 0
                    ? of + ", all is carried over"
                    : count(problems, "setting") + " of " + of + " can't be carried over";
        }
        return problems == 0 ? of + ", no problems" : count(problems, "problem") + " in " + of;
    }

    private static String count(int number, String what) {
        return number + " " + what + (number == 1 ? "" : "s");
    }

    private void checkFile(String file) throws CommandException {
        String name = file.toLowerCase(Locale.ROOT);
        if (Files.isDirectory(Path.of(file))) {
            expectServicesFiles(Path.of(file));
            checkFolder(Path.of(file));
        } else if (name.endsWith(".properties") && from == null) {
            checkServicesFile(file);
        } else if (isCompose(name)) {
            if (from == null) {
                checkComposeFile(file);
            } else {
                toMove.addAll(composeServices(file));
            }
        } else {
            throw new CommandException(
                    file
                            + ": expected a services file, .properties, a folder of them, or a Compose or stack file, .yml or .yaml");
        }
    }

    private static boolean isCompose(String name) {
        return name.endsWith(".yml") || name.endsWith(".yaml");
    }

    /** A folder is one of services files. Most that are given by mistake are a project's, with a Compose file. */
    private void expectServicesFiles(Path folder) throws CommandException {
        if (from == null && !servicesFiles(folder).isEmpty()) {
            return;
        }
        List<String> compose = composeFiles(folder);
        throw new CommandException(folder
                + (from == null
                        ? ": expected services files, .properties, in this folder, but there are none"
                        : ": expected a Compose or stack file, but this is a folder")
                + (compose.isEmpty()
                        ? ""
                        : ": write check " + (from == null ? "" : "--from " + from + " ") + String.join(" ", compose)));
    }

    private static List<String> composeFiles(Path folder) throws CommandException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> isCompose(file.toString().toLowerCase(Locale.ROOT)))
                    .map(file -> file.normalize().toString())
                    .sorted()
                    .limit(MOST_NAMED)
                    .toList();
        } catch (IOException e) {
            throw unreadable(folder, e);
        }
    }

    private static CommandException unreadable(Path folder, IOException reason) {
        return new CommandException(folder + ": expected a folder that can be read (" + Words.reason(reason) + ")");
    }

    private void checkServices(Path path) throws CommandException {
        if (Files.isDirectory(path)) {
            checkFolder(path);
        } else {
            checkServicesFile(path.toString());
        }
    }

    /** Checks each file, and then what only all files together show. */
    private void checkFolder(Path folder) throws CommandException {
        Snapshot together = SourceReader.services(folder);
        Set<Problem> known = new HashSet<>();
        for (Path file : servicesFiles(folder)) {
            check(() -> {
                for (Problem problem : checkServicesFile(file.toString())) {
                    known.add(problem.withMessage(file.getFileName() + ": " + problem.message()));
                }
            });
        }
        for (Problem problem : together.problems()) {
            boolean isUnreadableFile = problem.service().startsWith("file ");
            if (!isUnreadableFile && !known.contains(problem)) {
                out.println(Console.clean(folder + ": " + problem));
                problems++;
            }
        }
    }

    private static List<Path> servicesFiles(Path folder) throws CommandException {
        try {
            return ServiceSource.folder(folder).files();
        } catch (IOException e) {
            throw unreadable(folder, e);
        }
    }

    private List<Problem> checkServicesFile(String file) throws CommandException {
        NavigableMap<String, Integer> lines = new TreeMap<>();
        Map<String, Integer> firstLines = new HashMap<>();
        List<PropertyLines.Entry> entries = entries(file);
        ServiceKeys keys =
                new ServiceKeys(entries.stream().map(PropertyLines.Entry::key).toList());
        for (PropertyLines.Entry entry : entries) {
            lines.put(entry.key(), entry.line());
            lines.put("line " + entry.line(), entry.line()); // so begin problems of lines that can't be read
            firstLines.putIfAbsent(keys.serviceOf(entry.key()), entry.line());
        }
        Snapshot snapshot = SourceReader.services(Path.of(file));
        Diagnostics findings = new Diagnostics();
        for (Problem problem : snapshot.problems()) {
            int first = firstLines.getOrDefault(problem.service(), 1);
            findings.problem(Diagnostics.lineOf(problem, lines, first), problem);
        }
        report(file, findings, firstLines.size());
        addServed(file, snapshot.services());
        return snapshot.problems();
    }

    private static List<PropertyLines.Entry> entries(String file) throws CommandException {
        byte[] bytes = bytes(file);
        try {
            return PropertyLines.read(bytes);
        } catch (IOException e) {
            throw new CommandException(file + ": " + Words.reason(e));
        }
    }

    private void checkComposeFile(String file) throws CommandException {
        Map<String, String> variables = new HashMap<>(variablesBeside(file));
        variables.putAll(environment);
        try {
            ComposeFile compose = ComposeFile.check(file, text(file), variables::get, Configuration::mistake);
            report(file, compose.findings(), compose.services());
            addServed(file, compose.routed());
            if (compose.services() == 0) {
                noteOtherProxies(file);
            }
        } catch (NotComposeException e) {
            throw new CommandException(String.valueOf(e.getMessage()));
        }
    }

    private void noteOtherProxies(String file) throws CommandException {
        List<ComposeServices.Service> all;
        try {
            all = ComposeServices.read(file, text(file), path -> textBeside(file, path));
        } catch (NotComposeException e) {
            return; // such as one that only includes others
        }
        for (Moving.Proxy proxy : Moving.Proxy.values()) {
            if (Moving.of(proxy, all).services() > 0) {
                out.println(Console.clean(file + ": note: it has settings of " + proxy
                        + ", none of Millau: check --from " + proxy + " " + file + " says what they become"));
            }
        }
    }

    private List<ComposeServices.Service> composeServices(String file) throws CommandException {
        try {
            if (ComposeServices.includesOthers(file, text(file))) {
                out.println(Console.clean(file + ": note: included files are not read: give them here, too"));
            }
            return ComposeServices.read(file, text(file), path -> textBeside(file, path));
        } catch (NotComposeException e) {
            throw new CommandException(String.valueOf(e.getMessage()));
        }
    }

    /** Says what the labels of another proxy become; those of one file may use what another has. */
    private void move(Moving.Proxy proxy) {
        Moving moving = Moving.of(proxy, toMove);
        moving.lines().forEach(line -> out.println(Console.clean(line)));
        problems += moving.problems();
        services += moving.services();
    }

    private void report(String file, Diagnostics findings, int ofServices) {
        findings.lines(file).forEach(line -> out.println(Console.clean(line)));
        problems += findings.problems();
        services += ofServices;
    }

    /**
     * The variables of the {@code .env} file beside the Compose file. Compose reads it, so unset variables would be
     * false problems.
     */
    private static Map<String, String> variablesBeside(String file) throws CommandException {
        Path beside = Path.of(file).resolveSibling(".env");
        return Files.isRegularFile(beside) ? EnvFile.read(text(beside.toString())) : Map.of();
    }

    /** The text of a file that a Compose file names; null if it can't be read. */
    private static @Nullable String textBeside(String file, String path) {
        try {
            Path beside = Path.of(file).resolveSibling(path);
            return Files.isRegularFile(beside) ? text(beside.toString()) : null;
        } catch (CommandException | InvalidPathException e) {
            return null;
        }
    }

    private static String text(String file) throws CommandException {
        byte[] bytes = bytes(file);
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new CommandException(file + ": expected a text file in UTF-8");
        }
    }

    private static byte[] bytes(String file) throws CommandException {
        try (InputStream in = Files.newInputStream(Path.of(file))) {
            byte[] bytes = in.readNBytes(MOST_BYTES + 1);
            if (bytes.length > MOST_BYTES) {
                throw new CommandException(file + ": expected at most " + MOST_BYTES + " bytes");
            }
            return bytes;
        } catch (IOException e) {
            throw new CommandException(file + ": expected a file that can be read (" + Words.reason(e) + ")");
        }
    }

    private void checkEngine() throws CommandException, Configuration.WrongException {
        Configuration configuration = configuration();
        Snapshot snapshot = SourceReader.docker(configuration);
        String engine = Main.docker(configuration).toString();
        Set<String> names = new HashSet<>();
        for (Problem problem : snapshot.problems()) {
            boolean isOfEngine = problem.service().equals(engine);
            out.println(Console.clean(isOfEngine ? problem.toString() : engine + ": " + problem));
            if (!isOfEngine) {
                names.add(problem.service());
            }
        }
        problems += snapshot.problems().size();
        // A problem has the name of the service, also if only routes of it are served.
        names.removeIf(name -> snapshot.services().stream()
                .map(Service::name)
                .anyMatch(served -> served.equals(name) || served.startsWith(name + "/")));
        services += snapshot.services().size() + names.size();
    }
}
