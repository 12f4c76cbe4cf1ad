"""The tests of book/01-a-language-model-whole.md.

Tangled from book/01-a-language-model-whole.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import math

import torch
import torch.nn.functional as F

from llm.metrics import bits_per_byte, cross_entropy, perplexity


# %% book/01-a-language-model-whole.md#test_uniform_model
def test_uniform_model():
    assert math.isclose(perplexity(math.log(256)), 256)
    assert math.isclose(bits_per_byte(1000 * math.log(256), 1000), 8)
    assert perplexity(1e6) == math.inf
    assert math.isnan(perplexity(math.nan))


# %% book/01-a-language-model-whole.md#test_cross_entropy_is_pytorchs
def test_cross_entropy_is_pytorchs():
    draw = torch.Generator().manual_seed(0)
    for scale in (1.0, 1e4):
        logits = scale * torch.randn(4, 7, 50, generator=draw)
        targets = torch.randint(50, (4, 7), generator=draw)
        targets[0, :3] = -100
        for reduction in ("mean", "sum", "none"):
            ours = cross_entropy(logits, targets, reduction=reduction)
            theirs = F.cross_entropy(
                logits.flatten(0, 1), targets.flatten(), reduction=reduction
            )
            torch.testing.assert_close(ours.flatten(), theirs.flatten())


# %% book/01-a-language-model-whole.md#check_entropy
def check_entropy(entropy):
    assert entropy([0.5, 0.5]) == 1
    assert abs(entropy([1 / 6] * 6) - math.log2(6)) < 1e-12
    assert entropy([1.0]) == 0
    assert entropy([0.5, 0.0, 0.5]) == 1, "what can't happen adds nothing"
    assert 0 < entropy([0.9, 0.1]) < 0.5, "a loaded coin is less unsure"


# %% book/01-a-language-model-whole.md#check_compare
def check_compare(compare):
    a = compare(3.1, 1_000_000, 1_000_000)
    b = compare(61, 240_000, 1_000_000)
    assert abs(a - math.log2(3.1)) < 1e-9
    assert b < a, "a twentyfold perplexity, and yet the better model"
    assert abs(compare(2, 8, 1) - 8) < 1e-9


# %% book/01-a-language-model-whole.md#check_log_sum_exp
def check_log_sum_exp(log_sum_exp):
    draw = torch.Generator().manual_seed(0)
    for scale in (1, 1000):
        logits = scale * torch.randn(1000, generator=draw).double()
        ours = log_sum_exp(iter(logits.split(77)))
        torch.testing.assert_close(ours, logits.logsumexp(0))
    late = [torch.zeros(3), torch.tensor([5000.0])]
    assert log_sum_exp(iter(late)) == 5000


# %% book/01-a-language-model-whole.md#entropy
def entropy(p):
    return sum(-q * math.log2(q) for q in p if q > 0)


def test_entropy():
    check_entropy(entropy)


# %% book/01-a-language-model-whole.md#compare
def compare(perplexity, pieces, n_bytes):
    return bits_per_byte(math.log(perplexity) * pieces, n_bytes)


def test_compare():
    check_compare(compare)


# %% book/01-a-language-model-whole.md#log_sum_exp
def log_sum_exp(pieces):
    largest, total = torch.tensor(-math.inf), torch.tensor(0.0)
    for piece in pieces:
        new = torch.maximum(largest, piece.max())
        total = total * (largest - new).exp() + (piece - new).exp().sum()
        largest = new
    return largest + total.log()


def test_log_sum_exp():
    check_log_sum_exp(log_sum_exp)
