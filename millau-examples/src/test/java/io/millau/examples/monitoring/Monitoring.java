package io.millau.examples.monitoring;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The files of {@code monitoring}, as they are shipped. */
final class Monitoring {

    static final Path FOLDER = Path.of("monitoring");

    /**
     * What Grafana asks Prometheus.
     *
     * @param shownBy the panel's title, or what else shows it
     * @param text in Prometheus' language, with Grafana's variables
     */
    record Expression(String shownBy, String text) {}

    private Monitoring() {}

    static String read(String name) throws IOException {
        return Files.readString(FOLDER.resolve(name));
    }

    static JsonNode dashboard() throws IOException {
        return new ObjectMapper().readTree(read("grafana/dashboards/millau.json"));
    }

    /** Those of all panels, and of the annotations. */
    static List<Expression> expressions() throws IOException {
        return expressions(dashboard());
    }

    /** Those of a dashboard that was made for the original's metrics. */
    static List<Expression> originalExpressions() throws IOException {
        try (InputStream file = Monitoring.class.getResourceAsStream("/original-dashboard.json")) {
            return expressions(new ObjectMapper().readTree(file));
        }
    }

    private static List<Expression> expressions(JsonNode dashboard) {
        List<Expression> expressions = new ArrayList<>();
        for (JsonNode panel : dashboard.get("panels")) {
            for (JsonNode target : panel.path("targets")) {
                expressions.add(new Expression(
                        panel.get("title").asText(), target.get("expr").asText()));
            }
        }
        for (JsonNode annotation : dashboard.at("/annotations/list")) {
            if (annotation.has("expr")) {
                expressions.add(new Expression(
                        "annotation " + annotation.get("name").asText(),
                        annotation.get("expr").asText()));
            }
        }
        return expressions;
    }

    /** What its variables ask for, such as {@code label_values(millau_lb_status, service)}. */
    static List<String> variables() throws IOException {
        List<String> queries = new ArrayList<>();
        for (JsonNode variable : dashboard().at("/templating/list")) {
            if (variable.get("type").asText().equals("query")) {
                queries.add(variable.at("/query/query").asText());
            }
        }
        return queries;
    }

    static List<String> alerts() throws IOException {
        return values(read("alerts.yml"), "- alert: (\\S+)");
    }

    static List<String> values(String text, String pattern) {
        try (Stream<String> found =
                Pattern.compile(pattern).matcher(text).results().map(result -> result.group(1))) {
            return found.toList();
        }
    }
}
