"""Rows get, one and large: what bench/run quick measures."""

import load
from load import DOWNLOAD, UPLOAD
from table import Metric


def get(bench):
    peers = bench.common()
    row = bench.row(
        "get",
        "GET, 250 bytes of JSON, 64 connections",
        "`wrk -t1 -c64`, keep-alive. CPU: user + system time of all of the proxy's processes, by request.",
        [
            Metric("rate", "requests/s", more_is_better=True),
            Metric("cpu", "CPU", "µs", 1),
            Metric("user", "user", "µs", 1, ratio=False),
            Metric("system", "system", "µs", 1, ratio=False),
            Metric("p50", "p50", "ms", 2),
            Metric("p99", "p99", "ms", 2),
            Metric("p999", "p99.9", "ms", 1),
        ],
        peers,
    )
    return bench.measure(
        row,
        peers,
        lambda peer: load.millis(load.measured(peer, load.wrk, "/json", bench.seconds), "p50", "p99", "p999"),
        load.rate_and_cpu,
    )


def one(bench):
    """Two rows: GET, and POST of 5 MB."""
    peers = bench.common()
    row = bench.row(
        "one",
        "One connection: GET, 250 bytes of JSON",
        "`wrk -t1 -c1`. The average is the time of the run by request.",
        [
            Metric("average", "average", "µs", 1),
            Metric("p50", "p50", "µs"),
            Metric("p99", "p99", "µs"),
            Metric("min", "minimum", "µs"),
            Metric("cpu", "CPU", "µs", 1),
        ],
        peers,
    )

    def run_get(peer, seconds=bench.seconds):
        figures = load.measured(peer, load.wrk, "/json", seconds, connections=1)
        return dict(figures, average=1e6 / figures["rate"])

    bench.warm(peers, run_get, share=0.2)
    bench.measure(row, peers, run_get, lambda figures: f"{figures['average']:.1f} µs")

    upload = bench.row(
        "upload",
        "One connection: POST of 5 MB",
        "`wrk -t1 -c1`, `application/octet-stream`; no proxy keeps the body before it sends it on.",
        [
            Metric("average", "average", "ms", 2),
            Metric("p50", "p50", "ms", 2),
            Metric("p99", "p99", "ms", 2),
            Metric("min", "minimum", "ms", 2),
            Metric("cpu", "CPU", "ms", 2),
        ],
        peers,
    )

    def run_post(peer, seconds=bench.seconds):
        figures = load.measured(peer, load.wrk, "/upload", seconds, connections=1, script=("post", UPLOAD))
        figures["average"] = 1e6 / figures["rate"]
        return load.millis(figures, "average", "p50", "p99", "min", "cpu")

    bench.warm(peers, run_post, share=0.4)
    bench.measure(upload, peers, run_post, lambda figures: f"{figures['average']:.2f} ms")
    return row, upload


def large(bench):
    peers = bench.common()
    row = bench.row(
        "large",
        "GET of 10 MB",
        "`wrk -t1 -c4`.",
        [Metric("speed", "GB/s", digits=2, more_is_better=True), Metric("cpu_gb", "CPU", "ms per GB")],
        peers,
    )

    def run(peer, seconds=bench.seconds):
        figures = load.measured(peer, load.wrk, f"/bytes/{DOWNLOAD}", seconds, connections=4)
        figures["speed"] = figures["rate"] * DOWNLOAD / 1e9
        if "cpu" in figures:
            figures["cpu_gb"] = figures["cpu"] / 1000 / (DOWNLOAD / 1e9)
        return figures

    bench.warm(peers, run, share=0.4)
    return bench.measure(row, peers, run, lambda figures: f"{figures['speed']:.2f} GB/s")
