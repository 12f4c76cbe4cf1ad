"""What holds for any config: sizes, causality, packing, the loss, saving."""

import dataclasses
import json
from typing import Any

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from llm.config import (
    CHOICES,
    PRESETS,
    ModelConfig,
    flops_per_token,
    n_parameters,
    preset,
)
from llm.linear_loss import linear_cross_entropy
from llm.metrics import cross_entropy
from llm.model import Transformer, sample
from llm.position import RopeScaling

FLAGS = ("norm_weight", "qkv_bias", "out_bias", "mlp_bias", "qk_norm")
FLAGS += ("tie_embeddings", "embed_norm", "embed_shortcut", "value_embeddings")


@st.composite
def configs(draw: Any, **fixed: Any) -> ModelConfig:
    n_kv_heads = draw(st.integers(1, 3))
    fields = {
        "vocab_size": draw(st.integers(2, 19)),
        "n_layers": draw(st.integers(1, 3)),
        "n_heads": n_kv_heads * draw(st.integers(1, 3)),
        "n_kv_heads": n_kv_heads,
        "d_model": draw(st.integers(2, 24)),
        "head_dim": 2 * draw(st.integers(1, 4)),
        "d_ff": draw(st.integers(1, 30)),
        "max_seq_len": draw(st.integers(6, 12)),
        "init_std": 0.3,
        "ngrams": draw(st.integers(1, 4)),
        "ngram_rows": draw(st.integers(1, 9)),
    }
    fields |= {name: draw(st.sampled_from(c)) for name, c in CHOICES.items()}
    fields |= {name: draw(st.booleans()) for name in FLAGS}
    fields |= fixed
    assume(fields["position"] != "sinusoidal" or fields["d_model"] % 2 == 0)
    return ModelConfig(**fields)


def built(config: ModelConfig) -> Transformer:
    torch.manual_seed(0)
    return Transformer(config)


@settings(max_examples=60, deadline=None)
@given(configs())
def test_formulas_agree_with_what_is_built_and_done(config):
    model = built(config)
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert n_parameters(config) == trainable
    ids = torch.randint(config.vocab_size, (2, 6))
    everything = torch.ones(6, 6, dtype=torch.bool)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(ids, mask=everything)
    assert counter.get_total_flops() == 12 * flops_per_token(config, 6)
    with FlopCounterMode(display=False) as training:
        model(ids, mask=everything).sum().backward()
    assert training.get_total_flops() == 36 * flops_per_token(config, 6)


@settings(max_examples=60, deadline=None)
@given(configs(init="normal"), st.integers(1, 5))
def test_no_token_sees_a_later_one(config, cut):
    model = built(config)
    ids = torch.randint(config.vocab_size, (2, 6))
    changed = ids.clone()
    changed[:, cut:] = (changed[:, cut:] + 1) % config.vocab_size
    before, after = model(ids)[:, :cut], model(changed)[:, :cut]
    torch.testing.assert_close(before, after, atol=1e-4, rtol=1e-3)


@settings(max_examples=40, deadline=None)
@given(configs(), st.integers(1, 5))
def test_packed_documents_are_as_if_alone(config, cut):
    model = built(config)
    ids = torch.randint(config.vocab_size, (1, 6))
    owners = torch.arange(6) >= cut
    mask = (owners[:, None] == owners) & torch.ones(6, 6).tril().bool()
    positions = torch.arange(6) - cut * owners
    together = model(ids, mask=mask[None], positions=positions[None])
    alone = torch.cat([model(ids[:, :cut]), model(ids[:, cut:])], 1)
    torch.testing.assert_close(together, alone, atol=1e-4, rtol=1e-3)


@settings(max_examples=40, deadline=None)
@given(configs())
def test_loss_and_its_gradients_are_those_of_the_logits(config):
    model = built(config)
    ids = torch.randint(config.vocab_size, (2, 7))
    inputs, targets = ids[:, :-1], ids[:, 1:].clone()
    targets[0, 2:4] = -100
    trained = [p for p in model.parameters() if p.requires_grad]
    plain = cross_entropy(model(inputs), targets)
    expected = torch.autograd.grad(plain, trained, allow_unused=True)
    loss = model.loss(inputs, targets)
    found = torch.autograd.grad(loss, trained, allow_unused=True)
    torch.testing.assert_close(loss, plain, atol=1e-5, rtol=1e-5)
    for one, other in zip(found, expected, strict=True):
        if other is not None:
            torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-3)


def tied_model_and_its_gradient():
    """A model with a tied table, a batch, and the table's gradient from all logits."""
    torch.manual_seed(0)
    model = Transformer(preset("gpt2", vocab_size=50, n_layers=1, d_model=12))
    ids = torch.randint(50, (2, 9))
    cross_entropy(model(ids[:, :-1]), ids[:, 1:]).backward()
    expected = model.embedding.weight.grad.clone()
    model.zero_grad()
    return model, ids, expected


@pytest.mark.parametrize("factor", [1.0, 0.25])
def test_a_tied_table_has_one_dense_gradient_however_often_it_is_added_to(factor):
    model, ids, expected = tied_model_and_its_gradient()
    for times in (1, 2, 3):
        (factor * model.loss(ids[:, :-1], ids[:, 1:])).backward()
        found = model.embedding.weight.grad
        assert found.layout == torch.strided
        torch.testing.assert_close(found, times * factor * expected)


