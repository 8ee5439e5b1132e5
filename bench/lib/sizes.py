"""Row sizes: bodies of other sizes than the rows before, and clients that read slowly. Nothing may fall off a cliff."""

import socket
import threading
import time

import load
from load import DOWNLOAD
from machine import Failure
from table import Metric

ODD = 64 * 1024 + 1

# Title, path, bytes to POST.
CASES = [
    ("GET 1 B", "/bytes/1", 0),
    ("GET 16 KiB", "/bytes/16384", 0),
    ("GET 64 KiB + 1", f"/bytes/{ODD}", 0),
    ("GET chunked, 64 KiB + 1", f"/chunked/{ODD}", 0),
    ("POST 1 B", "/upload", 1),
    ("POST 16 KiB", "/upload", 16384),
    ("POST 64 KiB + 1", "/upload", ODD),
]

SLOW = 200
SLOW_BYTES = 32 * 1024  # each, five times a second


def sizes(bench):
    """Three rows: CPU by size, requests/s by size, and slow clients."""
    peers = bench.common()
    proxies = [peer for peer in peers if peer.process]
    text = "`wrk -t1 -c64`."
    cpu = bench.row("sizes", "Bodies of other sizes: CPU µs per request", text, [Metric(c[0], c[0], "", 1) for c in CASES], proxies)
    rate = bench.row(
        "sizes-rate", "Bodies of other sizes: requests/s", text, [Metric(c[0], c[0], more_is_better=True) for c in CASES], peers
    )
    rounds = min(bench.rounds, 4)
    seconds = max(1, bench.seconds // 2)
    for title, path, upload in CASES:
        script = ("post", upload) if upload else ()

        def run(peer, seconds=seconds):
            figures = load.measured(peer, load.wrk, path, seconds, script=script)
            cpu.add(peer.name, {title: figures.get("cpu")})
            return dict(figures, **{title: figures["rate"]})

        # A JVM knows GET from the rows before, but has yet to compile what takes uploads.
        bench.warm(peers, lambda peer, seconds: load.wrk(peer, path, seconds, script=script), share=1.0 if upload else 0.2)
        bench.measure(rate, peers, run, load.rate_and_cpu, rounds)
    return cpu, rate, slow(bench, proxies)


def slow(bench, peers):
    row = bench.row(
        "slow",
        f"Beside {SLOW} slow clients",
        f"GET of 250 bytes, 64 connections, while {SLOW} other clients read an answer of 10 MB each at 160 KB/s.",
        [
            Metric("rate", "requests/s", more_is_better=True),
            Metric("p50", "p50", "ms", 2),
            Metric("p99", "p99", "ms", 2),
            Metric("before", "PSS before", "MB", 1, ratio=False),
            Metric("pss", "PSS with them", "MB", 1),
        ],
        peers,
    )

    def run(peer):
        before = peer.process.pss() / 1e6
        with SlowClients(peer):
            figures = load.measured(peer, load.wrk, "/json", bench.seconds)
            figures.update(before=before, pss=peer.process.pss() / 1e6)
        return load.millis(figures, "p50", "p99")

    return bench.measure(row, peers, run, lambda figures: f"{figures['p99']:.1f} ms, {figures['pss']:.0f} MB", min(bench.rounds, 4))


class SlowClients:
    """Clients that read a large answer bit by bit, in a thread of their own."""

    def __init__(self, peer):
        self.peer = peer
        self.connections = []
        self.read = {}
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._read_slowly)

    def __enter__(self):
        request = f"GET /bytes/{DOWNLOAD} HTTP/1.1\r\nHost: 127.0.0.1:{self.peer.port}\r\n\r\n".encode()
        for _ in range(SLOW):
            connection = socket.socket()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SLOW_BYTES)
            connection.settimeout(10)
            connection.connect(("127.0.0.1", self.peer.port))
            connection.sendall(request)
            connection.setblocking(False)
            self.connections.append(connection)
            self.read[connection] = 0
        self.thread.start()
        time.sleep(1)  # until buffers are full, and reading sets the pace
        return self

    def __exit__(self, failed, *_):
        self.ended.set()
        self.thread.join()
        for connection in self.connections:
            connection.close()
        stuck = [count for count in self.read.values() if count < SLOW_BYTES]
        if stuck and not failed:
            raise Failure(f"{self.peer.name}: {len(stuck)} of {SLOW} slow clients got less than {SLOW_BYTES} bytes")

    def _read_slowly(self):
        while not self.ended.wait(0.2):
            for connection in self.connections:
                try:
                    self.read[connection] += len(connection.recv(SLOW_BYTES))
                except BlockingIOError:
                    pass
