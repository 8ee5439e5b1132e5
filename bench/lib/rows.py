"""The rows: each measures one thing, for each peer in turn, round by round."""

import load
from load import DOWNLOAD, UPLOAD
from machine import say
from table import Metric, Row

WARM_UP = "A JVM compiles what it runs: about 20 s at full load until it is as quick as it gets."


class Bench:
    """What all rows share: how long to measure, whom, and the proxies that run."""

    def __init__(self, fleet, names, rounds, seconds, warm_up):
        self.fleet = fleet
        self.names = names
        self.rounds = rounds
        self.seconds = seconds
        self.warm_up = warm_up
        self._common = None

    def common(self):
        """The peers that rows 1 to 3 measure: started once, checked and warmed up."""
        if self._common is None:
            self._common = self.fleet.start([self.fleet.proxy(name) for name in self.names])
            for peer in self._common:
                load.check(peer)
            say(WARM_UP)
            self.warm(self._common, lambda peer, seconds: load.wrk(peer, "/json", seconds))
        return self._common

    def warm(self, peers, run, share=1.0):
        """Load before measuring: long for a JVM, short for the others."""
        for peer in peers:
            seconds = max(1, round(self.warm_up * share)) if peer.jvm else 1
            say(f"  warm-up: {peer.name}, {seconds} s")
            run(peer, seconds)

    def row(self, key, title, text, metrics, peers):
        reference = [peer.name for peer in peers if peer.is_peer]
        return Row(key, title, text, metrics, [peer.name for peer in peers], reference)

    def measure(self, row, peers, run, show, rounds=None):
        """Runs every round, each with every peer in turn, and in another order than the round before."""
        rounds = rounds or self.rounds
        for number in range(rounds):
            first = number % len(peers)
            shown = {}
            for peer in peers[first:] + peers[:first]:
                figures = run(peer)
                row.add(peer.name, figures)
                shown[peer.name] = show(figures)
            say(f"  {row.key} {number + 1}/{rounds}: " + ", ".join(f"{peer.name} {shown[peer.name]}" for peer in peers))
        return row


def _cpu(figures):
    return f" {figures['cpu']:.1f} µs" if "cpu" in figures else ""


def _millis(figures, *keys):
    for key in keys:
        figures[key] /= 1000
    return figures


def get(bench):
    peers = bench.common()
    row = bench.row(
        "get",
        "GET, 250 bytes of JSON, 64 connections",
        "`wrk -t1 -c64`, keep-alive. CPU: user + system time of all of the proxy's processes, by request.",
        [
            Metric("rate", "requests/s", more_is_better=True),
            Metric("cpu", "CPU µs", 1),
            Metric("user", "user µs", 1, ratio=False),
            Metric("system", "system µs", 1, ratio=False),
            Metric("p50", "p50 ms", 2),
            Metric("p99", "p99 ms", 2),
            Metric("p999", "p99.9 ms", 1),
        ],
        peers,
    )
    return bench.measure(
        row,
        peers,
        lambda peer: _millis(load.measured(peer, load.wrk, "/json", bench.seconds), "p50", "p99", "p999"),
        lambda figures: f"{figures['rate']:.0f}/s{_cpu(figures)}",
    )


def one(bench):
    """Two rows: GET, and POST of 5 MB."""
    peers = bench.common()
    row = bench.row(
        "one",
        "One connection: GET, 250 bytes of JSON",
        "`wrk -t1 -c1`. The average is the time of the run by request.",
        [
            Metric("average", "average µs", 1),
            Metric("p50", "p50 µs"),
            Metric("p99", "p99 µs"),
            Metric("min", "minimum µs"),
            Metric("cpu", "CPU µs", 1),
        ],
        peers,
    )

    def run_get(peer):
        figures = load.measured(peer, load.wrk, "/json", bench.seconds, connections=1)
        return dict(figures, average=1e6 / figures["rate"])

    bench.measure(row, peers, run_get, lambda figures: f"{figures['average']:.1f} µs")

    upload = bench.row(
        "upload",
        "One connection: POST of 5 MB",
        "`wrk -t1 -c1`, `application/octet-stream`; no proxy keeps the body before it sends it on.",
        [
            Metric("average", "average ms", 2),
            Metric("p50", "p50 ms", 2),
            Metric("p99", "p99 ms", 2),
            Metric("min", "minimum ms", 2),
            Metric("cpu", "CPU ms", 2),
        ],
        peers,
    )

    def run_post(peer, seconds=bench.seconds):
        figures = load.measured(peer, load.wrk, "/upload", seconds, connections=1, script=("post", UPLOAD))
        figures["average"] = 1e6 / figures["rate"]
        return _millis(figures, "average", "p50", "p99", "min", *(["cpu"] if "cpu" in figures else []))

    bench.warm(peers, run_post, share=0.4)
    bench.measure(upload, peers, run_post, lambda figures: f"{figures['average']:.2f} ms")
    return row, upload


def large(bench):
    peers = bench.common()
    row = bench.row(
        "large",
        "GET of 10 MB",
        "`wrk -t1 -c4`.",
        [Metric("speed", "GB/s", 2, more_is_better=True), Metric("cpu_gb", "CPU ms per GB")],
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


ALL = {"get": get, "one": one, "large": large}
QUICK = ["get", "one", "large"]
