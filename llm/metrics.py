"""How wrong a language model is.

Tangled from book/01-a-language-model-whole.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor


# %% book/01-a-language-model-whole.md#bits-per-byte
def perplexity(loss: float) -> float:
    """How many equally likely choices a loss in nats is worth: e^loss.

    A loss too large for a float gives infinity, and NaN stays NaN.
    """
    return torch.tensor(loss, dtype=torch.float64).exp().item()


def bits_per_byte(total_nats: float, n_bytes: int) -> float:
    """The loss of a whole text, per byte of it, whatever the tokens are.

    Args:
        total_nats: the sum (not the mean) of the text's losses, in nats.
        n_bytes: the length of the same text in UTF-8.

    Raises:
        ValueError: `n_bytes` is not positive.
    """
    if n_bytes <= 0:
        raise ValueError(f"n_bytes is {n_bytes}: an empty text has no loss")
    return total_nats / (math.log(2) * n_bytes)


# %% book/01-a-language-model-whole.md#cross-entropy
def cross_entropy(
    logits: Float[Tensor, "*batch V"],
    targets: Int[Tensor, "*batch"],
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Float[Tensor, "..."]:
    """Cross-entropy in nats of `targets` under softmax(`logits`).

    Computed in float32 at least, and finite for logits of any size.
    Positions whose target is `ignore_index` count for nothing; if all are
    ignored, the mean is NaN, as in PyTorch.

    Args:
        reduction: "mean" and "sum" over the positions that count, or "none"
            for one loss per position (0 where ignored).
    """
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"reduction is {reduction!r}: mean, sum or none")
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    ignored = targets == ignore_index
    target = targets.masked_fill(ignored, 0).long()[..., None]
    picked = logits.gather(-1, target).squeeze(-1)
    losses = (logits.logsumexp(-1) - picked).masked_fill(ignored, 0)
    if reduction == "none":
        return losses
    if reduction == "sum":
        return losses.sum()
    return losses.sum() / (~ignored).sum()
