"""The tests of book/05-attention.md.

Tangled from book/05-attention.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from llm.attention import (
    attention,
    attention_weights,
    causal_mask,
    fused_attention,
)


# %% book/05-attention.md#test_a_query_that_may_attend_to_nothing_gets_zeros
def test_a_query_that_may_attend_to_nothing_gets_zeros():
    torch.manual_seed(0)
    q, k, v = torch.randn(3, 2, 4, 8, requires_grad=True).unbind(0)
    mask = causal_mask(4)
    mask[2] = False
    out = attention(q, k, v, mask)
    assert torch.equal(out[:, 2], torch.zeros(2, 8))
    (slope,) = torch.autograd.grad(out.sum(), q)
    assert slope.isfinite().all()
    assert torch.equal(slope[:, 2], torch.zeros(2, 8))


# %% book/05-attention.md#test_attention_equals_the_fused_one
def test_attention_equals_the_fused_one():
    torch.manual_seed(0)
    q = torch.randn(2, 6, 5, 16)
    k, v = torch.randn(2, 3, 9, 16), torch.randn(2, 3, 9, 7)
    mask = torch.rand(2, 1, 5, 9) < 0.5
    for allowed in (None, mask, causal_mask(5, 9)):
        ours = attention(q, k, v, allowed)
        torch.testing.assert_close(ours, fused_attention(q, k, v, allowed))
    both = attention(q, k, v, mask & causal_mask(5, 9))
    fused = fused_attention(q, k, v, mask, causal=True)
    torch.testing.assert_close(both, fused)


# %% book/05-attention.md#check_needed_score
def check_needed_score(needed_score):
    """`needed_score(T, share)`: what it takes to stand out."""
    for T in (2, 6, 1_000, 100_000):
        for share in (0.1, 0.5, 0.99):
            scores = torch.zeros(T, dtype=torch.float64)
            scores[0] = needed_score(T, share)
            assert abs(scores.softmax(0)[0] - share) < 1e-9


# %% book/05-attention.md#check_read_twice
def check_read_twice(read_twice):
    """`read_twice(x, W_Q, W_K, W_V)`: the last word, second round."""
    x = torch.tensor(
        [[1, 0, 1], [0, 1, 0], [1, 0, -1], [0, 0, 0], [0, 1, 1], [0, 1, 0]]
    ).float()
    W_Q = torch.tensor([[0, 3, 0], [3, 0, 0], [0, 0, 2]]).float()
    W_V = torch.diag(torch.tensor([1.0, 0, 1]))
    she = read_twice(x, W_Q, torch.eye(3), W_V)
    assert she.shape == (3,)
    assert she[0] > 1, "a name"
    assert she[2] > 1, "and feminine"
    x[4, 2] = -1
    he = read_twice(x, W_Q, torch.eye(3), W_V)
    assert 0 < he[2] < 0.5, "should be masculine, and isn't"


# %% book/05-attention.md#check_window_mask
def check_window_mask(window_mask):
    """`window_mask(T, width)`: true where t may look at s."""
    for T, width in ((1, 1), (5, 1), (5, 3), (6, 9)):
        mask = window_mask(T, width)
        assert mask.dtype == torch.bool
        for t in range(T):
            seen = [s for s in range(T) if mask[t, s]]
            assert seen == list(range(max(0, t - width + 1), t + 1))


# %% book/05-attention.md#check_attend_stream
def check_attend_stream(attend_stream):
    """`attend_stream(q, pairs)`: attention in constant memory."""
    torch.manual_seed(0)
    for scale in (1, 100):
        q = scale * torch.randn(8)
        k, v = torch.randn(50, 8), torch.randn(50, 3)
        pairs = zip(k, v, strict=True)
        expected = attention(q[None], k, v)[0]
        torch.testing.assert_close(attend_stream(q, pairs), expected)


# %% book/05-attention.md#Largest
class Largest(TorchDispatchMode):
    """The size of the largest tensor that is made under it."""

    size = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        if isinstance(made, Tensor):
            self.size = max(self.size, made.numel())
        return made


def check_linear_attention(linear_attention):
    """`linear_attention(q, k, v)`: a sum over the past, no softmax."""
    torch.manual_seed(0)
    q, k, v = torch.randn(20, 8), torch.randn(20, 8), torch.randn(20, 3)
    expected = (q @ k.T).tril() @ v
    torch.testing.assert_close(linear_attention(q, k, v), expected)
    with Largest() as seen:
        linear_attention(*torch.randn(3, 1_000, 8))
    assert seen.size < 1_000**2, "that was a square"


# %% book/05-attention.md#check_attention_backward
def check_attention_backward(attention_backward):
    """`attention_backward(q, k, v, grad)`: three derivatives."""
    torch.manual_seed(0)
    q, k, v = (
        torch.randn(n, d, dtype=torch.float64, requires_grad=True)
        for n, d in ((5, 8), (7, 8), (7, 3))
    )
    grad = torch.randn(5, 3, dtype=torch.float64)
    expected = torch.autograd.grad(attention(q, k, v), (q, k, v), grad)
    with torch.no_grad():
        found = attention_backward(q, k, v, grad)
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs)


# %% book/05-attention.md#check_continue_by_hand
def check_continue_by_hand(continue_by_hand):
    """`continue_by_hand(ids, V)`: two layers, no training."""
    torch.manual_seed(0)
    for period in (2, 5, 17):
        ids = torch.randperm(30)[:period].repeat(4)
        guesses = continue_by_hand(ids, 30).argmax(-1)
        expected = ids[period + 1 :]
        assert torch.equal(guesses[period:-1], expected), (
            "a wrong follower: does the first place carry a note?"
        )
    once = torch.tensor([3, 1, 2, 0, 3])
    changed = torch.tensor([3, 1, 2, 0, 1])
    before, after = continue_by_hand(once, 5), continue_by_hand(changed, 5)
    torch.testing.assert_close(before[:4], after[:4])


# %% book/05-attention.md#needed_score
def needed_score(T, share):
    return math.log(share / (1 - share)) + math.log(T - 1)


def test_needed_score():
    """The exercise "A needle in a longer haystack"."""
    check_needed_score(needed_score)


# %% book/05-attention.md#read_twice
def read_twice(x, W_Q, W_K, W_V):
    mask = causal_mask(len(x))
    for _ in range(2):
        found = attention(x @ W_Q, x @ W_K, x @ W_V, mask, scale=1.0)
        x = x + found
    return found[-1]


def test_read_twice():
    """The exercise "Who smiled?"."""
    check_read_twice(read_twice)


# %% book/05-attention.md#window_mask
def window_mask(T, width):
    return causal_mask(T).triu(1 - width)


def test_window_mask():
    """The exercise "A window"."""
    check_window_mask(window_mask)


# %% book/05-attention.md#attend_stream
def attend_stream(q, pairs):
    largest, total, mixed = torch.tensor(-math.inf), 0.0, 0.0
    for k, v in pairs:
        score = q @ k / len(q) ** 0.5
        new = torch.maximum(largest, score)
        shrink, weight = (largest - new).exp(), (score - new).exp()
        total = total * shrink + weight
        mixed = mixed * shrink + weight * v
        largest = new
    return mixed / total


def test_attend_stream():
    """The exercise "One key at a time"."""
    check_attend_stream(attend_stream)


# %% book/05-attention.md#linear_attention
def linear_attention(q, k, v):
    memory = torch.zeros(k.shape[1], v.shape[1])
    out = []
    for query, key, value in zip(q, k, v, strict=True):
        memory = memory + torch.outer(key, value)
        out.append(query @ memory)
    return torch.stack(out)


def test_linear_attention():
    """The exercise "Without the softmax"."""
    check_linear_attention(linear_attention)


# %% book/05-attention.md#attention_backward
def attention_backward(q, k, v, grad):
    scale = q.shape[-1] ** -0.5
    weights = attention_weights(q, k)
    by_weights = grad @ v.T
    mean = (weights * by_weights).sum(-1, keepdim=True)
    by_scores = weights * (by_weights - mean) * scale
    return by_scores @ k, by_scores.T @ q, weights.T @ grad


def test_attention_backward():
    """The exercise "Backwards by hand"."""
    check_attention_backward(attention_backward)


# %% book/05-attention.md#continue_by_hand
def continue_by_hand(ids, V, scale=100.0):
    T = len(ids)
    token, place = F.one_hot(ids, V).float(), torch.eye(T)
    mask = causal_mask(T)
    before = torch.zeros(T, T)
    before[1:] = place[:-1]
    note = attention(before, place, token, mask, scale=scale)
    note[0] = 0  # nothing comes before the first
    return attention(token, note, token, mask, scale=scale)


def test_continue_by_hand():
    """The exercise "An induction head without training"."""
    check_continue_by_hand(continue_by_hand)
