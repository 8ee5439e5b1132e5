package io.millau.server.internal.compose;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads the variables of the file {@code .env} beside a Compose file, or of an {@code env_file}. Pure functions. */
public final class EnvFile {

    private static final Pattern VARIABLE =
            Pattern.compile("\\s*(?:export\\s+)?([A-Za-z_][A-Za-z0-9_]*)\\s*=\\s*(.*?)\\s*");
    private static final Pattern QUOTED = Pattern.compile("\"([^\"]*)\".*|'([^']*)'.*");

    private EnvFile() {}

    /** The variables in the file's text, in its order; other lines are ignored. */
    public static Map<String, String> read(String text) {
        Map<String, String> variables = new LinkedHashMap<>();
        for (String line : text.lines().toList()) {
            Matcher variable = VARIABLE.matcher(line);
            if (variable.matches()) {
                variables.put(variable.group(1), unquoted(variable.group(2)));
            }
        }
        return variables;
    }

    private static String unquoted(String value) {
        Matcher quoted = QUOTED.matcher(value);
        if (quoted.matches()) {
            return quoted.group(1) != null ? quoted.group(1) : quoted.group(2);
        }
        return value.replaceFirst("(^|\\s+)#.*", "");
    }
}
