package io.millau.docker.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Commands of this machine with their libraries, for an image that needs no registry. */
final class HostFiles implements AutoCloseable {

    private static final Pattern LIBRARY = Pattern.compile("(/\\S+)");

    private final Path folder;

    private HostFiles(Path folder) {
        this.folder = folder;
    }

    static HostFiles of(String... commands) {
        try {
            Path folder = Files.createTempDirectory("millau-image-");
            HostFiles files = new HostFiles(folder);
            Files.createDirectories(folder.resolve("root/tmp"));
            for (String command : commands) {
                Path path = Path.of(Shell.run("sh", "-c", "command -v \"$0\"", command));
                files.copy(path, "/bin/" + command);
                Matcher library = LIBRARY.matcher(Shell.attempt(List.of("ldd", path.toString()), Map.of(), null)
                        .out());
                while (library.find()) {
                    files.copy(Path.of(library.group(1)), library.group(1));
                }
            }
            Shell.run(
                    "tar",
                    "-C",
                    folder.resolve("root").toString(),
                    "-cf",
                    files.tar().toString(),
                    ".");
            return files;
        } catch (IOException e) {
            throw new AssertionError("can't make an image of this machine's files", e);
        }
    }

    private void copy(Path from, String to) throws IOException {
        Path target = folder.resolve("root" + to);
        if (!Files.exists(target)) {
            Files.createDirectories(target.getParent());
            Files.copy(from.toRealPath(), target, StandardCopyOption.COPY_ATTRIBUTES);
        }
    }

    Path tar() {
        return folder.resolve("image.tar");
    }

    @Override
    public void close() {
        Shell.run("rm", "-r", folder.toString());
    }
}
