"""The tiles of llm.flash as kernels for a GPU, in Triton.

Tangled from book/11-fast-and-small.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import importlib
import importlib.util
import inspect
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float
from torch import Tensor


# %% book/11-fast-and-small.md#optional
def optional(name: str) -> Any:
    """The module of that name, or None where it isn't installed."""
    if importlib.util.find_spec(name.partition(".")[0]) is None:
        return None
    return importlib.import_module(name)


triton, tl = optional("triton"), optional("triton.language")
if TYPE_CHECKING:
    constexpr = int
else:  # what is known when a kernel is compiled
    constexpr = getattr(tl, "constexpr", int)


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a function for the GPU at its first call, with Triton."""
    # unwrapped: it may have been given checks, which Triton can't compile
    return triton.jit(inspect.unwrap(function)) if triton else function


def launch(
    function: Any, grid: tuple[int, int], *given: Any, **sizes: Any
) -> None:
    """Start grid[0] times grid[1] programs of a kernel, side by side.

    `sizes` are known when it is compiled, `given` only when it runs.
    """
    function[grid](*given, **sizes)


# %% book/11-fast-and-small.md#load_tile
@kernel
def load_tile(x, i, n, D: constexpr, COUNT: constexpr, WIDTH: constexpr):
    """Rows i, i + 1 ... of an n x D matrix; zeros beyond its edges."""
    row, d = i + tl.arange(0, COUNT)[:, None], tl.arange(0, WIDTH)[None, :]
    return tl.load(x + row * D + d, mask=(row < n) & (d < D), other=0.0)


@kernel
def store_tile(
    x, tile, i, n, D: constexpr, COUNT: constexpr, WIDTH: constexpr
):
    """Write a tile as rows i, i + 1 ... of an n x D matrix."""
    row, d = i + tl.arange(0, COUNT)[:, None], tl.arange(0, WIDTH)[None, :]
    tl.store(x + row * D + d, tile, mask=(row < n) & (d < D))


@kernel
def scores_of(
    q, k, i, j, T, S, scale, CAUSAL: constexpr, ROWS: constexpr,
    COLUMNS: constexpr,
):
    """A tile of scores; minus infinity where a query may not look."""
    t = i + tl.arange(0, ROWS)[:, None]
    s = j + tl.arange(0, COLUMNS)[None, :]
    seen = (s < S) & (s <= t + S - T) if CAUSAL else s < S
    # "ieee": else 32-bit numbers are cut to 19 bits to be multiplied
    scores = tl.dot(q, tl.trans(k), input_precision="ieee") * scale
    return tl.where(seen, scores, float("-inf"))


# %% book/11-fast-and-small.md#forward_kernel
@kernel
def forward_kernel(
    q, k, v, out, logs, T, S, shared, scale,
    D: constexpr, CAUSAL: constexpr, ROWS: constexpr, COLUMNS: constexpr,
    WIDTH: constexpr,
):
    """One tile of queries of one head, against all keys that it sees."""
    i, head = tl.program_id(0) * ROWS, tl.program_id(1).to(tl.int64)
    k += head // shared * S * D
    v += head // shared * S * D
    part = load_tile(q + head * T * D, i, T, D, ROWS, WIDTH)
    largest = tl.full((ROWS,), -3.0e38, dtype=tl.float32)
    total = tl.zeros((ROWS,), dtype=tl.float32)
    mixed = tl.zeros((ROWS, WIDTH), dtype=tl.float32)
    end = tl.minimum(S, i + ROWS + S - T) if CAUSAL else S
    for j in range(0, end, COLUMNS):
        key = load_tile(k, j, S, D, COLUMNS, WIDTH)
        value = load_tile(v, j, S, D, COLUMNS, WIDTH)
        scores = scores_of(
            part, key, i, j, T, S, scale, CAUSAL, ROWS, COLUMNS
        )
        new = tl.maximum(largest, tl.max(scores, 1))
        shrink = tl.exp(largest - new)
        weights = tl.exp(scores - new[:, None])
        total = total * shrink + tl.sum(weights, 1)
        weights = weights.to(value.dtype)
        mixed = mixed * shrink[:, None]
        mixed += tl.dot(weights, value, input_precision="ieee")
        largest = new
    sums = tl.where(total > 0, total, 1.0)
    mixed = mixed / sums[:, None]
    store_tile(out + head * T * D, mixed, i, T, D, ROWS, WIDTH)
    row = i + tl.arange(0, ROWS)
    sums = tl.where(total > 0, largest + tl.log(sums), float("inf"))
    tl.store(logs + head * T + row, sums, mask=row < T)


# %% book/11-fast-and-small.md#weights_and_slopes
@kernel
def weights_and_slopes(
    part, above, key, value, logs, mean, i, j, T, S, scale,
    CAUSAL: constexpr, ROWS: constexpr, COLUMNS: constexpr,
):
    """The weights of a tile, made again, and derivatives by its scores."""
    row = i + tl.arange(0, ROWS)
    log = tl.load(logs + row, mask=row < T, other=float("inf"))
    less = tl.load(mean + row, mask=row < T, other=0.0)
    scores = scores_of(part, key, i, j, T, S, scale, CAUSAL, ROWS, COLUMNS)
    weights = tl.exp(scores - log[:, None])
    slopes = tl.dot(above, tl.trans(value), input_precision="ieee")
    return weights, weights * (slopes - less[:, None]) * scale


@kernel
def query_kernel(
    q, k, v, grad, logs, mean, dq, T, S, shared, scale,
    D: constexpr, CAUSAL: constexpr, ROWS: constexpr, COLUMNS: constexpr,
    WIDTH: constexpr,
):
    """The derivative by one tile of queries of one head."""
    i, head = tl.program_id(0) * ROWS, tl.program_id(1).to(tl.int64)
    k += head // shared * S * D
    v += head // shared * S * D
    part = load_tile(q + head * T * D, i, T, D, ROWS, WIDTH)
    above = load_tile(grad + head * T * D, i, T, D, ROWS, WIDTH)
    found = tl.zeros((ROWS, WIDTH), dtype=tl.float32)
    end = tl.minimum(S, i + ROWS + S - T) if CAUSAL else S
    for j in range(0, end, COLUMNS):
        key = load_tile(k, j, S, D, COLUMNS, WIDTH)
        value = load_tile(v, j, S, D, COLUMNS, WIDTH)
        _, slopes = weights_and_slopes(
            part, above, key, value, logs + head * T, mean + head * T,
            i, j, T, S, scale, CAUSAL, ROWS, COLUMNS,
        )
        found += tl.dot(slopes.to(key.dtype), key, input_precision="ieee")
    store_tile(dq + head * T * D, found, i, T, D, ROWS, WIDTH)


# %% book/11-fast-and-small.md#key_kernel
@kernel
def key_kernel(
    q, k, v, grad, logs, mean, dk, dv, T, S, shared, scale,
    D: constexpr, CAUSAL: constexpr, ROWS: constexpr, COLUMNS: constexpr,
    WIDTH: constexpr,
):
    """The derivatives by one tile of keys and values, of all its heads."""
    j, group = tl.program_id(0) * COLUMNS, tl.program_id(1).to(tl.int64)
    key = load_tile(k + group * S * D, j, S, D, COLUMNS, WIDTH)
    value = load_tile(v + group * S * D, j, S, D, COLUMNS, WIDTH)
    by_key = tl.zeros((COLUMNS, WIDTH), dtype=tl.float32)
    by_value = tl.zeros((COLUMNS, WIDTH), dtype=tl.float32)
    # the first tile of rows in which a query sees the first of these keys
    begin = tl.maximum(0, j + T - S) // ROWS * ROWS if CAUSAL else 0
    for head in range(group * shared, (group + 1) * shared):
        for i in range(begin, T, ROWS):
            part = load_tile(q + head * T * D, i, T, D, ROWS, WIDTH)
            above = load_tile(grad + head * T * D, i, T, D, ROWS, WIDTH)
            weights, slopes = weights_and_slopes(
                part, above, key, value, logs + head * T, mean + head * T,
                i, j, T, S, scale, CAUSAL, ROWS, COLUMNS,
            )
            weights = tl.trans(weights).to(above.dtype)
            slopes = tl.trans(slopes).to(part.dtype)
            by_value += tl.dot(weights, above, input_precision="ieee")
            by_key += tl.dot(slopes, part, input_precision="ieee")
    store_tile(dk + group * S * D, by_key, j, S, D, COLUMNS, WIDTH)
    store_tile(dv + group * S * D, by_value, j, S, D, COLUMNS, WIDTH)


# %% book/11-fast-and-small.md#tile_sizes
def tile_sizes(q: Tensor, causal: bool) -> dict[str, Any]:
    """What the kernels are compiled for."""
    D = q.shape[-1]
    side = 32 if D > 64 or q.dtype == torch.float32 else 64
    width = max(16, 2 ** (D - 1).bit_length())  # `tl.dot` wants 16 or more
    sizes = {"D": D, "ROWS": side, "COLUMNS": side, "WIDTH": width}
    return {**sizes, "CAUSAL": causal}


# %% book/11-fast-and-small.md#flash_forward
def flash_forward(
    q: Float[Tensor, "N R T D"],
    k: Float[Tensor, "N 1 S D"],
    v: Float[Tensor, "N 1 S D"],
    causal: bool,
    scale: float,
) -> tuple[Float[Tensor, "N R T D"], Float[Tensor, "N R T"]]:
    """`llm.flash.forward_tiles`, by a kernel."""
    q, k, v = (x.contiguous() for x in (q, k, v))
    N, R, T, _ = q.shape
    sizes, out = tile_sizes(q, causal), torch.empty_like(q)
    logs = q.new_empty((N, R, T), dtype=torch.float32)
    grid = (math.ceil(T / sizes["ROWS"]), N * R)
    given = (q, k, v, out, logs, T, k.shape[-2], R, scale)
    launch(forward_kernel, grid, *given, **sizes)
    return out, logs


def flash_backward(
    q: Float[Tensor, "N R T D"],
    k: Float[Tensor, "N 1 S D"],
    v: Float[Tensor, "N 1 S D"],
    out: Float[Tensor, "N R T D"],
    logs: Float[Tensor, "N R T"],
    grad: Float[Tensor, "N R T D"],
    causal: bool,
    scale: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """`llm.flash.backward_tiles`, by two kernels."""
    q, k, v, grad = (x.contiguous() for x in (q, k, v, grad))
    N, R, T, _ = q.shape
    S, sizes = k.shape[-2], tile_sizes(q, causal)
    mean = (out.float() * grad.float()).sum(-1)
    dq, dk, dv = (torch.empty_like(x) for x in (q, k, v))
    given, numbers = (q, k, v, grad, logs, mean), (T, S, R, scale)
    rows = (math.ceil(T / sizes["ROWS"]), N * R)
    launch(query_kernel, rows, *given, dq, *numbers, **sizes)
    columns = (math.ceil(S / sizes["COLUMNS"]), N)
    launch(key_kernel, columns, *given, dk, dv, *numbers, **sizes)
    return dq, dk, dv
