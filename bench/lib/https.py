"""Row tls: HTTP/1.1 and HTTP/2 over TLS 1.3, and handshakes."""

import re
import socket
import ssl
import threading

import load
from machine import Failure
from table import Metric

METRICS = [
    Metric("rate", "requests/s", more_is_better=True),
    Metric("cpu", "CPU", "µs", 1),
    Metric("user", "user", "µs", 1, ratio=False),
    Metric("system", "system", "µs", 1, ratio=False),
]


def tls(bench):
    """Three rows: HTTP/1.1, HTTP/2, and new handshakes."""
    fleet = bench.fleet
    peers = [fleet.proxy(name, tls=True) for name in bench.names if name != "direct"]
    fleet.start(peers)
    ciphers = {peer.name: check(peer) for peer in peers}

    row = bench.row(
        "tls",
        "HTTPS, HTTP/1.1: GET, 250 bytes of JSON, 64 connections",
        "`wrk -t1 -c64`, TLS 1.3, P-256. CPU and requests are counted from one second after the start, when all"
        " connections are open: no handshake is among them.",
        METRICS,
        peers,
    )
    row.notes.append("Negotiated: " + ", ".join(f"{name} {cipher}" for name, cipher in ciphers.items()) + ".")

    def run_http1(peer, seconds=bench.seconds):
        return in_steady_state(fleet, peer, seconds, lambda all_of_it: load.wrk(peer, "/json", all_of_it, tls=True))

    bench.warm(peers, run_http1)
    bench.measure(row, peers, run_http1, load.rate_and_cpu)

    http2 = bench.row(
        "http2",
        "HTTPS, HTTP/2: GET, 250 bytes of JSON, 8 connections with 8 streams each",
        "`h2load -t1 -c8 -m8`, counted as before.",
        METRICS,
        peers,
    )

    def run_http2(peer, seconds=bench.seconds):
        return in_steady_state(fleet, peer, seconds, lambda all_of_it: h2load(peer, all_of_it))

    bench.warm(peers, run_http2)
    bench.measure(http2, peers, run_http2, load.rate_and_cpu)

    handshakes = bench.row(
        "handshakes",
        "New TLS handshakes",
        "`openssl s_time -new`, two at a time: full handshakes, none resumed; no request is sent.",
        [Metric("rate", "handshakes/s", more_is_better=True), Metric("cpu", "CPU", "µs")],
        peers,
    )

    def run_handshakes(peer, seconds=bench.seconds):
        return load.measured(peer, s_time, seconds)

    bench.warm(peers, run_handshakes, share=1.5)
    bench.measure(handshakes, peers, run_handshakes, load.rate_and_cpu)
    for peer in peers:
        peer.end()
    return row, http2, handshakes


def in_steady_state(fleet, peer, seconds, run):
    """What a request costs while a load runs, apart from its first second."""
    failures = []

    def loaded():
        try:
            run(seconds + 2)
        except Failure as e:
            failures.append(e)

    thread = threading.Thread(target=loaded)
    thread.start()
    thread.join(1)
    figures = load.measured(peer, answers_during, fleet.backend, seconds, thread)
    thread.join()
    if failures:
        raise failures[0]
    return figures


def answers_during(_, backend, seconds, thread):
    began, before = load.clock(), backend.answers()
    thread.join(seconds)
    return {"requests": backend.answers() - before, "micros": (load.clock() - began) * 1e6}


def h2load(peer, seconds):
    command = ["h2load", "-t1", "-c8", "-m8", "-D", str(seconds), f"https://127.0.0.1:{peer.tls_port}/json"]
    output = load.run(command, f"{peer.name}: HTTP/2", seconds).stdout
    done = re.search(r"requests: .* (\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout", output)
    good = re.search(r"status codes: (\d+) 2xx, 0 3xx, 0 4xx, 0 5xx", output)
    if not done or not good or done.group(1) != done.group(2) or int(done.group(1)) == 0:
        raise Failure(f"{peer.name}: HTTP/2: errors\n{output}")
    if "Application protocol: h2\n" not in output or "TLS Protocol: TLSv1.3\n" not in output:
        raise Failure(f"{peer.name}: HTTP/2: expected h2 over TLS 1.3\n{output}")


def s_time(peer, seconds):
    """Two clients that do nothing but shake hands."""
    command = ["openssl", "s_time", "-connect", f"127.0.0.1:{peer.tls_port}", "-new", "-tls1_3", "-time", str(seconds)]
    counts = []

    def run():
        try:
            output = load.run(command, f"{peer.name}: handshakes", seconds).stdout
            counts.append(int(re.search(r"(\d+) connections in", output).group(1)))
        except (Failure, AttributeError) as e:
            counts.append(e)

    began = load.clock()
    clients = [threading.Thread(target=run) for _ in range(2)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    wrong = [count for count in counts if not isinstance(count, int)]
    if wrong or not sum(counts):
        raise Failure(f"{peer.name}: handshakes: {wrong or 'none'}")
    return {"requests": sum(counts), "micros": (load.clock() - began) * 1e6}


def check(peer):
    """TLS 1.3, both protocols, and an answer; returns the cipher."""
    for protocol in ("h2", "http/1.1"):
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_alpn_protocols([protocol])
        with socket.create_connection(("127.0.0.1", peer.tls_port), 10) as plain:
            with context.wrap_socket(plain, server_hostname="localhost") as secured:
                if (secured.version(), secured.selected_alpn_protocol()) != ("TLSv1.3", protocol):
                    raise Failure(f"{peer.name}: {secured.version()} {secured.selected_alpn_protocol()}, expected {protocol}")
                cipher = secured.cipher()[0]
    return cipher
