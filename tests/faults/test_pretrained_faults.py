"""Broken and malicious checkpoints: one sentence each, and no memory is lent."""

import json
import re
import sys
import tracemalloc
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file, save_file

from llm.config import preset
from llm.model import Transformer
from llm.pretrained import from_pretrained, save_pretrained
from llm.tensor_files import read_header
from llm.tokenizer import train_bpe

SIZES = {"vocab_size": 300, "n_layers": 2, "n_heads": 2, "d_model": 16, "d_ff": 24}


def small(name, **changes):
    extra = {} if name == "gpt2" else {"head_dim": 8}
    return preset(name, **{**SIZES, "max_seq_len": 32, **extra, **changes})


@pytest.fixture
def folder(tmp_path):
    model = Transformer(small("llama", tie_embeddings=False))
    tokenizer = train_bpe("the sun rose over the village " * 9, 280, ["<|endoftext|>"])
    save_pretrained(model, tokenizer, tmp_path / "model")
    return tmp_path / "model"


def refused(source, words, error=ValueError):
    tracemalloc.start()
    try:
        with pytest.raises(error, match=re.escape(words)) as caught:
            from_pretrained(source)
        assert tracemalloc.get_traced_memory()[1] < 50_000_000
    finally:
        tracemalloc.stop()
    assert "\n" not in str(caught.value)


def test_the_folder_is_good(folder):
    model, tokenizer = from_pretrained(folder)
    assert model.head.weight is not model.embedding.weight
    assert tokenizer.decode(tokenizer.encode("the sun")) == "the sun"


def entry(dtype="F32", shape=(2,), offsets=(0, 8)):
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


BAD_HEADERS = {
    "broken header": ["[]", '"a"', "{", "[" * 100_000, '{"a": 1, "a": 2}', "\udcff"],
    "has not all of": [{"a": 1}, {"a": {}}, {"a": {"dtype": "F32", "shape": [2]}}],
    "its dtype is": [{"a": entry("F31")}, {"a": entry(["F32"])}, {"a": entry(None)}],
    "no whole numbers": [
        {"a": entry(shape=[-2])},
        {"a": entry(shape=[2.0])},
        {"a": entry(shape=[True, 2])},
        {"a": entry(shape=[1] * 9)},
        {"a": entry(shape="2")},
        {"a": entry(offsets=[0])},
        {"a": entry(offsets=[-8, 0])},
        {"a": entry(offsets=[0, 1e3])},
    ],
    "doesn't fit": [
        {"a": entry(shape=[10**9, 10**9])},
        {"a": entry(shape=[2**32, 2**32], offsets=[0, 0])},
        {"a": entry(offsets=[8, 0])},
    ],
    "overlaps": [{"a": entry(), "b": entry(offsets=[4, 12])}],
    "skips": [{"a": entry(shape=[1], offsets=[4, 8])}],
    "truncated": [{"a": entry(shape=[10**12], offsets=[0, 4 * 10**12])}],
    "too long": [{"a": entry(shape=[1], offsets=[0, 4])}, {}],
}


@pytest.mark.parametrize(
    ("words", "header"),
    [(words, header) for words, headers in BAD_HEADERS.items() for header in headers],
)
def test_bad_headers(folder, words, header):
    text = header if isinstance(header, str) else json.dumps(header)
    data = text.encode("utf-8", "surrogateescape")
    path = folder / "model.safetensors"
    path.write_bytes(len(data).to_bytes(8, "little") + data + bytes(8))
    refused(folder, words)


@pytest.mark.parametrize("length", [0, 7, 8, 100, -5])
def test_truncated_files(folder, length):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:length])
    refused(folder, "truncated")


@pytest.mark.parametrize("claim", [2**64 - 1, 10**12, 10**9])
def test_a_header_that_claims_to_be_huge(folder, claim):
    path = folder / "model.safetensors"
    path.write_bytes(claim.to_bytes(8, "little") + path.read_bytes()[8:])
    refused(folder, "truncated or no safetensors file")


def change_tensors(folder, change):
    path = folder / "model.safetensors"
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path)


NORM = "model.layers.1.input_layernorm.weight"
UP = "model.layers.0.mlp.up_proj.weight"


