"""Our optimizers, schedules and clipping against PyTorch's and transformers'."""

import copy
import json
import math

import pytest
import torch
from torch import nn
from transformers import (
    get_constant_schedule_with_warmup,
    get_cosine_schedule_with_warmup,
    get_wsd_schedule,
)

from llm.config import preset
from llm.model import Transformer
from llm.optim import (
    AdamW,
    Muon,
    OptimConfig,
    Schedule,
    build_optimizer,
    clip_by_global_norm,
    newton_schulz,
    set_rates,
)

SETTINGS = {"lr": 3e-3, "betas": (0.9, 0.95), "eps": 1e-8, "weight_decay": 0.1}


def tiny(**changes) -> Transformer:
    torch.manual_seed(0)
    sizes = {"n_layers": 1, "n_heads": 2, "d_model": 16, "d_ff": 32}
    config = preset("village", vocab_size=11, max_seq_len=8, **sizes)
    return Transformer(type(config)(**{**vars(config), "init": "normal", **changes}))


def copies(shapes, count):
    torch.manual_seed(0)
    drawn = [torch.randn(shape) for shape in shapes]
    return [[nn.Parameter(x.clone()) for x in drawn] for _ in range(count)]


@pytest.mark.slow
def test_adamw_trains_a_transformer_exactly_as_torch_does_for_1000_steps():
    ours, theirs = tiny(norm_weight=True), tiny(norm_weight=True)
    pairs = [
        (ours, AdamW(ours.parameters(), **SETTINGS)),
        (theirs, torch.optim.AdamW(theirs.parameters(), foreach=False, **SETTINGS)),
    ]
    draws = torch.Generator().manual_seed(1)
    for _ in range(1_000):
        ids = torch.randint(11, (2, 9), generator=draws)
        for model, optimizer in pairs:
            optimizer.zero_grad()
            model.loss(ids[:, :-1], ids[:, 1:]).backward()
            optimizer.step()
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("fused", [False, True])
def test_adamw_equals_torchs_over_1000_given_gradients(fused):
    ours, theirs = copies([(4, 5), (7,), ()], 2)
    one = AdamW(ours, **SETTINGS)
    other = torch.optim.AdamW(theirs, fused=fused, **SETTINGS)
    for step in range(1_000):
        size = 10.0 ** (step % 7 - 3)
        for p, q in zip(ours, theirs, strict=True):
            p.grad = torch.randn_like(p) * size
            q.grad = p.grad.clone()
        one.step()
        other.step()
    for p, q in zip(ours, theirs, strict=True):
        torch.testing.assert_close(p, q, rtol=1e-5, atol=1e-6)


def test_adamw_groups_of_muon_are_torchs_fused_adamw_to_the_bit():
    ours, theirs = copies([(4, 5), (7,)], 2)
    both = {"kind": "adamw", "name": "all", **SETTINGS}
    one = Muon([{"params": ours, **both}])
    other = torch.optim.AdamW(theirs, fused=True, **SETTINGS)
    for _ in range(100):
        for p, q in zip(ours, theirs, strict=True):
            p.grad = torch.randn_like(p)
            q.grad = p.grad.clone()
        one.step()
        other.step()
    for p, q in zip(ours, theirs, strict=True):
        assert torch.equal(p, q)


@pytest.mark.parametrize("shape", [(16, 16), (48, 16), (16, 48)])
def test_muon_is_torchs_muon_but_for_its_bfloat16(shape):
    ours, theirs = copies([shape, shape], 2)
    before = copy.deepcopy(ours)
    settings = {"lr": 0.02, "weight_decay": 0.1, "momentum": 0.95}
    one = Muon([{"params": ours, **settings}])
    other = torch.optim.Muon(theirs, **settings)
    for _ in range(20):
        for p, q in zip(ours, theirs, strict=True):
            p.grad = torch.randn_like(p)
            q.grad = p.grad.clone()
        one.step()
        other.step()
    for p, q, start in zip(ours, theirs, before, strict=True):
        moved = (q - start).norm()
        assert moved > 0.1
        assert (p - q).norm() < 0.05 * moved


