"""Rows services, endpoints and changes: what a proxy's size and its changes cost a request."""

import os
import time

import load
from machine import Failure
from peers import Peer, Proxy
from table import Metric

METRICS = [
    Metric("rate", "requests/s", more_is_better=True),
    Metric("cpu", "CPU", "µs", 1),
    Metric("p50", "p50", "ms", 2),
    Metric("p99", "p99", "ms", 2),
]


def _run(bench, *script):
    def run(peer, seconds=bench.seconds):
        figures = load.measured(peer, load.wrk, "/json", seconds, script=script)
        return load.millis(figures, "p50", "p99", "p999")

    return run


class Sized(Peer):
    """A Millau when it has so many services."""

    jvm = True

    def __init__(self, name, proxy, file, count):
        super().__init__(name, proxy.port)
        self.process = proxy.process
        self.file = file
        self.count = count

    def become(self, backend):
        with open(self.file + ".new", "w") as out:
            for i in range(1, self.count + 1):
                out.write(f"app-{i}.endpoints = http://127.0.0.1:{backend}\n")
                out.write(f"app-{i}.hosts = host-{i}.example\n")
        os.replace(self.file + ".new", self.file)
        deadline = load.clock() + 30
        while not (self._knows(self.count) and not self._knows(self.count + 1)):
            if load.clock() > deadline:
                raise Failure(f"{self.name}: the file's services are not there after 30 s")
            time.sleep(0.05)

    def _knows(self, number):
        request = f"GET /json HTTP/1.1\r\nHost: host-{number}.example\r\n\r\n"
        return load.exchange(self.port, request.encode())[0].startswith("HTTP/1.1 200 ")


def services(bench):
    """One process per Millau, whose file of services changes between the rounds: so the compiler treats all alike."""
    fleet = bench.fleet
    peers = []
    for name in bench.millaus():
        file = os.path.join(fleet.folder, f"{name}-services.properties")
        open(file, "w").close()
        proxy = fleet.start([fleet.millau(name, file)])[0]
        for count in (1, 1_000, 10_000):
            label = f"{count:,} service{'s' * (count > 1)}".replace(",", " ")
            peers.append(Sized(label if name == "millau" else f"{name}, {label}", proxy, file, count))
    row = bench.row(
        "services",
        "Millau with many services",
        "GET of 250 bytes, 64 connections; each request goes to another of the services, which have a host name each and"
        " one backend together.",
        METRICS,
        peers,
        reference=["1 service"],
    )

    def run(peer, seconds=bench.seconds):
        peer.become(fleet.backend.port)
        load.wrk(peer, "/json", 1, script=("hosts", peer.count))  # a service's first request is another matter
        load.settle(peer)
        return _run(bench, "hosts", peer.count)(peer, seconds)

    bench.warm(peers, run)
    bench.measure(row, peers, run, load.rate_and_cpu)
    for peer in peers:
        peer.process.end()
    return row

def endpoints(bench):
    fleet = bench.fleet
    port = fleet.backend.port
    many = [f"127.0.{i // 250 + 1}.{i % 250 + 1}:{port}" for i in range(1_000)]
    names = [name for name in bench.names if name in ("nginx", "haproxy")] + bench.millaus()
    peers = []
    for name in names:
        for servers in ([f"127.0.0.1:{port}"], many):
            peer = fleet.proxy(name, servers)
            peer.name = f"{name}, {len(servers):,}".replace(",", " ").replace("  ", ", ")
            peers.append(peer)
    fleet.start(peers)
    row = bench.row(
        "endpoints",
        "1 and 1 000 endpoints of one service",
        "GET of 250 bytes, 64 connections. The endpoints are addresses of one backend. Compared is with the best peer that"
        " has 1 000 of them.",
        METRICS,
        peers,
        reference=[peer.name for peer in peers if peer.is_peer and peer.name.endswith("1 000")],
    )
    bench.warm(peers, _run(bench))
    bench.measure(row, peers, _run(bench), load.rate_and_cpu)
    for peer in peers:
        peer.end()
    return row


def changes(bench):
    fleet = bench.fleet
    peers = []
    for name, millis in (("no changes", 0), ("every 100 ms", 100)):
        proxy = fleet.proxy("millau")
        command = fleet.main("Changes", proxy.port, fleet.backend.port, millis)
        peers.append(Proxy(name, fleet.folder, command, jvm=True, port=proxy.port))
    fleet.start(peers)
    row = bench.row(
        "changes",
        "A new snapshot every 100 ms",
        "GET of 250 bytes, 64 connections, of Millau with 1 000 services of which another one changes every time.",
        METRICS + [Metric("p999", "p99.9", "ms", 1)],
        peers,
        reference=["no changes"],
    )
    bench.warm(peers, _run(bench))
    bench.measure(row, peers, _run(bench), load.rate_and_cpu)
    for peer in peers:
        peer.end()
    return row
