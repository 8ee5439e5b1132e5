"""bench/run soak: minutes of load with failovers, clients that leave and changes; nothing may be left of it."""

import json
import os
import random
import socket
import statistics
import threading
import time

import load
import machine
from load import DOWNLOAD
from machine import Failure, say
from peers import Peer
from table import table

HEAP = "-Xmx64m"
JMX = "-Djavax.management.builder.initial=javax.management.MBeanServerBuilder"  # counts for us; the image has none
LOAD_SECONDS = 50  # of each minute

# Classes of which there is one for each connection, request or buffer in use, and how many may remain of each when there
# are none: an I/O thread keeps the last of some.
IN_USE = (
    "UpstreamConnection",
    "ProxiedRequest",
    "RequestBody",
    "AnswerBody",
    "Tunnel",
    "HttpServerExchange",
    "HttpServerConnection",
    "ClientConnection",
    "NioSocketStreamConnection",
    "TlsConduit",
    "TlsHandshake",
    "Buffers$Taken",
    "DefaultByteBufferPool$DefaultPooledBuffer",
)
REMAIN = 8

# What the last clients left behind may take as long to be noticed as half a head, 30 s.
LEAVE_SECONDS = 60


def soak(fleet, minutes):
    peer = Peer("millau", machine.free_port(), machine.free_port())
    census_port, refusing = machine.free_port(), machine.free_port()
    backend = fleet.backend
    ports = (peer.port, peer.tls_port, census_port, backend.port, backend.closing, backend.silent, refusing)
    command = fleet.main("Soak", *ports, fleet.folder, options=[HEAP, JMX])
    peer.process = machine.Process("soak", command, os.path.join(fleet.folder, "soak.log"))
    machine.wait_for_port(census_port, peer.process)

    say(f"{minutes} minutes, {HEAP}: GET and POST, over TLS too, of services with endpoints that refuse, close and are silent;")
    say("50 clients a second that leave in the middle; a new snapshot every 100 ms. Counted after a full collection, each")
    say("time after the load has ended.\n")
    idle = _census(peer, census_port)
    counts = []
    head = ["minute", "requests", "failed attempts", "errors", "heap, KB", "direct buffers", "direct, KB", "lost buffers", "sockets", "other files", "objects"]
    lines = [head, _line("start", 0, 0, idle)]
    for minute in range(1, minutes + 1):
        began = load.clock()
        requests, errors = _load(peer)
        peer.process.check()
        census = _census(peer, census_port)
        counts.append(dict(census, requests=requests, errors=errors))
        lines.append(_line(minute, requests, errors, census))
        say(table([head, lines[-1]]).splitlines()[-1] if minute > 1 else table([head, lines[-1]]).rstrip())
        if minute < minutes:
            time.sleep(max(0, 60 - (load.clock() - began)))
    _census(peer, census_port, "/end")
    ended = load.clock()
    end = _census(peer, census_port)
    while (_remaining(idle, end) or end["sockets"] > idle["sockets"]) and load.clock() < ended + LEAVE_SECONDS:
        time.sleep(5)
        end = _census(peer, census_port)
    lines.append(_line(f"{load.clock() - ended:.0f} s later", 0, 0, end))
    say("\n" + table(lines))
    problems = judge(idle, counts, end)
    for problem in problems:
        say("LEAK: " + problem)
    if problems:
        say(_said(peer))
        raise Failure("soak: " + "; ".join(problems))
    say("Nothing grew, and nothing was left.")


