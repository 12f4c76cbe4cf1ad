"""Broken and malicious checkpoints: one sentence each, and no memory is lent."""

import json
import os
import re
import sys
import tracemalloc
from pathlib import Path
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
    from_pretrained(tmp_path / "model")  # what it imports isn't its memory
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
    assert len(str(caught.value)) < 500


def test_the_folder_is_good(folder):
    model, tokenizer = from_pretrained(folder)
    assert model.head.weight is not model.embedding.weight
    assert tokenizer.decode(tokenizer.encode("the sun")) == "the sun"


def entry(dtype="F32", shape=(2,), offsets=(0, 8)):
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


BAD_HEADERS = {
    "broken JSON": ["{", "[" * 100_000, '{"a": 1, "a": 2}', "\udcff", "9" * 5_000],
    "no JSON object": ["[]", '"a"'],
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
        (f"lack '{NORM}'", lambda t: t.pop(NORM)),
        ("lack 'model.norm.weight'", lambda t: t.pop("model.norm.weight")),
        ("have 'model.extra'", lambda t: t.update({"model.extra": torch.ones(1)})),
        (
            "have 'model.x' and 1 more",
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


def change_config(folder, options):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | options))


@pytest.mark.parametrize(
    ("words", "options"),
    [
        ("model_type is 'mamba'", {"model_type": "mamba"}),
        ("model_type is ['llama']", {"model_type": ["llama"]}),
        ("there is no hidden_size", {"hidden_size": None}),
        ("hidden_size is '16'", {"hidden_size": "16"}),
        ("hidden_size is 16.0", {"hidden_size": 16.0}),
        ("num_hidden_layers is True", {"num_hidden_layers": True}),
        ("num_hidden_layers is 0: out of range", {"num_hidden_layers": 0}),
        ("out of range", {"num_key_value_heads": 0}),
        ("out of range", {"head_dim": 0}),
        ("out of range", {"num_hidden_layers": -1}),
        ("out of range", {"vocab_size": 10**30}),
        ("need more than", {"num_hidden_layers": 2 * 10**9}),
        ("embed_tokens", {"vocab_size": 2 * 10**9}),
        ("no model can have", {"vocab_size": 2**31 - 1, "hidden_size": 2**31 - 2}),
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
        ("no positive number", {"rope_scaling": {"type": "linear", "factor": "2"}}),
        ("'mscale'", {"rope_scaling": {"type": "yarn", "factor": 2.0, "mscale": 2.0}}),
        (
            "'partial_rotary_factor'",
            {"rope_scaling": None, "rope_parameters": {"partial_rotary_factor": 0.5}},
        ),
        ("layer_types", {"layer_types": ["full_attention", "sliding_attention"]}),
        ("layer_types", {"layer_types": ["full_attention"]}),
        ("layer_types", {"layer_types": {"full_attention": 1, "b": 2}}),
        ("layer_types", {"layer_types": 5}),
        ("is_causal is False", {"is_causal": False}),
        ("architectures is", {"architectures": ["MixtralForCausalLM"]}),
        ("architectures is", {"architectures": "LlamaForCausalLM"}),
    ],
)
def test_wrong_configs(folder, words, options):
    change_config(folder, options)
    refused(folder, words)


NAN, INFINITY, HUGE = float("nan"), float("inf"), 10**400
NO_NUMBERS: list[tuple[str, dict]] = [
    ("rms_norm_eps", {"rms_norm_eps": x})
    for x in (NAN, INFINITY, -INFINITY, -1.0, 0, 1, 1e308, HUGE, "1", True)
]
NO_NUMBERS += [
    ("rope_theta", {"rope_theta": x})
    for x in (NAN, INFINITY, -1, 1, 1e-300, 1e308, HUGE, [], True)
]
LLAMA3 = {
    **{"rope_type": "llama3", "factor": 2.0, "low_freq_factor": 1.0},
    **{"high_freq_factor": 4.0, "original_max_position_embeddings": 16},
}
NO_NUMBERS += [
    (name.split("_")[-1], {"rope_scaling": {**scaling, name: x}})
    for scaling, names in (
        ({"type": "linear"}, ["factor"]),
        (
            {"type": "yarn", "factor": 2.0},
            ["factor", "beta_fast", "beta_slow", "attention_factor"],
        ),
        (LLAMA3, list(LLAMA3)[1:]),
    )
    for name in names
    for x in (NAN, INFINITY, 0, -1, HUGE, "1", True, [])
]


