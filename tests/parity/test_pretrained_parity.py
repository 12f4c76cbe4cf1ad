"""Checkpoints of transformers in, ours out: the same logits both ways."""

import copy
import json
import shutil
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    GPT2Config,
    LlamaConfig,
    PreTrainedModel,
    Qwen3Config,
)

from llm.config import ModelConfig, preset
from llm.model import Transformer
from llm.pretrained import from_pretrained, save_pretrained
from llm.tokenizer import Tokenizer, train_bpe

V, T = 97, 24
GPT2_FOLDER = Path(__file__).parents[3] / "shared" / "data" / "gpt2"
CASES: dict[str, Any] = {}
for layers, heads, kv, width in ((1, 2, 2, 16), (3, 4, 2, 32), (2, 6, 1, 48)):
    size = f"{layers}x{width}"
    for tied in (True, False):
        CASES[f"gpt2-{size}-{tied}"] = GPT2Config(
            vocab_size=V,
            n_positions=T,
            n_embd=width,
            n_layer=layers,
            n_head=heads,
            n_inner=None if tied else 3 * width,
            tie_word_embeddings=tied,
            activation_function="gelu_new" if tied else "relu",
            bos_token_id=0,
            eos_token_id=0,
        )
        for bias in (True, False):
            common: dict[str, Any] = {
                "vocab_size": V,
                "max_position_embeddings": 64,
                "hidden_size": width,
                "intermediate_size": 2 * width + 8,
                "num_hidden_layers": layers,
                "num_attention_heads": heads,
                "num_key_value_heads": kv,
                "tie_word_embeddings": tied,
                "attention_bias": bias,
                "bos_token_id": 0,
                "eos_token_id": 0,
            }
            CASES[f"llama-{size}-{tied}-{bias}"] = LlamaConfig(
                **common, mlp_bias=bias, rms_norm_eps=1e-5
            )
            CASES[f"qwen3-{size}-{tied}-{bias}"] = Qwen3Config(
                **common,
                head_dim=24,
                rope_parameters={"rope_type": "default", "rope_theta": 1e6},
            )
SCALINGS: tuple[dict[str, Any], ...] = (
    {"rope_type": "linear", "factor": 2.0},
    {
        "rope_type": "llama3",
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 16,
    },
    {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16},
)
for scaling in SCALINGS:
    CASES[f"llama-{scaling['rope_type']}"] = LlamaConfig(
        vocab_size=V,
        max_position_embeddings=64,
        hidden_size=32,
        intermediate_size=40,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        rope_parameters={**scaling, "rope_theta": 5e3},
        bos_token_id=0,
        eos_token_id=0,
    )


def scattered(config: Any) -> PreTrainedModel:
    """A model of transformers in which no bias is zero and no norm is one."""
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(copy.deepcopy(config))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            norm = ("norm" in name or "ln_" in name) and name.endswith("weight")
            parameter.normal_(1.0 if norm else 0.0, 0.2)
    return model.eval()


def assert_equal_logits(ours: Transformer, theirs: PreTrainedModel) -> None:
    torch.manual_seed(1)
    for length in (1, 7, T):
        ids = torch.randint(ours.config.vocab_size, (3, length))
        with torch.no_grad():
            expected, found = theirs(ids).logits, ours(ids)
        assert expected.std() > 0.1
        torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


def load(folder: Path) -> Transformer:
    with pytest.warns(UserWarning, match="no tokenizer"):
        model, tokenizer = from_pretrained(folder)
    assert tokenizer is None
    return model


@pytest.mark.parametrize("name", CASES)
def test_in_and_out_again(name, tmp_path):
    theirs = scattered(CASES[name])
    theirs.save_pretrained(tmp_path / "theirs")
    ours = load(tmp_path / "theirs")
    assert_equal_logits(ours, theirs)
    save_pretrained(ours, None, tmp_path / "ours")
    back = AutoModelForCausalLM.from_pretrained(tmp_path / "ours")
    assert type(back) is type(theirs)
    for (name, a), (other, b) in zip(
        theirs.state_dict().items(), back.state_dict().items(), strict=True
    ):
        assert name == other
        assert torch.equal(a, b), name
    assert_equal_logits(ours, back)
    again = load(tmp_path / "ours")
    assert again.config == ours.config