def test_a_scaled_graph_with_a_tied_table_serves_again():
    model, ids, expected = tied_model_and_its_gradient()
    loss = 0.25 * model.loss(ids[:, :-1], ids[:, 1:])
    for times in (1, 2, 3):
        loss.backward(retain_graph=True)
        found = model.embedding.weight.grad
        torch.testing.assert_close(found, times * 0.25 * expected)


def test_a_graph_with_a_tied_table_serves_once_and_says_so():
    model = Transformer(preset("gpt2", vocab_size=50, n_layers=1, d_model=12))
    ids = torch.randint(50, (2, 9))
    loss = model.loss(ids[:, :-1], ids[:, 1:])
    loss.backward(retain_graph=True)
    kept = model.embedding.weight.grad.clone()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()
    torch.testing.assert_close(model.embedding.weight.grad, kept)


@settings(max_examples=40, deadline=None)
@given(configs(), st.booleans())
def test_configs_and_weights_survive_saving(config, stretched):
    if stretched:
        scaling = RopeScaling("yarn", 4.0, original_max_seq_len=8)
        config = dataclasses.replace(config, rope_scaling=scaling)
    again = ModelConfig.from_dict(json.loads(json.dumps(config.to_dict())))
    assert again == config
    first, second = built(config), Transformer(again)
    second.load_state_dict(first.state_dict())
    ids = torch.randint(config.vocab_size, (1, 5))
    assert torch.equal(first(ids), second(ids))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_linear_cross_entropy_in_other_precisions(dtype):
    torch.manual_seed(0)
    x = torch.randn(40, 16, dtype=dtype, requires_grad=True)
    weight = torch.randn(23, 16, dtype=dtype, requires_grad=True)
    targets = torch.randint(23, (40,))
    loss = linear_cross_entropy(x, weight, targets, rows=7)
    plain = cross_entropy(x.double() @ weight.double().T, targets)
    tolerance = 0.05 if dtype is torch.bfloat16 else 1e-10
    torch.testing.assert_close(loss.double(), plain, atol=tolerance, rtol=tolerance)
    expected = torch.autograd.grad(plain, (x, weight))
    for one, other in zip(
        torch.autograd.grad(loss, (x, weight)), expected, strict=True
    ):
        assert one.dtype == dtype
        torch.testing.assert_close(one, other, atol=tolerance, rtol=tolerance)


def test_linear_cross_entropy_of_huge_logits_and_of_nothing():
    x, weight = torch.full((2, 4), 1e4), torch.eye(4)
    targets = torch.tensor([1, 2])
    assert torch.isfinite(linear_cross_entropy(x, weight, targets))
    nothing = torch.full((2,), -100)
    assert linear_cross_entropy(x, weight, nothing).isnan()


def test_linear_cross_entropy_under_autocast():
    torch.manual_seed(0)
    x, weight = torch.randn(9, 8), torch.randn(5, 8, requires_grad=True)
    targets = torch.randint(5, (9,))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = linear_cross_entropy(x, weight, targets)
    loss.backward()
    assert loss.dtype == weight.grad.dtype == torch.float32
    plain = cross_entropy(x @ weight.T, targets)
    torch.testing.assert_close(loss, plain, atol=0.05, rtol=0.05)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_heads": 5}, "d_model is 128, no multiple of n_heads, 5"),
        ({"n_kv_heads": 3}, "n_heads is 4, no multiple of n_kv_heads, 3"),
        ({"n_layers": 0}, "n_layers is 0: at least 1"),
        ({"d_ff": -1}, "d_ff is -1: at least 1"),
        ({"head_dim": 7}, "head_dim is 7: rotary"),
        ({"position": "alibi"}, "position is 'alibi', not one of rope"),
        ({"activation": "swish"}, "activation is 'swish'"),
    ],
)
def test_what_cannot_be_built_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        preset("village", **changes)


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="no preset 'gpt5'"):
        preset("gpt5")
    with pytest.raises(ValueError, match="no field 'n_experts'"):
        ModelConfig.from_dict({**preset("village").to_dict(), "n_experts": 8})
    model = built(preset("gpt2", n_layers=1, n_heads=2, d_model=8, d_ff=8))
    with pytest.raises(ValueError, match="1025 tokens, but max_seq_len is 1024"):
        model(torch.zeros(1, 1_025, dtype=torch.long))


@pytest.mark.parametrize("name", PRESETS)
def test_presets_can_be_built_and_say_log_v(name):
    small = {"n_layers": 2, "vocab_size": 300, "max_seq_len": 64}
    config = preset(name, **small, n_heads=4, d_model=64, d_ff=96)
    model = built(config)
    ids = torch.randint(300, (4, 33))
    loss = model.loss(ids[:, :-1], ids[:, 1:])
    assert abs(loss.item() - torch.tensor(300.0).log().item()) < 0.1


def test_sample_repeats_itself_from_a_seed_and_keeps_the_prompt():
    model = built(preset("village", vocab_size=30, init="normal", max_seq_len=8))
    prompt = torch.tensor([[1, 2, 3], [4, 5, 6]])

    def draw(seed: int, temperature: float = 1.0) -> torch.Tensor:
        generator = torch.Generator().manual_seed(seed)
        return sample(model, prompt, 12, temperature, generator)

    assert draw(0).shape == (2, 15)
    assert torch.equal(draw(0), draw(0))
    assert torch.equal(draw(0)[:, :3], prompt)
    assert not torch.equal(draw(0), draw(1))
    assert torch.equal(draw(0, 0.0), draw(1, 0.0))
