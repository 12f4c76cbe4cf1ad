"""The map of the pipeline: map.svg in full, map-NN.svg for each chapter that exists.

Drawn by `python -m literate figures`. Lengths are inches; the text block is 5.3 wide.
"""

from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, PathPatch
from matplotlib.path import Path as Outline

HERE = Path(__file__).parent
WIDTH = 5.3
INK, ROAD, DIM, PALE = "#1f2d3d", "#34506b", "#8a97a5", "#c3ccd5"
PAPER, ACCENT = "#ffffff", "#c8500a"

# Each part: its name, what it hands on, and its chapters.
PARTS = (
    (
        "From text to batches",
        "batches\nof tokens",
        (
            "A language\nmodel, whole",
            "Tokenization",
            "Cleaning\na crawl",
            "Batches",
        ),
    ),
    (
        "The transformer",
        "a model,\nuntrained",
        (
            "Attention",
            "Position",
            "The\ntransformer",
            "Other people’s\nweights",
        ),
    ),
    (
        "Pretraining",
        "a base model:\nit continues",
        (
            "Optimizers\nand schedules",
            "The training\nloop",
            "Fast and\nsmall",
            "Scaling\nlaws",
            "Many\ndevices",
        ),
    ),
    (
        "Use and measure",
        "its faults,\nmeasured",
        (
            "Generation",
            "Evaluation",
        ),
    ),
    (
        "Post-training",
        "an assistant:\nit answers",
        (
            "Instruction\ntuning",
            "LoRA",
            "Reward\nmodels",
            "RLHF with\nPPO",
            "Direct\npreference\noptimization",
            "Reasoning with\nverifiable\nrewards",
        ),
    ),
    (
        "Shipping",
        "a model\nto share",
        (
            "Small and\nserved",
            "The whole road,\none command",
        ),
    ),
)
NUMERALS = ("I", "II", "III", "IV", "V", "VI")


def canvas(height: float) -> tuple[Figure, Axes]:
    """A page-wide drawing in inches, without axes."""
    figure = plt.figure(figsize=(WIDTH, height))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, WIDTH), ylim=(0, height))
    axes.axis("off")
    return figure, axes


def words(axes: Axes, x: float, y: float, text: str, size: float, **style: str) -> None:
    """Lines of text; the first stands on `y`, and all keep the same distance."""
    for row, line in enumerate(text.split("\n")):
        down = 1.14 * size / 72 * row
        axes.text(x, y - down, line, va="baseline", fontsize=size, **style)


def station(axes: Axes, x: float, y: float, number: int, state: str) -> None:
    """A chapter's circle: `done`, `here`, `ahead`, or `plain` where nobody stands."""
    face, edge, text = {
        "done": (ROAD, ROAD, PAPER),
        "here": (ACCENT, ACCENT, PAPER),
        "ahead": (PAPER, DIM, INK),
        "plain": (PAPER, ROAD, INK),
    }[state]
    radius = 0.115 if state == "here" else 0.085
    axes.add_patch(Circle((x, y), radius, fc=face, ec=edge, lw=1.1, zorder=3))
    axes.text(
        x,
        y - 0.003,
        str(number),
        color=text,
        ha="center",
        va="center_baseline",
        fontsize=8 if state == "here" else 6.5,
        zorder=4,
        fontweight="semibold" if state == "here" else "normal",
    )


