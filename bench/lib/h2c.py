"""Row h2c: HTTP/2 without TLS to the instances, as for gRPC."""

import os

import https
import load
import machine
from machine import Failure, Process
from table import Metric

# Who speaks it, with how its file says so. nginx does so for gRPC alone.
SERVERS = {"haproxy": "127.0.0.1:{} proto h2", "caddy": "h2c://127.0.0.1:{}"}


def h2c(bench):
    fleet = bench.fleet
    port = machine.free_port()
    backend = _backend(fleet.folder, port)
    peers = [_peer(fleet, name, port) for name in bench.names if name in SERVERS or name in bench.millaus()]
    fleet.start(peers)
    for peer in peers:
        _check(peer)
    row = bench.row(
        "h2c",
        "HTTP/2 behind: GET, 250 bytes of JSON, 64 connections",
        "`wrk -t1 -c64` by HTTP/1.1; the backend is `nghttpd`, asked by HTTP/2 without TLS.",
        https.METRICS + [Metric("p99", "p99", "ms", 2)],
        peers,
    )

    def run(peer, seconds=bench.seconds):
        return load.millis(load.measured(peer, load.wrk, "/json", seconds), "p99")

    bench.warm(peers, run)
    bench.measure(row, peers, run, load.rate_and_cpu)
    for peer in peers:
        peer.end()
    backend.end()
    return row


def _backend(folder, port):
    root = os.path.join(folder, "h2c")
    os.makedirs(root)
    with open(os.path.join(root, "json"), "w") as file:
        file.write('{"text": "' + "x" * (load.JSON_BYTES - 12) + '"}')
    command = ["nghttpd", "--no-tls", "-n1", "-a", "127.0.0.1", "-d", root, str(port)]
    process = Process("nghttpd", command, os.path.join(folder, "nghttpd.log"))
    machine.wait_for_port(port, process)
    return process


def _peer(fleet, name, port):
    if name in SERVERS:
        return fleet.proxy(name, servers=[SERVERS[name].format(port)])
    file = os.path.join(fleet.folder, f"{name}-h2c.properties")
    with open(file, "w") as out:
        out.write(f"app.endpoints = h2c://127.0.0.1:{port}\n")
    return fleet.millau(name, file)


def _check(peer):
    head, body = load.exchange(peer.port, f"GET /json HTTP/1.1\r\nHost: 127.0.0.1:{peer.port}\r\n\r\n".encode())
    if not head.startswith("HTTP/1.1 200 ") or len(body) != load.JSON_BYTES:
        raise Failure(f"{peer.name}: h2c: expected another answer than\n{head}\n\n{body[:200]!r}")
