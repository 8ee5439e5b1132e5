"""The rows: each measures one thing, for each peer in turn, round by round."""

import basic
import compress
import costs
import h2c
import https
import load
import overload
import scale
import sizes
from machine import say
from table import Row

# What each measures stands in the help of bench/run and in README.md.
ALL = {
    "get": basic.get,
    "one": basic.one,
    "large": basic.large,
    "tls": https.tls,
    "h2c": h2c.h2c,
    "memory": costs.memory,
    "start": costs.start,
    "services": scale.services,
    "endpoints": scale.endpoints,
    "changes": scale.changes,
    "sizes": sizes.sizes,
    "compress": compress.compress,
    "overload": overload.overload,
}
QUICK = ["get", "one", "large"]


BURST = 2


class Bench:
    """What all rows share: how long to measure, whom, and the proxies that run."""

    def __init__(self, fleet, names, rounds, seconds, warm_up):
        self.fleet = fleet
        self.names = names
        self.rounds = rounds
        self.seconds = seconds
        self.warm_up = warm_up
        self._common = None

    def common(self):
        """The peers of the rows that need nothing special: started once, checked and warmed up."""
        if self._common is None:
            self._common = self.fleet.start([self.fleet.proxy(name) for name in self.names])
            for peer in self._common:
                load.check(peer)
            say("A JVM compiles what it runs: it gets bursts of load, and pauses for its compiler, until it is as quick as it gets.")
            self.warm(self._common, lambda peer, seconds: load.wrk(peer, "/json", seconds))
        return self._common

    def millaus(self):
        """Names of Millau and its variants, as far as they were chosen."""
        return [name for name in self.names if name == "millau" or name in self.fleet.variants]

    def warm(self, peers, run, share=1.0):
        """Load before measuring: long for a JVM, short for the others."""
        for peer in peers:
            bursts = max(1, round(self.warm_up * share / BURST)) if peer.jvm else 1
            say(f"  warm-up: {peer.name}, {bursts * BURST} s")
            for _ in range(bursts):
                run(peer, BURST)
                if peer.jvm:
                    load.settle(peer)

    def row(self, key, title, text, metrics, peers, reference=None):
        """A row without figures yet; compared with the best of the reference, which is all real peers unless said."""
        if reference is None:
            reference = [peer.name for peer in peers if peer.is_peer]
        return Row(key, title, text, metrics, [peer.name for peer in peers], reference)

    def measure(self, row, peers, run, show, rounds=None):
        """Runs every round, each with every peer in turn, and in another order than the round before."""
        rounds = rounds or self.rounds
        for number in range(rounds):
            first = number % len(peers)
            shown = {}
            for peer in peers[first:] + peers[:first]:
                figures = run(peer)
                row.add(peer.name, figures)
                shown[peer.name] = show(figures)
            say(f"  {row.key} {number + 1}/{rounds}: " + ", ".join(f"{peer.name} {shown[peer.name]}" for peer in peers))
        return row
