"""What holds for any model, gradient and schedule."""

import dataclasses
import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from llm.config import preset
from llm.model import Transformer
from llm.optim import (
    AdamW,
    Muon,
    OptimConfig,
    Schedule,
    build_optimizer,
    check_owned,
    clip_by_global_norm,
    newton_schulz,
    parameter_groups,
    set_rates,
)

seeds = st.integers(0, 2**31)


def tiny(**changes) -> Transformer:
    sizes = {"n_layers": 1, "n_heads": 2, "d_model": 8, "d_ff": 12}
    config = preset("village", vocab_size=7, max_seq_len=6, **sizes)
    return Transformer(dataclasses.replace(config, **changes))


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 24), st.integers(1, 24), st.integers(1, 3), seeds)
def test_newton_schulz_works_alike_alone_stacked_and_transposed(M, N, count, seed):
    draws = torch.Generator().manual_seed(seed)
    x = torch.randn(count, M, N, generator=draws)
    stacked = newton_schulz(x)
    assert stacked.shape == x.shape
    torch.testing.assert_close(newton_schulz(x[0]), stacked[0], rtol=0, atol=1e-4)
    torch.testing.assert_close(newton_schulz(x.mT), stacked.mT, rtol=0, atol=1e-4)
    torch.testing.assert_close(newton_schulz(1e-3 * x), stacked, rtol=0, atol=1e-3)
    assert torch.linalg.svdvals(stacked).max() < 1.25


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 20), st.integers(1, 20), seeds)
def test_newton_schulz_brings_singular_values_near_one(M, N, seed):
    draws = torch.Generator().manual_seed(seed)
    U = torch.linalg.qr(torch.randn(M, M, generator=draws)).Q
    V = torch.linalg.qr(torch.randn(N, N, generator=draws)).Q
    k = min(M, N)
    sizes = torch.rand(k, generator=draws) * 0.9 + 0.1
    values = torch.linalg.svdvals(newton_schulz(U[:, :k] * sizes @ V[:k]))
    assert values.min() > 0.6
    assert values.max() < 1.25


def test_newton_schulz_of_nothing_is_nothing():
    assert torch.equal(newton_schulz(torch.zeros(2, 3, 4)), torch.zeros(2, 3, 4))
    assert newton_schulz(torch.full((3, 3), math.nan)).isnan().all()


@settings(max_examples=30, deadline=None)
@given(
    tie_embeddings=st.booleans(),
    embed_shortcut=st.booleans(),
    norm_weight=st.booleans(),
    qkv_bias=st.booleans(),
    position=st.sampled_from(["rope", "learned", "sinusoidal", "none"]),
    activation=st.sampled_from(["relu2", "swiglu"]),
    frozen=st.booleans(),
)
def test_groups_own_each_trainable_parameter_once(frozen, **changes):
    model = tiny(init="normal", **changes)
    if frozen:
        model.blocks[0].mlp.up.weight.requires_grad_(False)
    groups = parameter_groups(model)
    check_owned(model, groups)
    owned = [name for group in groups for name, _ in group["params"]]
    wanted = [n for n, p in model.named_parameters() if p.requires_grad]
    assert sorted(owned) == sorted(wanted)
    for kind in ("muon", "adamw"):
        optimizer = build_optimizer(model, OptimConfig(optimizer=kind))
        held = [p for group in optimizer.param_groups for p in group["params"]]
        assert len(held) == len({id(p) for p in held}) == len(wanted)
        for group in optimizer.param_groups:
            assert {"lr", "initial_lr", "weight_decay", "name"} <= group.keys()
            matrices = group["kind"] == "muon"
            assert matrices == (kind == "muon" and group["name"] == "hidden")


def test_groups_that_miss_repeat_or_invent_a_parameter_are_refused():
    model = tiny(init="normal", tie_embeddings=True, embed_shortcut=True)
    groups = parameter_groups(model)
    check_owned(model, groups)
    assert [group["name"] for group in groups] == ["hidden", "embedding", "vectors"]
    with pytest.raises(ValueError, match=r"shortcut is in no group"):
        check_owned(model, groups[:-1])
    with pytest.raises(ValueError, match=r"embedding.*two groups"):
        check_owned(model, [*groups, {**groups[1], "name": "again"}])
    strange = {"name": "strange", "params": [nn.Parameter(torch.ones(2))]}
    with pytest.raises(ValueError, match=r"'strange' has a parameter"):
        check_owned(model, [*groups, strange])


def test_roles_decide_about_rate_and_decay():
    config = OptimConfig(lr=0.1, head_lr=0.03, weight_decay=0.2)
    optimizer = build_optimizer(tiny(embed_shortcut=True), config)
    found = {g["name"]: (g["lr"], g["weight_decay"]) for g in optimizer.param_groups}
    assert found["hidden"] == (0.1, 0.2)
    assert found["embedding"] == (0.5, 0.0)
    assert found["head"] == (0.03, 0.2)
    assert found["vectors"] == (0.1, 0.0)


