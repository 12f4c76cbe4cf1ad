"""What holds for any sizes: distances, lengths, layouts, growing tables."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llm.position import (
    RopeScaling,
    Rotary,
    alibi_bias,
    alibi_slopes,
    rope_frequencies,
    rotate,
    sinusoidal,
    to_halves,
    to_interleaved,
)

PATIENTLY = settings(deadline=None, max_examples=60)
halves = st.integers(1, 24)
bases = st.sampled_from([100.0, 10_000.0, 1_000_000.0])


@PATIENTLY
@given(halves, bases, st.integers(0, 500), st.integers(0, 300), st.integers(0, 99))
def test_scores_depend_on_the_distance_only(half, base, start, shift, seed):
    generator = torch.Generator().manual_seed(seed)
    q, k = torch.randn(2, 1, 2, 2 * half, generator=generator)
    rotary = Rotary(2 * half, 8, base)
    near, far = torch.tensor([start, start + 3]), torch.tensor([0, 3]) + start + shift
    before = rotate(q, *rotary(near)) @ rotate(k, *rotary(near)).mT
    after = rotate(q, *rotary(far)) @ rotate(k, *rotary(far)).mT
    torch.testing.assert_close(before, after, rtol=1e-3, atol=2e-3 * half)


@PATIENTLY
@given(halves, st.integers(0, 99))
def test_rotation_keeps_lengths_and_position_0(half, seed):
    x = torch.randn(3, 5, 2 * half, generator=torch.Generator().manual_seed(seed))
    turned = rotate(x, *Rotary(2 * half, 5)(torch.arange(5)))
    torch.testing.assert_close(turned.norm(dim=-1), x.norm(dim=-1))
    assert torch.equal(turned[:, 0], x[:, 0])


@PATIENTLY
@given(st.integers(1, 6), halves, st.booleans())
def test_layouts_undo_each_other(n_heads, half, bias):
    rows = n_heads * 2 * half
    weight = torch.randn(rows) if bias else torch.randn(rows, 3)
    there = to_halves(weight, n_heads)
    assert torch.equal(to_interleaved(there, n_heads), weight)
    assert torch.equal(there.sort(0).values, weight.sort(0).values)


@PATIENTLY
@given(st.lists(st.integers(0, 3_000), min_size=1, max_size=20), st.integers(1, 64))
def test_growing_changes_nothing(positions, start):
    positions = torch.tensor(positions)
    grown, whole = Rotary(8, start), Rotary(8, 3_001)
    for a, b in zip(grown(positions), whole(positions), strict=True):
        assert torch.equal(a, b)
    assert not list(grown.state_dict())


@PATIENTLY
@given(
    st.sampled_from(["linear", "ntk", "yarn", "llama3"]),
    st.floats(1, 64),
    st.integers(16, 100_000),
    st.integers(2, 64),
    bases,
)
def test_scaled_frequencies_lie_between(kind, factor, trained, half, base):
    plain = rope_frequencies(2 * half, base)
    scaled = rope_frequencies(2 * half, base, RopeScaling(kind, factor, trained))
    ratio = plain / scaled
    assert (ratio > 1 - 1e-5).all()
    assert (ratio < factor * (1 + 1e-5)).all()
    assert (ratio.diff() > -1e-4 * factor).all(), "slow pairs are slowed most"


@PATIENTLY
@given(st.integers(1, 40), st.integers(1, 12), st.integers(0, 12))
def test_alibi_of_a_cache_is_the_last_rows(n_heads, T, before):
    S = T + before
    assert torch.equal(alibi_bias(n_heads, T, S), alibi_bias(n_heads, S)[:, before:])
    slopes = alibi_slopes(n_heads)
    assert len(slopes) == n_heads == len(set(slopes.tolist()))
    assert ((slopes > 0) & (slopes < 1)).all()


@PATIENTLY
@given(st.integers(1, 50), st.integers(1, 32))
def test_sinusoidal_vectors_are_equally_long(T, half):
    lengths = sinusoidal(T, 2 * half).norm(dim=-1)
    torch.testing.assert_close(lengths, torch.full((T,), math.sqrt(half)))


def test_rotation_keeps_the_type_and_the_gradient():
    x = torch.randn(2, 3, 4, 8, requires_grad=True)
    cos, sin = Rotary(8, 4)(torch.arange(4))
    rotate(x, cos, sin).square().sum().backward()
    torch.testing.assert_close(x.grad, 2 * x.detach())
    assert rotate(x.bfloat16(), cos, sin).dtype == torch.bfloat16


def test_tables_survive_a_change_of_type():
    """Frequencies are never rounded, only the tables that come from them."""
    rotary, exact = Rotary(64, 16).bfloat16(), Rotary(64, 4_096)
    positions = torch.arange(4_000, 4_096)
    for rounded, table in zip(rotary(positions), exact(positions), strict=True):
        assert rounded.dtype == torch.bfloat16
        torch.testing.assert_close(rounded, table.bfloat16(), rtol=0, atol=0)


def test_tables_can_be_filled_after_the_meta_device():
    with torch.device("meta"):
        rotary = Rotary(8, 16)
    rotary.to_empty(device="cpu")
    rotary.fill(16)
    assert torch.equal(rotary.cos, Rotary(8, 16).cos)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("dynamic", 2.0), "kind is 'dynamic'"),
        (("linear", 0.5), "factor is 0.5"),
        (("linear", math.nan), "factor is nan"),
        (("ntk", 1e300), "factor is 1e.300"),
        (("yarn", 2.0), "original_max_seq_len is None"),
        (("llama3", 2.0, 0), "original_max_seq_len is 0"),
        (("yarn", 2.0, 10**400), "original_max_seq_len is 1000"),
        (("llama3", 2.0, 8, 32.0, 1.0, None, 4.0, 4.0), "high_freq_factor"),
        (("llama3", 2.0, 8, 32.0, 1.0, None, math.nan, 4.0), "low_freq_factor is nan"),
        (("yarn", 2.0, 8, 1.0, 32.0), "beta_fast is 1.0: it must exceed"),
        (("yarn", 2.0, 8, 32.0, 0.0), "beta_slow is 0"),
        (("yarn", 2.0, 8, 32.0, 5e-324), "beta_slow is 5e-324"),
        (("yarn", 2.0, 8, math.inf), "beta_fast is inf"),
        (("yarn", 2.0, 8, 32.0, 1.0, math.nan), "attention_factor is nan"),
    ],
)
def test_wrong_scalings_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        RopeScaling(*arguments)


@pytest.mark.parametrize("base", [1.0, 0.0, -5.0, math.nan, math.inf, 1e300])
@pytest.mark.parametrize("kind", [None, "linear", "ntk", "yarn", "llama3"])
def test_wrong_bases_are_refused(kind, base):
    scaling = RopeScaling(kind, 4.0, 64) if kind else None
    with pytest.raises(ValueError, match="base is"):
        Rotary(8, 4, base, scaling)


numbers = st.floats() | st.floats(0, 99) | st.sampled_from([1 + 1e-15, 9e17, 2e-18])


@PATIENTLY
@given(
    st.sampled_from(["linear", "ntk", "yarn", "llama3"]),
    st.sampled_from([2, 4, 128]),
    st.integers(-1) | st.integers(1, 9_999),
    st.lists(numbers, min_size=7, max_size=7),
)
def test_any_numbers_give_finite_tables_or_a_value_error(
    kind, head_dim, trained, numbers
):
    """The numbers of a stranger's config: never another error, never NaN."""
    base, factor, *borders = numbers
    try:
        scaling = RopeScaling(kind, factor, trained, *borders)
        rotary = Rotary(head_dim, 4, base, scaling)
    except ValueError:
        return
    assert not rotary.cos.isnan().any()


