"""Attention in tiles against PyTorch, and Triton against the tiles; memory too."""

import importlib.util
import os
import subprocess
import sys

import pytest
import torch
import torch.nn.functional as F
from torch.profiler import ProfilerActivity, profile

from llm.config import preset
from llm.flash import backward_tiles, flash_attention, forward_tiles
from llm.flops import Meter, checkpoint_activations, step_memory
from llm.model import Transformer

SHAPES = [(1, 1, 1, 1), (2, 4, 4, 200), (2, 6, 2, 129), (1, 8, 1, 64)]


def inputs(B, H, G, T, D=16, dtype=torch.float32, device="cpu"):
    torch.manual_seed(T)
    shapes = ((B, H, T, D), (B, G, T, D), (B, G, T, D))
    made = (torch.randn(s, dtype=dtype, device=device) for s in shapes)
    return [x.requires_grad_() for x in made]


def reference(q, k, v, causal=True):
    shared = q.shape[1] // k.shape[1]
    k, v = (x.repeat_interleave(shared, dim=1) for x in (k, v))
    return F.scaled_dot_product_attention(q, k, v, is_causal=causal)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("tile", [(128, 128), (32, 64), (300, 7)])
def test_equal_to_pytorch_in_both_directions(shape, causal, tile):
    q, k, v = inputs(*shape, dtype=torch.float64)
    rows, columns = tile
    ours = flash_attention(q, k, v, causal, rows=rows, columns=columns)
    theirs = reference(q, k, v, causal)
    torch.testing.assert_close(ours, theirs)
    grad = torch.randn_like(theirs)
    found = torch.autograd.grad(ours, (q, k, v), grad)
    expected = torch.autograd.grad(theirs, (q, k, v), grad)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_as_near_as_pytorchs(dtype):
    q, k, v = inputs(2, 4, 4, 150)
    grad = torch.randn_like(q)
    exact = reference(q, k, v)
    expected = [exact, *torch.autograd.grad(exact, (q, k, v), grad)]
    short = [x.detach().to(dtype).requires_grad_() for x in (q, k, v)]
    errors = []
    for way in (flash_attention, reference):
        out = way(*short)
        assert out.dtype == dtype
        found = [out, *torch.autograd.grad(out, short, grad.to(dtype))]
        pairs = zip(found, expected, strict=True)
        errors.append([(a - b).abs().max() for a, b in pairs])
    for ours, theirs in zip(*errors, strict=True):
        assert ours < 2 * theirs + torch.finfo(dtype).eps


def test_under_autocast_sums_stay_wide():
    q, k, v = inputs(1, 2, 2, 100)
    with torch.autocast("cpu", torch.bfloat16):
        out = flash_attention(q, k, v)
    assert out.dtype == torch.float32
    torch.testing.assert_close(out, reference(q, k, v))


def compare_kernels(device):
    """Triton's kernels against the tiles, in the same precision."""
    from llm import flash_triton

    cases = [(2, 3, 70, 70, 16), (1, 2, 3, 70, 24), (1, 1, 70, 3, 16)]
    cases += [(1, 1, 1, 5, 8), (1, 2, 65, 65, 80)]
    for N, R, T, S, D in cases:
        q, grad = torch.randn(2, N, R, T, D, device=device).unbind()
        k, v = torch.randn(2, N, 1, S, D, device=device).unbind()
        for causal in (True, False):
            how = (causal, D**-0.5)
            tiles = forward_tiles(q, k, v, *how)
            kernels = flash_triton.flash_forward(q, k, v, *how)
            back = backward_tiles(q, k, v, *tiles, grad, *how)
            found = flash_triton.flash_backward(q, k, v, *kernels, grad, *how)
            pairs = zip((*kernels, *found), (*tiles, *back), strict=True)
            for one, other in pairs:
                torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-3)
    q, k, v = torch.randn(3, 1, 1, 40, 16, device=device).half().unbind()
    tiles = forward_tiles(q, k, v, True, 0.25)
    kernels = flash_triton.flash_forward(q, k, v, True, 0.25)
    assert kernels[0].dtype == torch.float16
    for one, other in zip(kernels, tiles, strict=True):
        torch.testing.assert_close(one, other, atol=2e-3, rtol=1e-2)


