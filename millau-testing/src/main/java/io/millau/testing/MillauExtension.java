package io.millau.testing;

import io.millau.server.Millau;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * A proxy for the tests of a class with JUnit Jupiter, with upstreams that do what the test says.
 *
 * <pre>{@code
 * @RegisterExtension
 * final MillauExtension millau = MillauExtension.create();
 *
 * @Test
 * void anOrderSurvivesAReset() {
 *     millau.upstream("orders").fails(Fault.RESET_AFTER_HEAD);
 *     millau.upstream("orders").responds(200, "good");
 *
 *     assertEquals("good", millau.get("/orders/7").body());
 * }
 * }</pre>
 *
 * <p>It goes into a field with {@code @RegisterExtension}, not into {@code @ExtendWith}. In a field of the instance, each test has its own
 * proxy; in a static field, and in every field of a class with {@code @TestInstance(PER_CLASS)}, all tests of the class share one, and its
 * upstreams. Tests may run in parallel.
 */
public final class MillauExtension extends TestGateway
        implements BeforeAllCallback, BeforeEachCallback, AfterEachCallback, AfterAllCallback {

    /** The class or test that it was started for. */
    private @Nullable String owner;

    /** For JUnit, which makes those of {@code @ExtendWith} without a builder, and has no field for them. */
    private MillauExtension() {
        super(builder -> {});
        throw new IllegalStateException("@ExtendWith(MillauExtension.class): expected a field with @RegisterExtension,"
                + " final MillauExtension millau = MillauExtension.create()");
    }

    private MillauExtension(Consumer<Millau.Builder> settings) {
        super(settings);
    }

    /** A proxy with the settings that {@link TestGateway} describes. */
    public static MillauExtension create() {
        return create(builder -> {});
    }

    /**
     * A proxy with settings of the test.
     *
     * @param settings changes the builder that {@link TestGateway} describes; called at each start
     */
    public static MillauExtension create(Consumer<Millau.Builder> settings) {
        return new MillauExtension(settings);
    }

    @Override
    public void beforeAll(ExtensionContext context) {
        beginFor(context);
    }

    @Override
    public void beforeEach(ExtensionContext context) {
        beginFor(context);
    }

    @Override
    public void afterEach(ExtensionContext context) {
        endFor(context);
    }

    @Override
    public void afterAll(ExtensionContext context) {
        endFor(context);
    }

    /** JUnit calls a static extension for the class, and then for each test and nested class. */
    private synchronized void beginFor(ExtensionContext context) {
        if (owner == null) {
            begin();
            owner = context.getUniqueId();
        }
    }

    private synchronized void endFor(ExtensionContext context) {
        if (context.getUniqueId().equals(owner)) {
            owner = null;
            close();
        }
    }
}
