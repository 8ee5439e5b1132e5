"""Row overload: many more clients than it takes for the most requests/s."""

import threading

import load
from load import clock, exchange
from machine import Failure, say
from table import Metric

CAPACITY = 64
MANY = 5_000
SMALL_HEAP = "-Xmx32m"
PAGES = ("/ready", "/status.json", "/metrics")


def overload(bench):
    fleet = bench.fleet
    peers = [fleet.proxy(name) for name in bench.names if name != "direct"]
    peers += [_small(fleet, name) for name in bench.millaus()]
    for peer in peers:
        if "TELEMETRY" in (peer.environment or {}):
            peer.environment["TRUSTED"] = "127.0.0.1"  # so many clients with one address would be a single one's attack
    row = bench.row(
        "overload",
        "Overload: 5 and 80 times as many clients as it takes for the most requests",
        f"`wrk -t1`: GET of 250 bytes; what is answered well at {CAPACITY} connections, which is as much as there is, at {5 * CAPACITY}"
        f" and at {MANY:,}. “Refused” is the share of other answers at {MANY:,}, `503` all of them; “pages” is the longest time in"
        f" which {', '.join(PAGES)} of the telemetry port came meanwhile. Each peer is also given new connections alone, one for"
        " each request (“new”).",
        [
            Metric("most", f"{CAPACITY} clients", "/s", more_is_better=True),
            Metric("five", f"{5 * CAPACITY} clients", "/s", more_is_better=True),
            Metric("many", f"{MANY:,} clients", "/s", more_is_better=True),
            Metric("share", "of the most", "%", ratio=False),
            Metric("refused", "refused", "%", 1, ratio=False),
            Metric("pages", "pages", "ms", ratio=False),
            Metric("new", "new connections", "/s", more_is_better=True),
        ],
        peers,
    )
    fleet.start(peers)
    bench.warm(peers, lambda peer, seconds: load.wrk(peer, "/json", seconds))
    bench.warm(peers, lambda peer, seconds: _new(peer, seconds))

    def run(peer):
        most = _good(load.wrk(peer, "/json", bench.seconds, connections=CAPACITY))
        five = _good(load.wrk(peer, "/json", bench.seconds, connections=5 * CAPACITY))
        pages = _Pages(peer)
        figures = load.wrk(peer, "/json", bench.seconds, connections=MANY, strict=False)
        slowest = pages.end()
        lost = {kind: count for kind, count in load.errors(figures).items() if kind != "status"}
        if lost:
            row.notes.append(f"{peer.name}, {MANY:,} clients: {lost}.")
        many = _good(figures)
        new = _good(_new(peer, bench.seconds))
        return {
            "most": most,
            "five": five,
            "many": many,
            "share": 100 * min(five, many) / most,
            "refused": 100 * figures["status"] / max(1, figures["requests"]),
            "pages": slowest,
            "new": new,
        }

    def show(figures):
        return f"{figures['most']:.0f}, {figures['five']:.0f}, {figures['many']:.0f}/s"

    bench.measure(row, peers, run, show, rounds=min(bench.rounds, 4))
    for peer in peers:
        peer.end()
    return row


def _small(fleet, name):
    peer = fleet.proxy(name)
    peer.name = f"{name}, {SMALL_HEAP}"
    peer.command.insert(peer.command.index("-jar"), SMALL_HEAP)
    return peer


def _new(peer, seconds):
    return load.wrk(peer, "/json", seconds, connections=CAPACITY, script=("close",), strict=False)


def _good(figures):
    return (figures["requests"] - figures["status"]) / figures["micros"] * 1e6


class _Pages:
    """Asks for the pages of the telemetry port again and again, of a Millau; nothing for others."""

    def __init__(self, peer):
        self._slowest = None
        self._failure = None
        self._over = threading.Event()
        address = (getattr(peer, "environment", None) or {}).get("TELEMETRY")
        self._thread = threading.Thread(target=self._ask, args=(int(address.rpartition(":")[2]),)) if address else None
        if self._thread:
            self._thread.start()

    def _ask(self, port):
        while not self._over.wait(0.1):
            for page in PAGES:
                began = clock()
                try:
                    head, _ = exchange(port, f"GET {page} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
                except OSError as e:
                    self._failure = Failure(f"{page} under overload: {e}")
                    return
                if not head.startswith("HTTP/1.1 200 "):
                    self._failure = Failure(f"{page} under overload: {head}")
                    return
                self._slowest = max(self._slowest or 0, (clock() - began) * 1000)

    def end(self):
        self._over.set()
        if self._thread:
            self._thread.join()
        if self._failure:
            raise self._failure
        return self._slowest
