package io.millau.examples;

import io.millau.core.Endpoint;
import io.millau.core.Overview;
import io.millau.server.Millau;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import net.bytebuddy.jar.asm.ClassReader;
import net.bytebuddy.jar.asm.ClassVisitor;
import net.bytebuddy.jar.asm.ClassWriter;
import net.bytebuddy.jar.asm.MethodVisitor;
import net.bytebuddy.jar.asm.Opcodes;

/**
 * The snippets in the Javadoc of our public types. A snippet is the body of {@link Body#run}, and may use the fields there; if it has
 * an {@code @Test}, it is the body of a class for JUnit. An address such as {@code ":8080"} becomes one with a free port.
 */
public final class JavadocSnippets {

    /** What snippets may use. */
    public abstract static class Body {

        /** A proxy that the snippet starts, or that is started after it and then gets requests. */
        public Millau.Builder builder = Millau.builder();

        /** An instance that responds. */
        public Endpoint endpoint = Endpoint.http("127.0.0.1", 1);

        /** A folder, empty but for a file {@code store-key}. */
        public Path folder = Path.of("");

        /** A proxy that runs, with the service {@code orders} at {@code shop.example}. */
        public Millau millau;

        /** Its state. */
        public Overview overview;

        /** The snippet. */
        public abstract void run() throws Exception;
    }

    /** Notes which methods and lambdas of snippets have run. */
    public static final class Entered {

        /** Each with its class. */
        static final Set<String> METHODS = ConcurrentHashMap.newKeySet();

        private Entered() {}

        /** Called by them. */
        public static void note(String method) {
            METHODS.add(method);
        }
    }

    /** Compiled snippets, and the methods and lambdas of each, by its class. */
    record Compiled(ClassLoader loader, Map<String, Set<String>> methods) {}

    /** A snippet, at a line of a file. */
    record Snippet(String type, int line, String code) {

        private static final Pattern SNIPPET = Pattern.compile("(?ms)^ *\\* <pre>\\{@code\n(.*?)^ *\\* \\}</pre>$");

        static List<Snippet> in(Path file, String source) {
            List<Snippet> found = new ArrayList<>();
            Matcher matcher = SNIPPET.matcher(source);
            while (matcher.find()) {
                int line = (int) source.substring(0, matcher.start(1)).lines().count() + 1;
                found.add(new Snippet(
                        nameOf(file, ".java"), line, matcher.group(1).replaceAll("(?m)^ *\\* ?", "")));
            }
            return found;
        }

        boolean isTest() {
            return code.contains("@Test");
        }

        boolean startsProxy() {
            return code.contains("builder.start()");
        }

        String className() {
            return type + line;
        }

        /** Its lines are those of the file, so that the compiler names them. */
        String source() {
            String body = code.replaceAll("\"[0-9.]*:\\d+\"", "\"127.0.0.1:0\"");
            String begin = isTest()
                    ? "class " + type + line + " {"
                    : "public final class " + type + line
                            + " extends io.millau.examples.JavadocSnippets.Body { public void run() throws Exception {";
            return IMPORTS + begin + "\n".repeat(line - 1) + body + (isTest() ? "}" : "}}");
        }

        @Override
        public String toString() {
            return type + ".java:" + line;
        }
    }

    private static final String ENTERED = Entered.class.getName().replace('.', '/');

    private static final String IMPORTS = Stream.of(
                    "io.millau.core.*",
                    "io.millau.docker.*",
                    "io.millau.acme.*",
                    "io.millau.metrics.*",
                    "io.millau.opentelemetry.*",
                    "io.millau.server.*",
                    "io.millau.testing.*",
                    "io.opentelemetry.api.*",
                    "io.undertow.*",
                    "io.undertow.server.*",
                    "java.io.*",
                    "java.net.*",
                    "java.nio.charset.*",
                    "java.nio.file.*",
                    "java.time.*",
                    "java.util.*",
                    "java.util.concurrent.*",
                    "java.util.concurrent.atomic.*",
                    "org.junit.jupiter.api.*",
                    "org.junit.jupiter.api.extension.*",
                    "static org.junit.jupiter.api.Assertions.*")
            .map(name -> "import " + name + "; ")
            .reduce("package snippets; ", String::concat);

