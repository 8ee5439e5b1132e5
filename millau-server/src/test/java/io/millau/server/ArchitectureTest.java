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

/** Which package may use which, as {@code docs/architecture.md} draws it. */
class ArchitectureTest {

    private static final String API = "io.millau.server";
    private static final String INTERNAL = API + ".internal.";

    /** What each package may use of the others; a package that is not here fails the tests. */
    private static final Map<String, Set<String>> MAY_USE = Map.ofEntries(
            entry(API + ".cli", API, INTERNAL + "status", INTERNAL + "text"),
            entry(API, of("frontend proxy status upstream tls io text")),
            entry(INTERNAL + "proxy", of("frontend upstream tls http io text")),
            entry(INTERNAL + "frontend", of("tls http io text")),
            entry(INTERNAL + "upstream", of("tls http io text")),
            entry(INTERNAL + "status", of("text")),
            entry(INTERNAL + "tls", of("http text")),
            entry(INTERNAL + "http", of("io")),
            entry(INTERNAL + "io"),
            entry(INTERNAL + "text"));

    /** The name of a class at the beginning of what is set as code. */
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
    void everyPackageHasItsPlace() {
        Set<String> found = CLASSES.stream().map(JavaClass::getPackageName).collect(toSet());

        assertThat(found).containsExactlyInAnyOrderElementsOf(MAY_USE.keySet());
    }

    @ParameterizedTest
    @MethodSource("packages")
    void aPackageUsesOnlyThoseBelowIt(String name) {
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
    void noPackagesUseEachOther() {
        slices().matching(API + ".(**)").should().beFreeOfCycles().check(CLASSES);
        slices().matching(API + ".internal.(*)").should().beFreeOfCycles().check(CLASSES);
    }

    /** Who embeds the proxy has none of these on the classpath unless they ask for it. */
    @Test
    void adaptersAreForTheStandaloneServerAlone() {
        noClasses()
                .that()
                .resideOutsideOfPackage(API + ".cli")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "io.millau.docker..",
                        "io.millau.acme..",
                        "io.millau.metrics..",
                        "io.prometheus..",
                        "org.yaml..")
                .check(CLASSES);
        noClasses()
                .that()
                .resideOutsideOfPackages(API + ".cli", INTERNAL + "tls")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("org.conscrypt..")
                .check(CLASSES);
    }

    /** A map that names what is not there leads nowhere. */
    @Test
    void theMapNamesClassesThatExist() throws IOException {
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

    /** A new public type here is API: think of its name and its Javadoc, then add it. */
    @Test
    void theApiIsThis() {
        assertThat(api().map(JavaClass::getSimpleName))
                .containsExactlyInAnyOrder("Millau", "Builder", "BindFailedException", "AccessLog");
    }

    @Test
    void theApiShowsNothingInternal() {
        List<String> shown = api().flatMap(type -> type.getCodeUnits().stream())
                .filter(unit -> unit.getModifiers().contains(JavaModifier.PUBLIC))
                .filter(unit ->
                        types(unit).anyMatch(type -> type.getPackageName().startsWith(INTERNAL)))
                .map(JavaCodeUnit::getFullName)
                .toList();

        assertThat(shown).isEmpty();
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
