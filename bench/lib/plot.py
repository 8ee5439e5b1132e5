"""Bars as SVG, readable on a light and on a dark page."""

from html import escape

STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #57606a }
  .title { font-weight: 600; fill: #1f2328 }
  .name, .figure { fill: #1f2328 }
  .card { fill: #ffffff; stroke: #d0d7de }
  .bar { fill: #8c959f }
  .bar.other { fill: #c4cad1 }
  .millau .bar { fill: #0969da }
  .millau .bar.other { fill: #80bbff }
  .millau text { font-weight: 600 }
  .spread { stroke: #1f2328; stroke-width: 1.5; opacity: .65 }
  @media (prefers-color-scheme: dark) {
    text { fill: #9198a1 }
    .title, .name, .figure { fill: #f0f6fc }
    .card { fill: #0d1117; stroke: #3d444d }
    .bar { fill: #656c76 }
    .bar.other { fill: #454c54 }
    .millau .bar { fill: #1f6feb }
    .millau .bar.other { fill: #1b4b91 }
    .spread { stroke: #f0f6fc }
  }
"""

LINE = 28
PANEL = 420
NAME = 76
BAR = 240


class Panel:
    """One bar for each peer; it may have two parts, and shows the spread of the rounds."""

    def __init__(self, title, row, metric, digits, parts=None):
        self.title = title
        self.digits = digits
        self.bars = []
        for peer in row.peers:
            figures = row.rounds.get(metric, {}).get(peer)
            if figures:
                first = row.median(parts[0], peer) if parts else 0
                self.bars.append((peer, row.median(metric, peer), min(figures), max(figures), first))

    def svg(self, left):
        most = max((bar[3] for bar in self.bars), default=1)
        out = [f'<text class="title" x="{left}" y="36">{escape(self.title)}</text>']
        for i, (name, figure, least, greatest, first) in enumerate(self.bars):
            y = 56 + i * LINE
            x = left + NAME
            middle = y + 10

            def at(value):
                return round(x + value / most * BAR, 1)

            out.append(f'<g class="{"millau" if name == "millau" else "peer"}">')
            out.append(f'<text class="name" x="{x - 8}" y="{y + 15}" text-anchor="end">{escape(name)}</text>')
            out.append(f'<rect class="bar other" x="{x}" y="{y}" width="{at(figure) - x:.1f}" height="20" rx="2"/>')
            solid = at(first) if first else at(figure)
            out.append(f'<rect class="bar" x="{x}" y="{y}" width="{solid - x:.1f}" height="20" rx="2"/>')
            out.append(f'<path class="spread" d="M{at(least)} {middle}H{at(greatest)}"/>')
            text = f"{figure:,.{self.digits}f}".replace(",", " ")
            out.append(f'<text class="figure" x="{at(max(figure, greatest)) + 7}" y="{y + 15}">{text}</text>')
            out.append("</g>")
        return "\n".join(out)


def _document(title, panels, legend):
    height = 56 + LINE * max(len(panel.bars) for panel in panels) + 34
    width = PANEL * len(panels) + 20
    body = "\n".join(panel.svg(20 + i * PANEL) for i, panel in enumerate(panels))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n"
        f'<rect class="card" x=".5" y=".5" width="{width - 1}" height="{height - 1}" rx="8"/>\n{body}\n'
        f'<text x="20" y="{height - 14}">{escape(legend)}</text>\n</svg>\n'
    )


def get(row):
    panels = [
        Panel("requests per second", row, "rate", 0),
        Panel("CPU µs per request: user, system", row, "cpu", 1, parts=("user", "system")),
    ]
    legend = "GET of 250 bytes at 64 connections, medians; the line is the spread of all rounds. Left: more is better; right: less."
    return _document(row.title, panels, legend)


def one_connection(row, upload):
    panels = [Panel("GET of 250 bytes, average µs", row, "average", 1), Panel("POST of 5 MB, average ms", upload, "average", 2)]
    return _document("One connection", panels, "One connection, medians; the line is the spread of all rounds. Less is better.")
