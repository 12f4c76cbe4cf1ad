"""The loss of a head, without holding its logits.

Tangled from book/07-the-transformer.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import math
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd.function import once_differentiable


# %% book/07-the-transformer.md#LinearCrossEntropy
class LinearCrossEntropy(torch.autograd.Function):
    """Loss and gradients of a head, a few rows of logits at a time."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, targets: Tensor,
        shares: Tensor, rows: int, training: bool,
    ) -> Tensor:
        """The loss; the gradients are made on the way and kept."""
        wide = torch.promote_types(x.dtype, torch.float32)
        loss, grad_x = x.new_zeros((), dtype=wide), torch.empty_like(x)
        table = weight if training else weight[:0]
        grad_weight = torch.zeros_like(table, dtype=wide)
        V, parts = len(weight), max(1, -(-len(x) // rows))
        columns = x, grad_x, targets[:, None], shares[:, None]
        space = x.new_empty((-(-len(x) // parts), -(-V // 64) * 64))
        pieces = (column.chunk(parts) for column in columns)
        for part, grad_part, target, share in zip(*pieces, strict=True):
            slab = space[: len(part)]
            slab[:, V:] = -math.inf
            torch.mm(part, weight.T, out=slab[:, :V])
            z = slab.to(wide)
            log_p = z.gather(1, target) - z.amax(-1, keepdim=True)
            p = torch.softmax(z, -1, out=z)
            log_p += p.amax(-1, keepdim=True).log()
            loss -= (log_p * share).sum()
            if training:
                p.mul_(share).scatter_add_(1, target, -share)
                grad = p[:, :V].to(x.dtype)
                torch.mm(grad, weight, out=grad_part)
                if x.dtype == wide:
                    grad_weight.addmm_(grad.T, part)
                else:
                    grad_weight += grad.T @ part
        ctx.save_for_backward(grad_x, grad_weight)
        return loss

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Any:
        """The gradients that were kept, times what comes from above."""
        grad_x, grad_weight = ctx.saved_tensors
        if type(grad) is not Tensor or grad.is_cuda or grad != 1:
            grad_x, grad_weight = grad_x * grad, grad_weight * grad
        return grad_x, grad_weight.to(grad_x.dtype), *[None] * 4


# %% book/07-the-transformer.md#linear_cross_entropy
def linear_cross_entropy(
    x: Float[Tensor, "*batch D"],
    weight: Float[Tensor, "V D"],
    targets: Int[Tensor, "*batch"],
    ignore_index: int = -100,
    rows: int | None = None,
) -> Float[Tensor, ""]:
    """The mean cross-entropy of a linear head, in nats.

    Equal to `cross_entropy(x @ weight.T, targets)`, with its gradients,
    but never holds more than `rows` rows of logits: if not given, as many
    as make 33 million numbers.
    """
    targets = targets.flatten().long()
    counted = targets != ignore_index
    kind, training = x.device.type, torch.is_grad_enabled()
    if torch.is_autocast_enabled(kind):
        dtype = torch.get_autocast_dtype(kind)
        x, weight = x.to(dtype), weight.to(dtype)
    training = training and (x.requires_grad or weight.requires_grad)
    wide = torch.promote_types(x.dtype, torch.float32)
    shares = counted.to(wide) / counted.sum()
    with torch.autocast(kind, enabled=False):
        return LinearCrossEntropy.apply(
            *(x.flatten(0, -2), weight, targets.masked_fill(~counted, 0)),
            *(shares, rows or max(1, 2**25 // len(weight)), training),
        )


# %% book/07-the-transformer.md#TwoUses
class TwoUses(torch.autograd.Function):
    """A table for a lookup and again for a head, with one gradient."""

    @staticmethod
    def forward(ctx: Any, table: Tensor) -> tuple[Tensor, Tensor]:
        """The table, twice; the first's gradient may be sparse."""
        return table.view_as(table), table.view_as(table)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, from_lookup: Tensor, from_head: Tensor) -> Tensor:
        """The sum of both gradients, in the place of the head's."""
        return from_head.add_(from_lookup)
