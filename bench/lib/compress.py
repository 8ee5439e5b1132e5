"""Row compress: what gzip costs, and what others have to wait for it."""

import subprocess

import load
from load import DOWNLOAD
from table import Metric

PEERS = ("nginx", "caddy", "millau")
BYTES = 100_000


def compress(bench):
    """Two rows: responses that are compressed, and other ones beside them."""
    peers = [peer for peer in bench.common() if peer.name in PEERS or peer.name in bench.fleet.variants]
    row = bench.row(
        "compress",
        "JSON, compressed with gzip",
        f"GET of {BYTES} bytes, `wrk -t1 -c64`, and of 10 MB, `wrk -t1 -c4`. nginx and Millau compress at level 1, Caddy at 5.",
        [
            Metric("rate", "requests/s", more_is_better=True),
            Metric("cpu", "CPU", "µs", 0),
            Metric("sent", "sent", "bytes"),
            Metric("speed", "10 MB: MB/s, as the backend sends it", more_is_better=True),
            Metric("cpu_large", "CPU", "ms", 1),
        ],
        peers,
    )

    def run(peer, seconds=bench.seconds):
        figures = load.measured(peer, load.wrk, f"/text/{BYTES}", seconds, script=("gzip",))
        figures["sent"] = figures["bytes"] / figures["requests"]
        large = load.measured(peer, load.wrk, f"/text/{DOWNLOAD}", seconds, connections=4, script=("gzip",))
        return dict(figures, speed=large["rate"] * DOWNLOAD / 1e6, cpu_large=large["cpu"] / 1000)

    bench.warm(peers, run, share=0.4)
    bench.measure(row, peers, run, load.rate_and_cpu)
    return row, beside(bench, peers)


def beside(bench, peers):
    row = bench.row(
        "beside",
        "Beside JSON of 10 MB that is compressed",
        "GET of 250 bytes, `wrk -t1 -c8`: alone, and while one and four other clients get 10 MB of JSON, compressed, again and again.",
        [
            Metric(f"{percentile}-{others}", f"{percentile}, {others} others", "ms", 2)
            for others in (0, 1, 4)
            for percentile in ("p50", "p99")
        ],
        peers,
    )

    def run(peer):
        figures = {}
        for others in (0, 1, 4):
            url = f"http://127.0.0.1:{peer.port}/text/{DOWNLOAD}"
            command = ["wrk", "-t1", f"-c{others}", f"-d{bench.seconds + 2}s", "-H", "Accept-Encoding: gzip", url]
            other = subprocess.Popen(command, stdout=subprocess.DEVNULL) if others else None
            measured = load.millis(load.wrk(peer, "/json", bench.seconds, connections=8), "p50", "p99")
            if other:
                other.wait()
            figures.update({f"{percentile}-{others}": measured[percentile] for percentile in ("p50", "p99")})
        return figures

    return bench.measure(row, peers, run, lambda figures: f"{figures['p99-4']:.1f} ms", min(bench.rounds, 4))
