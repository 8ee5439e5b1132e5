package io.millau.server;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Which package may use which, as drawn in {@code docs/architecture.md}. */
class ArchitectureTest {

    private static final String API = "io.millau.server";
    private static final String INTERNAL = API + ".internal.";

    /** Which other packages each package may use; a package that is not listed here fails the tests. */
    private static final Map<String, Set<String>> MAY_USE = Map.ofEntries(
            entry(API + ".cli", API, INTERNAL + "compose", INTERNAL + "moving", INTERNAL + "status", INTERNAL + "text"),
            entry(API, of("frontend proxy status upstream tls io text")),
            entry(INTERNAL + "proxy", of("frontend upstream tls http io text")),
            entry(INTERNAL + "frontend", of("tls http2 http io text")),
            entry(INTERNAL + "upstream", of("tls http2 http io text")),
            entry(INTERNAL + "status", of("text")),
            entry(INTERNAL + "tls", of("http text")),
            entry(INTERNAL + "compose"),
            entry(INTERNAL + "moving", of("compose")),
            entry(INTERNAL + "http2", of("http io")),
            entry(INTERNAL + "http", of("io")),
            entry(INTERNAL + "io"),
            entry(INTERNAL + "text"));

    /** A class name at the start of inline code. */
    private static final Pattern CODE = Pattern.compile("`([A-Z][a-z]+[A-Za-z0-9]*)\\b[^`]*`");

    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages(API);

    private static Map.Entry<String, Set<String>> entry(String name, String... used) {
        return Map.entry(name, Set.of(used));
    }

    private static String[] of(String internal) {
        return Stream.of(internal.split(" ")).map(INTERNAL::concat).toArray(String[]::new);
    }

    static Stream<String> packages() {
        return MAY_USE.keySet().stream();
    }

    @Test
    void everyPackageIsListed() {
        Set<String> found = CLASSES.stream().map(JavaClass::getPackageName).collect(toSet());

        assertThat(found).containsExactlyInAnyOrderElementsOf(MAY_USE.keySet());
    }

    @ParameterizedTest
    @MethodSource("packages")
    void aPackageUsesOnlyPackagesBelowIt(String name) {
        Set<String> forbidden = new TreeSet<>(MAY_USE.keySet());
        forbidden.remove(name);
        forbidden.removeAll(MAY_USE.getOrDefault(name, Set.of()));

        noClasses()
                .that(reside(Set.of(name)))
                .should()
                .dependOnClassesThat(reside(forbidden))
                .because("docs/architecture.md says so")
                .check(CLASSES);
    }

    private static DescribedPredicate<JavaClass> reside(Set<String> packages) {
        return DescribedPredicate.describe("reside in " + packages, of -> packages.contains(of.getPackageName()));
    }

    @Test
    void thereAreNoCycles() {
        slices().matching(API + ".(**)").should().beFreeOfCycles().check(CLASSES);
        slices().matching(API + ".internal.(*)").should().beFreeOfCycles().check(CLASSES);
    }

    /** An embedder does not have these libraries on the classpath by default. */
    @Test
    void onlyTheStandaloneServerUsesAdapters() {
        noClasses()
                .that()
                .resideOutsideOfPackage(API + ".cli")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("io.millau.docker..", "io.millau.acme..", "io.millau.metrics..", "io.prometheus..")
                .check(CLASSES);
        noClasses()
                .that()
                .resideOutsideOfPackages(API + ".cli", INTERNAL + "compose")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("org.yaml..")
                .check(CLASSES);
        noClasses()
                .that()
                .resideOutsideOfPackages(API + ".cli", INTERNAL + "compose", INTERNAL + "moving")
                .should()
                .dependOnClassesThat()
                .resideInAPackage(INTERNAL + "compose")
                .check(CLASSES);
        noClasses()
                .that()
                .resideOutsideOfPackages(API + ".cli", INTERNAL + "tls")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("org.conscrypt..")
                .check(CLASSES);
    }

    /** The documents must not name classes that were renamed or removed. */
    @Test
    void classesNamedInTheDocumentsExist() throws IOException {
        Set<String> known = new HashSet<>(Set.of("HttpServerExchange", "README"));
        try (Stream<Path> files = Files.walk(Path.of(".."))) {
            files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".java"))
                    .forEach(name -> known.add(name.replace(".java", "")));
        }
        for (String document : List.of("../docs/architecture.md", "../CONTRIBUTING.md")) {
            assertThat(CODE.matcher(Files.readString(Path.of(document)))
                            .results()
                            .map(code -> code.group(1)))
                    .as(document)
                    .isNotEmpty()
                    .allMatch(known::contains);
        }
    }

    /** A new public type is API: review its name and Javadoc, then add it to the list. */
    @Test
    void theApiHasOnlyTheseTypes() {
        assertThat(api().map(JavaClass::getSimpleName))
                .containsExactlyInAnyOrder("Millau", "Builder", "BindFailedException", "AccessLog", "Filter");
    }

    @Test
    void theApiUsesNoInternalTypes() {
        List<String> shown = api().flatMap(type -> type.getCodeUnits().stream())
                .filter(unit -> unit.getModifiers().contains(JavaModifier.PUBLIC))
                .filter(unit ->
                        types(unit).anyMatch(type -> type.getPackageName().startsWith(INTERNAL)))
                .map(JavaCodeUnit::getFullName)
                .toList();

        assertThat(shown).isEmpty();
    }

    @Test
    void theApiUsesUndertowOnlyToWrapAnApplication() {
        List<String> shown = api().flatMap(type -> type.getCodeUnits().stream())
                .filter(unit -> unit.getModifiers().contains(JavaModifier.PUBLIC))
                .filter(unit -> types(unit)
                        .anyMatch(type -> type.getPackageName().startsWith("io.undertow")
                                || type.getPackageName().startsWith("org.xnio")))
                .map(JavaCodeUnit::getName)
                .toList();

        assertThat(shown).containsExactly("giveBack", "wrap");
    }

    private static Stream<JavaClass> api() {
        return CLASSES.stream()
                .filter(type -> type.getPackageName().equals(API))
                .filter(type -> type.getModifiers().contains(JavaModifier.PUBLIC));
    }

    private static Stream<JavaClass> types(JavaCodeUnit unit) {
        return Stream.concat(unit.getRawParameterTypes().stream(), Stream.of(unit.getRawReturnType()));
    }
}
