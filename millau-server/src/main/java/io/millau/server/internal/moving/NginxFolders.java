package io.millau.server.internal.moving;

import io.millau.server.internal.compose.ComposeServices;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The folders of nginx-proxy that its users put files into. What is in these is not read. Pure functions. */
final class NginxFolders {

    static final String LOGINS = "/etc/nginx/htpasswd";
    static final String HOSTS = "/etc/nginx/vhost.d";
    static final String CONFIGURATION = "/etc/nginx/conf.d";
    static final String CERTIFICATES = "/etc/nginx/certs";
    static final String ALL = "/etc/nginx";

    private static final Pattern MOUNT = Pattern.compile(
            "(?:(.*):)?(?:(" + LOGINS + "|" + HOSTS + "|" + CONFIGURATION + "|" + CERTIFICATES + ")(?:/[^:]*)?|(" + ALL
                    + ")/?)(?::[^:/]*)?",
            Pattern.DOTALL);

    /** Docker keeps such a volume: acme-companion and docker-gen write to it, users rarely do. */
    private static final Pattern VOLUME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.-]*");

    private NginxFolders() {}

    /** The folders that are mounted into a service, each with whether it is one of the machine's own. */
    static Map<String, Boolean> in(ComposeServices.Service service) {
        Map<String, Boolean> folders = new LinkedHashMap<>();
        for (String mount : service.mounts()) {
            Matcher parts = MOUNT.matcher(mount);
            if (parts.matches()) {
                String source = parts.group(1);
                boolean ofMachine = source != null && !VOLUME.matcher(source).matches();
                folders.merge(parts.group(2) == null ? ALL : parts.group(2), ofMachine, Boolean::logicalOr);
            }
        }
        return folders;
    }
}