def test_the_files_of_old_configs(tmp_path):
    """`rope_theta` and `rope_scaling` side by side, as before transformers 5."""
    theirs = scattered(CASES["llama-llama3"])
    theirs.save_pretrained(tmp_path)
    path = tmp_path / "config.json"
    config = json.loads(path.read_text())
    rope = config.pop("rope_parameters")
    config["rope_theta"] = rope.pop("rope_theta")
    config["rope_scaling"] = rope
    for name in ("attention_bias", "mlp_bias", "head_dim"):
        del config[name]
    path.write_text(json.dumps(config))
    assert_equal_logits(load(tmp_path), theirs)


@pytest.mark.parametrize("name", ["gpt2-3x32-True", "qwen3-3x32-False-False"])
def test_shards(name, tmp_path):
    theirs = scattered(CASES[name])
    theirs.save_pretrained(tmp_path, max_shard_size="20KB")
    assert len([*tmp_path.glob("*.safetensors")]) > 2
    assert_equal_logits(load(tmp_path), theirs)


@pytest.mark.parametrize("name", ["gpt2-3x32-True", "llama-3x32-True-False"])
def test_bfloat16(name, tmp_path):
    scattered(CASES[name]).to(torch.bfloat16).save_pretrained(tmp_path)
    theirs = AutoModelForCausalLM.from_pretrained(tmp_path, dtype=torch.float32)
    ours = load(tmp_path)
    assert ours.embedding.weight.dtype == torch.float32
    assert_equal_logits(ours, theirs)
    with pytest.warns(UserWarning, match="no tokenizer"):
        half, _ = from_pretrained(tmp_path, dtype=torch.bfloat16)
    save_pretrained(half, None, tmp_path / "half")
    back = AutoModelForCausalLM.from_pretrained(tmp_path / "half", dtype="auto")
    assert back.dtype == half.head.weight.dtype == torch.bfloat16
    for a, b in zip(theirs.parameters(), back.parameters(), strict=True):
        assert torch.equal(a.bfloat16(), b)


def test_names_without_prefix_and_buffers(tmp_path):
    """As in the GPT-2 of the hub."""
    from safetensors.torch import load_file, save_file

    theirs = scattered(CASES["gpt2-3x32-True"])
    theirs.save_pretrained(tmp_path)
    path = tmp_path / "model.safetensors"
    tensors = {
        name.removeprefix("transformer."): tensor
        for name, tensor in load_file(path).items()
    }
    for i in range(3):
        tensors[f"h.{i}.attn.bias"] = torch.ones(1, 1, T, T).tril()
        tensors[f"h.{i}.attn.masked_bias"] = torch.tensor(-1e4)
    save_file(tensors, path)
    assert_equal_logits(load(tmp_path), theirs)


FAMILIES = ("gpt2", "llama", "qwen3")


def small(name: str, size: int) -> ModelConfig:
    return preset(
        name,
        vocab_size=size,
        n_layers=2,
        n_heads=2,
        d_model=32,
        head_dim=16,
        d_ff=48,
        max_seq_len=64,
        rope_scaling=None,
    )


@pytest.mark.parametrize("name", FAMILIES)
def test_our_tokenizer_goes_with_the_model(name, tmp_path):
    text = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    tokenizer = train_bpe(text, 400, ["<|endoftext|>", "<|user|>"])
    model = Transformer(small(name, 400))
    save_pretrained(model, tokenizer, tmp_path)
    theirs = AutoTokenizer.from_pretrained(tmp_path)
    sample = text + " Zürich, 東京 🙂\n\n\t  x='1'  'll don't 1234567 <|endoftext|>"
    assert theirs(sample)["input_ids"] == tokenizer.encode(sample, "all")
    assert theirs.decode(tokenizer.encode(text)) == text
    assert theirs.eos_token_id == tokenizer.special_tokens["<|endoftext|>"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again, back = from_pretrained(tmp_path)
    assert again.config == model.config
    assert back.encode(sample, "all") == tokenizer.encode(sample, "all")
    assert back.vocab == tokenizer.vocab
    assert_equal_logits(again, AutoModelForCausalLM.from_pretrained(tmp_path))


@pytest.mark.skipif(not GPT2_FOLDER.exists(), reason="GPT-2's files aren't here")
def test_the_vocabulary_of_gpt2(tmp_path):
    model = Transformer(small("gpt2", 50_257))
    save_pretrained(model, None, tmp_path)
    for name in ("vocab.json", "merges.txt"):
        shutil.copy(GPT2_FOLDER / name, tmp_path)
    _, tokenizer = from_pretrained(tmp_path)
    files = [GPT2_FOLDER / name for name in ("vocab.json", "merges.txt")]
    assert tokenizer is not None
    assert tokenizer.vocab == Tokenizer.from_gpt2(*files).vocab
    assert tokenizer.encode("Hello world") == [15496, 995]
