package io.millau.examples.documents;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** A page of README and docs, and the blocks of code in it. Immutable. */
record Document(Path file, String text, List<Block> blocks) {

    static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

    private static final Path DOCS = ROOT.resolve("docs");
    private static final Pattern HEADING = Pattern.compile("(?m)^#+ (.*)$");

    /** A block of code: its kind, its text without the fence, and the line of its fence. */
    record Block(Path file, int line, String kind, String text) {
        @Override
        public String toString() {
            return ROOT.relativize(file) + ":" + line + " (" + kind + ")";
        }
    }

    static Document of(Path file) {
        String text = read(file);
        List<Block> blocks = new ArrayList<>();
        List<String> lines = text.lines().toList();
        int begin = -1;
        for (int i = 0; i < lines.size(); i++) {
            if (!lines.get(i).strip().startsWith("```")) {
                continue;
            }
            if (begin < 0) {
                begin = i;
            } else {
                String kind = lines.get(begin).strip().substring("```".length());
                String inside = String.join("\n", lines.subList(begin + 1, i)) + "\n";
                blocks.add(new Block(file, begin + 1, kind, inside));
                begin = -1;
            }
        }
        if (begin >= 0) {
            throw new AssertionError(file + ":" + (begin + 1) + ": this block has no end");
        }
        return new Document(file, text, List.copyOf(blocks));
    }

    /** README and all pages of docs. */
    static List<Document> all() {
        List<Path> files = new ArrayList<>(List.of(ROOT.resolve("README.md")));
        addPages(DOCS, files);
        return files.stream().map(Document::of).toList();
    }

    private static void addPages(Path folder, List<Path> pages) {
        try (Stream<Path> all = Files.list(folder)) {
            for (Path file : all.sorted().toList()) {
                String name = String.valueOf(file.getFileName());
                if (name.endsWith(".md")) {
                    pages.add(file);
                } else if (Files.isDirectory(file) && !name.startsWith(".") && !name.equals("node_modules")) {
                    addPages(file, pages);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** All blocks of a kind, of README and docs. */
    static List<Block> blocks(String kind) {
        return all().stream()
                .flatMap(page -> page.blocks.stream())
                .filter(block -> block.kind.equals(kind))
                .toList();
    }

    /** The anchors of its headings, as code hosts make them. */
    Set<String> anchors() {
        Set<String> anchors = new TreeSet<>();
        HEADING.matcher(withoutBlocks()).results().forEach(heading -> {
            String name = heading.group(1)
                    .replaceAll("\\]\\([^)]*\\)", "")
                    .toLowerCase(Locale.ROOT)
                    .replaceAll("[^\\p{L}\\p{N} _-]", "")
                    .replace(' ', '-');
            String anchor = name;
            for (int i = 1; !anchors.add(anchor); i++) {
                anchor = name + "-" + i;
            }
        });
        return anchors;
    }

    /** The text between a marker and the next end. */
    String between(String marker, String end) {
        int start = text.indexOf(marker + "\n");
        if (start < 0) {
            throw new AssertionError(file + ": expected " + marker);
        }
        return text.substring(start + marker.length() + 1, text.indexOf(end, start));
    }

    String withoutBlocks() {
        return text.replaceAll("(?ms)^\\s*```.*?^\\s*```$", "");
    }

    static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public String toString() {
        return ROOT.relativize(file).toString();
    }
}
