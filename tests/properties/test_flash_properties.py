"""What holds for tiles of any size, and for the meter and the roofline."""

import copy
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from llm.attention import attention, causal_mask
from llm.config import flops_per_token, preset
from llm.flash import flash_attention, forward_tiles
from llm.flops import Meter, Roofline, checkpoint_activations, mfu, step_memory
from llm.model import Transformer

SIZES = st.integers(1, 6)
PATIENTLY = settings(deadline=None, max_examples=40)


@st.composite
def cases(draw):
    """q, k and v of any sizes, in double precision, and a tile."""
    groups, shared, D, E = (draw(SIZES) for _ in range(4))
    T, S = draw(st.integers(1, 20)), draw(st.integers(1, 20))
    batch = draw(st.lists(st.integers(1, 3), max_size=2))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))

    def random(*shape):
        made = torch.randn(*batch, *shape, dtype=torch.float64, generator=generator)
        return made.requires_grad_()

    tile = {"rows": draw(st.integers(1, 25)), "columns": draw(st.integers(1, 25))}
    return (
        random(groups * shared, T, D),
        random(groups, S, D),
        random(groups, S, E),
        tile,
    )


@PATIENTLY
@given(cases(), st.booleans())
def test_equal_to_attention_whatever_the_tile(case, causal):
    q, k, v, tile = case
    mask = causal_mask(q.shape[-2], k.shape[-2]) if causal else None
    plain, tiled = attention(q, k, v, mask), flash_attention(q, k, v, causal, **tile)
    torch.testing.assert_close(tiled, plain)
    grad = torch.randn_like(plain)
    expected = torch.autograd.grad(plain, (q, k, v), grad)
    found = torch.autograd.grad(tiled, (q, k, v), grad)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)


@PATIENTLY
@given(cases(), st.floats(0.1, 1e4))
def test_scores_may_be_huge(case, factor):
    q, k, v, tile = case
    q, k, v = ((factor * x).float() for x in (q, k, v))
    out = flash_attention(q, k, v, **tile)
    assert out.isfinite().all()
    assert out.abs().max() <= v.abs().max() * 1.001


@PATIENTLY
@given(st.integers(1, 12), st.integers(1, 12), st.integers(1, 5))
def test_the_logarithm_is_that_of_the_sum(T, S, tile):
    torch.manual_seed(T * S)
    q, k = torch.randn(1, 1, T, 4).double(), torch.randn(1, 1, S, 4).double()
    _, logs = forward_tiles(q, k, k, True, 0.5, tile, tile)
    scores = 0.5 * q @ k.transpose(-2, -1)
    scores = scores.masked_fill(~causal_mask(T, S), -math.inf)
    nothing = ~causal_mask(T, S).any(-1)
    expected = scores.logsumexp(-1).masked_fill(nothing, math.inf)
    torch.testing.assert_close(logs, expected)


@PATIENTLY
@given(st.integers(0, 9))
def test_the_future_is_nothing_to_the_past(t):
    torch.manual_seed(t)
    q, k, v = torch.randn(3, 2, 10, 4).unbind()
    before = flash_attention(q, k, v, rows=4, columns=3)
    for x in (q, k, v):
        x[:, t:] += 1
    after = flash_attention(q, k, v, rows=4, columns=3)
    assert torch.equal(after[:, :t], before[:, :t])


def test_tensors_may_have_any_layout():
    q, k, v = torch.randn(3, 2, 30, 3, 8).transpose(2, 3).unbind()
    assert not q.is_contiguous()
    found = flash_attention(q, k, v, rows=8, columns=8)
    torch.testing.assert_close(found, attention(q, k, v, causal_mask(30)))


def test_memory_is_linear_in_the_length():
    peaks = []
    for T in (512, 1024, 2048):
        q, k, v = torch.randn(3, 1, T, 16, requires_grad=True).unbind(0)
        with Meter() as meter:
            flash_attention(q, k, v, rows=32, columns=32).sum().backward()
        peaks.append(meter.peak)
    first, second = peaks[1] - peaks[0], peaks[2] - peaks[1]
    assert abs(second / first - 2) < 0.1


@pytest.mark.parametrize("tile", [{"rows": 0}, {"columns": -1}])
def test_a_tile_needs_a_size(tile):
    q = torch.randn(1, 3, 4)
    with pytest.raises(ValueError, match="a tile of"):
        flash_attention(q, q, q, **tile)


