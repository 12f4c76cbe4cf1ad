"""The tests of book/11-fast-and-small.md.

Tangled from book/11-fast-and-small.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import itertools
import math

import torch

from llm.config import preset
from llm.flops import Roofline, step_memory


# %% book/11-fast-and-small.md#check_tokens_to_fill
def check_tokens_to_fill(tokens_to_fill):
    """`tokens_to_fill(roof, D, size)`: from where on arithmetic is it."""
    h200 = Roofline(989e12, 4.8e12)
    assert tokens_to_fill(h200, 4096, 2) == 230
    assert tokens_to_fill(h200, 8192, 2) == 217
    assert tokens_to_fill(Roofline(1e11, 1e10), 1000, 4) == 21
    assert tokens_to_fill(h200, 256, 2) is None, "no number of them"


# %% book/11-fast-and-small.md#check_largest_batch
def check_largest_batch(largest_batch):
    """`largest_batch(config, T, room)`: rows that fit."""
    for name, T, room in (("village", 256, 1e9), ("gpt2", 256, 4e9)):
        config = preset(name)
        B = largest_batch(config, T, room)
        assert step_memory(config, B, T).peak <= room
        assert step_memory(config, B + 1, T).peak > room
        assert largest_batch(config, T, room, checkpointed=True) > B
    assert largest_batch(preset("gpt2"), 256, 1e9) == 0


# %% book/11-fast-and-small.md#check_round_by_dice
def check_round_by_dice(round_by_dice):
    """`round_by_dice(x)`: bfloat16 whose mean is right."""
    torch.manual_seed(0)
    for number in (1.001, -0.3, 3.14159, 1e-8):
        x = torch.full((20_000,), number)
        short = round_by_dice(x)
        assert short.dtype == torch.bfloat16
        step = abs(number) / 128
        assert ((short.float() - x).abs() <= step).all(), "a neighbour"
        assert abs(short.double().mean() - number) < 0.05 * step
    exact = torch.tensor([0.0, 1.0, -2.5, 256.0])
    assert torch.equal(round_by_dice(exact).float(), exact)
    weight = torch.ones(1000, dtype=torch.bfloat16)
    for _ in range(100):
        weight = round_by_dice(weight.float() + 1e-3)
    assert abs(weight.double().mean() - 1.1) < 0.01


# %% book/11-fast-and-small.md#check_best_segment
def check_best_segment(best_segment):
    """`best_segment(n, m)`: how many layers to compute again at once."""
    def peak(n, m, s):
        return math.ceil(n / s) + m * s

    for n, m in ((1, 1), (12, 1), (100, 1), (100, 22), (126, 30)):
        s = best_segment(n, m)
        assert peak(n, m, s) == min(peak(n, m, t) for t in range(1, n + 1))


# %% book/11-fast-and-small.md#tokens_to_fill
def tokens_to_fill(roof, D, size):
    need = roof.ridge * size
    return math.ceil(need * D / (2 * D - 2 * need)) if need < D else None


def test_tokens_to_fill():
    """The exercise "How many tokens fill a machine?"."""
    check_tokens_to_fill(tokens_to_fill)


# %% book/11-fast-and-small.md#largest_batch
def largest_batch(config, T, room, **options):
    fits = (
        B for B in itertools.count(1)
        if step_memory(config, B, T, **options).peak > room
    )
    return next(fits) - 1


def test_largest_batch():
    """The exercise "What fits?"."""
    check_largest_batch(largest_batch)


# %% book/11-fast-and-small.md#round_by_dice
def round_by_dice(x):
    noise = torch.randint(2**16, x.shape, dtype=torch.int32)
    pattern = x.view(torch.int32) + noise
    upper = pattern.bitwise_and(-(2**16))
    return upper.view(torch.float32).to(torch.bfloat16)


def test_round_by_dice():
    """The exercise "Rounding by dice"."""
    check_round_by_dice(round_by_dice)


# %% book/11-fast-and-small.md#best_segment
def best_segment(n, m):
    return min(range(1, n + 1), key=lambda s: math.ceil(n / s) + m * s)


def test_best_segment():
    """The exercise "How many checkpoints?"."""
    check_best_segment(best_segment)
