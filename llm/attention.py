"""Attention: every token looks back and chooses what to take.

Tangled from book/05-attention.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor


# %% book/05-attention.md#causal_mask
def causal_mask(
    T: int, S: int | None = None, *, device: torch.device | None = None
) -> Bool[Tensor, "T S"]:
    """Who may attend to whom: true where key s isn't later than query t.

    The T queries belong to the last T of S positions (S = T if not given),
    so the last query sees every key.
    """
    S = T if S is None else S
    return torch.ones(T, S, dtype=torch.bool, device=device).tril(S - T)


# %% book/05-attention.md#split_heads
def split_heads(
    x: Float[Tensor, "... T HD"], n_heads: int
) -> Float[Tensor, "... H T D"]:
    """Cut the last dimension into heads; a view, nothing is copied."""
    return x.unflatten(-1, (n_heads, -1)).transpose(-3, -2)


def merge_heads(
    x: Float[Tensor, "... H T D"],
) -> Float[Tensor, "... T HD"]:
    """Lay the heads side by side again; undoes `split_heads`."""
    return x.transpose(-3, -2).flatten(-2)


# %% book/05-attention.md#heads_per_key
def heads_per_key(
    q: Float[Tensor, "*heads T D"], k: Float[Tensor, "*groups S D"]
) -> int:
    """How many heads of `q` share a head of `k`: 1, or H / G.

    Raises:
        ValueError: G doesn't divide H, or what stands before differs.
    """
    heads, groups = q.shape[:-2], k.shape[:-2]
    if heads == groups:
        return 1
    fits = len(heads) == len(groups) and heads[:-1] == groups[:-1]
    if not fits or heads[-1] % groups[-1]:
        raise ValueError(
            f"queries {list(q.shape)} don't fit keys {list(k.shape)}: the "
            "number of query heads must be a multiple of the key heads, "
            "and what stands before them equal"
        )
    return heads[-1] // groups[-1]


# %% book/05-attention.md#attention_weights
def attention_weights(
    q: Float[Tensor, "*heads T D"],
    k: Float[Tensor, "*groups S D"],
    mask: Bool[Tensor, "... #T #S"] | None = None,
    *,
    scale: float | None = None,
) -> Float[Tensor, "*heads T S"]:
    """How much each of T queries attends to each of S keys.

    Rows sum to one, or to zero where a query may attend to nothing. The
    softmax is computed in float32 at least.

    Args:
        q: queries; the dimension before T, if there is one, counts heads.
        k: keys, with as many heads or a divisor G of it: then each run of
            H / G heads of `q` shares a head of `k`.
        mask: true where a query may attend; it broadcasts.
        scale: factor of the scores; 1 / sqrt(D) if not given.

    Raises:
        ValueError: the dimensions before T and S don't fit.
    """
    shared, T = heads_per_key(q, k), q.shape[-2]
    scale = q.shape[-1] ** -0.5 if scale is None else scale
    listed = (q * scale).reshape(*k.shape[:-2], shared * T, q.shape[-1])
    scores = listed @ k.transpose(-2, -1)
    scores = scores.reshape(*q.shape[:-1], k.shape[-2])
    scores = scores.to(torch.promote_types(q.dtype, torch.float32))
    if mask is None:
        return scores.softmax(-1).to(q.dtype)
    lowest = torch.finfo(scores.dtype).min
    weights = scores.masked_fill(~mask, lowest).softmax(-1)
    return weights.masked_fill(~mask, 0).to(q.dtype)


# %% book/05-attention.md#attention
def attention(
    q: Float[Tensor, "*heads T D"],
    k: Float[Tensor, "*groups S D"],
    v: Float[Tensor, "*groups S E"],
    mask: Bool[Tensor, "... #T #S"] | None = None,
    *,
    scale: float | None = None,
) -> Float[Tensor, "*heads T E"]:
    """Mix the values, each query by its own weights (Vaswani et al. 2017).

    Arguments and errors are those of `attention_weights`; the values may
    have another width. A query that may attend to nothing gets zeros.
    """
    weights = attention_weights(q, k, mask, scale=scale)
    rows = heads_per_key(q, k) * q.shape[-2]
    listed = weights.reshape(*k.shape[:-2], rows, k.shape[-2])
    return (listed @ v).reshape(*q.shape[:-1], v.shape[-1])


# %% book/05-attention.md#fused_attention
def fused_attention(
    q: Float[Tensor, "*heads T D"],
    k: Float[Tensor, "*groups S D"],
    v: Float[Tensor, "*groups S E"],
    mask: Bool[Tensor, "... #T #S"] | None = None,
    *,
    scale: float | None = None,
    causal: bool = False,
) -> Float[Tensor, "*heads T E"]:
    """`attention` through PyTorch's kernels, fused where they can be.

    Args:
        causal: as if `causal_mask(T, S)` were given too, and faster.
    """
    T, S = q.shape[-2], k.shape[-2]
    causal = causal and T > 1  # the newest query sees every key
    if causal and (T != S or mask is not None):
        past = causal_mask(T, S, device=q.device)
        mask = past if mask is None else mask & past
        causal = False
    if (shared := heads_per_key(q, k)) > 1:
        k = k.repeat_interleave(shared, dim=-3)
        v = v.repeat_interleave(shared, dim=-3)
    return F.scaled_dot_product_attention(
        q, k, v, attn_mask=mask, is_causal=causal, scale=scale
    )
