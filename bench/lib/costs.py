"""Rows memory and start: what it takes to have a proxy at all."""

import os
import select
import socket
import subprocess
import time

import load
import machine
from load import DOWNLOAD, UPLOAD
from machine import Failure, say
from peers import Peer
from table import Metric

IDLE = 5_000
IMAGE = "millau:latest"


def memory(bench):
    names = [name for name in bench.names if name != "direct"]
    row = bench.row(
        "memory",
        "Memory: after load, and with 5 000 idle connections",
        "PSS of all of the proxy's processes (`/proc/PID/smaps_rollup`). Each runs alone, was just started, and had the same load: GET"
        " of 250 bytes at 64 connections, then POST of 5 MB and GET of 10 MB. Each idle connection had one request before.",
        [Metric("started", "after start", "MB", 1), Metric("loaded", "after load", "MB", 1), Metric("idle", "5 000 idle", "MB", 1)],
        [bench.fleet.proxy(name) for name in names],
    )
    rounds = min(bench.rounds, 3)
    for number in range(rounds):
        shown = []
        for name in names:
            peer = bench.fleet.start([bench.fleet.proxy(name)])[0]
            load.check(peer)
            figures = {"started": peer.process.pss() / 1e6}
            load.wrk(peer, "/json", max(2, bench.warm_up // 2))
            load.wrk(peer, "/upload", 2, connections=4, script=("post", UPLOAD))
            load.wrk(peer, f"/bytes/{DOWNLOAD}", 2, connections=4)
            figures["loaded"] = peer.process.pss() / 1e6
            figures["idle"] = _with_idle_connections(peer) / 1e6
            peer.end()
            row.add(peer.name, figures)
            shown.append(f"{peer.name} {figures['loaded']:.0f}, {figures['idle']:.0f} MB")
        say(f"  memory {number + 1}/{rounds}: " + "; ".join(shown))
    return row


def _with_idle_connections(peer):
    connections = []
    request = f"GET /json HTTP/1.1\r\nHost: 127.0.0.1:{peer.port}\r\n\r\n".encode()
    try:
        for number in range(IDLE):
            # From four addresses: Millau gives none of them more than half of the connections that the limit of open files allows.
            client = (f"127.0.0.{1 + number % 4}", 0)
            connection = socket.create_connection(("127.0.0.1", peer.port), 10, client)
            connections.append(connection)
            connection.sendall(request)
            received = b""
            while received.count(b'"}') == 0:
                data = connection.recv(4096)
                if not data:
                    raise Failure(f"{peer.name} closed connection {len(connections)} instead of answering")
                received += data
        time.sleep(1)  # what a peer does after the last request is no part of it
        pss = peer.process.pss()
        poll = select.poll()
        for connection in connections:
            poll.register(connection, select.POLLIN)
        closed = len(poll.poll(0))
        if closed:
            raise Failure(f"{peer.name} closed {closed} of {IDLE} idle connections")
        return pss
    finally:
        for connection in connections:
            connection.close()


# ---- Time to the first answer


def start(bench):
    fleet = bench.fleet
    names = [name for name in bench.names if name != "direct"]
    docker, missing = None, None
    if "millau" in names:
        docker, missing = _docker()
    peers = [fleet.proxy(name) for name in names]
    if docker:
        peers.append(Peer("millau image", 0))
    row = bench.row(
        "start",
        "Time to the first answer",
        "From the start of the process to the end of the first proxied answer, asked for again and again until then."
        " “millau” is the jar on a JDK, without the image's archive of classes; “millau image” is `docker run`.",
        [Metric("millis", "first answer", "ms")],
        peers,
    )
    if missing and "millau" in names:
        row.notes.append(f"The image was not measured: {missing}.")
        say(f"  {row.notes[0]}")

    def run(peer):
        if peer.name == "millau image":
            return {"millis": docker(fleet) * 1000}
        proxy = fleet.proxy(peer.name)
        began = time.monotonic()
        proxy.start()
        load.first_answer(proxy.port, proxy.name, proxy.process.check)
        seconds = time.monotonic() - began
        proxy.end()
        return {"millis": seconds * 1000}

    return bench.measure(row, peers, run, lambda figures: f"{figures['millis']:.0f} ms", rounds=min(bench.rounds, 5))


def _docker():
    """A function that measures the image, or None and why there is none."""
    if not machine.output_of("docker", "version", "--format", "{{.Server.Version}}").strip()[:1].isdigit():
        return None, "no Docker Engine answers"
    if subprocess.run(["docker", "image", "inspect", IMAGE], capture_output=True).returncode != 0:
        return None, f"the engine has no {IMAGE} (mvn -Pimage -DskipTests package makes it)"
    address = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    if not address.startswith("unix://"):
        return None, f"the engine is not on this machine ({address})"

    def run(fleet):
        proxy = fleet.proxy("millau")
        name = f"millau-bench-{os.getpid()}"
        services = proxy.environment["SERVICES"]
        command = ["docker", "run", "--detach", "--name", name, "--network", "host"]
        command += ["--volume", f"{services}:/services:ro", "--env", "SERVICES=/services"]
        command += ["--volume", f"{address.removeprefix('unix://')}:/var/run/docker.sock:ro"]
        for variable in ("HTTP", "HTTPS", "TELEMETRY"):
            command += ["--env", f"{variable}={proxy.environment[variable]}"]
        log = os.path.join(fleet.folder, "docker.log")
        try:
            began = time.monotonic()
            client = machine.Process("docker run", [*command, IMAGE], log)
            load.first_answer(proxy.port, "the image", lambda: client.process.poll() and client.check())
            return time.monotonic() - began
        finally:
            subprocess.run(["docker", "rm", "--force", "--volumes", name], capture_output=True)
            client.end()

    return run, None
