"""How a chapter becomes a package, a notebook and a page: flow.svg, for appendix F."""

from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

WIDTH, TALL, HIGH = 5.3, 2.55, 0.5  # of the figure, and of a box, in inches
INK, ROAD, DIM, ACCENT = "#1f2d3d", "#34506b", "#5c6975", "#c25400"

# name: left, bottom, width, what it is called, what is in it, colour
BOXES = {
    "book": (0.03, 1.02, 1.05, "book/*.md", "you write this", ACCENT),
    "llm": (2.10, 1.95, 1.15, "llm/", "the package", ROAD),
    "tests": (4.02, 1.95, 1.25, "tests/chapters/", "its tests", ROAD),
    "notebooks": (2.10, 0.38, 1.15, "notebooks/", "cells and outputs", ROAD),
    "pages": (4.02, 0.38, 1.25, "PDF, HTML, EPUB", "the pages", ROAD),
}


def box(axes: Axes, name: str) -> None:
    """A box, with a name and a note."""
    left, bottom, width, title, note, colour = BOXES[name]
    shape = FancyBboxPatch(
        (left, bottom),
        width,
        HIGH,
        boxstyle="round,pad=0,rounding_size=0.06",
        facecolor="white",
        edgecolor=colour,
        linewidth=1.1,
    )
    axes.add_patch(shape)
    middle = left + width / 2
    axes.text(middle, bottom + 0.32, title, ha="center", va="center", color=INK)
    axes.text(
        middle, bottom + 0.14, note, ha="center", va="center", color=DIM, size=7.5
    )


def arrow(
    axes: Axes,
    start: tuple[float, float],
    end: tuple[float, float],
    colour: str = INK,
    style: str = "arc3",
    line: str = "solid",
) -> None:
    """An arrow between two points."""
    axes.annotate(
        "",
        end,
        start,
        arrowprops={
            "arrowstyle": "-|>,head_width=0.16,head_length=0.32",
            "color": colour,
            "linewidth": 1,
            "linestyle": line,
            "shrinkA": 1,
            "shrinkB": 1,
            "connectionstyle": style,
        },
    )


def label(
    axes: Axes, x: float, y: float, words: str, side: str = "center", colour: str = INK
) -> None:
    """A verb beside an arrow."""
    axes.text(x, y, words, ha=side, va="center", style="italic", color=colour)


def draw() -> Figure:
    """The whole figure, in inches."""
    figure = plt.figure(figsize=(WIDTH, TALL), layout="none")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, WIDTH), ylim=(0, TALL))
    axes.axis("off")
    for name in BOXES:
        box(axes, name)
    arrow(axes, (1.08, 1.40), (2.10, 2.12))
    label(axes, 1.50, 1.84, "tangle", "right")
    arrow(axes, (2.42, 1.95), (1.08, 1.22), ACCENT, line="dashed")
    label(axes, 1.93, 1.50, "stitch,\nif you ask", "left", ACCENT)
    arrow(axes, (0.75, 1.02), (2.10, 0.62))
    label(axes, 1.34, 0.72, "weave", "right")
    arrow(axes, (2.98, 1.95), (2.98, 0.88))
    label(axes, 3.06, 1.40, "imported by", "left")
    arrow(axes, (3.25, 2.20), (4.02, 2.20))
    label(axes, 3.635, 2.32, "tried by")
    arrow(axes, (3.25, 0.63), (4.02, 0.63))
    label(axes, 3.635, 0.75, "print")
    arrow(axes, (2.40, 0.38), (2.95, 0.38), style="arc3,rad=0.75")
    label(axes, 2.675, 0.06, "execute, then verify")
    return figure


if __name__ == "__main__":
    draw().savefig(Path(__file__).with_suffix(".svg"), metadata={"Date": None})