@pytest.mark.parametrize(
    ("words", "change"),
    [
        (f"lacks '{NORM}'", lambda t: t.pop(NORM)),
        ("lacks 'model.norm.weight'", lambda t: t.pop("model.norm.weight")),
        ("has 'model.extra'", lambda t: t.update({"model.extra": torch.ones(1)})),
        (
            "has 'model.x' and 1 more",
            lambda t: t.update(x=torch.ones(1), y=torch.ones(1)),
        ),
        (UP, lambda t: t.update({UP: torch.ones(24, 15)})),
        (UP, lambda t: t.update({UP: torch.ones(16, 24)})),
        (UP, lambda t: t.update({UP: torch.ones(24, 16, dtype=torch.int8)})),
        ("twice", lambda t: t.update({"norm.weight": torch.ones(16)})),
    ],
)
def test_wrong_tensors(folder, words, change):
    change_tensors(folder, change)
    refused(folder, words)


@pytest.mark.parametrize(
    ("words", "options"),
    [
        ("model_type is 'mamba'", {"model_type": "mamba"}),
        ("model_type is ['llama']", {"model_type": ["llama"]}),
        ("hidden_size is None", {"hidden_size": None}),
        ("hidden_size is '16'", {"hidden_size": "16"}),
        ("hidden_size is 16.0", {"hidden_size": 16.0}),
        ("num_hidden_layers is True", {"num_hidden_layers": True}),
        ("n_layers is 0", {"num_hidden_layers": 0}),
        ("out of range", {"num_hidden_layers": -1}),
        ("out of range", {"vocab_size": 10**30}),
        ("lacks 'model.layers.1999999999", {"num_hidden_layers": 2 * 10**9}),
        ("embed_tokens", {"vocab_size": 2 * 10**9}),
        ("these sizes", {"vocab_size": 2**31 - 1, "hidden_size": 2**31 - 2}),
        ("no multiple", {"num_key_value_heads": 3}),
        ("must be even", {"head_dim": 7}),
        ("hidden_act is 'gelu'", {"hidden_act": "gelu"}),
        ("tie_word_embeddings is 'no'", {"tie_word_embeddings": "no"}),
        ("differs from the embeddings", {"tie_word_embeddings": True}),
        ("quantization_config", {"quantization_config": {"bits": 4}}),
        ("rope_theta is 0", {"rope_theta": 0.0}),
        ("rope_theta is '1'", {"rope_theta": "1"}),
        ("is 7, no object", {"rope_scaling": 7}),
        ("'dynamic'", {"rope_scaling": {"rope_type": "dynamic", "factor": 2.0}}),
        ("no factor", {"rope_scaling": {"type": "linear"}}),
        ("factor is 0.5", {"rope_scaling": {"type": "linear", "factor": 0.5}}),
        ("no number", {"rope_scaling": {"type": "linear", "factor": "2"}}),
        ("'mscale'", {"rope_scaling": {"type": "yarn", "factor": 2.0, "mscale": 2.0}}),
        (
            "'partial_rotary_factor'",
            {"rope_parameters": {"partial_rotary_factor": 0.5}},
        ),
        ("layer_types", {"layer_types": ["full_attention", "sliding_attention"]}),
    ],
)
def test_wrong_configs(folder, words, options):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | options))
    refused(folder, words)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 100_000])
def test_a_config_that_is_no_object(folder, text):
    (folder / "config.json").write_text(text)
    refused(folder, "config.json")


def test_a_huge_window_costs_nothing(folder):
    path = folder / "config.json"
    options = {"max_position_embeddings": 2 * 10**9}
    path.write_text(json.dumps(json.loads(path.read_text()) | options))
    model, _ = from_pretrained(folder)
    assert len(model.rotary.cos) <= 2_048


