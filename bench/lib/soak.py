"""bench/run soak: minutes of all protocols, with failovers, clients that leave, floods and changes; nothing may be left of it."""

import json
import os
import random
import re
import socket
import ssl
import statistics
import threading
import time
import zipfile

import load
import machine
from load import DOWNLOAD
from machine import BENCH, Failure, say
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
    "ResponseBody",
    "Tunnel",
    "ConnectQueue",
    "HttpServerExchange",
    "HttpServerConnection",
    "AcceptedConnection",
    "DownstreamConnection",
    "DownstreamHttp2Connection",
    "DownstreamStream",
    "Http2UpstreamConnection",
    "Http2UpstreamStream",
    "NioSocketStreamConnection",
    "TlsConnection",
    "TlsHandshake",
    "Buffers$Taken",
    "DefaultByteBufferPool$DefaultPooledBuffer",
)
REMAIN = 8

# What the last clients left behind may take as long to be noticed as silence, 60 s, and connections to endpoints are kept as long.
LEAVE_SECONDS = 150


def soak(fleet, minutes):
    _check_names()
    peer = Peer("millau", machine.free_port(), machine.free_port())
    census_port, refusing = machine.free_port(), machine.free_port()
    backend = fleet.backend
    ports = (peer.port, peer.tls_port, census_port, backend.port, backend.closing, backend.silent, refusing)
    command = fleet.main("Soak", *ports, fleet.folder, options=[HEAP, JMX])
    peer.process = machine.Process("soak", command, os.path.join(fleet.folder, "soak.log"))
    machine.wait_for_port(census_port, peer.process)

    say(f"{minutes} minutes, {HEAP}: GET and POST by HTTP/1.1 and HTTP/2, with and without TLS, and upgrades; services with endpoints")
    say("that refuse, close and are silent, and such that speak TLS and h2c; 50 clients a second that leave in the middle, and as many")
    say("that attack; a new snapshot every 100 ms. Counted after a full collection, each time after the load has ended.\n")
    idle = _census(peer, census_port)
    counts = []
    head = ["minute", "requests", "failed attempts", "errors", "heap, KB", "buffers in use", "direct buffers", "direct, KB", "lost buffers", "sockets", "other files", "objects"]
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
        for key, title, tolerance in (("heap", "the heap", 1_000_000), ("files", "open files", 8)):
            first = statistics.median(count[key] for count in settled[:third])
            last = statistics.median(count[key] for count in settled[-third:])
            if last > first * 1.1 + tolerance:
                problems.append(f"{title} grew from {first:.0f} to {last:.0f}")
    else:
        say("Too short to judge growth: that takes 6 minutes.")
    # The stocks of buffers are as large as the most that were needed at once; what counts is that all are back in them.
    if end["inUse"] > idle["inUse"]:
        problems.append(f"{end['inUse'] - idle['inUse']} direct buffers stayed in use")
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
        census["inUse"],
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

    def h2load(**options):
        try:
            results.append(_h2load(peer, **options))
        except Failure as e:
            failures.append(e)

    leaving = threading.Event()
    threads = [
        threading.Thread(target=h2load),
        threading.Thread(target=h2load, kwargs=dict(tls=True)),
        threading.Thread(target=h2load, kwargs=dict(upload=os.path.join(BENCH, "backend.c"))),
        threading.Thread(target=wrk, kwargs=dict(path="/json", connections=24, host="mixed.example")),
        threading.Thread(target=wrk, kwargs=dict(path="/json", connections=8, host="mixed.example", tls=True)),
        threading.Thread(target=wrk, kwargs=dict(path="/upload", connections=8, host="mixed.example", script=("post", 16384))),
        threading.Thread(target=wrk, kwargs=dict(path="/chunked/65537", connections=4, host="mixed.example")),
        threading.Thread(target=wrk, kwargs=dict(path="/json", connections=4, host="slow.example")),
    ]
    rude = [threading.Thread(target=task, args=(peer, leaving)) for task in (_leave_in_the_middle, _attack, _upgrade)]
    for thread in rude:
        thread.start()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    leaving.set()
    for thread in rude:
        thread.join()
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


def _h2load(peer, tls=False, upload=None):
    url = f"https://127.0.0.1:{peer.tls_port}" if tls else f"http://127.0.0.1:{peer.port}"
    command = ["h2load", "-t1", "-c4", "-m8", "-D", str(LOAD_SECONDS), "-H", ":authority: mixed.example"]
    command += ["-d", upload, url + "/upload"] if upload else [url + "/json"]
    output = load.run(command, f"{peer.name}: HTTP/2", LOAD_SECONDS).stdout
    done = re.search(r"requests: .* (\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout", output)
    if not done:
        raise Failure(f"HTTP/2: h2load says nothing of requests\n{output}")
    number, good = int(done.group(1)), int(done.group(2))
    return {"requests": number, "status": number - good, "connect": 0, "read": 0, "write": 0, "timeout": 0}


PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def _frame(kind, flags, stream, payload=b""):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def _head(method, path):
    def field(name, value):
        return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value

    fields = ((b":method", method), (b":scheme", b"http"), (b":path", path), (b":authority", b"mixed.example"))
    return b"".join(field(*pair) for pair in fields)


def _attacks():
    """What is sent to take a proxy down: floods, and what never ends."""
    post = b"POST /upload HTTP/1.1\r\nHost: mixed.example\r\nTransfer-Encoding: chunked\r\n\r\n"
    settings = _frame(4, 0, 0)
    closed_window = _frame(4, 0, 0, (4).to_bytes(2, "big") + bytes(4))
    large = _head(b"GET", b"/bytes/%d" % DOWNLOAD)
    return [
        post + b"0\r\nX: " + b"a" * 100_000,
        post + b"3g\r\nabc\r\n",
        post + b"2000\r\n" + bytes(100),
        b"GET / HTTP/1.1\r\nHost: mixed.example\r\n" + b"X: a\r\n" * 1000,
        b"GET /bytes/%d HTTP/1.1\r\nHost: mixed.example\r\n\r\n" % DOWNLOAD * 20,
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        os.urandom(1000),
        PREFACE + settings * 3000,
        PREFACE + settings + b"".join(
            _frame(1, 5, i, _head(b"GET", b"/json")) + _frame(3, 0, i, (8).to_bytes(4, "big")) for i in range(1, 2001, 2)),
        PREFACE + settings + _frame(1, 0, 1, _head(b"GET", b"/json")) + _frame(9, 0, 1, bytes(16384)) * 20,
        PREFACE + settings + _frame(1, 4, 1, _head(b"POST", b"/upload")) + _frame(0, 0, 1) * 3000,
        PREFACE + closed_window + b"".join(_frame(1, 5, i, large) for i in range(1, 401, 2)),
        PREFACE + settings + b"".join(_frame(1, 5, i, large) for i in range(1, 41, 2)),
        PREFACE + settings + b"".join(_frame(1, 4, i, _head(b"POST", b"/upload")) + _frame(0, 0, i, bytes(9000)) for i in range(1, 41, 2)),
        PREFACE + settings + os.urandom(1000),
    ]


def _attack(peer, leaving):
    attacks = _attacks()
    while not leaving.wait(0.02):
        secure = random.random() < 0.2
        try:
            with _connection(peer, secure) as connection:
                connection.settimeout(1)
                connection.sendall(random.choice(attacks))
                connection.settimeout(random.choice((0.01, 0.2)))
                connection.recv(random.choice((1, 100_000)))
        except OSError:
            pass


def _connection(peer, secure):
    connection = socket.create_connection(("127.0.0.1", peer.tls_port if secure else peer.port), 5)
    if not secure or random.random() < 0.3:
        return connection  # also without TLS on the port for it
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols([random.choice(("h2", "http/1.1"))])
    try:
        return context.wrap_socket(connection, server_hostname="localhost")
    except OSError:
        connection.close()
        raise


def _upgrade(peer, leaving):
    """Clients that upgrade, send, and leave, half of them in the middle."""
    request = b"GET /socket HTTP/1.1\r\nHost: echo.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    request += b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    while not leaving.wait(0.05):
        try:
            with socket.create_connection(("127.0.0.1", peer.port), 5) as connection:
                connection.sendall(request)
                connection.recv(1000)
                connection.settimeout(0.2)
                connection.sendall(os.urandom(random.choice((10, 100_000))))
                connection.recv(random.choice((1, 100_000)))
        except OSError:
            pass


def _check_names():
    """The names above are those of classes; one that is renamed must not go uncounted."""
    folder = os.path.dirname(machine.SERVER_JAR)
    jars = [machine.SERVER_JAR] + [os.path.join(folder, "lib", name) for name in os.listdir(os.path.join(folder, "lib"))]
    classes = {name.removesuffix(".class").rpartition("/")[2] for jar in jars for name in zipfile.ZipFile(jar).namelist()}
    missing = [name for name in IN_USE if name not in classes]
    if missing:
        raise Failure("soak: no class is named " + ", ".join(missing))
