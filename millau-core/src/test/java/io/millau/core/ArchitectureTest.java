package io.millau.core;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What the core may use, and which of its types others may use. */
class ArchitectureTest {

    private static final String INTERNAL = "io.millau.core.internal";

    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("io.millau.core");

    @Test
    void theCoreNeedsOnlyJavaSlf4jAndBcrypt() {
        classes()
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(
                        "java..",
                        "javax.crypto..",
                        "javax.security..",
                        "org.slf4j..",
                        "org.jspecify..",
                        "org.springframework.security.crypto.bcrypt",
                        "io.millau.core..")
                .check(CLASSES);
    }

    /** The API may use internal types, but not in its signatures. */
    @Test
    void theApiHasNoInternalTypesInItsSignatures() {
        List<String> shown = CLASSES.stream()
                .filter(type -> type.getPackageName().equals("io.millau.core"))
                .filter(ArchitectureTest::isApi)
                .flatMap(type -> type.getCodeUnits().stream())
                .filter(unit -> unit.getModifiers().contains(JavaModifier.PUBLIC))
                .filter(unit ->
                        types(unit).anyMatch(type -> type.getPackageName().startsWith(INTERNAL)))
                .map(JavaCodeUnit::getFullName)
                .toList();

        assertThat(shown).isEmpty();
    }

    private static boolean isApi(JavaClass type) {
        return type.getModifiers().contains(JavaModifier.PUBLIC)
                && type.getEnclosingClass().map(ArchitectureTest::isApi).orElse(true);
    }

    private static Stream<JavaClass> types(JavaCodeUnit unit) {
        return Stream.concat(unit.getRawParameterTypes().stream(), Stream.of(unit.getRawReturnType()));
    }
}