def judge(idle, counts, end):
    """What is wrong, in words."""
    problems = []
    errors = sum(count["errors"] for count in counts)
    if errors:
        problems.append(f"clients saw {errors} errors")
    if not counts[-1]["failures"]:
        problems.append("no attempt failed, so nothing was tested")
    lost = sum(count["directCollected"] for count in counts)
    if lost > REMAIN:
        problems.append(f"{lost} direct buffers were collected that somebody should have given back")
    settled = counts[3:]  # the first minutes load classes and fill caches
    if len(settled) >= 3:
        third = max(1, len(settled) // 3)
        for key, title, tolerance in (("heap", "the heap", 1_000_000), ("direct", "direct buffers", 8), ("files", "open files", 8)):
            first = statistics.median(count[key] for count in settled[:third])
            last = statistics.median(count[key] for count in settled[-third:])
            if last > first * 1.1 + tolerance:
                problems.append(f"{title} grew from {first:.0f} to {last:.0f}")
    else:
        say("Too short to judge growth: that takes 6 minutes.")
    if end["sockets"] > idle["sockets"]:
        problems.append(f"{end['sockets'] - idle['sockets']} sockets stayed open")
    problems.extend(f"{count} × {name} stayed" for name, count in _remaining(idle, end).items())
    return problems


def _remaining(idle, end):
    """What is there of things in use, though nothing is in use: the class, and how many."""
    return {
        name: count
        for name, count in end["objects"].items()
        if name.endswith(IN_USE) and count > idle["objects"].get(name, 0) + REMAIN
    }


def _census(peer, port, path="/census"):
    _, body = load.exchange(port, f"GET {path} HTTP/1.1\r\nHost: census\r\nConnection: close\r\n\r\n".encode(), 30)
    files = peer.process.files()
    sockets = sum(name.startswith("socket:") for name in files)
    return dict(json.loads(body), sockets=sockets, files=len(files) - sockets)


def _said(peer):
    """What Millau logged, but for what it has to."""
    expected = ("INFO", "out of rotation", "org.xnio")
    with open(peer.process.log, errors="replace") as log:
        lines = [line for line in log if line.strip() and not any(word in line for word in expected)]
    return "".join(lines[:40])


def _line(name, requests, errors, census):
    figures = [
        requests,
        census["failures"],
        errors,
        census["heap"] // 1000,
        census["direct"],
        census["directBytes"] // 1000,
        census["directCollected"],
        census["sockets"],
        census["files"],
        sum(census["objects"].values()),
    ]
    return [str(name)] + [f"{figure:,}".replace(",", " ") for figure in figures]


def _load(peer):
    """One minute's load: how many requests were answered, and how many errors there were."""
    results, failures = [], []

    def wrk(**options):
        try:
            results.append(load.wrk(peer, seconds=LOAD_SECONDS, strict=False, **options))
        except Failure as e:
            failures.append(e)

    leaving = threading.Event()
    threads = [
        threading.Thread(target=wrk, kwargs=dict(path="/json", connections=24, host="mixed.example")),
        threading.Thread(target=wrk, kwargs=dict(path="/json", connections=8, host="mixed.example", tls=True)),
        threading.Thread(target=wrk, kwargs=dict(path="/upload", connections=8, host="mixed.example", script=("post", 16384))),
        threading.Thread(target=wrk, kwargs=dict(path="/chunked/65537", connections=4, host="mixed.example")),
        threading.Thread(target=wrk, kwargs=dict(path="/json", connections=4, host="slow.example")),
    ]
    rude = threading.Thread(target=_leave_in_the_middle, args=(peer, leaving))
    rude.start()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    leaving.set()
    rude.join()
    if failures:
        raise failures[0]
    time.sleep(2)  # for what is in progress to end: no attempt takes longer
    return sum(r["requests"] for r in results), sum(sum(load.errors(r).values()) for r in results)


def _leave_in_the_middle(peer, leaving):
    """Clients that close their connection at a moment when a proxy is busy with it."""
    host = b"Host: mixed.example\r\n"
    download = b"GET /bytes/%d HTTP/1.1\r\n" % DOWNLOAD + host + b"\r\n"
    requests = [
        download,
        download[:30],
        b"GET /json HTTP/1.1\r\n" + host + b"\r\n",
        b"GET /json HTTP/1.1\r\nHost: slow.example\r\n\r\n",
        b"POST /upload HTTP/1.1\r\n" + host + b"Content-Length: 1000000\r\n\r\n" + bytes(100_000),
        b"POST /upload HTTP/1.1\r\n" + host + b"Transfer-Encoding: chunked\r\n\r\n2000\r\n" + bytes(4_000),
    ]
    while not leaving.wait(0.02):
        try:
            with socket.create_connection(("127.0.0.1", peer.port), 5) as connection:
                connection.sendall(random.choice(requests))
                if random.random() < 0.5:
                    connection.settimeout(0.01)
                    connection.recv(random.choice((1, 100_000)))
        except OSError:
            pass