def test_groups_of_ones_own_say_what_differs():
    model = tiny()
    groups = parameter_groups(model)
    groups[0]["params"], rest = groups[0]["params"][:2], groups[0]["params"][2:]
    groups.append({"name": "slow", "params": rest, "lr": 0.001})
    optimizer = build_optimizer(model, OptimConfig(lr=0.1), groups)
    assert [g["lr"] for g in optimizer.param_groups][-1] == 0.001
    assert optimizer.param_groups[-1]["initial_lr"] == 0.001
    assert optimizer.param_groups[-1]["kind"] == "muon"
    set_rates(optimizer, 0.5)
    assert optimizer.param_groups[-1]["lr"] == 0.0005
    with pytest.raises(ValueError, match="no group"):
        build_optimizer(model, OptimConfig(), groups[:-1])


def test_what_cannot_be_meant_is_refused():
    with pytest.raises(ValueError, match="'sgd'"):
        OptimConfig(optimizer="sgd")
    for wrong in ({"lr": -1.0}, {"weight_decay": math.nan}, {"head_lr": -0.1}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            OptimConfig(**wrong)
    for wrong in ({"momentum": 1.0}, {"betas": (0.9, 1.5)}):
        with pytest.raises(ValueError, match="beta"):
            OptimConfig(**wrong)
    with pytest.raises(ValueError, match="'bias' has vectors"):
        Muon([{"params": [nn.Parameter(torch.ones(3))], "name": "bias"}])
    with pytest.raises(ValueError, match="may be trained"):
        parameter_groups(nn.ReLU())
    with pytest.raises(ValueError, match="'linear'"):
        Schedule(kind="linear", steps=10)
    with pytest.raises(ValueError, match="warm-up of 11"):
        Schedule(steps=10, warmup=11)
    with pytest.raises(ValueError, match="0 steps"):
        Schedule(steps=0)
    with pytest.raises(ValueError, match="cooldown is 2"):
        Schedule(steps=10, cooldown=2.0)


@pytest.mark.parametrize("kind", ["muon", "adamw"])
def test_a_parameter_without_a_gradient_stays(kind):
    torch.manual_seed(0)
    model = tiny(init="normal")
    before = {n: p.detach().clone() for n, p in model.named_parameters()}
    optimizer = build_optimizer(model, OptimConfig(optimizer=kind, weight_decay=0.1))
    optimizer.step()
    model.head(torch.randn(2, 8)).sum().backward()
    optimizer.step()
    moved = {n for n, p in model.named_parameters() if not torch.equal(p, before[n])}
    assert moved == {"head.weight"}


def test_a_closure_is_called_with_gradients_on():
    for make in (AdamW, lambda params: Muon([{"params": list(params)}])):
        layer = nn.Linear(3, 2, bias=False)
        optimizer = make(layer.parameters())
        before = layer.weight.detach().clone()

        def closure(layer=layer):
            loss = layer(torch.ones(1, 3)).sum()
            loss.backward()
            return loss

        assert torch.is_tensor(optimizer.step(closure))
        assert not torch.equal(layer.weight, before)


@settings(max_examples=100, deadline=None)
@given(
    kind=st.sampled_from(["cosine", "wsd", "constant"]),
    steps=st.integers(1, 200),
    share=st.floats(0, 0.5),
    cooldown=st.floats(0, 0.5),
    floor=st.floats(0, 1),
)
def test_a_schedule_rises_then_falls_to_its_floor(kind, steps, share, cooldown, floor):
    warmup = int(share * steps)
    schedule = Schedule(
        kind=kind, steps=steps, warmup=warmup, cooldown=cooldown, floor=floor
    )
    factors = [schedule(step) for step in range(steps + 5)]
    assert all(0 <= f <= 1 for f in factors)
    assert factors[warmup] == pytest.approx(1)
    if warmup:
        assert factors[0] == 0
    assert all(a <= b for a, b in itertools.pairwise(factors[: warmup + 1]))
    late = factors[warmup:]
    assert all(a >= b - 1e-12 for a, b in itertools.pairwise(late))
    if kind == "cosine" or (kind == "wsd" and cooldown * steps > 0):
        assert factors[steps:] == pytest.approx([floor] * 5)


@settings(max_examples=50, deadline=None)
@given(st.floats(1e-3, 1e3), st.floats(1e-3, 1e3), seeds)
def test_clipping_bounds_the_norm_and_keeps_the_direction(scale, limit, seed):
    draws = torch.Generator().manual_seed(seed)
    params = [nn.Parameter(torch.zeros(n)) for n in (1, 5, 30)]
    for p in params:
        p.grad = scale * torch.randn(p.shape, generator=draws)
    before = torch.cat([p.grad for p in params])
    norm = clip_by_global_norm(params, limit)
    after = torch.cat([p.grad for p in params])
    torch.testing.assert_close(norm, before.norm())
    assert after.norm() <= limit * (1 + 1e-4)
    assert torch.cosine_similarity(before, after, dim=0) > 1 - 1e-5
    if norm < 0.999 * limit:
        assert torch.equal(before, after)


def test_clipping_reports_what_is_not_finite_and_empty_lists():
    p = nn.Parameter(torch.zeros(2))
    assert clip_by_global_norm([p], 1.0) == 0
    p.grad = torch.tensor([1.0, math.inf])
    assert clip_by_global_norm([p], 1.0).isinf()
    p.grad = torch.tensor([1.0, math.nan])
    assert clip_by_global_norm([p], 1.0).isnan()
    assert p.grad.isnan().all()