def small_map(here: int) -> Figure:
    """One row of stations, the current one named."""
    height, road, step, gap = 1.04, 0.63, 0.204, 0.096
    figure, axes = canvas(height)
    left = (WIDTH - 22 * step - 5 * gap) / 2
    number, x = 0, left
    places = []
    for part, (name, _, titles) in enumerate(PARTS):
        start = x
        for title in titles:
            number += 1
            places.append((x, title))
            x += step
        middle, inside = (
            (start + x - step) / 2,
            here in range(number - len(titles) + 1, number + 1),
        )
        colour = INK if inside else DIM
        axes.plot(
            [start - 0.085, x - step + 0.085],
            [road - 0.17] * 2,
            color=colour,
            lw=0.8,
            solid_capstyle="butt",
        )
        lines = name.replace("text to", "text\nto").replace("Use and ", "Use and\n")
        lines = f"{NUMERALS[part]}\n{lines}"
        words(axes, middle, road - 0.3, lines, 7.5, ha="center", color=colour)
        x += gap
    axes.plot(
        [places[0][0], places[here - 1][0]], [road] * 2, color=ROAD, lw=2.2, zorder=2
    )
    axes.plot(
        [places[here - 1][0], places[-1][0]], [road] * 2, color=DIM, lw=1.2, zorder=1
    )
    for i, (x, _) in enumerate(places, 1):
        state = "here" if i == here else "done" if i < here else "ahead"
        station(axes, x, road, i, state)
    x, title = places[here - 1]
    side = "left" if x < 1.5 else "right" if x > WIDTH - 1.5 else "center"
    shift = {"left": -0.09, "right": 0.09, "center": 0.0}[side]
    axes.text(
        x + shift,
        road + 0.2,
        title.replace("\n", " "),
        ha=side,
        va="bottom",
        color=ACCENT,
        fontsize=9,
        fontweight="semibold",
    )
    return figure


def way_back(axes: Axes, start: tuple[float, float], middle: float, end: float) -> None:
    """A thin line from the end of one road to the beginning of the next, below it."""
    (x, y), edge, bend = start, 0.09, 0.1
    line, curve = Outline.LINETO, Outline.CURVE3
    points = [
        (Outline.MOVETO, (x, y)),
        (line, (x, middle + bend)),
        (curve, (x, middle)),
        (curve, (x - bend, middle)),
        (line, (edge + bend, middle)),
        (curve, (edge, middle)),
        (curve, (edge, middle - bend)),
        (line, (edge, end + bend)),
        (curve, (edge, end)),
        (curve, (edge + bend, end)),
        (line, (0.3, end)),
    ]
    codes, places = zip(*points, strict=True)
    axes.add_patch(
        PathPatch(
            Outline(places, codes),
            fill=False,
            ec=PALE,
            lw=1.0,
            zorder=0,
        )
    )


def large_map() -> Figure:
    """A road for each part: its chapters, and at the end what they have made."""
    row, top, left, step, road_end = 0.95, 0.66, 0.44, 0.765, 4.54
    figure, axes = canvas(top + row * (len(PARTS) - 1) + 0.5)
    height = axes.get_ylim()[1]
    label = {"color": ACCENT, "fontstyle": "italic"}
    number, came_from = 0, height - 0.19
    words(axes, road_end + 0.06, height - 0.12, "raw text", 8.5, **label)
    for part, (name, product, titles) in enumerate(PARTS):
        y = height - top - row * part
        way_back(axes, (road_end + 0.36, came_from), y + 0.4, y)
        came_from = y - 0.17
        axes.text(
            left - 0.1,
            y + 0.15,
            f"{NUMERALS[part]}  {name}",
            fontsize=9,
            color=ROAD,
            fontweight="semibold",
            va="bottom",
        )
        axes.add_patch(
            FancyArrowPatch(
                (left, y),
                (road_end, y),
                color=ROAD,
                lw=1.8,
                zorder=1,
                shrinkA=0,
                shrinkB=0,
                arrowstyle="-|>",
                mutation_scale=9,
            )
        )
        words(axes, road_end + 0.06, y + 0.03, product, 8.5, **label)
        for i, title in enumerate(titles):
            number += 1
            station(axes, left + step * i, y, number, "plain")
            words(axes, left + step * i, y - 0.235, title, 8, ha="center", color=INK)
    return figure


def main() -> None:
    """Draw the large map, and a small one for each chapter in the book's folder."""
    style = {
        "svg.fonttype": "path",
        "svg.hashsalt": "the-literate-llm",
        "figure.constrained_layout.use": False,
    }
    with plt.rc_context(style):
        drawings = {"map": large_map()}
        for chapter in sorted(HERE.parent.glob("[0-9][0-9]-*.md")):
            drawings[f"map-{chapter.name[:2]}"] = small_map(int(chapter.name[:2]))
        for name, figure in drawings.items():
            figure.savefig(HERE / f"{name}.svg", metadata={"Date": None})
            plt.close(figure)


if __name__ == "__main__":
    main()
