package io.millau.acme;

import io.millau.core.Service;
import java.util.Arrays;
import java.util.Set;
import java.util.regex.Pattern;

/** Decides which names could be certified. Pure functions. */
final class PublicNames {

    private static final int LONGEST = 253; // RFC 1035, 2.3.4, without the last dot

    private static final Pattern LABEL = Pattern.compile("[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?");
    private static final Pattern NUMBER = Pattern.compile("[0-9]+");

    /**
     * Top-level domains that no public CA certifies: RFC 6761, 6762 (3 and G), 7686, 8375, 9476, and ICANN's internal.
     */
    private static final Set<String> PRIVATE = Set.of(
            "alt",
            "arpa",
            "corp",
            "example",
            "home",
            "internal",
            "intranet",
            "invalid",
            "lan",
            "local",
            "localhost",
            "onion",
            "private",
            "test");

    private PublicNames() {}

    /** Whether it stands for all subdomains of a name, as {@code *.shop.example} does. */
    static boolean isWildcard(String name) {
        return name.startsWith(Service.SUBDOMAINS);
    }

    /** The name whose DNS proves a name: that of which a wildcard has the subdomains. */
    static String base(String name) {
        return isWildcard(name) ? name.substring(Service.SUBDOMAINS.length()) : name;
    }

    /**
     * Whether any CA could certify a name: a host name in lower case, not {@code *}, not an address, without
     * underscores.
     */
    static boolean isHostName(String name) {
        return name.length() <= LONGEST
                && Arrays.stream(name.split("\\.", -1))
                        .allMatch(label -> LABEL.matcher(label).matches())
                && !NUMBER.matcher(lastLabel(name)).matches();
    }

    /** Whether a public CA could certify a name: it has several labels, and is in the public DNS. */
    static boolean isPublic(String name) {
        return isHostName(name) && name.contains(".") && !PRIVATE.contains(lastLabel(name));
    }

    private static String lastLabel(String name) {
        return name.substring(name.lastIndexOf('.') + 1);
    }
}
