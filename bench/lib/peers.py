"""Who is compared: each is started with a file of bench/peers, in front of one backend."""

import contextlib
import http.server
import json
import os
import re
import shutil
import socketserver
import subprocess
import tempfile
import threading

import load
import machine
from machine import BENCH, Failure, Process

NAMES = ["direct", "nginx", "haproxy", "caddy", "undertow", "millau"]


class Backend:
    """bench/backend.c, running."""

    def __init__(self, folder):
        self.port, self.closing, self.silent = (machine.free_port() for _ in range(3))
        command = [machine.compile_backend(folder), *map(str, (self.port, self.closing, self.silent))]
        self.process = Process("backend", command, os.path.join(folder, "backend.log"))
        machine.wait_for_port(self.silent, self.process)

    def answers(self):
        """How many requests it answered so far."""
        return json.loads(load.exchange(self.port, b"GET /answers HTTP/1.1\r\nHost: backend\r\n\r\n")[1])["answers"]


class EmptyEngine(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """A Docker Engine in which nothing runs: without one, Millau would wait three seconds for its services."""

    daemon_threads = True

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def address_string(self):
            return "millau"

        def log_message(self, *_):
            pass

        def do_GET(self):
            path = self.path.partition("?")[0]
            self.send_response(200)
            self.send_header("Api-Version", "1.41")
            self.send_header("Content-Type", "application/json")
            if path.endswith("/events"):
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                self.wfile.flush()
                self.rfile.read()
                return
            body = b'{"Swarm": {"LocalNodeState": "inactive"}}' if path.endswith("/info") else b"[]"
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def __init__(self, path):
        super().__init__(path, EmptyEngine.Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, *_):
        pass


class Peer:
    """A proxy, or the backend itself."""

    process = None
    jvm = False

    def __init__(self, name, port, tls_port=0):
        self.name = name
        self.port = port
        self.tls_port = tls_port

    @property
    def is_peer(self):
        """Whether others are compared with it."""
        return self.name.partition(",")[0] in ("nginx", "haproxy", "caddy", "undertow")

    def cpu(self):
        return self.process.cpu() if self.process else None


class Proxy(Peer):
    def __init__(self, name, folder, command, environment=None, jvm=False, **ports):
        super().__init__(name, **ports)
        self.jvm = jvm
        self.log = os.path.join(folder, f"{name}-{ports['port']}.log")
        self.command = command
        self.environment = environment

    def start(self):
        self.process = Process(self.name, self.command, self.log, self.environment)
        return self

    def wait(self):
        if self.port:
            load.first_answer(self.port, self.name, self.process.check, good="HTTP/1.1 ")
        else:
            machine.wait_for_port(self.tls_port, self.process)

    def end(self):
        self.process.end()


class Fleet(contextlib.ExitStack):
    """A backend and the means to start proxies before it, in a temporary folder; leaving it ends them all."""

    def __init__(self, variants):
        super().__init__()
        self.variants = variants
        self.folder = self.enter_context(tempfile.TemporaryDirectory(prefix="millau-bench."))
        os.chmod(self.folder, 0o755)
        self.callback(Process.end_all)
        self.backend = Backend(self.folder)
        self.engine = EmptyEngine(os.path.join(self.folder, "docker.sock"))
        self.callback(self.engine.shutdown)
        _certificate(self.folder)

    def proxy(self, name, servers=None, tls=False):
        """The proxy of that name, not started; before other servers than the backend's port, if they are given."""
        if name == "direct":
            return Peer("direct", self.backend.port)
        make = {"nginx": self._nginx, "haproxy": self._haproxy, "caddy": self._caddy, "undertow": self._undertow}
        ports = {"port": machine.free_port(), "tls_port": machine.free_port()}
        servers = servers or [f"127.0.0.1:{self.backend.port}"]
        if name in make:
            return make[name](name, servers, ports)
        if tls:
            jar, options = self.variants.get(name, (machine.SERVER_JAR, []))
            command = self.main("TlsProxy", ports["tls_port"], self.backend.port, self.folder, jar=jar, options=options)
            return Proxy(name, self.folder, command, jvm=True, port=0, tls_port=ports["tls_port"])
        return self.millau(name, self._file(name, "millau.properties", " ".join("http://" + s for s in servers), ports))

    def _file(self, name, source, servers, ports, keepalive=64):
        with open(os.path.join(BENCH, "peers", source)) as template:
            text = template.read()
        values = {
            "FOLDER": self.folder,
            "PORT": str(ports["port"]),
            "TLS_PORT": str(ports["tls_port"]),
            "SERVERS": servers,
            "KEEPALIVE": str(keepalive),
        }
        path = os.path.join(self.folder, f"{name}-{ports['port']}.{source}")
        with open(path, "w") as out:
            out.write(re.sub("@([A-Z_]+)@", lambda match: values[match.group(1)], text))
        return path

    def _nginx(self, name, servers, ports):
        lines = "\n".join(f"        server {server};" for server in servers)
        file = self._file(name, "nginx.conf", lines, ports, keepalive=max(64, 2 * len(servers)))
        return Proxy(name, self.folder, ["nginx", "-c", file, "-e", "stderr"], **ports)

    def _haproxy(self, name, servers, ports):
        lines = "\n".join(f"    server s{i} {server}" for i, server in enumerate(servers))
        return Proxy(name, self.folder, ["haproxy", "-f", self._file(name, "haproxy.cfg", lines, ports)], **ports)

    def _caddy(self, name, servers, ports):
        file = self._file(name, "Caddyfile", " ".join(servers), ports)
        command = ["caddy", "run", "--config", file, "--adapter", "caddyfile"]
        home = {"HOME": self.folder, "XDG_DATA_HOME": self.folder, "XDG_CONFIG_HOME": self.folder}
        return Proxy(name, self.folder, command, home, **ports)

    def java(self, *command, options=()):
        return [machine.java(), "@" + machine.JAVA_OPTIONS, *options, *map(str, command)]

    def main(self, name, *arguments, jar=machine.SERVER_JAR, options=()):
        """A main class of the bench's own."""
        classes = machine.bench_jar() + ":" + jar
        return self.java("-cp", classes, "io.millau.bench." + name, *arguments, options=options)

    def _undertow(self, name, servers, ports):
        command = self.main("UndertowProxy", ports["port"], "http://" + servers[0], ports["tls_port"], self.folder)
        return Proxy(name, self.folder, command, jvm=True, **ports)

    def millau(self, name, services):
        """Millau with that file of services, or the variant of that name."""
        jar, options = self.variants.get(name, (machine.SERVER_JAR, []))
        port = machine.free_port()
        environment = {
            "HTTP": f"127.0.0.1:{port}",
            "HTTPS": "off",
            "TELEMETRY": f"127.0.0.1:{machine.free_port()}",
            "SERVICES": services,
            "DOCKER_HOST": "unix://" + os.path.join(self.folder, "docker.sock"),
        }
        return Proxy(name, self.folder, self.java("-jar", jar, options=options), environment, jvm=True, port=port)

    def start(self, proxies):
        for proxy in proxies:
            if proxy.name != "direct":
                proxy.start()
        for proxy in proxies:
            if proxy.name != "direct":
                proxy.wait()
        return proxies


def _certificate(folder):
    """A key and its certificate, P-256, for whoever serves TLS."""
    key, certificate = (os.path.join(folder, name) for name in ("key.pem", "certificate.pem"))
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-days", "30"]
    command += ["-keyout", key, "-out", certificate, "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        raise Failure("openssl makes no certificate:\n" + result.stderr)
    with open(os.path.join(folder, "both.pem"), "w") as both:
        for part in (certificate, key):
            with open(part) as text:
                shutil.copyfileobj(text, both)


def versions():
    def of(pattern, *command):
        found = re.search(pattern, machine.output_of(*command))
        return found.group(1) if found else "?"

    undertow = [name for name in os.listdir(os.path.dirname(machine.SERVER_JAR) + "/lib") if name.startswith("undertow-core")]
    return [
        ("nginx", of(r"nginx/(\S+)", "nginx", "-v")),
        ("haproxy", of(r"version (\S+)", "haproxy", "-v")),
        ("caddy", of(r"v?(\d\S*)", "caddy", "version")),
        ("undertow", undertow[0].removeprefix("undertow-core-").removesuffix(".jar")),
        ("JDK", of(r'version "(\S+)"', machine.java(), "-version")),
        ("wrk", of(r"wrk (\S+)", "wrk", "-v")),
        ("h2load", of(r"nghttp2/(\S+)", "h2load", "--version")),
        ("openssl", of(r"OpenSSL (\S+)", "openssl", "version")),
    ]
