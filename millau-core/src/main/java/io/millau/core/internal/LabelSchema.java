package io.millau.core.internal;

import java.util.List;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * The JSON Schema (draft 7, which editors support best) for completing and checking labels in a Compose or stack file.
 * It accepts everything that Millau accepts. A value with a variable ({@code $}) is always accepted. Immutable.
 */
final class LabelSchema {

    private static final String COMPOSE =
            "https://raw.githubusercontent.com/compose-spec/compose-spec/main/schema/compose-spec.json";

    /** A pattern of the names of routes. */
    static final String ROUTE_NAME = "[0-9A-Za-z-]+";

    private static final String MAYBE_ROUTE = "(?:" + ROUTE_NAME + "\\.)?";

    private final List<Label<?>> labels;

    LabelSchema(List<Label<?>> labels) {
        this.labels = labels;
    }

    String text() {
        return """
                {
                  "$schema": "http://json-schema.org/draft-07/schema#",
                  "title": "A Compose or stack file with labels of Millau",
                  "allOf": [{"$ref": %s}],
                  "properties": {
                    "services": {
                      "additionalProperties": {
                        "properties": {
                          "labels": {"$ref": "#/definitions/labels"},
                          "deploy": {"properties": {"labels": {"$ref": "#/definitions/labels"}}}
                        }
                      }
                    }
                  },
                  "definitions": {
                    "labels": {"if": {"type": "array"}, "then": {"$ref": "#/definitions/list"}, "else": {"$ref": "#/definitions/mapping"}},
                    "mapping": {
                      "properties": {
                %s
                      },
                      "patternProperties": {%s: false,
                %s,
                %s
                      }
                    },
                    "list": {
                      "items": {
                        "anyOf": [
                          {"pattern": %s},
                %s
                        ]
                      }
                    }
                  }
                }
                """.formatted(
                        quoted(COMPOSE),
                        each(label -> !label.isFamily(), LabelSchema::property),
                        quoted(unknown()),
                        each(Label::isFamily, LabelSchema::property),
                        each(label -> !label.isFamily(), this::propertyOfRoute),
                        quoted(foreign()),
                        each(label -> true, LabelSchema::item));
    }

    private String each(Predicate<Label<?>> which, Function<Label<?>, String> part) {
        return labels.stream().filter(which).map(part).collect(Collectors.joining(",\n"));
    }

    /** A label as a key of a mapping. */
    private static String property(Label<?> label) {
        LabelType<?> type = label.type();
        String scalar = type.scalar();
        LabelType.Limits limits = type.limits();
        String name = label.isFamily() ? startPattern(label) + "$" : Vocabulary.PREFIX + label;
        return "          " + quoted(name) + ": {\"description\": "
                + quoted(LabelReference.plain(label))
                + ", \"type\": " + (scalar == null ? "\"string\"" : "[\"string\", " + quoted(scalar) + "]")
                + (limits == null ? "" : ", \"minimum\": " + limits.least() + ", \"maximum\": " + limits.greatest())
                + examples(type.examples(), "")
                + ", \"pattern\": " + quoted("^\\s*(?:" + type.pattern() + ")\\s*$|\\$") + "}";
    }

    /** A label of a route. Not a header named like a label. */
    private String propertyOfRoute(Label<?> label) {
        String families = labels.stream()
                .filter(Label::isFamily)
                .map(Label::name)
                .collect(Collectors.joining("|", "(?!(?:", ")\\.)"));
        return "          "
                + quoted("^millau\\." + families + ROUTE_NAME + "\\." + label.namePattern() + "$")
                + ": {\"$ref\": " + quoted("#/definitions/mapping/properties/" + Vocabulary.PREFIX + label) + "}";
    }

    /** A label with its value as an item of a list. */
    private static String item(Label<?> label) {
        String text = startPattern(label) + "=";
        return "          {\"description\": " + quoted(LabelReference.plain(label))
                + examples(label.type().examples(), Vocabulary.PREFIX + label + "=")
                + ", \"pattern\": " + quoted(text + "\\s*(?:" + label.type().pattern() + ")\\s*$|" + text + ".*\\$")
                + "}";
    }

    private static String startPattern(Label<?> label) {
        return "^" + Vocabulary.PREFIX.replace(".", "\\.") + MAYBE_ROUTE + label.namePattern();
    }

    private static String examples(List<String> examples, String before) {
        return examples.isEmpty()
                ? ""
                : examples.stream()
                        .map(example -> quoted(before + example))
                        .collect(Collectors.joining(", ", ", \"examples\": [", "]"));
    }

    /** A pattern of unknown keys with our prefix. */
    private String unknown() {
        return "^millau\\.(?!" + MAYBE_ROUTE + "(?:"
                + labels.stream().map(Label::namePattern).collect(Collectors.joining("|")) + ")$)";
    }

    /** A pattern of items without our prefix. */
    private static String foreign() {
        return "^(?!millau\\.)";
    }

    private static String quoted(String text) {
        return "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
    }
}
