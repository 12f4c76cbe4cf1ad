"""Attention against PyTorch's kernels and transformers' eager implementation."""

import itertools
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F

from llm.attention import (
    attention,
    causal_mask,
    fused_attention,
    merge_heads,
    split_heads,
)

SHAPES = [
    ((), 1, 1),
    ((), 4, 4),
    ((2,), 6, 3),
    ((3,), 8, 1),
    ((2, 2), 4, 2),
]


def inputs(batch, heads, groups, T, S, D=16, E=16, dtype=torch.float32):
    torch.manual_seed(heads * T + S)
    return (
        torch.randn(*batch, heads, T, D, dtype=dtype),
        torch.randn(*batch, groups, S, D, dtype=dtype),
        torch.randn(*batch, groups, S, E, dtype=dtype),
    )


def reference(q, k, v, mask=None, **options):
    """PyTorch's own, with the keys copied for each head."""
    shared = q.shape[-3] // k.shape[-3]
    k, v = (x.repeat_interleave(shared, dim=-3) for x in (k, v))
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, **options)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("T", "S"), [(1, 1), (1, 7), (5, 5), (3, 8), (33, 33)])
@pytest.mark.parametrize("scale", [None, 0.37])
def test_both_ways_equal_pytorch(shape, T, S, scale):
    q, k, v = inputs(*shape, T, S)
    allowed = torch.rand(T, S) < 0.6
    for mask in (None, causal_mask(T, S), allowed):
        expected = reference(q, k, v, mask, scale=scale)
        for way in (attention, fused_attention):
            found = way(q, k, v, mask, scale=scale)
            torch.testing.assert_close(found, expected)


@pytest.mark.parametrize(("T", "S"), [(1, 1), (1, 7), (5, 5), (3, 8)])
def test_causal_is_the_lower_right_triangle(T, S):
    q, k, v = inputs((2,), 4, 2, T, S)
    allowed = torch.rand(T, S) < 0.6
    for mask in (None, allowed):
        both = causal_mask(T, S) if mask is None else mask & causal_mask(T, S)
        fused = fused_attention(q, k, v, mask, causal=True)
        torch.testing.assert_close(fused, attention(q, k, v, both))


def test_gradients_equal_pytorchs():
    tensors = inputs((2,), 6, 2, 9, 9, E=5, dtype=torch.float64)
    q, k, v = (x.requires_grad_() for x in tensors)
    mask = causal_mask(9)
    mask[4] = False
    weight = torch.randn(2, 6, 9, 5, dtype=torch.float64)
    ours, fused = (
        torch.autograd.grad(way(q, k, v, mask), (q, k, v), weight)
        for way in (attention, fused_attention)
    )
    for a, b in zip(ours, fused, strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_as_near_as_pytorchs(dtype):
    q, k, v = inputs((2,), 4, 2, 64, 64)
    exact = attention(q.double(), k.double(), v.double(), causal_mask(64))
    q, k, v = (x.to(dtype) for x in (q, k, v))
    ours = attention(q, k, v, causal_mask(64))
    theirs = reference(q, k, v, causal_mask(64))
    assert ours.dtype == dtype
    error, bound = ((x.double() - exact).abs().max() for x in (ours, theirs))
    assert error < 2 * bound + torch.finfo(dtype).eps


def test_equal_to_transformers_eager_attention():
    llama = pytest.importorskip("transformers.models.llama.modeling_llama")
    q, k, v = inputs((2,), 6, 3, 7, 7)
    mask = causal_mask(7)
    bias = torch.zeros(1, 1, 7, 7).masked_fill(~mask, torch.finfo(torch.float32).min)
    module = SimpleNamespace(num_key_value_groups=2, training=False)
    out, _ = llama.eager_attention_forward(module, q, k, v, bias, scaling=16**-0.5)
    ours = attention(q, k, v, mask).transpose(1, 2)
    torch.testing.assert_close(ours, out)


def test_equal_to_multihead_attention():
    torch.manual_seed(0)
    theirs = torch.nn.MultiheadAttention(12, 3, bias=False, batch_first=True)
    x = torch.randn(2, 5, 12)
    mask = causal_mask(5)
    expected, _ = theirs(x, x, x, attn_mask=~mask, need_weights=False)
    projected = F.linear(x, theirs.in_proj_weight).chunk(3, -1)
    q, k, v = (split_heads(y, 3) for y in projected)
    ours = theirs.out_proj(merge_heads(attention(q, k, v, mask)))
    torch.testing.assert_close(ours, expected)


def test_on_a_gpu_all_dtypes_and_masks():
    if not torch.cuda.is_available():
        pytest.skip("no GPU here")
    dtypes = (torch.float32, torch.bfloat16)
    for dtype, (T, S) in itertools.product(dtypes, [(64, 64), (1, 65), (5, 64)]):
        q, k, v = (x.cuda().to(dtype) for x in inputs((2,), 8, 2, T, S, 64, 64))
        mask = causal_mask(T, S, device=q.device)
        ours, fused = attention(q, k, v, mask), fused_attention(q, k, v, causal=True)
        tolerance = 2e-2 if dtype == torch.bfloat16 else 1e-3
        torch.testing.assert_close(ours, fused, atol=tolerance, rtol=tolerance)