@pytest.mark.parametrize(("words", "options"), NO_NUMBERS)
def test_numbers_that_make_no_sense(folder, words, options):
    change_config(folder, options)
    refused(folder, words)


@pytest.mark.parametrize("name", [*LLAMA3][1:])
def test_a_scaling_that_lacks_a_number(folder, name):
    scaling = {k: v for k, v in LLAMA3.items() if k != name}
    change_config(folder, {"rope_scaling": scaling})
    refused(folder, f"has no {name}")


@pytest.mark.parametrize(
    "options",
    [
        {"original_max_position_embeddings": 8, "rope_scaling": LLAMA3},
        {"rope_theta": 5.0, "rope_parameters": {"rope_theta": 10.0}},
        {
            "rope_parameters": {"rope_type": "default"},
            "rope_scaling": {"type": "linear", "factor": 2.0},
        },
    ],
)
def test_two_places_that_differ(folder, options):
    change_config(folder, options)
    refused(folder, "differ")


@pytest.mark.parametrize(
    ("alias", "value"),
    [
        ("hidden_size", 32),
        ("num_hidden_layers", 3),
        ("num_attention_heads", 4),
        ("max_position_embeddings", 16),
    ],
)
def test_aliases_that_differ(tmp_path, alias, value):
    save_pretrained(Transformer(small("gpt2")), None, tmp_path)
    change_config(tmp_path, {alias: value})
    refused(tmp_path, f"{alias} and n_")
    sizes = {"hidden_size": 16, "num_hidden_layers": 2}
    sizes |= {"num_attention_heads": 2, "max_position_embeddings": 32}
    change_config(tmp_path, {alias: sizes[alias]})
    with pytest.warns(UserWarning, match="no tokenizer"):
        from_pretrained(tmp_path)


def test_an_option_that_nobody_knows_is_named(folder):
    change_config(folder, {"attn_logit_softcapping": 30.0})
    with pytest.warns(UserWarning, match="attn_logit_softcapping"):
        from_pretrained(folder)


@pytest.mark.parametrize("name", ["model_type", "hidden_act", "rope_scaling"])
def test_long_names_are_cut(folder, name):
    change_config(folder, {name: "y" * 10**6})
    refused(folder, "yyy...yyy")


def test_a_config_with_a_name_twice(folder):
    path = folder / "config.json"
    path.write_text(path.read_text()[:-1] + ', "rms_norm_eps": 0.5}')
    refused(folder, "a name occurs twice")


@pytest.mark.parametrize("name", ["llama", "a", "config.json"])
def test_the_file_is_named_whatever_the_folder_is_called(folder, name, monkeypatch):
    monkeypatch.chdir(folder.rename(folder.parent / name).parent)
    change_config(Path(name), {"model_type": "bert"})
    refused(name, f"{name}/config.json: model_type is 'bert'")


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
@pytest.mark.parametrize("kind", ["folder", "pipe", "loop", "device"])
def test_what_is_no_file(folder, name, kind):
    path = folder / name
    path.unlink()
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(name if kind == "loop" else "/dev/zero")
    refused(folder, name)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors.index.json"])
def test_a_text_that_is_too_long(folder, name):
    (folder / "model.safetensors").rename(folder / "one.safetensors")
    with (folder / name).open("ab") as file:
        file.truncate(3 << 30)
    refused(folder, "3221225472 bytes: at most")


def test_many_layers_cost_nothing(folder):
    """Not even if the last one's norm is there, as an old check wanted."""
    n = 20_000
    name = f"model.layers.{n - 1}.input_layernorm.weight"
    change_tensors(folder, lambda t: t.update({name: torch.ones(16)}))
    change_config(folder, {"num_hidden_layers": n})
    refused(folder, "20000 layers")


def test_wide_heads_cost_no_tables(tmp_path):
    sizes = {"d_model": 1, "n_heads": 1, "d_ff": 1, "head_dim": 20_000}
    model = Transformer(small("llama", rope_scaling=None, **sizes))
    save_pretrained(model, None, tmp_path)
    change_config(tmp_path, {"max_position_embeddings": 2**31 - 1})
    with pytest.warns(UserWarning, match="no tokenizer"):
        loaded, _ = from_pretrained(tmp_path)
    assert loaded.rotary.cos.numel() <= 20_000


