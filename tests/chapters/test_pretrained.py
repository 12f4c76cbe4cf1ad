"""The tests of book/08-other-peoples-weights.md.

Tangled from book/08-other-peoples-weights.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import copy
import math
import struct
from dataclasses import replace

import torch

from llm.config import preset
from llm.families import LLAMA_FILES, their_name
from llm.model import Transformer
from llm.position import Rotary, to_interleaved
from llm.tensor_files import Entry


# %% book/08-other-peoples-weights.md#check_count
def check_count(count):
    """`count(header)`: the numbers of parameters and of bytes."""
    header = {
        "a": Entry("F32", (2, 3), 0, 24),
        "b": Entry("BF16", (4,), 24, 32),
        "c": Entry("F32", (), 32, 36),
    }
    assert count(header) == (11, 36)
    assert count({}) == (0, 0)


# %% book/08-other-peoples-weights.md#check_fuse
def check_fuse(fuse):
    """`fuse(q, k, v)`: x @ the result is the three products, joined."""
    torch.manual_seed(0)
    q, k, v = torch.randn(3, 6, 6)
    x = torch.randn(4, 6)
    expected = torch.cat((x @ q.T, x @ k.T, x @ v.T), -1)
    torch.testing.assert_close(x @ fuse(q, k, v), expected)


# %% book/08-other-peoples-weights.md#check_widen
def check_widen(widen):
    """`widen(data)`: the floats in bytes of bfloat16, little-endian."""
    numbers = torch.tensor([0.0, 1.0, -2.5, 3.0e38, 1e-30]).bfloat16()
    data = numbers.view(torch.uint8).numpy().tobytes()
    assert widen(data) == numbers.tolist()
    assert widen(b"") == []


# %% book/08-other-peoples-weights.md#check_qwen2
def check_qwen2(qwen2):
    """`qwen2`: a Family like Llama's with fixed biases."""
    assert qwen2.architecture == "Qwen2ForCausalLM"
    assert qwen2.fixed["qkv_bias"] is True
    assert qwen2.fixed["out_bias"] is qwen2.fixed["mlp_bias"] is False
    assert not {"qkv_bias", "out_bias"} & qwen2.options.keys()
    assert qwen2.neutral["use_sliding_window"] is False
    name = "blocks.3.attention.q.bias"
    theirs = "model.layers.3.self_attn.q_proj.bias"
    assert their_name(name, qwen2) == theirs


# %% book/08-other-peoples-weights.md#check_plan
def check_plan(plan):
    """`plan(sizes, most)`: a file's name for each tensor's."""
    files = plan({"a": 4, "b": 4, "c": 9, "d": 1, "e": 7}, 8)
    groups: dict = {}
    for tensor, file in files.items():
        groups.setdefault(file, []).append(tensor)
    assert list(groups.values()) == [["a", "b"], ["c"], ["d", "e"]]
    assert next(iter(groups)) == "model-00001-of-00003.safetensors"
    assert plan({}, 8) == {}


# %% book/08-other-peoples-weights.md#check_diagnose
def check_diagnose(diagnose):
    """`diagnose(right, wrong)`: the fault, from logits alone."""
    config = preset("llama", vocab_size=90, n_layers=2, n_heads=4,
                    d_model=64, d_ff=96, head_dim=16, rope_scaling=None,
                    rope_base=10_000.0)
    for seed in range(5):
        torch.manual_seed(seed)
        right = Transformer(config)
        for tensor in right.parameters():
            tensor.data.normal_(float(tensor.ndim == 1), 0.2)
        for fault in ("matrix", "pairs", "base"):
            wrong = copy.deepcopy(right)
            spoil(wrong, fault)
            assert diagnose(right, wrong) == fault


def spoil(model, fault):
    """Break a model in one of three ways."""
    attention = model.blocks[0].attention
    if fault == "matrix":
        attention.out.weight.data = attention.out.weight.data.T.contiguous()
    elif fault == "base":
        model.rotary = Rotary(16, 64, 30_000.0)
    else:
        for layer in (attention.q, attention.k):
            layer.weight.data = to_interleaved(layer.weight.data, 4)


# %% book/08-other-peoples-weights.md#count
def count(header):
    numbers = sum(math.prod(entry.shape) for entry in header.values())
    size = sum(entry.end - entry.start for entry in header.values())
    return numbers, size


def test_count():
    """The exercise "Count before you fetch"."""
    check_count(count)


# %% book/08-other-peoples-weights.md#fuse
def fuse(q, k, v):
    return torch.cat((q, k, v)).T.contiguous()


def test_fuse():
    """The exercise "The other way into c_attn"."""
    check_fuse(fuse)


# %% book/08-other-peoples-weights.md#widen
def widen(data):
    pairs = (data[i : i + 2] for i in range(0, len(data), 2))
    return [struct.unpack("<f", bytes(2) + pair)[0] for pair in pairs]


def test_widen():
    """The exercise "bfloat16 by hand"."""
    check_widen(widen)


# %% book/08-other-peoples-weights.md#BIASES
BIASES = ("qkv_bias", "out_bias", "mlp_bias")
QWEN2 = replace(
    LLAMA_FILES,
    architecture="Qwen2ForCausalLM",
    options={
        k: v for k, v in LLAMA_FILES.options.items() if k not in BIASES
    },
    fixed=LLAMA_FILES.fixed
    | dict(zip(BIASES, (True, False, False), strict=True)),
    neutral={**LLAMA_FILES.neutral, "use_sliding_window": False},
)


def test_qwen2():
    """The exercise "A fourth family"."""
    check_qwen2(QWEN2)


# %% book/08-other-peoples-weights.md#plan
def plan(sizes, most):
    groups, room = [], 0
    for name, size in sizes.items():
        if not groups or size > room:
            groups.append([])
            room = most
        groups[-1].append(name)
        room -= size
    n = len(groups)
    return {
        name: f"model-{i:05}-of-{n:05}.safetensors"
        for i, group in enumerate(groups, 1)
        for name in group
    }


def test_plan():
    """The exercise "Cutting into shards"."""
    check_plan(plan)


# %% book/08-other-peoples-weights.md#diagnose
@torch.no_grad()
def diagnose(right, wrong):
    ids = torch.randint(90, (32, 40))
    far = torch.arange(40).expand(32, -1)

    def gap(positions):
        a, b = (m(ids, positions=positions) for m in (right, wrong))
        return (a - b).abs().mean((0, 2))

    if gap(torch.zeros_like(far)).max() > 1e-3:
        return "matrix"
    differences = gap(far)
    late = differences[20:].mean()
    return "base" if differences[1] < late / 12 else "pairs"


def test_diagnose():
    """The exercise "Somebody's converter is wrong"."""
    check_diagnose(diagnose)
