"""The tests of book/11-fast-and-small.md.

Tangled from book/11-fast-and-small.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import itertools
import math
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from unittest import mock

import torch
from torch import Tensor

from llm.attention import attention, causal_mask
from llm.flash import (
    absorb,
    backward_tiles,
    flash_attention,
    forward_tiles,
    tile_scores,
)
from llm.flash_triton import flash_backward, flash_forward, triton
from llm.flops import Meter


# %% book/11-fast-and-small.md#test_a_row_may_be_cut_anywhere
def test_a_row_may_be_cut_anywhere():
    torch.manual_seed(0)
    scores, values = 30 * torch.randn(3, 50), torch.randn(50, 4)
    expected, order = scores.softmax(-1) @ values, torch.randperm(50)
    scores, values = scores[:, order], values[order]
    for cuts in ([], [1], [25], [7, 8, 40], range(1, 50)):
        state = torch.full((3,), -1e30), torch.zeros(3), torch.zeros(3, 4)
        for first, last in itertools.pairwise([0, *cuts, 50]):
            piece = slice(first, last)
            state = absorb(*state, scores[:, piece], values[piece])
        found = state[2] / state[1][:, None]
        torch.testing.assert_close(found, expected)


# %% book/11-fast-and-small.md#test_flash_attention_equals_attention
def test_flash_attention_equals_attention():
    torch.manual_seed(0)
    for T, S in ((70, 70), (3, 70), (70, 3), (1, 5)):
        q = torch.randn(2, 6, T, 16, requires_grad=True)
        k = torch.randn(2, 3, S, 16, requires_grad=True)
        v = torch.randn(2, 3, S, 5, requires_grad=True)
        for causal in (True, False):
            mask = causal_mask(T, S) if causal else None
            plain = attention(q, k, v, mask)
            tiled = flash_attention(q, k, v, causal, rows=16, columns=32)
            torch.testing.assert_close(tiled, plain)
            grad = torch.randn_like(plain)
            expected = torch.autograd.grad(plain, (q, k, v), grad)
            found = torch.autograd.grad(tiled, (q, k, v), grad)
            for one, other in zip(found, expected, strict=True):
                torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


# %% book/11-fast-and-small.md#Pointer
@dataclass
class Pointer:
    """An address: a memory, and the places in it that are meant."""

    memory: Tensor
    at: Any = 0

    def __add__(self, steps):
        return Pointer(self.memory, self.at + steps)


def load(pointer, mask, other):
    return torch.where(mask, pointer.memory[pointer.at * mask], other)


def store(pointer, tile, mask):
    pointer.memory[pointer.at[mask]] = tile[mask]


where_am_i = [0, 0]
language = SimpleNamespace(
    load=load, store=store, arange=torch.arange, zeros=torch.zeros,
    full=torch.full, where=torch.where, exp=torch.exp, log=torch.log,
    sum=torch.sum, max=torch.amax, trans=torch.t, int64=torch.int64,
    float32=torch.float32, minimum=min,
    maximum=lambda a, b: torch.maximum(torch.as_tensor(a), b),
    dot=lambda a, b, input_precision: a @ b,
    program_id=lambda axis: torch.tensor(where_am_i[axis]),
)


def one_by_one(function, grid, *given, **sizes):
    """What stands for `launch`: a loop over the programs."""
    given = [Pointer(x.view(-1)) if isinstance(x, Tensor) else x
             for x in given]
    for where_am_i[1] in range(grid[1]):
        for where_am_i[0] in range(grid[0]):
            function(*given, **sizes)


# %% book/11-fast-and-small.md#test_the_kernels_do_what_the_tiles_do
def test_the_kernels_do_what_the_tiles_do():
    if triton is not None:
        return  # the kernels belong to Triton: tests/parity runs them
    torch.manual_seed(0)
    q, grad = torch.randn(2, 1, 2, 50, 12).unbind()
    k, v = torch.randn(2, 1, 1, 70, 12).unbind()
    for causal in (True, False):
        how = (causal, 0.3)
        with mock.patch.multiple(flash_forward.__module__,
                                 tl=language, launch=one_by_one):
            forward = flash_forward(q, k, v, *how)
            back = flash_backward(q, k, v, *forward, grad, *how)
        tiles = forward_tiles(q, k, v, *how)
        expected = backward_tiles(q, k, v, *tiles, grad, *how)
        pairs = zip((*forward, *back), (*tiles, *expected), strict=True)
        for one, other in pairs:
            torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


# %% book/11-fast-and-small.md#check_join_halves
def check_join_halves(join_halves):
    """`join_halves(out, logs, other_out, other_logs)`: one softmax."""
    torch.manual_seed(0)
    for size in (1, 30):
        q = size * torch.randn(2, 3, 5, 8)
        k, v = torch.randn(2, 2, 1, 40, 8).unbind()
        whole = forward_tiles(q, k, v, False, 1.0)
        for cut in (1, 20, 39):
            left, right = (
                forward_tiles(q, k[:, :, part], v[:, :, part], False, 1.0)
                for part in (slice(cut), slice(cut, None))
            )
            for found, expected in zip(
                join_halves(*left, *right), whole, strict=True
            ):
                torch.testing.assert_close(found, expected)


# %% book/11-fast-and-small.md#check_window_tiles
def check_window_tiles(window_tiles):
    """`window_tiles(q, k, v, width, rows, columns)`: few tiles."""
    torch.manual_seed(0)
    q, k, v = torch.randn(3, 2, 100, 8).unbind()
    for width in (1, 7, 40, 100):
        mask = causal_mask(100).triu(1 - width)
        found = window_tiles(q, k, v, width, 16, 8)
        torch.testing.assert_close(found, attention(q, k, v, mask))
    sizes, peaks = [], []
    for T in (512, 1024):
        with Meter() as meter:
            window_tiles(*torch.randn(3, 1, T, 8), 32, 32, 32)
        sizes.append(len(meter.history))
        peaks.append(meter.peak)
    assert sizes[1] < 2.2 * sizes[0], "the number of tiles is linear in T"
    assert peaks[1] < 2.2 * peaks[0], "and so is the memory"


# %% book/11-fast-and-small.md#join_halves
def join_halves(out, logs, other_out, other_logs):
    both = torch.logaddexp(logs, other_logs)
    mine, other = (logs - both).exp(), (other_logs - both).exp()
    return mine[..., None] * out + other[..., None] * other_out, both


def test_join_halves():
    """The exercise "Two halves of a row"."""
    check_join_halves(join_halves)


# %% book/11-fast-and-small.md#window_tiles
def window_tiles(q, k, v, width, rows, columns):
    out, scale = torch.empty_like(v), q.shape[-1] ** -0.5
    for i in range(0, q.shape[-2], rows):
        part = q[..., i : i + rows, :]
        state = (
            part.new_full(part.shape[:-1], -1e30),
            part.new_zeros(part.shape[:-1]),
            part.new_zeros(*part.shape[:-1], v.shape[-1]),
        )
        for j in range(max(0, i - width + 1), i + part.shape[-2], columns):
            key, value = (x[..., j : j + columns, :] for x in (k, v))
            scores = tile_scores(part, key, i, j, 0, scale)
            t = torch.arange(i, i + part.shape[-2])[:, None]
            s = torch.arange(j, j + key.shape[-2])
            scores = scores.masked_fill(s <= t - width, -math.inf)
            state = absorb(*state, scores, value)
        out[..., i : i + rows, :] = state[2] / state[1][..., None]
    return out


def test_window_tiles():
    """The exercise "A window, in tiles"."""
    check_window_tiles(window_tiles)
