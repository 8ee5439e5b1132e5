package io.millau.core.internal;

import java.util.List;

/** The documentation of labels: the help text and the tables of {@code docs/reference/labels.md}. Immutable. */
final class LabelReference {

    private static final int WIDTH = 118;
    private static final String INDENT = "  ";

    private final List<Label<?>> labels;

    LabelReference(List<Label<?>> labels) {
        this.labels = labels;
    }

    /** One or more lines for each label, group by group. */
    String help() {
        int widest = labels.stream()
                .mapToInt(label -> label.toString().length())
                .max()
                .orElse(0);
        String margin = " ".repeat(INDENT.length() + Vocabulary.PREFIX.length() + widest + 1);
        StringBuilder help = new StringBuilder();
        for (Label.Group group : Label.Group.values()) {
            for (Label<?> label : of(group)) {
                StringBuilder line = new StringBuilder(INDENT + Vocabulary.PREFIX + label);
                line.append(" ".repeat(margin.length() - line.length() - 1));
                String text = plain(label);
                for (String word : text.split(" (?![^(]*\\)$)")) { // doesn't break the default
                    if (line.length() + 1 + word.length() > WIDTH) {
                        help.append(line).append('\n');
                        line = new StringBuilder(margin.substring(1));
                    }
                    line.append(' ').append(word);
                }
                help.append(line).append('\n');
            }
        }
        return help.toString();
    }

    /** The table of a group in Markdown. */
    String table(Label.Group group) {
        StringBuilder table = new StringBuilder("| label | meaning | default |\n|---|---|---|\n");
        of(group)
                .forEach(label -> table.append("| `")
                        .append(Vocabulary.PREFIX)
                        .append(label)
                        .append("` | ")
                        .append(label.meaning())
                        .append(" | ")
                        .append(label.defaultText())
                        .append(" |\n"));
        return table.toString();
    }

    /** Its meaning and its default without markup. */
    static String plain(Label<?> label) {
        return (label.meaning() + " (default: " + label.defaultText() + ")").replace("`", "");
    }

    private List<Label<?>> of(Label.Group group) {
        return labels.stream().filter(label -> label.group() == group).toList();
    }
}
