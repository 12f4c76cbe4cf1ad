"""The tests of book/06-position.md.

Tangled from book/06-position.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import math

import torch

from llm.attention import attention, causal_mask
from llm.position import (
    RopeScaling,
    Rotary,
    alibi_bias,
    alibi_slopes,
    rope_frequencies,
    rotate,
    sinusoidal,
)


# %% book/06-position.md#check_full_turns
def check_full_turns(full_turns):
    """`full_turns(head_dim, base, T)`: pairs that turn once or more."""
    assert full_turns(16, 10_000.0, 64) == 3
    assert full_turns(128, 10_000.0, 8_192) == 50
    assert full_turns(128, 500_000.0, 8_192) == 35
    assert full_turns(64, 10_000.0, 6) == 0


# %% book/06-position.md#check_shift
def check_shift(shift):
    """`shift(k, D)`: a matrix that moves sinusoidal vectors by k."""
    table = sinusoidal(50, 16)
    for k in (0, 1, 7):
        moved = table[: 50 - k] @ shift(k, 16)
        assert torch.allclose(moved, table[k:], atol=1e-4)


# %% book/06-position.md#check_rotate_part
def check_rotate_part(rotate_part):
    """`rotate_part(x, cos, sin)`: RoPE on the first dimensions only."""
    torch.manual_seed(0)
    x = torch.randn(2, 3, 5, 16)
    cos, sin = Rotary(4, 5)(torch.arange(5))
    turned = rotate_part(x, cos, sin)
    assert turned.shape == x.shape
    assert torch.equal(turned[..., 4:], x[..., 4:])
    assert torch.equal(turned[..., :4], rotate(x[..., :4], cos, sin))


# %% book/06-position.md#check_alibi_attention
def check_alibi_attention(alibi_attention):
    """`alibi_attention(q, k, v)`: causal, over "B H T D"."""
    torch.manual_seed(0)
    q, k, v = torch.randn(3, 2, 4, 20, 8)
    scores = q @ k.mT / 8**0.5 + alibi_bias(4, 20)
    scores = scores.masked_fill(~causal_mask(20), -torch.inf)
    expected = scores.softmax(-1) @ v
    assert torch.allclose(alibi_attention(q, k, v), expected, atol=1e-5)


# %% book/06-position.md#check_dynamic_frequencies
def check_dynamic_frequencies(dynamic_frequencies):
    """`dynamic_frequencies(head_dim, base, trained, factor, n)`."""
    for n in (1, 64):
        same = dynamic_frequencies(16, 10_000.0, 64, 2.0, n)
        assert torch.equal(same, rope_frequencies(16))
    longer = dynamic_frequencies(16, 10_000.0, 64, 2.0, 128)
    expected = rope_frequencies(16, scaling=RopeScaling("ntk", 3.0))
    assert torch.equal(longer, expected)


# %% book/06-position.md#check_bucket
def check_bucket(bucket):
    """`bucket(distance, n, m)`: T5's buckets, for looking back."""
    near = torch.arange(16)
    assert torch.equal(bucket(near, 32, 128), near)
    far = torch.tensor([16, 20, 40, 90, 127, 128, 5_000])
    expected = [16, 17, 23, 29, 31, 31, 31]
    assert bucket(far, 32, 128).tolist() == expected
    assert bucket(torch.tensor([3, 4, 9]), 8, 16).tolist() == [3, 4, 6]


# %% book/06-position.md#full_turns
def full_turns(head_dim, base, T):
    turns = T * rope_frequencies(head_dim, base) / (2 * math.pi)
    return int((turns >= 1).sum())


def test_full_turns():
    """The exercise "All the way round"."""
    check_full_turns(full_turns)


# %% book/06-position.md#shift
def shift(k, D):
    blocks = []
    for speed in rope_frequencies(D).tolist():
        c, s = math.cos(k * speed), math.sin(k * speed)
        blocks.append(torch.tensor([[c, -s], [s, c]]))
    return torch.block_diag(*blocks)


def test_shift():
    """The exercise "Five tokens later"."""
    check_shift(shift)


# %% book/06-position.md#rotate_part
def rotate_part(x, cos, sin):
    turning = cos.shape[-1]
    turned = rotate(x[..., :turning], cos, sin)
    return torch.cat((turned, x[..., turning:]), -1)


def test_rotate_part():
    """The exercise "Only a quarter"."""
    check_rotate_part(rotate_part)


# %% book/06-position.md#alibi_attention
def alibi_attention(q, k, v):
    H, T, D = q.shape[-3:]
    ramp = alibi_slopes(H)[:, None, None] * torch.arange(T)[:, None]
    one = torch.ones_like(q[..., :1])
    q = torch.cat((q / D**0.5, one), -1)
    k = torch.cat((k, ramp.expand_as(one)), -1)
    return attention(q, k, v, causal_mask(T), scale=1.0)


def test_alibi_attention():
    """The exercise "ALiBi in one more dimension"."""
    check_alibi_attention(alibi_attention)


# %% book/06-position.md#dynamic_frequencies
def dynamic_frequencies(head_dim, base, trained, factor, n):
    grown = factor * max(n, trained) / trained - (factor - 1)
    return rope_frequencies(head_dim, base, RopeScaling("ntk", grown))


def test_dynamic_frequencies():
    """The exercise "No worse than before"."""
    check_dynamic_frequencies(dynamic_frequencies)


# %% book/06-position.md#bucket
def bucket(distance, n, m):
    exact = n // 2
    ratio = (distance.clamp(min=1) / exact).log() / math.log(m / exact)
    far = (exact + ratio * (n - exact)).long().clamp(max=n - 1)
    return torch.where(distance < exact, distance, far)


def test_bucket():
    """The exercise "Buckets of distance"."""
    check_bucket(bucket)
