package io.millau.metrics;

import io.prometheus.client.Collector;
import io.prometheus.client.hotspot.BufferPoolsExports;
import io.prometheus.client.hotspot.ClassLoadingExports;
import io.prometheus.client.hotspot.GarbageCollectorExports;
import io.prometheus.client.hotspot.MemoryAllocationExports;
import io.prometheus.client.hotspot.MemoryPoolsExports;
import io.prometheus.client.hotspot.StandardExports;
import io.prometheus.client.hotspot.ThreadExports;
import io.prometheus.client.hotspot.VersionInfoExports;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Metrics of the process and the JVM, by Prometheus' client library. For one thread. */
final class JvmMetrics {

    private final List<Part> parts = new ArrayList<>();

    JvmMetrics() {
        add("process", StandardExports::new);
        add("memory", MemoryPoolsExports::new);
        add("allocation", MemoryAllocationExports::new);
        add("buffers", BufferPoolsExports::new);
        add("garbage collection", GarbageCollectorExports::new);
        add("threads", ThreadExports::new);
        add("classes", ClassLoadingExports::new);
        add("version", VersionInfoExports::new);
    }

    private void add(String name, Supplier<Collector> make) {
        parts.add(new Part(name, make));
    }

    List<Part> parts() {
        return parts;
    }

    /** One collector, made at its first use to keep the start fast. */
    static final class Part {
        final String name;
        private final Supplier<Collector> make;
        private @Nullable Collector made;

        private Part(String name, Supplier<Collector> make) {
            this.name = name;
            this.make = make;
        }

        void write(TextFormat page) {
            Collector collector = made;
            if (collector == null) {
                collector = make.get();
                made = collector;
            }
            collector.collect().forEach(page::write);
        }
    }
}
