"""The machine: what has to be installed and built, and processes with what they cost."""

import ctypes
import glob
import os
import platform
import random
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time

BENCH = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROOT = os.path.dirname(BENCH)
SERVER_JAR = os.path.join(ROOT, "millau-server/target/millau-server.jar")
JAVA_OPTIONS = os.path.join(ROOT, "millau-server/src/main/image/java.options")

TICKS = os.sysconf("SC_CLK_TCK")

# Command, and the Debian package that has it.
TOOLS = {
    "nginx": "nginx-light",
    "haproxy": "haproxy",
    "caddy": "caddy",
    "wrk": "wrk",
    "h2load": "nghttp2-client",
    "nghttpd": "nghttp2-server",
    "gcc": "gcc libc6-dev",
    "openssl": "openssl",
}


class Failure(Exception):
    """Ends the run with a message for the one who started it."""


def say(text=""):
    print(text, flush=True)


# ---- What it takes


def install(tools):
    os.environ["PATH"] += ":/usr/sbin:/sbin"  # where Debian has proxies
    missing = [package for tool in tools if not shutil.which(tool) for package in TOOLS[tool].split()]
    if not missing:
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise Failure("missing: " + " ".join(missing) + " (packages of Debian; as root this script installs them)")
    say("Installing " + " ".join(missing))
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    apt = ["apt-get", "install", "-y", "--no-install-recommends"]
    for command in (apt + missing, ["apt-get", "update"], apt + missing):
        result = subprocess.run(command, env=environment, capture_output=True, text=True)
        if command[1] == "install" and result.returncode == 0:
            return
    raise Failure("can't install " + " ".join(missing) + ":\n" + result.stdout + result.stderr)


def java():
    """A JDK 25, which the image has too."""
    for home in [os.environ.get("JAVA25_HOME", ""), *sorted(glob.glob("/usr/lib/jvm/*25*")), os.environ.get("JAVA_HOME", "")]:
        try:
            with open(os.path.join(home, "release")) as release:
                if 'JAVA_VERSION="25' in release.read():
                    return os.path.join(home, "bin/java")
        except OSError:
            pass
    raise Failure("no JDK 25 in JAVA25_HOME, /usr/lib/jvm or JAVA_HOME")


def bench_jar():
    jars = [jar for jar in glob.glob(os.path.join(BENCH, "target/millau-bench-*.jar")) if "sources" not in jar]
    return jars[0] if jars else None


def build(always):
    if bench_jar() and os.path.exists(SERVER_JAR) and not always:
        return
    say("Building with Maven")
    command = ["mvn", "-q", "-DskipTests", "package"]
    if subprocess.run(command[:1] + ["-o"] + command[1:], cwd=ROOT, capture_output=True).returncode == 0:
        return
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if result.returncode != 0:
        raise Failure("the build failed:\n" + result.stdout + result.stderr)


def compile_backend(folder):
    path = os.path.join(folder, "backend")
    source = os.path.join(BENCH, "backend.c")
    result = subprocess.run(["gcc", "-O2", "-Wall", "-pthread", "-o", path, source], capture_output=True, text=True)
    if result.returncode != 0:
        raise Failure("backend.c does not compile:\n" + result.stderr)
    return path


def raise_limits():
    need = 12_000
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < need:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (need, need))
        except (ValueError, OSError):
            raise Failure(f"only {hard} open files are allowed, and {need} are needed (ulimit -n)") from None
    else:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


# ---- Ports, below those that the kernel gives to clients

_given = set()


def free_port():
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("0.0.0.0", port))
            except OSError:
                continue
        if port not in _given:
            _given.add(port)
            return port


def wait_for_port(port, process, seconds=30):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            process.check()
            time.sleep(0.01)
    raise Failure(f"{process.name} does not listen on {port} after {seconds} s:\n{process.log_end()}")


# ---- Processes


_LIBC = ctypes.CDLL(None)


def _belong_to_parent():
    """Ctrl-C is for this script, which then ends its children; but if it is killed they end too."""
    os.setpgid(0, 0)  # in no session of its own: the scheduler may share time among sessions, rather than threads
    _LIBC.prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


class Process:
    """A program that runs until it is ended, with its output in a file; cost is that of its children too."""

    running = []

    def __init__(self, name, command, log, environment=None):
        self.name = name
        self.log = log
        with open(log, "ab") as output:
            self.started = time.monotonic()
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=dict(os.environ, **(environment or {})),
                preexec_fn=_belong_to_parent,
            )
        Process.running.append(self)

    def check(self):
        if self.process.poll() is not None:
            raise Failure(f"{self.name} ended with status {self.process.returncode}:\n{self.log_end()}")

    def log_end(self):
        with open(self.log, errors="replace") as log:
            return "".join(log.readlines()[-20:])

    def tree(self):
        """Process ids of itself and all that it started."""
        children = {}
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                fields = _stat(entry)
                if fields:
                    children.setdefault(int(fields[1]), []).append(int(entry))
        pids = [self.process.pid]
        for pid in pids:
            pids.extend(children.get(pid, []))
        return pids

    def cpu(self):
        """Seconds of CPU so far: user and system."""
        stats = [fields for fields in map(_stat, self.tree()) if fields]
        return sum(int(f[11]) for f in stats) / TICKS, sum(int(f[12]) for f in stats) / TICKS

    def pss(self):
        """Proportional set size in bytes: what it holds in memory, with its share of what others hold too."""
        total = 0
        for pid in self.tree():
            with open(f"/proc/{pid}/smaps_rollup") as rollup:
                total += next(int(line.split()[1]) * 1024 for line in rollup if line.startswith("Pss:"))
        return total

    def files(self):
        """What it has open."""
        folder = f"/proc/{self.process.pid}/fd"
        names = []
        for number in os.listdir(folder):
            try:
                names.append(os.readlink(f"{folder}/{number}"))
            except OSError:
                pass  # closed meanwhile
        return names

    def end(self):
        if self in Process.running:
            Process.running.remove(self)
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(3)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    @staticmethod
    def end_all():
        for process in Process.running:
            if process.process.poll() is None:
                process.process.terminate()
        for process in list(Process.running):
            process.end()


def _stat(pid):
    """Fields of /proc/PID/stat behind the name: state, parent, …"""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()
    except OSError:
        return None


# ---- What a report says of it


def output_of(*command):
    try:
        result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    except OSError:
        return ""
    return (result.stdout + result.stderr).strip()


def describe():
    with open("/proc/cpuinfo") as info:
        models = [line.partition(":")[2].strip() for line in info if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    system = platform.freedesktop_os_release().get("PRETTY_NAME", "")
    return [
        ("machine", f"{os.cpu_count()} × {models[0] if models else platform.machine()}, {memory:.0f} GiB"),
        ("system", f"{system}, Linux {platform.release()}"),
    ]


def commit():
    text = output_of("git", "log", "-1", "--format=%h of %cd", "--date=format:%-d %B %Y")
    return text + (" with changes" if output_of("git", "status", "--porcelain", "--untracked-files=no") else "")


def interrupt_on_term():
    def stop(*_):
        sys.exit(143)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGHUP, stop)
