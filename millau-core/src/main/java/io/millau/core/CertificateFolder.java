package io.millau.core;

import io.millau.core.internal.LogText;
import io.millau.core.internal.Words;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The certificates in a folder, such as a volume or Docker secrets. Safe for use by several threads. */
final class CertificateFolder implements CertificateSource {

    private static final Logger LOG = LoggerFactory.getLogger(CertificateFolder.class);
    private static final String CHAIN = ".crt";
    private static final String KEY = ".key";
    private static final long LARGEST_FILE = 1024 * 1024;

    private final Path folder;

    // Guarded by this.
    private Map<Path, Stamp> seen = Map.of();
    private Map<String, Certificate> good = Map.of();
    private Set<String> troubles = Set.of();

    /** What is there in the form of other proxies. */
    private List<Path> ignored = List.of();

    private @Nullable String unreadable;

    private volatile CertificateSource index = CertificateSource.of();

    /** Identifies a version of a file, following links. */
    private record Stamp(
            long size, FileTime modified, @Nullable Object file) {}

    CertificateFolder(Path folder) {
        this.folder = folder;
        refresh();
    }

    @Override
    public List<Certificate> find(@Nullable String serverName) {
        return index.find(serverName);
    }

    @Override
    public synchronized Map<Certificate, String> configured() {
        return good.entrySet().stream()
                .collect(Collectors.toMap(
                        Map.Entry::getValue,
                        entry -> folder.resolve(entry.getKey() + CHAIN).toString(),
                        (first, same) -> first));
    }

    /** Those that can be read, and without names, those that can't. */
    @Override
    public synchronized List<CertificateStatus> status() {
        List<CertificateStatus> all = new ArrayList<>(CertificateSource.super.status());
        Stream.concat(Stream.ofNullable(unreadable), troubles.stream())
                .forEach(trouble ->
                        all.add(CertificateStatus.of(Set.of(), folder.toString(), null, null, null, trouble)));
        return all;
    }

    @Override
    public synchronized void refresh() {
        try {
            Map<Path, Stamp> now = stamps();
            unreadable = null;
            if (!now.equals(seen)) {
                seen = now;
                read(now.keySet());
            }
        } catch (IOException e) {
            String reason = "folder of certificates " + folder + " can't be read, what was read before stays: "
                    + Words.reason(e);
            if (!reason.equals(unreadable)) {
                LOG.warn("{}", reason);
            }
            unreadable = reason;
        }
    }

    private Map<Path, Stamp> stamps() throws IOException {
        List<Path> all;
        try (Stream<Path> listed = Files.list(folder)) {
            all = listed.sorted().toList();
        }
        reportIgnored(all.stream().filter(CertificateFolder::isOfAnotherForm).toList());
        Map<Path, Stamp> stamps = new TreeMap<>();
        for (Path file : all) {
            if (isOurs(file)) {
                BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
                stamps.put(file, new Stamp(attributes.size(), attributes.lastModifiedTime(), attributes.fileKey()));
            }
        }
        return stamps;
    }

    private static boolean isOurs(Path file) {
        return file.toString().endsWith(CHAIN) || file.toString().endsWith(KEY);
    }

    /** HAProxy has chain and key in one file, and certbot a folder for each name. */
    private static boolean isOfAnotherForm(Path file) {
        return !isOurs(file) && (file.toString().endsWith(".pem") || Files.exists(file.resolve("fullchain.pem")));
    }

    private void reportIgnored(List<Path> now) {
        if (!now.isEmpty() && !now.equals(ignored)) {
            LOG.warn(
                    "{}{} ignored: expected NAME.crt, a chain, with NAME.key, both PEM",
                    now.get(0),
                    now.size() == 1 ? " is" : " and " + (now.size() - 1) + " more are");
        }
        ignored = now;
    }

    private void read(Set<Path> files) {
        Map<String, Certificate> read = new HashMap<>();
        Set<String> wrong = new TreeSet<>();
        Set<String> names = new TreeSet<>();
        for (Path file : files) {
            String name = file.getFileName().toString();
            names.add(name.substring(0, name.length() - CHAIN.length()));
        }
        for (String name : names) {
            try {
                read.put(name, Certificate.parse(text(name + CHAIN), text(name + KEY)));
            } catch (IOException | IllegalArgumentException e) {
                Certificate before = good.get(name);
                if (before != null) {
                    read.put(name, before);
                }
                wrong.add("certificate " + folder.resolve(name + CHAIN) + " with " + name + KEY + ": "
                        + (e instanceof IOException io ? "can't be read: " + Words.reason(io) : e.getMessage())
                        + (before == null ? " (it is left out)" : " (what was read before stays)"));
            }
        }
        if (!read.equals(good)) {
            read.forEach((name, certificate) -> {
                if (!Objects.equals(good.get(name), certificate)) {
                    LOG.info(
                            "Certificate file={} names={} expires={}",
                            LogText.value(folder.resolve(name + CHAIN)),
                            LogText.value(String.join(" ", certificate.names())),
                            certificate.expires());
                }
            });
            good = read;
            index = CertificateSource.of(read.values());
        }
        report(wrong);
    }

    private String text(String name) throws IOException {
        Path file = folder.resolve(name);
        if (!Files.isRegularFile(file)) {
            throw new IllegalArgumentException("there is no " + name);
        }
        if (Files.size(file) > LARGEST_FILE) {
            throw new IllegalArgumentException(name + " is larger than 1 MiB");
        }
        return Files.readString(file, StandardCharsets.ISO_8859_1);
    }

    private void report(Set<String> now) {
        now.stream().filter(trouble -> !troubles.contains(trouble)).forEach(trouble -> LOG.warn("{}", trouble));
        troubles = now;
    }

    @Override
    public String toString() {
        return "folder " + folder;
    }
}