@pytest.mark.parametrize("value", [NAN, INFINITY, -INFINITY, 1e300])
def test_numbers_that_are_none(folder, value):
    tensor = torch.full((16,), value, dtype=torch.float64)
    change_tensors(folder, lambda t: t.update({"model.norm.weight": tensor}))
    refused(folder, "'model.norm.weight' holds NaN, or more than torch.float32")


def test_a_tied_model_with_a_nan(folder):
    def spoil(tensors):
        del tensors["lm_head.weight"]
        tensors["model.embed_tokens.weight"][0, 0] = NAN

    change_tensors(folder, spoil)
    change_config(folder, {"tie_word_embeddings": True})
    refused(folder, "'model.embed_tokens.weight' holds NaN")


def test_a_precision_that_is_none(folder):
    with pytest.raises(ValueError, match=re.escape("dtype is torch.int8")):
        from_pretrained(folder, torch.int8)


def test_an_adapter_is_refused(folder):
    (folder / "adapter_config.json").write_text("{}")
    refused(folder, "has an adapter")


def test_the_model_outlives_its_file(folder):
    model, _ = from_pretrained(folder)
    ids = torch.arange(9)[None]
    before = model(ids)
    with (folder / "model.safetensors").open("r+b") as file:
        file.seek(4_000)
        file.write(b"x" * 20_000)
    assert torch.equal(model(ids), before)


def shards(folder, where):
    """Two files: all tensors, and sevens for the norms; and an index."""
    tensors = load_file(folder / "model.safetensors")
    sevens = {k: v * 0 + 7 for k, v in tensors.items() if "norm" in k}
    (folder / "model.safetensors").unlink()
    keep = {k: v for k, v in tensors.items() if where == "both" or k not in sevens}
    save_file(keep, folder / "one.safetensors")
    save_file(sevens, folder / "two.safetensors")
    places = dict.fromkeys(tensors, "one.safetensors")
    places |= dict.fromkeys(sevens, "two.safetensors")
    index = {"weight_map": places}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    return index


def test_a_tensor_in_two_shards(folder):
    shards(folder, "both")
    refused(folder, "which isn't there by model.safetensors.index.json")


def test_a_tensor_in_its_shard(folder):
    index = shards(folder, "one")
    model, _ = from_pretrained(folder)
    assert {model.norm.weight[0].item()} == {7.0}
    index["weight_map"]["model.norm.weight"] = "one.safetensors"
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    refused(folder, "which isn't there by")


def test_buffers_are_ignored_by_their_whole_name(tmp_path):
    save_pretrained(Transformer(small("gpt2")), None, tmp_path)
    name = "transformer.anything.attn.bias"
    change_tensors(tmp_path, lambda t: t.update({name: torch.ones(5)}))
    refused(tmp_path, f"have '{name}'")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 100_000])
def test_a_config_that_is_no_object(folder, text):
    (folder / "config.json").write_text(text)
    refused(folder, "config.json")


def test_a_huge_window_costs_nothing(folder):
    change_config(folder, {"max_position_embeddings": 2 * 10**9})
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
        ("which isn't there by", {"weight_map": {"a": "one.safetensors"}}),
        ("no file beside it", {"weight_map": {"a": "x" * 300 + ".safetensors"}}),
        ("xxx...xxx", {"weight_map": {"a": "x" * 10**6}}),
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
    refused(folder, "config.json is missing")


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
        ("doesn't cut texts", {"pre_tokenizer": {"pretokenizers": []}}),
        ("changes the text", {"normalizer": False}),
    ],
)
def test_tokenizers_that_we_cannot_read(folder, words, options):
    path = folder / "tokenizer.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | options))
    assert_no_tokenizer(folder, words)


def assert_no_tokenizer(folder, words):
    with pytest.warns(UserWarning, match=re.escape(words)):
        _, tokenizer = from_pretrained(folder)
    assert tokenizer is None


def change_tokenizer(folder, change):
    path = folder / "tokenizer.json"
    content = json.loads(path.read_text())
    change(content, content["model"], content["added_tokens"][0])
    path.write_text(json.dumps(content))


