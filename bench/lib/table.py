"""Figures of one row, and how they are written down."""

import statistics
from dataclasses import dataclass, field


@dataclass
class Metric:
    key: str
    title: str
    unit: str = ""
    digits: int = 0
    more_is_better: bool = False
    ratio: bool = True

    def head(self):
        return f"{self.title}, {self.unit}" if self.unit else self.title

    def text(self, figure):
        return _number(figure, self.digits)


@dataclass
class Row:
    """What one row measured: for each metric and each peer a figure per round."""

    key: str
    title: str
    text: str
    metrics: list
    peers: list  # names, in the order of the table
    reference: list = field(default_factory=list)  # names: each figure is compared with the best of these
    rounds: dict = field(default_factory=dict)  # metric key -> peer -> figures
    notes: list = field(default_factory=list)

    def add(self, peer, figures):
        for metric in self.metrics:
            if figures.get(metric.key) is not None:
                self.rounds.setdefault(metric.key, {}).setdefault(peer, []).append(figures[metric.key])

    def median(self, metric, peer):
        figures = self.rounds.get(metric, {}).get(peer)
        return statistics.median(figures) if figures else None

    def best(self, metric):
        """The best median of a peer, as (figure, name); None if no peer was measured."""
        medians = [(self.median(metric.key, peer), peer) for peer in self.reference]
        medians = [pair for pair in medians if pair[0] is not None]
        return (max if metric.more_is_better else min)(medians, default=None)

    def cell(self, metric, peer):
        figures = self.rounds.get(metric.key, {}).get(peer)
        if not figures:
            return ""
        text = metric.text(statistics.median(figures))
        if len(figures) > 1:
            text += f" ({metric.text(min(figures))}–{metric.text(max(figures))})"
        best = self.best(metric)
        if metric.ratio and best and best[0]:
            text += f" **{statistics.median(figures) / best[0]:.2f}**"
        return text

    def markdown(self):
        lines = [[""] + [metric.head() for metric in self.metrics]]
        lines += [[peer] + [self.cell(metric, peer) for metric in self.metrics] for peer in self.peers]
        return table(lines) + "".join(f"\n{note}\n" for note in self.notes)


def table(lines):
    """A Markdown table that can be read as text too; the first line is its head."""
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    written = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |" for line in lines]
    written.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(written) + "\n"


def _number(value, digits):
    return f"{value:,.{digits}f}".replace(",", " ")