def test_triton_equals_the_tiles():
    if importlib.util.find_spec("triton") is None:
        pytest.skip("Triton isn't installed: it comes with PyTorch for CUDA")
    if torch.cuda.is_available():
        compare_kernels("cuda")
        return
    # No GPU: its interpreter does the same on a CPU, if told before it's imported.
    call = "from test_flash_parity import compare_kernels as c; c('cpu')"
    paths = [*sys.path, os.path.dirname(__file__)]
    environment = {"TRITON_INTERPRET": "1", "PYTHONPATH": os.pathsep.join(paths)}
    command = [sys.executable, "-W", "ignore", "-c", call]
    subprocess.run(command, check=True, env={**os.environ, **environment})


def test_flash_attention_on_a_gpu():
    if not torch.cuda.is_available():
        pytest.skip("no GPU here")
    for dtype, bound in ((torch.float32, 1e-3), (torch.bfloat16, 3e-2)):
        q, k, v = inputs(2, 8, 2, 1000, 64, dtype, "cuda")
        grad = torch.randn_like(q)
        results = []
        for way in (flash_attention, reference):
            out = way(q, k, v)
            results.append([out, *torch.autograd.grad(out, (q, k, v), grad)])
        for ours, theirs in zip(*results, strict=True):
            torch.testing.assert_close(ours, theirs, atol=bound, rtol=bound)


# --- the meter against the allocator, and the formula against both ----------------

SIZES = {"n_layers": 2, "n_heads": 4, "d_model": 64, "d_ff": 128}
MODELS = [
    ("village", {}),
    ("village", {"vocab_size": 65, "norm_weight": False, "embed_shortcut": True}),
    ("village", {"vocab_size": 2048, "value_embeddings": True}),
    ("village", {"vocab_size": 300, "ngrams": 3, "ngram_rows": 1000}),
    ("village", {**SIZES, "placement": "post", "qk_norm": False}),
    ("gpt2", {**SIZES, "vocab_size": 300, "max_seq_len": 256}),
    ("llama", {**SIZES, "vocab_size": 300, "max_seq_len": 256, "n_kv_heads": 2}),
    ("qwen3", {**SIZES, "vocab_size": 300, "max_seq_len": 256, "head_dim": 32}),
]


@pytest.mark.parametrize(("name", "changes"), MODELS)
@pytest.mark.parametrize("checkpointed", [False, True])
def test_memory_is_predicted_metered_and_booked(name, changes, checkpointed):
    config = preset(name, **changes)
    model = Transformer(config)
    if checkpointed:
        checkpoint_activations(model)
    x, y = torch.randint(config.vocab_size, (2, 8, 128)).unbind()
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)

    def step():
        model.loss(x, y).backward()
        optimizer.step()
        optimizer.zero_grad()

    step()
    with Meter() as meter:
        step()
    activities = [ProfilerActivity.CPU]
    with profile(activities=activities, profile_memory=True) as record:
        step()
    live = booked = 0
    events = record.profiler.kineto_results.events()
    memory = [event for event in events if event.name() == "[memory]"]
    for event in sorted(memory, key=lambda event: event.start_ns()):
        live += event.nbytes()
        booked = max(booked, live)
    assert abs(meter.peak / booked - 1) < 0.01
    stays = 12 * sum(p.numel() for p in model.parameters())
    predicted = step_memory(config, 8, 128, checkpointed=checkpointed)
    assert predicted.parameters + predicted.optimizer == stays
    assert abs(predicted.peak / (stays + booked) - 1) < 0.05
