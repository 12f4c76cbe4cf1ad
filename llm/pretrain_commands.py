"""The commands llm pretrain, llm plot and llm sample.

Tangled from book/10-the-training-loop.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import math
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

import tyro

from llm.budget import plan
from llm.checkpoint import checkpoints, load_model
from llm.config import n_parameters
from llm.cooking import Recipe, cook
from llm.metrics_log import read_metrics
from llm.recipes import RACE, get, locked, recipe_called
from llm.tensor_files import read_object
from llm.validation import Samples, draw_curves, tensorboard


# %% book/10-the-training-loop.md#PretrainCommand
@dataclass(frozen=True)
class PretrainCommand:
    """Train a model on any text, sized to the time you have."""

    minutes: float | None = None
    """How long it may take; 3 if not given."""
    data: str | None = None
    """village (if not given), hamlet, a corpus, or a file or folder."""
    recipe: str | None = None
    """A recipe's name, instead of minutes, data and seed; or race, with
    them, to read the text byte by byte."""
    out: Path | None = None
    """The run's folder; runs/DATA if not given."""
    resume: bool = False
    """Go on with the run in that folder."""
    tensorboard: bool = False
    """Write the curves for TensorBoard, too, into the run's folder."""
    seed: int | None = None
    """Decides the first weights and the order of the rows."""

    def __call__(self) -> None:
        """Train, evaluate, write a sample, save."""
        name = None if self.recipe == RACE else self.recipe
        if name is not None and self.out is None and not self.resume:
            self.refuse_beside("--recipe", "minutes", "data", "seed")
            print(get(name))
            return
        out = self.out or Path("runs") / Path(self.data or "village").stem
        recipe = self.resumed(out) if self.resume else self.fresh(out)
        print(
            f"{n_parameters(recipe.model):,} parameters, {recipe.steps:,} "
            f"steps of {recipe.batch_size} rows"
        )
        hooks = [tensorboard(out)] if self.tensorboard else []
        often = max(500, recipe.steps // 5)
        options = {"save_every": often, "evaluate_every": often}
        try:
            with locked(out / ".lock"):
                result = cook(recipe, out, hooks=hooks, **options)
        except KeyboardInterrupt:
            again = f"llm pretrain --resume --out {out}"
            print(f"to go on: {again}", file=sys.stderr)
            raise
        for key, value in result.items():
            shown = f"{value:.4g}" if isinstance(value, float) else value
            for line in f"{key}: {shown}".splitlines():
                print(textwrap.fill(line, 76))
        print(f"saved in {out}; now try: llm sample {out}")

    # -- book/10-the-training-loop.md#PretrainCommand.refuse_beside
    def refuse_beside(self, option: str, *names: str) -> None:
        """Refuse options that another one makes meaningless."""
        for name in names:
            if getattr(self, name) is not None:
                raise ValueError(f"{option} decides about that: omit --{name}")

    def resumed(self, out: Path) -> Recipe:
        """The recipe of the run in a folder."""
        self.refuse_beside("--resume", "minutes", "data", "recipe", "seed")
        note = out / "recipe.json"
        if not note.exists():
            raise ValueError(f"{out} has no run to go on with")
        try:
            return Recipe.from_dict(read_object(note)["recipe"])
        except (KeyError, ValueError) as error:
            raise ValueError(f"{note} is damaged: {error}") from None

    def fresh(self, out: Path) -> Recipe:
        """A recipe by its name, or one for the time; `out` must be free."""
        if checkpoints(out / "state"):
            raise ValueError(
                f"{out} has a run: add --resume to go on with it, or "
                "--out for another folder"
            )
        if out.exists() and not out.is_dir():
            raise ValueError(f"{out} is a file: name a folder with --out")
        if self.recipe is not None and self.recipe != RACE:
            self.refuse_beside("--recipe", "minutes", "data", "seed")
            return recipe_called(self.recipe)
        minutes = 3.0 if self.minutes is None else self.minutes
        if not 0 < minutes < math.inf:
            raise ValueError(f"minutes is {minutes}: it takes some")
        # Of each minute 55 s train; the rest, and ten more, is for all else.
        seconds = max(30 * minutes, 55 * minutes - 10)
        letters = self.recipe == RACE
        return plan(self.data or "village", seconds, self.seed or 0, letters)


# %% book/10-the-training-loop.md#SampleCommand
@dataclass(frozen=True)
class SampleCommand:
    """Let a trained model write."""

    run: tyro.conf.Positional[Path]
    """The run's folder."""
    prompt: str = ""
    """How the text begins."""
    count: int = 1
    """How many texts."""
    length: int = 200
    """Tokens at most."""
    temperature: float = 1.0
    """Below 1 prefers the likely; 0 takes the likeliest."""
    seed: int = 0
    """Another seed draws other texts."""

    def __call__(self) -> None:
        """Write them."""
        if self.count < 1 or self.length < 1:
            raise ValueError("count and length must be at least 1")
        if not 0 <= self.temperature < math.inf:
            raise ValueError(f"temperature is {self.temperature}, not >= 0")
        unfinished = not (self.run / "config.json").exists()
        if unfinished and checkpoints(self.run / "state"):
            again = f"llm pretrain --resume --out {self.run}"
            raise ValueError(f"{self.run} isn't finished: {again}")
        model, tokenizer = load_model(self.run)
        samples = Samples(
            tokenizer, self.count, self.length,
            self.prompt, self.temperature, self.seed,
        )
        print(*samples.texts(model), sep="\n\n")


@dataclass(frozen=True)
class PlotCommand:
    """Draw the curves of one run or of several."""

    runs: tyro.conf.Positional[tuple[Path, ...]]
    """The runs' folders."""
    out: Path = Path("curves.svg")
    """The picture; its ending says of what kind."""

    def __call__(self) -> None:
        """Draw, and say where the picture is."""
        if not self.runs:
            raise ValueError("name at least one run's folder")
        try:
            import matplotlib.figure
        except ImportError:
            raise ImportError(
                "plots need matplotlib: pip install 'literate-llm[book]'"
            ) from None
        size = (6.4, 3.2 * len(self.runs))
        figure = matplotlib.figure.Figure(size, layout="constrained")
        axes = figure.subplots(len(self.runs), squeeze=False)[:, 0]
        for run, each in zip(self.runs, axes, strict=True):
            rows = read_metrics(run)
            if not rows:
                raise ValueError(f"{run} has no metrics.jsonl, so no run")
            draw_curves(each, rows)
            each.set_title(str(run))
        figure.savefig(self.out)
        print(self.out)
