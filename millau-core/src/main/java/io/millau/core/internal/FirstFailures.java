package io.millau.core.internal;

import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * Logs what objects throw that users of Millau provide: of each object the first failure only, and the first of another kind or from
 * another place in its code. Safe for use by several threads.
 */
public final class FirstFailures {

    private static final int MOST = 1000;

    private final Logger log;
    private final Set<Kind> failed = ConcurrentHashMap.newKeySet();

    /**
     * A failure of an object that is equal to itself only, whatever its own {@code equals} says or throws.
     *
     * @param place in the object's code, if it is known
     */
    private record Kind(
            Object of, Class<?> failure, @Nullable StackTraceElement place) {

        static Kind of(Object object, Throwable failure) {
            Class<?> type = object instanceof Class<?> itself ? itself : object.getClass();
            int inner = type.getName().indexOf('$');
            String code = inner < 0 ? type.getName() : type.getName().substring(0, inner);
            return new Kind(
                    object,
                    failure.getClass(),
                    Stream.of(failure.getStackTrace())
                            .filter(frame -> frame.getClassName().equals(code)
                                    || frame.getClassName().startsWith(code + "$"))
                            .findFirst()
                            .orElse(null));
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Kind that
                    && of == that.of
                    && failure == that.failure
                    && Objects.equals(place, that.place);
        }

        @Override
        public int hashCode() {
            return Objects.hash(System.identityHashCode(of), failure, place);
        }
    }

    /** @param log that of the class that calls the objects */
    public FirstFailures(Logger log) {
        this.log = log;
    }

    /**
     * An object failed.
     *
     * @param meanwhile what Millau does instead
     */
    public void add(Object of, Throwable failure, String meanwhile) {
        if (isFirst(of, failure)) {
            log.error("{} failed; {}, further failures like this are not logged", name(of), meanwhile, failure);
        }
    }

    /** An object failed, and the caller logs it: whether for the first time. */
    public boolean isFirst(Object of, Throwable failure) {
        if (failed.size() >= MOST) {
            failed.clear(); // some may come with each change of the services
        }
        return failed.add(Kind.of(of, failure));
    }

    /** What an object is in a message: a lambda has no name that tells anything, but the class that has it. */
    private static String name(Object of) {
        String name = name(of.getClass());
        return name.equals(of.getClass().getName()) ? of.toString() : name;
    }

    /** The name of a class; for a lambda that of the class which has it. */
    public static String name(Class<?> of) {
        String name = of.getName();
        int lambda = name.indexOf("$$Lambda");
        return lambda < 0 ? name : name.substring(0, lambda) + "::lambda";
    }
}
