"""Attention in tiles: equal to the plain one, in memory linear in T.

Tangled from book/11-fast-and-small.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import importlib
import importlib.util
import math
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from llm.attention import heads_per_key


# %% book/11-fast-and-small.md#absorb
def absorb(
    largest: Float[Tensor, "*rows"],
    total: Float[Tensor, "*rows"],
    mixed: Float[Tensor, "*rows E"],
    scores: Float[Tensor, "*rows S"],
    values: Float[Tensor, "*keys S E"],
) -> tuple[Tensor, Tensor, Tensor]:
    """Add S keys to a softmax that is under way (Milakov, 2018).

    The result so far is `mixed / total`; both are relative to the
    exponential of `largest`, and shrink when a larger score comes.
    """
    new = torch.maximum(largest, scores.amax(-1))
    shrink = (largest - new).exp()
    weights = (scores - new[..., None]).exp_()
    total = total * shrink + weights.sum(-1)
    mixed = mixed * shrink[..., None] + weights @ values
    return new, total, mixed


# %% book/11-fast-and-small.md#tile_scores
def tile_scores(
    q: Float[Tensor, "... I D"],
    k: Float[Tensor, "... J D"],
    i: int,
    j: int,
    shift: int,
    scale: float,
) -> Float[Tensor, "... I J"]:
    """Scores of the queries from i on with the keys from j on.

    Query t sees the keys up to t + shift; the other scores are -inf.
    """
    scores = (q @ k.transpose(-2, -1)).mul_(scale)
    if j + k.shape[-2] > i + shift + 1:  # the first query doesn't see all
        t = torch.arange(i, i + q.shape[-2], device=q.device)
        s = torch.arange(j, j + k.shape[-2], device=q.device)
        scores.masked_fill_(s > t[:, None] + shift, -math.inf)
    return scores


# %% book/11-fast-and-small.md#forward_tiles
def forward_tiles(
    q: Float[Tensor, "N R T D"],
    k: Float[Tensor, "N 1 S D"],
    v: Float[Tensor, "N 1 S E"],
    causal: bool,
    scale: float,
    rows: int = 128,
    columns: int = 128,
) -> tuple[Float[Tensor, "N R T E"], Float[Tensor, "N R T"]]:
    """Attention, and the logarithm of each row's sum of exponentials.

    No more than `rows` times `columns` scores of a head exist at a time.
    A query that sees no key gets zeros, and infinity for its logarithm:
    on the way back, its weights are exp(score - infinity), zero.
    """
    T, S = q.shape[-2], k.shape[-2]
    shift = S - T if causal else S
    wide = torch.promote_types(q.dtype, torch.float32)
    out = q.new_empty(*q.shape[:-1], v.shape[-1])
    logs = q.new_empty(q.shape[:-1], dtype=wide)
    for i in range(0, T, rows):
        part = q[..., i : i + rows, :].to(wide)
        largest = part.new_full(part.shape[:-1], torch.finfo(wide).min)
        total = torch.zeros_like(largest)
        mixed = part.new_zeros(*part.shape[:-1], v.shape[-1])
        for j in range(0, min(S, i + rows + shift), columns):
            key = k[..., j : j + columns, :].to(wide)
            value = v[..., j : j + columns, :].to(wide)
            scores = tile_scores(part, key, i, j, shift, scale)
            largest, total, mixed = absorb(
                largest, total, mixed, scores, value
            )
        some = total > 0
        out[..., i : i + rows, :] = mixed / total.where(some, 1)[..., None]
        sums = (largest + total.log()).where(some, math.inf)
        logs[..., i : i + rows] = sums
    return out, logs


# %% book/11-fast-and-small.md#backward_tiles
def backward_tiles(
    q: Float[Tensor, "N R T D"],
    k: Float[Tensor, "N 1 S D"],
    v: Float[Tensor, "N 1 S E"],
    out: Float[Tensor, "N R T E"],
    logs: Float[Tensor, "N R T"],
    grad: Float[Tensor, "N R T E"],
    causal: bool,
    scale: float,
    rows: int = 128,
    columns: int = 128,
) -> tuple[Tensor, Tensor, Tensor]:
    """The derivatives by q, k and v, from that by the output."""
    T, S = q.shape[-2], k.shape[-2]
    shift = S - T if causal else S
    dq, dk, dv = (torch.zeros_like(x, dtype=logs.dtype) for x in (q, k, v))
    mean = (out.to(logs.dtype) * grad).sum(-1, keepdim=True)  # g · o
    for i in range(0, T, rows):
        here = (..., slice(i, i + rows), slice(None))
        part, above = q[here].to(logs.dtype), grad[here].to(logs.dtype)
        for j in range(0, min(S, i + rows + shift), columns):
            there = (..., slice(j, j + columns), slice(None))
            key, value = k[there].to(logs.dtype), v[there].to(logs.dtype)
            scores = tile_scores(part, key, i, j, shift, scale)
            weights = scores.sub_(logs[..., i : i + rows, None]).exp_()
            slopes = (above @ value.transpose(-2, -1)).sub_(mean[here])
            slopes.mul_(weights).mul_(scale)
            dq[here] += slopes @ key
            dk[there] += (slopes.transpose(-2, -1) @ part).sum(-3, True)
            dv[there] += (weights.transpose(-2, -1) @ above).sum(-3, True)
    return dq.to(q.dtype), dk.to(k.dtype), dv.to(v.dtype)


# %% book/11-fast-and-small.md#FlashAttention
class FlashAttention(torch.autograd.Function):
    """The two loops over tiles, as one operation with a derivative."""

    @staticmethod
    def forward(
        ctx: Any, q: Tensor, k: Tensor, v: Tensor, *how: Any
    ) -> Tensor:
        """The output; only it and a number per row are kept."""
        kernels = gpu_kernels(q, v)
        if kernels is None:
            out, logs = forward_tiles(q, k, v, *how)
        else:
            out, logs = kernels.flash_forward(q, k, v, *how[:2])
        ctx.save_for_backward(q, k, v, out, logs)
        ctx.how, ctx.kernels = how, kernels
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Any:
        """The derivatives by q, k and v; the weights are made again."""
        given = (*ctx.saved_tensors, grad)
        if ctx.kernels is None:
            found = backward_tiles(*given, *ctx.how)
        else:
            found = ctx.kernels.flash_backward(*given, *ctx.how[:2])
        return *found, *(None for _ in ctx.how)


def gpu_kernels(q: Tensor, v: Tensor) -> Any:
    """`llm.flash_triton` where it can run these tensors, else None."""
    if not q.is_cuda or importlib.util.find_spec("triton") is None:
        return None
    dtypes = [torch.float32, torch.float16]
    if torch.cuda.get_device_capability(q.device) >= (8, 0):  # since 2020
        dtypes.append(torch.bfloat16)
    small = q.shape[-1] * q.element_size() <= 256  # a tile has to fit
    if q.dtype not in dtypes or q.shape[-1] != v.shape[-1] or not small:
        return None
    return importlib.import_module("llm.flash_triton")


# %% book/11-fast-and-small.md#flash_attention
def flash_attention(
    q: Float[Tensor, "*heads T D"],
    k: Float[Tensor, "*groups S D"],
    v: Float[Tensor, "*groups S E"],
    causal: bool = True,
    *,
    scale: float | None = None,
    rows: int = 128,
    columns: int = 128,
) -> Float[Tensor, "*heads T E"]:
    """`attention` in memory linear in T and S (Dao et al., 2022).

    Args:
        q: queries; heads may share keys, as in `attention`.
        causal: as with the mask `causal_mask(T, S)`, else all see all.
        scale: factor of the scores; 1 / sqrt(D) if not given.
        rows, columns: queries and keys of a tile. On a GPU with Triton the
            kernels have sizes of their own.

    Raises:
        ValueError: heads that don't fit, or a tile without a size.
    """
    shared = heads_per_key(q, k)
    if min(rows, columns) < 1:
        raise ValueError(f"a tile of {rows} rows and {columns} columns")
    scale = q.shape[-1] ** -0.5 if scale is None else scale
    grouped = q.reshape(-1, shared, *q.shape[-2:])
    k, v = (x.reshape(-1, 1, *x.shape[-2:]) for x in (k, v))
    with torch.autocast(q.device.type, enabled=False):
        out = FlashAttention.apply(
            grouped, k, v, causal, scale, rows, columns
        )
    return out.reshape(*q.shape[:-1], v.shape[-1])
