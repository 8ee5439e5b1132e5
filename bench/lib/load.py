"""The clients: wrk and its like, and what they measured."""

import json
import os
import socket
import subprocess
import time

from machine import BENCH, Failure

JSON_BYTES = 250
UPLOAD = 5 * 1024 * 1024
DOWNLOAD = 10 * 1024 * 1024

clock = time.monotonic


def run(command, what, seconds):
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60)
    except subprocess.TimeoutExpired:
        raise Failure(f"{what}: {command[0]} did not end") from None
    if result.returncode != 0:
        raise Failure(f"{what}: {' '.join(command)}\n{result.stdout}{result.stderr}")
    return result


def wrk(peer, path, seconds, connections=64, script=(), tls=False, host=None, strict=True):
    """One run of wrk; if strict every answer that is missing or wrong ends the bench."""
    url = f"https://127.0.0.1:{peer.tls_port}{path}" if tls else f"http://127.0.0.1:{peer.port}{path}"
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s"]
    command += ["-H", "Host: " + host] if host else []
    command += ["-s", os.path.join(BENCH, "lib/wrk.lua"), url, "--", *map(str, script)]
    result = run(command, f"{peer.name}: {path}", seconds)
    figures = json.loads(result.stderr.splitlines()[-1])
    wrong = errors(figures)
    if strict and (wrong or not figures["requests"]):
        counted = ", ".join(f"{count} × {name}" for name, count in wrong.items()) or "no answer at all"
        raise Failure(f"{peer.name}: {' '.join(map(str, script))} {path}: errors in {figures['requests']} answers: {counted}")
    return figures


def errors(figures):
    """What wrk calls errors, as far as there were any: the kind, and how many."""
    return {name: figures[name] for name in ("connect", "read", "write", "status", "timeout") if figures[name]}


def measured(peer, load, *arguments, **named):
    """What a run measured, and what it cost the proxy, by request: "cpu", of which "user" and "system", in µs."""
    before = peer.cpu()
    figures = load(peer, *arguments, **named)
    after = peer.cpu()
    requests = figures["requests"]
    figures["rate"] = requests / figures["micros"] * 1e6
    if before:
        figures["user"], figures["system"] = ((b - a) * 1e6 / requests for a, b in zip(before, after))
        figures["cpu"] = figures["user"] + figures["system"]
    return figures


def settle(peer):
    """Under full load a JVM's compiler gets a small share of two processors: between bursts it catches up."""
    for _ in range(40):
        before = sum(peer.cpu())
        time.sleep(0.25)
        if sum(peer.cpu()) - before < 0.03:
            return


def millis(figures, *keys):
    """The same, with these figures in ms rather than µs."""
    return dict(figures, **{key: figures[key] / 1000 for key in keys if key in figures})


def rate_and_cpu(figures):
    return f"{figures['rate']:.0f}/s" + (f" {figures['cpu']:.1f} µs" if "cpu" in figures else "")


# ---- Whether what is measured is the right thing


def exchange(port, request, seconds=10):
    """Sends a request as it stands, returns the whole answer: head and body."""
    with socket.create_connection(("127.0.0.1", port), seconds) as connection:
        connection.settimeout(seconds)
        connection.sendall(request)
        received = b""
        while b"\r\n\r\n" not in received:
            received += _some(connection)
        head, _, body = received.partition(b"\r\n\r\n")
        fields = dict(line.lower().split(b":", 1) for line in head.split(b"\r\n")[1:])
        while len(body) < int(fields.get(b"content-length", b"0")):
            body += _some(connection)
        return head.decode("latin-1"), body


def _some(connection):
    data = connection.recv(1 << 20)
    if not data:
        raise OSError("the connection was closed before the answer was complete")
    return data


def first_answer(port, name, check, good="HTTP/1.1 200 "):
    """Asks until there is a good answer; the check says whether there is still somebody to ask."""
    request = f"GET /json HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
    deadline = clock() + 30
    while clock() < deadline:
        try:
            if exchange(port, request)[0].startswith(good):
                return
        except OSError:
            check()
        time.sleep(0.002)
    raise Failure(f"{name} does not answer after 30 s")


def check(peer):
    """The peer passes on what the backend says, and to the backend what the client sends."""
    host = f"Host: 127.0.0.1:{peer.port}\r\n".encode()
    upload = b"POST /upload HTTP/1.1\r\n" + host + b"Content-Length: %d\r\n\r\n" % UPLOAD + bytes(UPLOAD)
    for what, request, right in (
        ("GET of JSON", b"GET /json HTTP/1.1\r\n" + host + b"\r\n", lambda body: len(body) == JSON_BYTES),
        ("GET of 10 MB", b"GET /bytes/%d HTTP/1.1\r\n" % DOWNLOAD + host + b"\r\n", lambda body: len(body) == DOWNLOAD),
        ("POST of 5 MB", upload, lambda body: json.loads(body) == {"received": UPLOAD}),
    ):
        try:
            head, body = exchange(peer.port, request)
        except OSError as e:
            raise Failure(f"{peer.name}: {what}: {e}") from None
        if not head.startswith("HTTP/1.1 200 ") or not right(body):
            raise Failure(f"{peer.name}: {what}: expected another answer than\n{head}\n\n{body[:200]!r}")
