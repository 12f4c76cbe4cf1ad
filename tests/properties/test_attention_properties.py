"""What holds for attention of any size."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llm.attention import (
    attention,
    attention_weights,
    causal_mask,
    fused_attention,
    heads_per_key,
    merge_heads,
    split_heads,
)

SIZES = st.integers(1, 5)
PATIENTLY = settings(deadline=None, max_examples=30)


@st.composite
def cases(draw):
    """q, k, v and a mask, of any sizes, in double precision."""
    groups, shared, T, S, D, E = (draw(SIZES) for _ in range(6))
    batch = draw(st.lists(st.integers(1, 3), max_size=2))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))

    def random(*shape):
        return torch.randn(*batch, *shape, dtype=torch.float64, generator=generator)

    q, k, v = random(groups * shared, T, D), random(groups, S, D), random(groups, S, E)
    return q, k, v, torch.rand(T, S, generator=generator) < draw(st.floats(0, 1))


@PATIENTLY
@given(cases())
def test_weights_are_shares_of_what_is_allowed(case):
    q, k, _, mask = case
    weights = attention_weights(q, k, mask)
    assert (weights >= 0).all()
    assert (weights.masked_select(~mask) == 0).all()
    some = mask.any(-1).double().expand(weights.shape[:-1])
    torch.testing.assert_close(weights.sum(-1), some)


@PATIENTLY
@given(cases())
def test_equal_to_loops(case):
    q, k, v, mask = case
    shared = heads_per_key(q, k)
    out = attention(q, k, v, mask)
    q, k, v, out = (x.flatten(0, -4) if x.ndim > 3 else x[None] for x in (q, k, v, out))
    for b in range(q.shape[0]):
        for h in range(q.shape[1]):
            for t in range(q.shape[2]):
                seen = [s for s in range(k.shape[2]) if mask[t, s]]
                keys = k[b, h // shared, seen]
                powers = (keys @ q[b, h, t] / math.sqrt(q.shape[-1])).exp()
                total = max(powers.sum().item(), 1e-300)
                expected = powers @ v[b, h // shared, seen] / total
                torch.testing.assert_close(out[b, h, t], expected)


@PATIENTLY
@given(cases())
def test_the_fused_one_is_equal(case):
    q, k, v, mask = case
    torch.testing.assert_close(fused_attention(q, k, v, mask), attention(q, k, v, mask))
    both = mask & causal_mask(*mask.shape)
    torch.testing.assert_close(
        fused_attention(q, k, v, mask, causal=True), attention(q, k, v, both)
    )


@PATIENTLY
@given(cases(), st.randoms(use_true_random=False))
def test_the_order_of_keys_is_nothing_to_it(case, random):
    q, k, v, mask = case
    order = list(range(k.shape[-2]))
    random.shuffle(order)
    shuffled = attention(q, k[..., order, :], v[..., order, :], mask[:, order])
    torch.testing.assert_close(shuffled, attention(q, k, v, mask))


@PATIENTLY
@given(cases(), st.floats(-1e4, 1e4))
def test_scores_may_be_huge(case, factor):
    q, k, v, mask = case
    out = attention(q.float() * factor, k.float() * factor, v.float(), mask)
    assert out.isfinite().all()
    assert out.abs().max() <= v.abs().max().item() * 1.001


@PATIENTLY
@given(SIZES, SIZES)
def test_causal_mask_of_any_shape(T, S):
    mask = causal_mask(T, S)
    for t in range(T):
        for s in range(S):
            assert mask[t, s] == (s - S <= t - T)


@PATIENTLY
@given(SIZES, SIZES, SIZES, SIZES)
def test_heads_split_and_merge(B, T, H, D):
    x = torch.arange(B * T * H * D).double().reshape(B, T, H * D)
    heads = split_heads(x, H)
    assert heads.shape == (B, H, T, D)
    assert heads.data_ptr() == x.data_ptr()
    assert torch.equal(merge_heads(heads), x)
    for h in range(H):
        assert torch.equal(heads[:, h], x[..., h * D : (h + 1) * D])


@PATIENTLY
@given(st.integers(1, 6), st.integers(1, 6))
def test_the_future_is_nothing_to_the_past(T, changed):
    torch.manual_seed(T)
    q, k, v = torch.randn(3, 2, 6, 4).unbind(0)
    t = min(changed, 5)
    before = attention(q, k, v, causal_mask(6))
    for x in (q, k, v):
        x[:, t:] += 1
    after = attention(q, k, v, causal_mask(6))
    torch.testing.assert_close(after[:, :t], before[:, :t])


@pytest.mark.parametrize(
    ("q", "k"),
    [
        ((6, 2, 4), (4, 2, 4)),
        ((2, 3, 2, 4), (1, 3, 2, 4)),
        ((2, 4), (1, 2, 4)),
        ((4, 2, 4), (2, 4)),
    ],
)
@pytest.mark.parametrize("way", [attention, fused_attention])
def test_what_does_not_fit_is_refused(way, q, k):
    q, k = torch.randn(q), torch.randn(k)
    with pytest.raises(ValueError, match="don't fit keys"):
        way(q, k, k)
