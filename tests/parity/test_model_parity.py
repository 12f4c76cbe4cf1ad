"""Our Transformer against transformers: the same weights, the same logits."""

from typing import Any

import pytest
import torch
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from llm.config import ModelConfig
from llm.model import Transformer

V, T = 97, 24
SHAPES = [
    {"n_layers": 1, "n_heads": 2, "d_model": 16, "d_ff": 40},
    {"n_layers": 3, "n_heads": 4, "d_model": 64, "d_ff": 96, "n_kv_heads": 2},
    {"n_layers": 2, "n_heads": 6, "d_model": 48, "d_ff": 64, "n_kv_heads": 1},
]


def scatter(theirs: PreTrainedModel) -> None:
    """Draw every parameter anew, so that no bias is zero and no norm is one."""
    torch.manual_seed(0)
    with torch.no_grad():
        for name, parameter in theirs.named_parameters():
            centre = 1.0 if "norm" in name or "ln_" in name else 0.0
            parameter.normal_(centre if name.endswith("weight") else 0.0, 0.2)


def gpt2(shape: dict[str, int]) -> tuple[PreTrainedModel, ModelConfig, dict[str, Any]]:
    shape = {**shape, "n_kv_heads": 0}
    theirs = GPT2LMHeadModel(
        GPT2Config(
            vocab_size=V,
            n_positions=T,
            n_embd=shape["d_model"],
            n_layer=shape["n_layers"],
            n_head=shape["n_heads"],
            n_inner=shape["d_ff"],
            bos_token_id=0,
            eos_token_id=0,
        )
    )
    scatter(theirs)
    ours = ModelConfig(
        vocab_size=V,
        max_seq_len=T,
        norm="layer",
        norm_eps=1e-5,
        activation="gelu_tanh",
        position="learned",
        qkv_bias=True,
        out_bias=True,
        mlp_bias=True,
        tie_embeddings=True,
        **shape,
    )
    names = {"ln_1": "attention_norm", "ln_2": "mlp_norm", "ln_f": "norm"}
    names |= {"wte": "embedding", "wpe": "position", "attn.c_proj": "attention.out"}
    names |= {"mlp.c_fc": "mlp.up", "mlp.c_proj": "mlp.down", "h.": "blocks."}
    weights = {}
    for name, tensor in theirs.transformer.state_dict().items():
        for old, new in names.items():
            name = name.replace(old, new, 1)
        if name.endswith(("out.weight", "up.weight", "down.weight")):
            tensor = tensor.T
        if "c_attn" in name:
            for part, piece in zip("qkv", tensor.chunk(3, -1), strict=True):
                new = name.replace("attn.c_attn", f"attention.{part}")
                weights[new] = piece.T if new.endswith("weight") else piece
        else:
            weights[name] = tensor
    weights["head.weight"] = weights["embedding.weight"]
    return theirs, ours, weights


NAMES = {
    "model.": "",
    "layers.": "blocks.",
    "embed_tokens": "embedding",
    "self_attn.": "attention.",
    "_proj": "",
    "attention.o.": "attention.out.",
    "input_layernorm": "attention_norm",
    "post_attention_layernorm": "mlp_norm",
    "lm_head": "head",
}


def llama_like(
    model: type[PreTrainedModel],
    config: type[Any],
    shape: dict[str, int],
    theirs: dict[str, Any],
    ours: dict[str, Any],
) -> tuple[PreTrainedModel, ModelConfig, dict[str, Any]]:
    kv_heads = shape.get("n_kv_heads", shape["n_heads"])
    their_model = model(
        config(
            vocab_size=V,
            max_position_embeddings=T,
            hidden_size=shape["d_model"],
            intermediate_size=shape["d_ff"],
            num_hidden_layers=shape["n_layers"],
            num_attention_heads=shape["n_heads"],
            num_key_value_heads=kv_heads,
            bos_token_id=0,
            eos_token_id=0,
            pad_token_id=None,
            **theirs,
        )
    )
    scatter(their_model)
    weights = {}
    for name, tensor in their_model.state_dict().items():
        for old, new in NAMES.items():
            name = name.replace(old, new, 1)
        weights[name] = tensor
    if their_model.config.tie_word_embeddings:
        weights["head.weight"] = weights["embedding.weight"]
    config = ModelConfig(vocab_size=V, max_seq_len=T, **{**shape, **ours})
    return their_model, config, weights


def llama(shape: dict[str, int], tied: bool, bias: bool) -> Any:
    theirs = {
        "tie_word_embeddings": tied,
        "attention_bias": bias,
        "mlp_bias": bias,
        "rms_norm_eps": 1e-5,
    }
    ours = {"tie_embeddings": tied, "norm_eps": 1e-5}
    ours |= {"qkv_bias": bias, "out_bias": bias, "mlp_bias": bias}
    return llama_like(LlamaForCausalLM, LlamaConfig, shape, theirs, ours)


def qwen3(shape: dict[str, int], tied: bool, bias: bool) -> Any:
    theirs = {
        "tie_word_embeddings": tied,
        "attention_bias": bias,
        "head_dim": 24,
        "rope_parameters": {"rope_type": "default", "rope_theta": 1e6},
    }
    ours = {"tie_embeddings": tied, "head_dim": 24, "rope_base": 1e6}
    ours |= {"qk_norm": True, "qkv_bias": bias, "out_bias": bias}
    return llama_like(Qwen3ForCausalLM, Qwen3Config, shape, theirs, ours)


def agree(theirs: PreTrainedModel, config: ModelConfig, weights: Any) -> None:
    ours = Transformer(config)
    ours.load_state_dict(weights)
    theirs.eval()
    torch.manual_seed(1)
    for length in (1, 7, T):
        ids = torch.randint(V, (3, length))
        with torch.no_grad():
            expected, found = theirs(ids).logits, ours(ids)
        assert expected.std() > 0.3
        torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("shape", SHAPES)
def test_gpt2(shape):
    agree(*gpt2(shape))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("bias", [True, False])
def test_llama(shape, tied, bias):
    agree(*llama(shape, tied, bias))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("bias", [True, False])
def test_qwen3(shape, tied, bias):
    agree(*qwen3(shape, tied, bias))


def test_gradients_agree_too():
    """One training step's gradients, through our loss and through theirs."""
    theirs, config, weights = gpt2(SHAPES[1])
    theirs.eval()
    ours = Transformer(config)
    ours.load_state_dict(weights)
    ids = torch.randint(V, (2, T))
    logits = theirs(ids[:, :-1]).logits.flatten(0, 1)
    torch.nn.functional.cross_entropy(logits, ids[:, 1:].flatten()).backward()
    ours.loss(ids[:, :-1], ids[:, 1:]).backward()
    expected = theirs.transformer.wte.weight.grad
    torch.testing.assert_close(
        ours.embedding.weight.grad, expected, atol=1e-5, rtol=1e-4
    )
    expected = theirs.transformer.h[0].mlp.c_fc.weight.grad.T
    found = ours.blocks[0].mlp.up.weight.grad
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)
