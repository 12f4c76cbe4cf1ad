"""How long a run is, and how often it logs and saves.

Tangled from book/10-the-training-loop.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

from dataclasses import dataclass


# %% book/10-the-training-loop.md#TrainConfig
@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """How long, how often, how much."""

    steps: int
    accumulate: int = 1  # micro-batches per step
    clip: float | None = None  # the largest norm of all gradients
    log_every: int = 10  # steps between rows of metrics.jsonl
    evaluate_every: int = 0  # 0: at the end only
    save_every: int = 0  # 0: at the end, and when stopped
    keep: int = 2  # checkpoints
    seed: int = 0  # of the random numbers during training, as in dropout
    show_progress: bool = True

    def __post_init__(self) -> None:
        least = {"steps": 1, "accumulate": 1, "log_every": 1, "keep": 1}
        least |= {"evaluate_every": 0, "save_every": 0}
        for name, number in least.items():
            if (value := getattr(self, name)) < number:
                raise ValueError(f"{name} is {value}: below {number}")


# %% book/10-the-training-loop.md#due
def due(step: int, every: int) -> bool:
    """Is it time again? Never, if `every` is 0."""
    return every > 0 and step % every == 0