def test_a_promise_of_length_costs_no_memory():
    rotary = Rotary(128, 2**40)
    assert len(rotary.cos) <= 1_024
    grown = rotary(torch.arange(3_000))
    rotary.fill(5_000)
    assert torch.equal(grown[0], rotary.cos[:3_000])
    assert torch.equal(grown[1], rotary.sin[:3_000])
    with pytest.raises(ValueError, match="max_seq_len is 0"):
        Rotary(8, 0)


def test_tables_grown_in_inference_can_be_trained_with():
    rotary, x = Rotary(8, 2), torch.randn(2, 5, 8, requires_grad=True)
    with torch.inference_mode():
        rotary(torch.arange(5))
    rotate(x, *rotary(torch.arange(5))).sum().backward()
    assert x.grad is not None


def test_odd_and_negative_are_refused():
    for call in (lambda: sinusoidal(3, 5), lambda: rope_frequencies(7)):
        with pytest.raises(ValueError, match=r"is [57]"):
            call()
    with pytest.raises(ValueError, match="-1"):
        Rotary(8, 4)(torch.tensor([0, -1]))
    with pytest.raises(ValueError, match="ntk needs two pairs"):
        rope_frequencies(2, scaling=RopeScaling("ntk", 4.0))


def test_a_known_length_asks_the_tensor_nothing():
    """On the meta device nothing can be asked: so no GPU is waited for."""
    rotary, positions = Rotary(8, 16).to("meta"), torch.arange(16, device="meta")
    cos, sin = rotary(positions, 16)
    assert cos.shape == sin.shape == (16, 8)
    with pytest.raises(RuntimeError, match="meta"):
        rotary(positions)
