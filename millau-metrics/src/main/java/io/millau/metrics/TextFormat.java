package io.millau.metrics;

import io.prometheus.client.Collector;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * Writes Prometheus' text format, version 0.0.4. The client library's own writer ends labels with a comma and adds
 * {@code _created} series, which existing dashboards don't expect. For one thread.
 */
final class TextFormat {

    private final StringBuilder out = new StringBuilder(16 * 1024);

    /** Begins a metric. Its samples must follow. */
    void head(Metric metric) {
        head(metric.id, metric.help, metric.type.toString());
    }

    private void head(String name, String help, String type) {
        out.append("# HELP ").append(name).append(' ');
        escape(help, false);
        out.append('\n');
        out.append("# TYPE ").append(name).append(' ').append(type).append('\n');
    }

    /** Writes a sample. Pass a value for each label of the metric. */
    void sample(Metric metric, long value, String... labels) {
        begin(metric.id, "", metric.labels, labels);
        out.append(value).append('\n');
    }

    /** Writes a sample of a fractional value. */
    void sample(Metric metric, double value, String... labels) {
        begin(metric.id, "", metric.labels, labels);
        out.append(number(value)).append('\n');
    }

    /** Writes all samples of a histogram. */
    void histogram(Metric metric, Histogram histogram, String... labels) {
        long[] counts = histogram.counts();
        for (int i = 0; i < counts.length; i++) {
            out.append(metric.id)
                    .append("_bucket{le=\"")
                    .append(Histogram.BOUNDS[i])
                    .append('"');
            labels(',', metric.labels, labels);
            out.append("} ").append(counts[i]).append('\n');
        }
        begin(metric.id, "_sum", metric.labels, labels);
        out.append(number(histogram.seconds())).append('\n');
        begin(metric.id, "_count", metric.labels, labels);
        out.append(counts[counts.length - 1]).append('\n');
    }

    /** Writes a metric of the client library. */
    void write(Collector.MetricFamilySamples family) {
        switch (family.type) {
            case COUNTER -> head(family.name + "_total", family.help, "counter");
            case INFO -> head(family.name + "_info", family.help, "gauge");
            case UNKNOWN -> head(family.name, family.help, "untyped");
            default -> head(family.name, family.help, family.type.name().toLowerCase(Locale.ROOT));
        }
        for (Collector.MetricFamilySamples.Sample sample : family.samples) {
            if (!sample.name.endsWith("_created")) {
                Map<String, String> inOrder = new TreeMap<>();
                for (int i = 0; i < sample.labelNames.size(); i++) {
                    inOrder.put(sample.labelNames.get(i), sample.labelValues.get(i));
                }
                begin(
                        sample.name,
                        "",
                        List.copyOf(inOrder.keySet()),
                        inOrder.values().toArray(String[]::new));
                out.append(number(sample.value)).append('\n');
            }
        }
    }

    private void begin(String name, String suffix, List<String> labels, String[] values) {
        out.append(name).append(suffix);
        if (values.length > 0) {
            labels('{', labels, values);
            out.append('}');
        }
        out.append(' ');
    }

    private void labels(char separator, List<String> labels, String[] values) {
        char before = separator;
        for (int i = 0; i < values.length; i++) {
            out.append(before).append(labels.get(i)).append("=\"");
            escape(values[i], true);
            out.append('"');
            before = ',';
        }
    }

    private static String number(double value) {
        return value == Math.rint(value) && Math.abs(value) < 1e15
                ? Long.toString((long) value)
                : Collector.doubleToGoString(value);
    }

    private void escape(String text, boolean quoted) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '\\' -> out.append("\\\\");
                case '\n' -> out.append("\\n");
                case '"' -> out.append(quoted ? "\\\"" : "\"");
                default -> out.append(c);
            }
        }
    }

    /** The length so far, for {@link #cut}. */
    int length() {
        return out.length();
    }

    /** Removes everything after a length. */
    void cut(int length) {
        out.setLength(length);
    }

    @Override
    public String toString() {
        return out.toString();
    }
}