def set_pattern(pattern):
    def change(content, model, token):
        content["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"] = pattern

    return change


@pytest.mark.parametrize(
    ("words", "change"),
    [
        ("its dropout is 0.5", lambda c, m, t: m.update(dropout=0.5)),
        ("its end_of_word", lambda c, m, t: m.update(end_of_word_suffix="t")),
        ("its continuing", lambda c, m, t: m.update(continuing_subword_prefix="t")),
        ("swallows blanks", lambda c, m, t: t.update(lstrip=True)),
        ("swallows blanks", lambda c, m, t: t.update(rstrip=True)),
        ("swallows blanks", lambda c, m, t: t.update(single_word=True)),
        ("two ids", lambda c, m, t: t.update(content="a")),
        ("two ids", lambda c, m, t: c["added_tokens"].append({**t, "id": 290})),
        ("same id", lambda c, m, t: m["vocab"].update(a=98)),
        ("same id", lambda c, m, t: t.update(id=5, content="<|other|>")),
        ("no whole number", lambda c, m, t: m["vocab"].update(a=1.5)),
        ("no whole number", lambda c, m, t: m["vocab"].update(a=-5)),
        ("no whole number", lambda c, m, t: m["vocab"].update(a="7")),
        ("no whole number", lambda c, m, t: m["vocab"].update(a=True)),
        ("no whole number", lambda c, m, t: m["vocab"].update(a=NAN)),
        ("has only 300", lambda c, m, t: m["vocab"].update(a=10**4000)),
        ("no merge of two", lambda c, m, t: m["merges"].append("a b c")),
        ("no merge of two", lambda c, m, t: m["merges"].append([])),
        ("malformed", lambda c, m, t: m["merges"].append(5)),
        ("drops parts", set_pattern("")),
        ("drops parts", set_pattern("[a-z]+")),
        ("drops parts", set_pattern("(?=x)|.")),
        ("missing )", set_pattern("(")),
        ("malformed", set_pattern(5)),
        ("malformed", set_pattern("(.)(.)")),
        ("timed out", set_pattern(r"(?s)(?:.|..)+\x00|.")),
    ],
)
def test_tokenizers_that_mean_something_else(folder, words, change):
    change_tokenizer(folder, change)
    assert_no_tokenizer(folder, words)


@pytest.mark.parametrize("names", [["tokenizer.json"], ["vocab.json", "merges.txt"]])
@pytest.mark.parametrize("kind", ["folder", "long"])
def test_tokenizers_that_are_no_files(folder, names, kind):
    (folder / "tokenizer.json").unlink()
    for name in names:
        if kind == "folder":
            (folder / name).mkdir()
        else:
            with (folder / name).open("wb") as file:
                file.truncate(3 << 30)
    words = "no plain file" if kind == "folder" else "3221225472 bytes: at most"
    assert_no_tokenizer(folder, words)


@pytest.mark.parametrize("extra", ["truncation", "TemplateProcessing"])
def test_what_encode_leaves_out(folder, extra):
    step = {"type": "Sequence", "processors": [{"type": "TemplateProcessing"}]}
    name = extra if extra == "truncation" else "post_processor"
    change_tokenizer(folder, lambda c, m, t: c.update({name: step}))
    with pytest.warns(UserWarning, match=f"encode leaves out {extra}"):
        _, tokenizer = from_pretrained(folder)
    assert tokenizer is not None


@pytest.mark.parametrize(
    "name", ["tokenizer.json", "adapter_config.json", "model.safetensors.index.json"]
)
def test_older_files_are_not_joined_with_new_weights(folder, name):
    (folder / name).touch()
    before = (folder / "model.safetensors").read_bytes()
    with pytest.raises(ValueError, match=re.escape(f"has an older {name}")):
        save_pretrained(Transformer(small("llama")), None, folder)
    assert (folder / "model.safetensors").read_bytes() == before


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
        ("value_embeddings=True", small("qwen3", value_embeddings=True)),
        ("ngrams=2", small("qwen3", ngrams=2)),
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
    assert patterns["revision"] is None
    from_pretrained("somebody/model", revision="abc")
    assert calls[1][1]["revision"] == "abc"


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
