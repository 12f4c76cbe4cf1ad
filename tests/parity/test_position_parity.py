"""Frequencies, rotation and biases against transformers'."""

import pytest
import torch
from transformers import LlamaConfig
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS
from transformers.models.bloom.modeling_bloom import build_alibi_tensor
from transformers.models.cohere import modeling_cohere as interleaved
from transformers.models.distilbert.modeling_distilbert import (
    create_sinusoidal_embeddings,
)
from transformers.models.llama.modeling_llama import (
    LlamaRotaryEmbedding,
    apply_rotary_pos_emb,
)

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

SIZES = [(8, 1e6), (16, 1e4), (32, 100.0), (64, 1e4), (128, 5e5)]
KINDS = {"linear": "linear", "dynamic": "ntk", "yarn": "yarn", "llama3": "llama3"}


def config(head_dim, base, length, **rope):
    return LlamaConfig(
        hidden_size=2 * head_dim,
        num_attention_heads=2,
        head_dim=head_dim,
        max_position_embeddings=length,
        rope_parameters={"rope_theta": base, **rope},
    )


def theirs(kind, head_dim, base, factor, trained, **more):
    """Frequencies and attention factor of transformers, for factor x trained."""
    if kind == "dynamic":  # at so long a text that the base is that of `factor`
        settings = config(head_dim, base, trained, rope_type=kind, factor=1.0)
        return ROPE_INIT_FUNCTIONS[kind](settings, "cpu", seq_len=int(factor * trained))
    rope = {"rope_type": kind, "factor": factor, **more}
    if kind != "linear":
        rope["original_max_position_embeddings"] = trained
    if kind == "llama3":
        rope = {"low_freq_factor": 1.0, "high_freq_factor": 4.0, **rope}
    settings = config(head_dim, base, int(factor * trained), **rope)
    return ROPE_INIT_FUNCTIONS[kind](settings, "cpu")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("factor", [2.0, 4.0, 8.5, 32.0])
@pytest.mark.parametrize("trained", [64, 2_048, 32_768])
def test_scaled_frequencies_equal_transformers(kind, factor, trained):
    scaling = RopeScaling(KINDS[kind], factor, trained)
    for head_dim, base in SIZES:
        frequencies, magnitude = theirs(kind, head_dim, base, factor, trained)
        mine = rope_frequencies(head_dim, base, scaling)
        torch.testing.assert_close(mine, frequencies, rtol=1e-6, atol=0)
        assert scaling.magnitude == pytest.approx(magnitude, rel=1e-12)


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("yarn", {"beta_fast": 8.0, "beta_slow": 2.0}),
        ("yarn", {"beta_fast": 4.0, "beta_slow": 0.5, "attention_factor": 1.25}),
        ("llama3", {"low_freq_factor": 0.5, "high_freq_factor": 2.0}),
    ],
)
def test_other_borders_equal_transformers(kind, more):
    scaling = RopeScaling(kind, 4.0, 4_096, **more)
    for head_dim, base in SIZES:
        frequencies, magnitude = theirs(kind, head_dim, base, 4.0, 4_096, **more)
        mine = rope_frequencies(head_dim, base, scaling)
        torch.testing.assert_close(mine, frequencies, rtol=1e-6, atol=0)
        assert scaling.magnitude == pytest.approx(magnitude, rel=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("kind", [None, "yarn", "llama3"])
def test_tables_and_rotation_equal_transformers(dtype, kind):
    rope = {"rope_type": "default"}
    scaling = None
    if kind:
        scaling = RopeScaling(kind, 4.0, 128)
        rope = {"rope_type": kind, "factor": 4.0}
        rope["original_max_position_embeddings"] = 128
        if kind == "llama3":
            rope |= {"low_freq_factor": 1.0, "high_freq_factor": 4.0}
    torch.manual_seed(0)
    q, k = (
        torch.randn(2, 4, 60, 32, dtype=dtype),
        torch.randn(2, 2, 60, 32, dtype=dtype),
    )
    positions = torch.randint(512, (2, 60))
    reference = LlamaRotaryEmbedding(config(32, 1e4, 512, **rope))
    cos, sin = reference(q, positions)
    expected = apply_rotary_pos_emb(q, k, cos, sin)

    rotary = Rotary(32, 512, 1e4, scaling).to(dtype)
    ours = rotary(positions)
    exact = {"rtol": 0.01, "atol": 1e-4} if kind else {"rtol": 0, "atol": 0}
    torch.testing.assert_close(ours, (cos, sin), **exact)
    turned = (rotate(q, *ours), rotate(k, *ours))
    torch.testing.assert_close(turned, expected, **exact)


def test_interleaved_projections_equal_cohere():
    """Cohere's layout is the paper's; permuted projections give its scores."""
    torch.manual_seed(0)
    heads, groups, head_dim = 4, 2, 16
    x, at = torch.randn(1, 30, 24), torch.arange(30)[None]
    wq, wk = torch.randn(heads * head_dim, 24), torch.randn(groups * head_dim, 24)
    frequencies = rope_frequencies(head_dim)
    angles = (at[..., None] * frequencies).repeat_interleave(2, -1)

    def project(w, n):
        return (x @ w.T).unflatten(-1, (n, head_dim)).transpose(1, 2)

    q, k = interleaved.apply_rotary_pos_emb(
        project(wq, heads), project(wk, groups), angles.cos(), angles.sin()
    )
    cos, sin = Rotary(head_dim, 30)(at)
    ours_q = rotate(project(to_halves(wq, heads), heads), cos, sin)
    ours_k = rotate(project(to_halves(wk, groups), groups), cos, sin)
    for head in range(heads):
        mine = ours_q[0, head] @ ours_k[0, head // 2].T
        expected = q[0, head] @ k[0, head // 2].T
        torch.testing.assert_close(mine, expected, rtol=1e-4, atol=1e-3)
    assert torch.equal(to_interleaved(to_halves(wk, groups), groups), wk)


@pytest.mark.parametrize("n_heads", [1, 2, 3, 6, 8, 12, 16, 25, 32, 112])
def test_alibi_equals_bloom(n_heads):
    mask = torch.ones(1, 20)
    bloom = build_alibi_tensor(mask, n_heads, torch.float32)  # H 1 S: slope x key
    torch.testing.assert_close(bloom[:, 0, 1], alibi_slopes(n_heads))
    ours = alibi_bias(n_heads, 20).tril()
    past = torch.ones(20, 20).tril().bool()
    weights = ours.masked_fill(~past, -torch.inf).softmax(-1)
    expected = bloom.expand(-1, 20, -1).masked_fill(~past, -torch.inf).softmax(-1)
    torch.testing.assert_close(weights, expected)


@pytest.mark.parametrize(("T", "D"), [(1, 2), (40, 6), (512, 64)])
def test_sinusoidal_equals_distilbert(T, D):
    out = torch.empty(T, D)
    create_sinusoidal_embeddings(T, D, out)
    torch.testing.assert_close(sinusoidal(T, D), out, rtol=0, atol=1e-4)
