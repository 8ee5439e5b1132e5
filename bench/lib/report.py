"""What a run leaves behind: RESULTS.md and its plots."""

import datetime
import os
import textwrap
from dataclasses import dataclass

import machine
import peers
import plot
from table import table


@dataclass
class Limit:
    """A figure of a row, compared: with a factor of another peer's, of the best peer's, or with a number."""

    row: str
    metric: str
    relation: str
    factor: float
    other: str = ""
    subject: str = "millau"
    number: bool = False

    def judge(self, results):
        """What was measured, in words, and whether it holds; None if it was not."""
        row = results.get(self.row)
        figure = row and row.median(self.metric, self.subject)
        if figure is None:
            return None
        metric = next(metric for metric in row.metrics if metric.key == self.metric)
        measured = f"{metric.text(figure)} {metric.unit or metric.title}"
        if self.number:
            return measured, "", _holds(figure, self.relation, self.factor)
        other = self.other
        if other == "the best peer":
            best = row.best(metric)
            if not best:
                return None
            reference, other = best
        else:
            reference = row.median(self.metric, other)
        if not reference:
            return None
        ratio = figure / reference
        return measured, f"{ratio:.2f} × {other}", _holds(ratio, self.relation, self.factor)


def _holds(figure, relation, limit):
    return {"≤": figure <= limit, "<": figure < limit, "≥": figure >= limit}[relation]


# What it must reach, in words, and the same as limits.
MUST = [
    ("GET, CPU per request", "≤ 0.95 × nginx, < HAProxy", [Limit("get", "cpu", "≤", 0.95, "nginx"), Limit("get", "cpu", "<", 1.0, "haproxy")]),
    ("GET, requests/s", "≥ nginx, ≥ HAProxy", [Limit("get", "rate", "≥", 1.0, "nginx"), Limit("get", "rate", "≥", 1.0, "haproxy")]),
    ("GET, p99 at 64 connections", "≤ 1.2 × HAProxy", [Limit("get", "p99", "≤", 1.2, "haproxy")]),
    ("GET on one connection, average", "≤ HAProxy", [Limit("one", "average", "≤", 1.0, "haproxy")]),
    ("POST 5 MB, average", "≤ the best peer", [Limit("upload", "average", "≤", 1.0, "the best peer")]),
    ("GET 10 MB, CPU per GB", "≤ HAProxy", [Limit("large", "cpu_gb", "≤", 1.0, "haproxy")]),
    ("HTTPS HTTP/1.1, CPU per request", "≤ 1.1 × nginx", [Limit("tls", "cpu", "≤", 1.1, "nginx")]),
    ("HTTPS HTTP/2, CPU per request", "≤ 1.05 × HAProxy", [Limit("http2", "cpu", "≤", 1.05, "haproxy")]),
    ("h2c behind, CPU per request", "≤ 1.1 × HAProxy", [Limit("h2c", "cpu", "≤", 1.1, "haproxy")]),
    ("POST 16 KiB, CPU per request", "≤ the best peer", [Limit("sizes", "POST 16 KiB", "≤", 1.0, "the best peer")]),
    ("new handshake, CPU, after warm-up", "≤ 2.0 × nginx", [Limit("handshakes", "cpu", "≤", 2.0, "nginx")]),
    ("memory at rest; after load; 5,000 idle", "≤ 60; 75; 80 MB", [Limit("memory", key, "≤", most, number=True) for key, most in (("started", 60), ("loaded", 75), ("idle", 80))]),
    ("1,000 services against 1, CPU", "≤ 1.05 ×", [Limit("services", "cpu", "≤", 1.05, "1 service", "1 000 services")]),
    ("10,000 services against 1, CPU", "≤ 1.1 ×", [Limit("services", "cpu", "≤", 1.1, "1 service", "10 000 services")]),
    ("image: first proxied answer after `docker run`", "≤ 0.5 s", [Limit("start", "millis", "≤", 500, subject="millau image", number=True)]),
]


def must(results, all_of_it=True):
    """The table of what it must reach, or of what was measured of that; nothing if that is nothing."""
    lines = [["", "must", "measured", ""]]
    for title, text, limits in MUST:
        judged = [limit.judge(results) for limit in limits]
        if None in judged and all_of_it:
            lines.append([title, text, "not measured", ""])
        elif None not in judged:
            ratios = ", ".join(ratio for _, ratio, _ in judged if ratio)
            measured = "; ".join(dict.fromkeys(figure for figure, _, _ in judged)) + (": " + ratios if ratios else "")
            lines.append([title, text, measured, "holds" if all(holds for _, _, holds in judged) else "**does not hold**"])
    return table(lines) if len(lines) > 1 else ""


def write(folder, rows, command, options):
    commit = machine.commit()  # before there are new files
    os.makedirs(folder, exist_ok=True)
    results = {row.key: row for row in rows}
    plots = {}
    if "get" in results:
        plots["get.svg"] = plot.get(results["get"])
    if "one" in results and "upload" in results:
        plots["one-connection.svg"] = plot.one_connection(results["one"], results["upload"])
    for name, svg in plots.items():
        with open(os.path.join(folder, name), "w") as out:
            out.write(svg)

    facts = [("date", datetime.date.today().strftime("%-d %B %Y")), ("command", f"`{command}`"), ("commit", commit)]
    facts += machine.describe() + peers.versions()
    facts.append(("measured", f"{options.rounds} rounds of {options.seconds} s each, after {options.warm_up} s of load for a JVM"))
    text = "# Results\n\n" + _wrap(
        "Written by `bench/run`. All peers ran at the same time and were measured in turn, round by round; client, proxy and"
        " backend shared the processors. A figure is the median of its rounds, with the least and the most of them;"
        " in bold, the median as a multiple of the best peer's (a peer is any proxy but Millau)."
    )
    text += "\n" + table([["", ""]] + [list(fact) for fact in facts])
    text += "\n## What it must reach\n\n" + must(results)
    for row in rows:
        text += f"\n## {row.title}\n\n{_wrap(row.text)}\n{row.markdown()}"
        if row.key == "get":
            text += "\n![requests per second and CPU time per request](get.svg)\n"
        if row.key == "upload" and "one-connection.svg" in plots:
            text += "\n![average time on one connection](one-connection.svg)\n"
    path = os.path.join(folder, "RESULTS.md")
    with open(path, "w") as out:
        out.write(text)
    return path


def _wrap(text):
    return textwrap.fill(text, 124, break_long_words=False, break_on_hyphens=False) + "\n"