@pytest.mark.parametrize(
    ("words", "index"),
    [
        ("no weight_map", {}),
        ("no weight_map", {"weight_map": []}),
        ("no file beside it", {"weight_map": {"a": "../secret.safetensors"}}),
        ("no file beside it", {"weight_map": {"a": "/etc/x.safetensors"}}),
        ("no file beside it", {"weight_map": {"a": "sub/x.safetensors"}}),
        ("no file beside it", {"weight_map": {"a": "..\\x.safetensors"}}),
        ("no file beside it", {"weight_map": {"a": "x.bin"}}),
        ("no file beside it", {"weight_map": {"a": 1}}),
        ("is missing", {"weight_map": {"a": "x.safetensors"}}),
        ("lacks 'a'", {"weight_map": {"a": "one.safetensors"}}),
    ],
)
def test_bad_indexes(folder, words, index):
    (folder / "model.safetensors").rename(folder / "one.safetensors")
    (folder.parent / "secret.safetensors").write_bytes(b"")
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    refused(folder, words)


def test_pickles_are_not_read(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    refused(folder, "pickled weights can run any code")
    (folder / "pytorch_model.bin").unlink()
    refused(folder, "has no model.safetensors")
    (folder / "config.json").unlink()
    refused(folder, "no config.json")


@pytest.mark.parametrize(
    ("words", "options"),
    [
        ("isn't byte-level BPE", {"model": {"type": "Unigram"}}),
        ("isn't byte-level", {"pre_tokenizer": {"type": "Metaspace"}}),
        ("isn't byte-level", {"pre_tokenizer": None}),
        ("changes the text", {"normalizer": {"type": "NFC"}}),
        ("malformed", {"model": None}),
        ("malformed", {"model": {"type": "BPE", "vocab": {"\u4e2d": 1}, "merges": []}}),
        ("malformed", {"added_tokens": [7]}),
    ],
)
def test_tokenizers_that_we_cannot_read(folder, words, options):
    path = folder / "tokenizer.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | options))
    with pytest.warns(UserWarning, match=words):
        _, tokenizer = from_pretrained(folder)
    assert tokenizer is None


@pytest.mark.parametrize(
    ("words", "config"),
    [
        ("embed_norm=True, activation='relu2'", preset("village", n_layers=1)),
        ("placement='post'", small("gpt2", placement="post")),
        ("n_kv_heads=1", small("gpt2", n_kv_heads=1)),
        ("head_dim=24", small("gpt2", head_dim=24)),
        ("mlp_bias=False", small("gpt2", mlp_bias=False)),
        ("norm_weight=False", small("llama", norm_weight=False)),
        ("position='none'", small("llama", position="none")),
        ("out_bias=False", small("llama", qkv_bias=True)),
        ("mlp_bias=True", small("qwen3", mlp_bias=True)),
        ("embed_shortcut=True", small("qwen3", embed_shortcut=True)),
    ],
)
def test_what_transformers_cannot_express(tmp_path, words, config):
    with pytest.raises(ValueError, match=re.escape(words)):
        save_pretrained(Transformer(config), None, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_tokenizer_that_is_too_large(tmp_path):
    tokenizer = train_bpe("the sun " * 20, 260)
    model = Transformer(small("llama", vocab_size=100))
    with pytest.raises(ValueError, match="the model ends at 99"):
        save_pretrained(model, tokenizer, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def fake_hub(monkeypatch, fetch):
    hub = SimpleNamespace(snapshot_download=fetch)
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)


def test_a_name_of_the_hub(folder, monkeypatch):
    calls = []

    def fetch(name, **patterns):
        calls.append((name, patterns))
        return str(folder)

    fake_hub(monkeypatch, fetch)
    model, _ = from_pretrained("somebody/model-1.0")
    assert model.config.d_model == 16
    ((name, patterns),) = calls
    assert name == "somebody/model-1.0"
    assert "*.bin" not in patterns["allow_patterns"]


def test_a_hub_that_is_away(monkeypatch):
    def fetch(name, **patterns):
        raise OSError("no network\nand a long story")

    fake_hub(monkeypatch, fetch)
    refused("somebody/model", "the hub doesn't give it: no network", ConnectionError)


def test_no_hub_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    refused("somebody/model", "install literate-llm[hf]")


@pytest.mark.parametrize("name", ["/no/folder", "../x", "a/b/c", "", "a b", "./x"])
def test_no_name_at_all(name, monkeypatch):
    monkeypatch.setattr("pathlib.Path.is_dir", lambda path: False)
    refused(name, "is no folder and no name of the hub")


def test_header_of_a_good_file(folder):
    header = read_header(folder / "model.safetensors")
    assert header["model.norm.weight"].shape == (16,)