    private JavadocSnippets() {}

    /** The sources of our public types by their files: of all modules that are published, without internal packages and the command line. */
    static Map<Path, String> publicTypes() throws IOException {
        Map<Path, String> types = new HashMap<>();
        try (Stream<Path> modules = Files.list(Path.of(".."))) {
            for (Path module : modules.toList()) {
                Path sources = module.resolve("src/main/java/io/millau");
                if (Files.isDirectory(sources)
                        && module.getFileName().toString().startsWith("millau-")) {
                    try (Stream<Path> files = Files.walk(sources)) {
                        files.filter(file -> !file.toString().matches(".*/(internal|cli|examples)(/.*)?"))
                                .filter(file -> file.toString().endsWith(".java"))
                                .forEach(file -> types.put(file, read(file)));
                    }
                }
            }
        }
        types.values().removeIf(source -> typeAt(source) < 0);
        return types;
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String nameOf(Path file, String ending) {
        return file.getFileName().toString().replace(ending, "");
    }

    /** Where the public type of a source begins; -1 if there is none. */
    static int typeAt(String source) {
        Matcher matcher = Pattern.compile("(?m)^public [a-z ]*(class|interface|enum|record) ")
                .matcher(source);
        return matcher.find() ? matcher.start() : -1;
    }

    /**
     * Compiles snippets, and notes in {@link Entered} what of them runs.
     *
     * @throws AssertionError with all errors and warnings
     */
    static Compiled compile(List<Snippet> snippets, Path classes) throws IOException {
        List<JavaFileObject> sources = new ArrayList<>();
        for (Snippet snippet : snippets) {
            URI uri = URI.create("string:///" + snippet.className().replace('.', '/') + ".java");
            sources.add(new SimpleJavaFileObject(uri, JavaFileObject.Kind.SOURCE) {
                @Override
                public CharSequence getCharContent(boolean ignoreEncodingErrors) {
                    return snippet.source();
                }
            });
        }
        List<String> options =
                List.of("-Xlint:all,-try,-path,-classfile", "-Werror", "-proc:none", "-d", classes.toString());
        StringWriter messages = new StringWriter();
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        if (!compiler.getTask(messages, null, null, options, null, sources).call()) {
            throw new AssertionError("Snippets don't compile; the lines are those of the Javadoc\n" + messages);
        }
        List<Path> files;
        try (Stream<Path> compiled = Files.list(classes.resolve("snippets"))) {
            files = compiled.toList();
        }
        Map<String, Set<String>> methods = new HashMap<>();
        for (Path file : files) {
            String name = nameOf(file, ".class");
            Set<String> ofSnippet = methods.computeIfAbsent(name.replaceAll("\\$.*", ""), snippet -> new TreeSet<>());
            Files.write(file, noting(Files.readAllBytes(file), name, ofSnippet));
        }
        URL[] urls = {classes.toUri().toURL()};
        URLClassLoader loader = new URLClassLoader(urls, JavadocSnippets.class.getClassLoader());
        loader.setDefaultAssertionStatus(true);
        return new Compiled(loader, methods);
    }

    /** Has the methods of a class tell {@link Entered} when they begin. */
    private static byte[] noting(byte[] compiled, String name, Set<String> methods) {
        ClassReader reader = new ClassReader(compiled);
        ClassWriter writer = new ClassWriter(reader, ClassWriter.COMPUTE_MAXS);
        ClassVisitor visitor = new ClassVisitor(Opcodes.ASM9, writer) {
            @Override
            public MethodVisitor visitMethod(
                    int access, String method, String type, String signature, String[] thrown) {
                MethodVisitor code = super.visitMethod(access, method, type, signature, thrown);
                if (method.startsWith("<")) {
                    return code;
                }
                methods.add(name + "." + method);
                return new MethodVisitor(Opcodes.ASM9, code) {
                    @Override
                    public void visitCode() {
                        super.visitCode();
                        super.visitLdcInsn(name + "." + method);
                        super.visitMethodInsn(Opcodes.INVOKESTATIC, ENTERED, "note", "(Ljava/lang/String;)V", false);
                    }
                };
            }
        };
        reader.accept(visitor, 0);
        return writer.toByteArray();
    }
}