@pytest.mark.parametrize("shape", [(12, 12), (40, 12), (12, 40), (3, 2, 9, 5)])
def test_newton_schulz_against_the_singular_value_decomposition(shape):
    torch.manual_seed(0)
    x = torch.randn(shape, dtype=torch.float64)
    U, S, Vt = torch.linalg.svd(x, full_matrices=False)
    S = S / x.flatten(-2).norm(dim=-1)[..., None]
    for _ in range(5):
        S = 3.4445 * S - 4.7750 * S**3 + 2.0315 * S**5
    expected = U * S[..., None, :] @ Vt
    result = newton_schulz(x)
    assert result.dtype == x.dtype
    torch.testing.assert_close(result, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("limit", [0.01, 1.0, 1e6, math.inf])
def test_clipping_equals_torchs(limit):
    ours, theirs = copies([(4, 5), (7,), (2, 2, 2)], 2)
    for p, q in zip(ours[:2], theirs[:2], strict=True):
        p.grad = torch.randn_like(p)
        q.grad = p.grad.clone()
    norm = clip_by_global_norm(iter(ours), limit)
    expected = nn.utils.clip_grad_norm_(theirs, limit)
    torch.testing.assert_close(norm, expected)
    for p, q in zip(ours[:2], theirs[:2], strict=True):
        torch.testing.assert_close(p.grad, q.grad)
    assert ours[2].grad is None


def test_schedules_equal_those_of_transformers():
    steps, warmup, falling = 90, 9, 30
    weight = nn.Parameter(torch.zeros(1))
    theirs = {
        "cosine": lambda o: get_cosine_schedule_with_warmup(o, warmup, steps),
        "constant": lambda o: get_constant_schedule_with_warmup(o, warmup),
        "wsd": lambda o: get_wsd_schedule(
            o,
            num_warmup_steps=warmup,
            num_decay_steps=falling,
            num_training_steps=steps,
            decay_type="linear",
        ),
    }
    for kind, make in theirs.items():
        ours = Schedule(kind=kind, steps=steps, warmup=warmup, cooldown=1 / 3)
        optimizer = torch.optim.SGD([weight], 2.0)
        other = torch.optim.SGD([{"params": [weight], "initial_lr": 2.0}], 2.0)
        scheduler = make(optimizer)
        for step in range(steps + 1):
            set_rates(other, ours(step))
            expected = optimizer.param_groups[0]["lr"]
            assert math.isclose(
                other.param_groups[0]["lr"], expected, rel_tol=1e-9, abs_tol=1e-12
            )
            optimizer.step()
            scheduler.step()


@pytest.mark.parametrize("kind", ["muon", "adamw"])
def test_a_state_survives_json_and_tensors_apart(kind):
    """What chapter 10 does: tensors to one file, all else through JSON."""

    def steps(model, optimizer, seed):
        draws = torch.Generator().manual_seed(seed)
        for _ in range(3):
            ids = torch.randint(11, (2, 9), generator=draws)
            optimizer.zero_grad()
            model.loss(ids[:, :-1], ids[:, 1:]).backward()
            optimizer.step()

    config = OptimConfig(optimizer=kind, lr=0.01, weight_decay=0.1)
    model = tiny(embed_shortcut=True)
    optimizer = build_optimizer(model, config)
    steps(model, optimizer, 1)
    saved = copy.deepcopy(optimizer.state_dict())
    groups = json.loads(json.dumps(saved["param_groups"]))
    other = copy.deepcopy(model)
    resumed = build_optimizer(other, OptimConfig(optimizer=kind))
    resumed.load_state_dict({"state": saved["state"], "param_groups": groups})
    assert all(torch.is_tensor(x) for s in saved["state"].values() for x in s.values())
    steps(model, optimizer, 2)
    steps(other, resumed, 2)
    for p, q in zip(model.parameters(), other.parameters(), strict=True):
        assert torch.equal(p, q)