def test_heads_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="don't fit keys"):
        flash_attention(torch.randn(3, 2, 4), *torch.randn(2, 2, 2, 4).unbind())


@PATIENTLY
@given(st.floats(1e-3, 1e3), st.floats(1e-3, 1e3), st.floats(1, 1e6))
def test_a_roofline_is_the_slower_of_two(flops, nbytes, ridge):
    roof = Roofline(flops=ridge, bandwidth=1.0)
    assert roof.ridge == ridge
    seconds = roof.seconds(flops, nbytes)
    assert seconds in (flops / ridge, nbytes)
    assert seconds >= max(flops / ridge, nbytes)


def test_mfu_counts_forward_and_backward():
    config = preset("village")
    peak = 3 * flops_per_token(config, 128) * 1_000
    assert mfu(500.0, config, 128, float(peak)) == pytest.approx(0.5)


def test_the_meter_sees_views_and_inner_modes():
    x = torch.ones(10, 10)
    with Meter() as meter:
        y = x.t()[2:]
        assert meter.live == 0
        z = y.contiguous()
        assert meter.live == z.nbytes
        with Meter() as inner:
            w = z.clone()
        assert inner.live == w.nbytes
        assert meter.live == z.nbytes + w.nbytes
        del z, w
    assert meter.live == 0
    assert meter.peak == 2 * 8 * 10 * 4


def test_the_meter_counts_what_is_made_and_what_is_gone():
    x = torch.ones(1000)
    with Meter() as meter:
        y = x + x
        z = y.view(10, 100)  # the same memory
        y.add_(1)  # the same memory
        w = x * 2
        del w
    assert meter.peak == 8000
    assert meter.live == 4000
    del y, z
    assert meter.live == 0


def test_one_number_a_row_is_saved():
    shapes = []
    q, k, v = torch.randn(3, 1, 2, 300, 8, requires_grad=True).unbind(0)
    with torch.autograd.graph.saved_tensors_hooks(
        lambda x: shapes.append(tuple(x.shape)), lambda x: x
    ):
        flash_attention(q, k, v)
    assert [s for s in shapes if len(s) == 3] == [(2, 1, 300)]
    sizes = sorted(math.prod(shape) for shape in shapes)
    assert sizes == [2 * 300, *[2 * 300 * 8] * 4]


def test_checkpointed_gradients_are_the_same():
    torch.manual_seed(0)
    model = Transformer(preset("village", vocab_size=64, init="normal"))
    x, y = torch.randint(64, (2, 16, 64)).unbind()
    peaks, gradients = [], []
    for wrapped in (False, True):
        if wrapped:
            checkpoint_activations(model)
        with Meter() as meter:
            model.loss(x, y).backward()
        peaks.append(meter.peak)
        gradients.append([p.grad for p in model.parameters()])
        model.zero_grad()
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other)
    assert peaks[1] < peaks[0] / 2


def test_checkpointing_is_refused_twice_and_leaves_names_alone():
    model = Transformer(preset("village", n_layers=4))
    names = list(model.state_dict())
    checkpoint_activations(model, every=2)
    assert list(model.state_dict()) == names
    wrapped = ["forward" in vars(block) for block in model.blocks]
    assert wrapped == [True, False, True, False]
    with pytest.raises(ValueError, match="wrapped already"):
        checkpoint_activations(model)
    twin = copy.deepcopy(model)
    with torch.no_grad():
        for parameter in twin.blocks[0].parameters():
            parameter.fill_(math.nan)
    ids = torch.randint(1024, (1, 8))
    assert model(ids).isfinite().all(), "the copy's blocks are its own"
    assert twin(ids).isnan().any()


def test_more_of_anything_takes_more_memory():
    base = step_memory(preset("village"), 8, 128)
    assert base.peak < step_memory(preset("village"), 9, 128).peak
    assert base.peak < step_memory(preset("village"), 8, 129).peak
    assert base.peak < step_memory(preset("village", n_layers=7), 8, 128).peak
    assert base.peak > step_memory(preset("village"), 8, 128, checkpointed=True).peak
    assert base.optimizer == 2 * base.parameters
    assert step_memory(preset("village"), 8, 128, states=0.0).optimizer == 0


def test_only_blocks_are_wrapped():
    model = nn.Module()
    model.blocks = nn.ModuleList([nn.Linear(4, 4)])
    checkpoint_activations(model)
    out = model.blocks[0](torch.randn(2, 4, requires_grad=True))
    out.sum().backward()
    assert model.blocks[0].weight.grad is not None
