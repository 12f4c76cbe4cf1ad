"""The cover: cover.svg, drawn from the book's own words.

The preface stands on a line, word after word. Every arc joins a word to the place where
the same word stood last: what a model that predicts the next word would like to look
back to. Above the line the common words, which return at once and tell little; below
it the rare ones, which return seldom and tell much.
"""

import re
from collections import Counter
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Curve

HERE = Path(__file__).parent
WIDTH, HEIGHT = 7.0, 9.25  # inches, the size of a page
NIGHT, PAPER, GLOW, DUST = "#17212c", "#f4efe6", "#e8743b", "#8d97a3"
LEFT, RIGHT, LINE = 0.0, 7.0, 4.0
WORDS = 1150  # about the length of the preface
KAPPA = 0.5523  # a quarter of a circle as a cubic curve


def words() -> list[str]:
    """The first words of the frozen text of the book, in lower case."""
    text = (HERE.parent / "texts/the-literate-llm.txt").read_text("utf-8")
    return re.findall(r"[a-z]+(?:'[a-z]+)?", text.lower())[:WORDS]


def returns(text: list[str]) -> list[tuple[int, int, str]]:
    """Where each word stood last, where it stands again, and which it is."""
    last: dict[str, int] = {}
    found = []
    for here, word in enumerate(text):
        if word in last:
            found.append((last[word], here, word))
        last[word] = here
    return found


def arc(start: float, end: float, squeeze: float) -> Curve:
    """Half an ellipse over (or under) the line, from one place to another."""
    middle, radius = (start + end) / 2, (end - start) / 2
    top, lift = LINE + squeeze * radius, squeeze * radius * KAPPA
    points = [
        (start, LINE),
        (start, LINE + lift),
        (middle - radius * KAPPA, top),
        (middle, top),
        (middle + radius * KAPPA, top),
        (end, LINE + lift),
        (end, LINE),
    ]
    return Curve(points, [Curve.MOVETO] + [Curve.CURVE4] * 6)


def draw_arcs(axes: Axes) -> None:
    """All arcs, the wide ones first, so that the narrow ones lie on them."""
    text = words()
    often = Counter(text)
    step = (RIGHT - LEFT) / (len(text) - 1)
    for start, end, word in sorted(returns(text), key=lambda a: a[0] - a[1]):
        rare = often[word] <= 4 and len(word) > 3
        axes.add_patch(
            PathPatch(
                arc(LEFT + start * step, LEFT + end * step, -0.92 if rare else 0.92),
                fill=False,
                edgecolor=GLOW if rare else PAPER,
                linewidth=0.55 if rare else 0.36,
                alpha=0.8 if rare else 0.5,
            )
        )
    axes.plot([LEFT, RIGHT], [LINE, LINE], color=PAPER, linewidth=0.5, alpha=0.8)


def draw() -> plt.Figure:
    """The whole cover."""
    figure = plt.figure(figsize=(WIDTH, HEIGHT), facecolor=NIGHT, layout="none")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, WIDTH), ylim=(0, HEIGHT))
    axes.set_axis_off()
    axes.add_patch(plt.Rectangle((0, 0), WIDTH, HEIGHT, color=NIGHT, linewidth=0))
    draw_arcs(axes)
    text = {"ha": "left", "va": "baseline"}
    axes.text(
        0.62, 8.12, "The Literate LLM", color=PAPER, size=41, weight="semibold", **text
    )
    axes.text(
        0.64,
        7.66,
        "Build a large language model from scratch,",
        color=DUST,
        size=15.5,
        **text,
    )
    axes.text(0.64, 7.38, "from raw text to RLHF", color=DUST, size=15.5, **text)
    axes.text(0.64, 0.62, "The Literate LLM authors", color=DUST, size=10.5, **text)
    return figure


if __name__ == "__main__":
    draw().savefig(HERE / "cover.svg", facecolor=NIGHT)
