"""The forward pass of the Transformer, bottom up: forward-pass.svg, for chapter 7.

Drawn by `python -m literate figures`. Lengths are inches; the text block is 5.3 wide.
"""

import itertools
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import Circle, FancyBboxPatch

WIDTH, HEIGHT, STREAM = 5.3, 5.75, 0.95
INK, ROAD, DIM, ACCENT = "#1f2d3d", "#34506b", "#5c6975", "#c25400"
PALE = "#eef1f4"


def box(axes: Axes, middle: tuple[float, float], width: float, text: str) -> None:
    """A box for a module, around `middle`."""
    x, y = middle
    shape = FancyBboxPatch(
        (x - width / 2, y - 0.14),
        width,
        0.28,
        boxstyle="round,pad=0,rounding_size=0.05",
        facecolor="white",
        edgecolor=ROAD,
        linewidth=1.0,
        zorder=3,
    )
    axes.add_patch(shape)
    axes.text(x, y - 0.005, text, ha="center", va="center", color=INK, zorder=4)


def line(axes: Axes, points: list[tuple[float, float]], head: bool = True) -> None:
    """A thin path that ends in an arrow."""
    xs, ys = zip(*points, strict=True)
    axes.plot(xs, ys, color=DIM, lw=0.9, zorder=1, solid_joinstyle="round")
    if head:
        style = {"arrowstyle": "-|>,head_width=0.14,head_length=0.28"}
        style |= {"color": DIM, "linewidth": 0.9, "shrinkA": 0, "shrinkB": 0}
        axes.annotate("", points[-1], points[-2], arrowprops=style)


def note(axes: Axes, x: float, y: float, text: str, side: str = "left") -> None:
    """A shape, or a remark, in grey."""
    axes.text(x, y, text, ha=side, va="center", color=DIM, fontsize=7.5)


def plus(axes: Axes, y: float) -> None:
    """Where a layer adds to the stream."""
    face = {"facecolor": "white", "edgecolor": ACCENT, "linewidth": 1.2}
    axes.add_patch(Circle((STREAM, y), 0.1, zorder=5, **face))
    for dx, dy in ((0.055, 0), (0, 0.055)):
        axes.plot(
            [STREAM - dx, STREAM + dx], [y - dy, y + dy], color=ACCENT, lw=1.2, zorder=6
        )


def layer(axes: Axes, y: float, there: list, back: list, remark: str) -> None:
    """A loop out of the stream at `y`, through boxes, and back half an inch above."""
    up = y + 0.56
    line(axes, [(STREAM, y), (there[0][0] - there[0][1] / 2, y)])
    for (left, wide, _), (x, width, _) in itertools.pairwise(there):
        line(axes, [(left + wide / 2, y), (x - width / 2, y)])
    turn = 5.12
    last, first = there[-1], back[0]
    path = [(last[0] + last[1] / 2, y), (turn, y), (turn, up)]
    line(axes, [*path, (first[0] + first[1] / 2, up)])
    for (right, wide, _), (x, width, _) in itertools.pairwise(back):
        line(axes, [(right - wide / 2, up), (x + width / 2, up)])
    line(axes, [(back[-1][0] - back[-1][1] / 2, up), (STREAM + 0.1, up)])
    for x, width, text in there:
        box(axes, (x, y), width, text)
    for x, width, text in back:
        box(axes, (x, up), width, text)
    note(axes, 1.3, y + 0.28, remark)
    plus(axes, up)


def main() -> None:
    """Draw the figure beside this file."""
    style = {
        "svg.fonttype": "path",
        "svg.hashsalt": "the-literate-llm",
        "figure.constrained_layout.use": False,
        "font.size": 8,
    }
    with plt.rc_context(style):
        figure = plt.figure(figsize=(WIDTH, HEIGHT))
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, WIDTH), ylim=(0, HEIGHT))
        axes.axis("off")
        frame = FancyBboxPatch(
            (0.55, 1.0),
            4.68,
            3.08,
            boxstyle="round,pad=0,rounding_size=0.08",
            facecolor=PALE,
            edgecolor="none",
            zorder=-1,
        )
        axes.add_patch(frame)
        axes.plot([STREAM] * 2, [0.8, 4.42], color=ACCENT, lw=3.2, zorder=2)
        axes.text(0.3, 2.6, "block, L times", rotation=90, va="center", color=ROAD)

        note(axes, STREAM, 0.13, "token ids", "center")
        line(axes, [(STREAM, 0.22), (STREAM, 0.5)])
        box(axes, (STREAM, 0.66), 1.0, "embedding")
        note(
            axes,
            1.62,
            0.66,
            "a row of the table for each token; positions added, if they have a table",
        )
        note(axes, 1.32, 0.15, "B × T integers")

        q = [(1.75, 0.5, "norm"), (2.85, 0.9, "q, k, v"), (4.25, 1.2, "norm, rotate")]
        mix = [(4.05, 1.5, "softmax, mix values"), (2.6, 0.55, "out")]
        layer(axes, 1.4, q, mix, "B × T × D")
        line(axes, [(3.2, 1.54), (3.2, 1.69), (3.5, 1.69), (3.5, 1.82)])
        note(axes, 3.08, 1.67, "v", "center")
        note(axes, 3.47, 1.5, "q, k", "center")
        note(axes, 1.5, 1.13, "q: B × H × T × K     k, v: B × G × T × K")
        note(axes, 5.05, 1.68, "attention: tokens meet", "right")

        up = [(1.75, 0.5, "norm"), (3.1, 1.0, "gate, up")]
        down = [(4.05, 1.3, "activation"), (2.6, 0.65, "down")]
        layer(axes, 3.0, up, down, "B × T × D")
        note(axes, 3.1, 3.28, "B × T × d_ff", "center")
        note(axes, 5.05, 3.28, "MLP: each token alone", "right")

        axes.text(STREAM + 0.12, 2.6, "the residual stream", color=ACCENT, va="center")
        box(axes, (STREAM, 4.5), 0.6, "norm")
        line(axes, [(STREAM, 4.64), (STREAM, 4.9)])
        box(axes, (STREAM, 5.04), 0.6, "head")
        line(axes, [(STREAM, 5.18), (STREAM, 5.45)])
        note(axes, STREAM, 5.56, "logits", "center")
        note(axes, 1.4, 5.04, "one score for each token of the vocabulary")
        note(axes, 1.4, 5.56, "B × T × V")
        figure.savefig(
            Path(__file__).with_name("forward-pass.svg"), metadata={"Date": None}
        )
        plt.close(figure)


if __name__ == "__main__":
    main()
