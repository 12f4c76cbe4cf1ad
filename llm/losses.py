"""What rows of tokens cost a model.

Tangled from book/10-the-training-loop.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

from jaxtyping import Float, Int
from torch import Tensor

from llm.data import document_mask
from llm.model import Transformer


# %% book/10-the-training-loop.md#targets_of
def targets_of(
    rows: Int[Tensor, "B T1"], end: int | None
) -> Int[Tensor, "B T"]:
    """What follows each token; -100, no target, where there's padding."""
    targets = rows[:, 1:]
    if end is None:
        return targets
    padding = (rows[:, :-1] == end) & (targets == end)
    return targets.masked_fill(padding, -100)


def next_token_loss(
    model: Transformer, rows: Int[Tensor, "B T1"], end: int | None = None
) -> Float[Tensor, ""]:
    """The loss of each token of a row, given those before it.

    Args:
        end: the token between documents; an end after an end is padding.
    """
    rows = rows.to(model.embedding.weight.device)
    return model.loss(rows[:, :-1], targets_of(rows, end))


def document_loss(
    model: Transformer, rows: Int[Tensor, "B T1"], end: int
) -> Float[Tensor, ""]:
    """The same, but no token sees beyond its own document.

    Args:
        end: as before; each document begins with it.
    """
    rows = rows.to(model.embedding.weight.device)
    mask = document_mask((rows[:, :-1] == end).cumsum(-1))
    return model.loss(rows[:, :-1], targets_of(rows, end), mask=mask)


def count_targets(rows: Int[Tensor, "B T1"], end: int | None = None) -> int:
    """How many targets rows of T + 1 tokens have, without padding."""
    return int((targets_of(rows, end) != -100).sum())
