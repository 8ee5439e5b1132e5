package io.millau.server.cli;

import io.millau.core.ServiceSource;
import io.millau.core.Snapshot;
import io.millau.core.internal.Words;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Reads sources once, for commands. */
public final class SourceReader {

    private SourceReader() {}

    /** Reads a services file, or a folder of them. */
    static Snapshot services(Path file) throws CommandException {
        try {
            return Files.isDirectory(file)
                    ? ServiceSource.folder(file).look()
                    : ServiceSource.file(file).look();
        } catch (IOException e) {
            throw new CommandException(file + ": expected a properties file, or a folder of them, that can be read ("
                    + Words.reason(e) + ")");
        }
    }

    static Snapshot docker(Configuration configuration) throws CommandException {
        try {
            return Main.docker(configuration).look();
        } catch (Configuration.WrongException | IOException e) {
            throw new CommandException(e.getMessage() == null ? e.toString() : e.getMessage());
        }
    }
}
