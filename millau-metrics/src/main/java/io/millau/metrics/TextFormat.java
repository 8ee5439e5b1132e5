package io.millau.metrics;

import io.prometheus.client.Collector;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * Writes Prometheus' text format, version 0.0.4. The client library's own writer ends labels with a comma and adds {@code
 * _created} series, which is not what users of these metrics know.
 */
final class TextFormat {

    private final StringBuilder out = new StringBuilder(4096);

    void write(Collector.MetricFamilySamples family) {
        boolean counter = family.type == Collector.Type.COUNTER;
        head(
                counter ? family.name + "_total" : family.name,
                family.help,
                family.type.name().toLowerCase(Locale.ROOT));
        for (Collector.MetricFamilySamples.Sample sample : family.samples) {
            if (!sample.name.endsWith("_created")) {
                sample(sample.name, sample.labelNames, sample.labelValues, sample.value);
            }
        }
    }

    void head(String name, String help, String type) {
        out.append("# HELP ").append(name).append(' ').append(help).append('\n');
        out.append("# TYPE ").append(name).append(' ').append(type).append('\n');
    }

    void sample(String name, List<String> labels, List<String> values, double value) {
        out.append(name);
        Map<String, String> inOrder = new TreeMap<>();
        for (int i = 0; i < labels.size(); i++) {
            inOrder.put(labels.get(i), values.get(i));
        }
        char separator = '{';
        for (Map.Entry<String, String> label : inOrder.entrySet()) {
            out.append(separator).append(label.getKey()).append("=\"");
            escape(label.getValue());
            out.append('"');
            separator = ',';
        }
        if (separator == ',') {
            out.append('}');
        }
        out.append(' ').append(number(value)).append('\n');
    }

    private static String number(double value) {
        return value == Math.rint(value) && Math.abs(value) < 1e15
                ? Long.toString((long) value)
                : Collector.doubleToGoString(value);
    }

    private void escape(String value) {
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            switch (c) {
                case '\\' -> out.append("\\\\");
                case '"' -> out.append("\\\"");
                case '\n' -> out.append("\\n");
                default -> out.append(c);
            }
        }
    }

    @Override
    public String toString() {
        return out.toString();
    }
}
