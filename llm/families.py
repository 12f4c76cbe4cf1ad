"""What tells GPT-2, Llama and Qwen3 apart on disk, as data.

Tangled from book/08-other-peoples-weights.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

from llm.config import ModelConfig
from llm.position import RopeScaling


# %% book/08-other-peoples-weights.md#Family
@dataclass(frozen=True, kw_only=True)
class Family:
    """What tells the checkpoints of one family from those of another."""

    architecture: str  # the class of transformers
    prefix: str  # of all names but the head's; some files leave it out
    names: dict[str, str]  # our modules, and theirs
    options: dict[str, str]  # fields of ModelConfig, and their options
    defaults: dict[str, Any]  # of options that a config.json may lack
    activations: dict[str, str]  # theirs, and ours
    fixed: dict[str, Any]  # fields of ModelConfig that can't vary
    neutral: dict[str, Any]  # options that must be as here, or absent
    transposed: tuple[str, ...] = ()  # their modules with "in out" weights
    ignored: tuple[str, ...] = ()  # ends of names that hold no weights


# %% book/08-other-peoples-weights.md#PLAIN_BLOCK
PLAIN_BLOCK = {
    **{"norm_weight": True, "placement": "pre"},
    **{"embed_norm": False, "embed_shortcut": False},
}


# %% book/08-other-peoples-weights.md#GPT2_FILES
GPT2_FILES = Family(
    architecture="GPT2LMHeadModel",
    prefix="transformer.",
    names={
        **{"embedding": "transformer.wte", "position": "transformer.wpe"},
        **{"blocks": "transformer.h", "norm": "transformer.ln_f"},
        **{"attention_norm": "ln_1", "mlp_norm": "ln_2"},
        **dict.fromkeys(
            ("attention.q", "attention.k", "attention.v"), "attn.c_attn"
        ),
        **{"attention.out": "attn.c_proj", "head": "lm_head"},
        **{"mlp.up": "mlp.c_fc", "mlp.down": "mlp.c_proj"},
    },
    options={
        **{"vocab_size": "vocab_size", "max_seq_len": "n_positions"},
        **{"n_layers": "n_layer", "n_heads": "n_head"},
        **{"d_model": "n_embd", "d_ff": "n_inner"},
        **{"norm_eps": "layer_norm_epsilon"},
        **{"activation": "activation_function"},
        **{"tie_embeddings": "tie_word_embeddings"},
    },
    defaults={
        **{"layer_norm_epsilon": 1e-5, "tie_word_embeddings": True},
        **{"activation_function": "gelu_new"},
    },
    activations={
        **{"gelu_new": "gelu_tanh", "gelu_pytorch_tanh": "gelu_tanh"},
        **{"gelu": "gelu", "relu": "relu"},
    },
    fixed={
        **{"norm": "layer", "position": "learned", "qk_norm": False},
        **{"qkv_bias": True, "out_bias": True, "mlp_bias": True},
        **PLAIN_BLOCK,
    },
    neutral={
        **{"scale_attn_by_inverse_layer_idx": False},
        **{"scale_attn_weights": True, "add_cross_attention": False},
    },
    transposed=("c_attn", "c_proj", "c_fc"),
    ignored=(".attn.bias", ".attn.masked_bias"),
)


# %% book/08-other-peoples-weights.md#LLAMA_OPTIONS
LLAMA_OPTIONS = {
    **{"vocab_size": "vocab_size", "n_layers": "num_hidden_layers"},
    **{"n_heads": "num_attention_heads", "head_dim": "head_dim"},
    **{"n_kv_heads": "num_key_value_heads", "d_model": "hidden_size"},
    **{"d_ff": "intermediate_size", "norm_eps": "rms_norm_eps"},
    **{"max_seq_len": "max_position_embeddings"},
    **{"qkv_bias": "attention_bias", "out_bias": "attention_bias"},
    **{"activation": "hidden_act", "tie_embeddings": "tie_word_embeddings"},
}
LLAMA_DEFAULTS = {
    **{"num_key_value_heads": 0, "head_dim": 0, "rms_norm_eps": 1e-6},
    **{"attention_bias": False, "mlp_bias": False, "hidden_act": "silu"},
    **{"tie_word_embeddings": False, "max_position_embeddings": 2_048},
}
LLAMA_NAMES = {
    **{"embedding": "model.embed_tokens", "blocks": "model.layers"},
    **{"norm": "model.norm", "head": "lm_head"},
    **{"attention_norm": "input_layernorm"},
    **{f"attention.{part}": f"self_attn.{part}_proj" for part in "qkv"},
    **{"attention.out": "self_attn.o_proj"},
    **{"mlp_norm": "post_attention_layernorm"},
    **{f"mlp.{p}": f"mlp.{p}_proj" for p in ("gate", "up", "down")},
}


# %% book/08-other-peoples-weights.md#LLAMA_FILES
LLAMA_FILES = Family(
    architecture="LlamaForCausalLM",
    prefix="model.",
    names=LLAMA_NAMES,
    options={**LLAMA_OPTIONS, "mlp_bias": "mlp_bias"},
    defaults=LLAMA_DEFAULTS,
    activations={"silu": "swiglu"},
    fixed={
        **{"norm": "rms", "position": "rope", "qk_norm": False},
        **PLAIN_BLOCK,
    },
    neutral={"partial_rotary_factor": 1.0},
    ignored=(".rotary_emb.inv_freq",),
)
QWEN3_FILES = Family(
    architecture="Qwen3ForCausalLM",
    prefix="model.",
    names={
        **LLAMA_NAMES,
        "attention.q_norm": "self_attn.q_norm",
        "attention.k_norm": "self_attn.k_norm",
    },
    options=LLAMA_OPTIONS,
    defaults={**LLAMA_DEFAULTS, "head_dim": 128},
    activations={"silu": "swiglu"},
    fixed={**LLAMA_FILES.fixed, "qk_norm": True, "mlp_bias": False},
    neutral={"use_sliding_window": False, "partial_rotary_factor": 1.0},
)
FAMILIES = {
    **{"gpt2": GPT2_FILES, "llama": LLAMA_FILES},
    "qwen3": QWEN3_FILES,
}


# %% book/08-other-peoples-weights.md#their_name
def their_name(name: str, family: Family) -> str:
    """The name of the tensor that holds our parameter `name`."""
    start = ""
    if name.startswith("blocks."):
        _, number, name = name.split(".", 2)
        start = f"{family.names['blocks']}.{number}."
    module, kind = name.rsplit(".", 1)
    return f"{start}{family.names[module]}.{kind}"


def is_transposed(name: str, family: Family) -> bool:
    """Whether a tensor of theirs is stored as "in out"."""
    module, kind = name.split(".")[-2:]
    return kind == "weight" and module in family.transposed


def full_name(name: str, family: Family) -> str:
    """A name as transformers writes it; some files leave the prefix out."""
    known = name.startswith((family.prefix, "lm_head."))
    return name if known else family.prefix + name


def layout(names: Iterable[str], family: Family) -> dict[str, list[str]]:
    """Their tensors, each with those of ours that it holds, in order."""
    held: dict[str, list[str]] = {}
    for name in names:
        held.setdefault(their_name(name, family), []).append(name)
    return held


# %% book/08-other-peoples-weights.md#SCALING
SCALING = {
    "original_max_position_embeddings": "original_max_seq_len",
    **{n: n for n in ("factor", "beta_fast", "beta_slow")},
    **{n: n for n in ("attention_factor", "low_freq_factor")},
    "high_freq_factor": "high_freq_factor",
}
ROPE_KINDS = ("linear", "yarn", "llama3")
NO_EFFECT = {"truncate": True, "partial_rotary_factor": 1.0}


def read_rope(options: dict[str, Any]) -> dict[str, Any]:
    """The fields of a ModelConfig that tell how positions rotate."""
    rope = options.get("rope_parameters") or options.get("rope_scaling")
    if not isinstance(rope, dict | None):
        raise ValueError(f"the scaling of RoPE is {rope!r}, no object")
    rope = {k: v for k, v in (rope or {}).items() if v is not None}
    base = rope.pop("rope_theta", options.get("rope_theta", 10_000.0))
    if type(base) not in (int, float) or not 0 < base < math.inf:
        raise ValueError(f"rope_theta is {base!r}, no positive number")
    legacy = rope.pop("type", "default")
    kind = rope.pop("rope_type", legacy)
    rope = {k: v for k, v in rope.items() if NO_EFFECT.get(k) != v}
    if kind == "default" and not rope:
        return {"rope_base": float(base)}
    if kind not in ROPE_KINDS or rope.keys() - SCALING.keys():
        what = min(rope.keys() - SCALING.keys(), default=kind)
        raise ValueError(f"RoPE is scaled with {what!r}, unknown to us")
    trained = options.get("max_position_embeddings")
    values = {SCALING[k]: v for k, v in rope.items()}
    if kind == "yarn":
        values.setdefault("original_max_seq_len", trained)
    for name, value in values.items():
        if type(value) not in (int, float):
            raise ValueError(f"RoPE's {name} is {value!r}, no number")
    if "factor" not in values:
        raise ValueError("the scaling of RoPE has no factor")
    scaling = RopeScaling(kind, **values)
    return {"rope_base": float(base), "rope_scaling": scaling}


# %% book/08-other-peoples-weights.md#checked_option
def checked_option(name: str, value: Any, kind: Any) -> Any:
    """An option's value, if it has the type that its field needs."""
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind:
        raise ValueError(f"{name} is {value!r}, no {kind.__name__}")
    if kind is int and not 0 <= value < 1 << 31:
        raise ValueError(f"{name} is {value}: out of range")
    return value


def check_neutral(options: dict[str, Any], family: Family) -> None:
    """Refuse options that would change what the model computes."""
    neutral = {**family.neutral, "quantization_config": None}
    for name, value in neutral.items():
        found = options.get(name)
        if found is not None and found != value:
            raise ValueError(f"{name} is {found!r}: we know only {value!r}")
    kinds = options.get("layer_types") or []
    if any(kind != "full_attention" for kind in kinds):
        raise ValueError("layer_types has others than 'full_attention'")


# %% book/08-other-peoples-weights.md#read_config
def read_config(options: dict[str, Any]) -> tuple[Family, ModelConfig]:
    """The family and the config that a `config.json` describes.

    Raises:
        ValueError: an option that is missing, wrong or unknown to us.
    """
    model_type = options.get("model_type")
    if not isinstance(model_type, str) or model_type not in FAMILIES:
        known = ", ".join(FAMILIES)
        raise ValueError(f"model_type is {model_type!r}: not {known}")
    family = FAMILIES[model_type]
    check_neutral(options, family)
    types = {item.name: item.type for item in fields(ModelConfig)}
    values = dict(family.fixed)
    for ours, theirs in family.options.items():
        value = options.get(theirs)
        if theirs == "n_inner" and value is None:
            value = 4 * checked_option("n_embd", options.get("n_embd"), int)
        if value is None:
            value = family.defaults.get(theirs)
        value = checked_option(theirs, value, types[ours])
        if ours == "activation":
            if value not in family.activations:
                raise ValueError(f"{theirs} is {value!r}, unknown to us")
            value = family.activations[value]
        values[ours] = value
    if values["position"] == "rope":
        values |= read_rope(options)
    return family, ModelConfig(**values)


# %% book/08-other-peoples-weights.md#family_name
def family_name(config: ModelConfig) -> str:
    """The family that a config belongs to, if to any."""
    if config.position == "learned":
        return "gpt2"
    return "qwen3" if config.qk_norm else "llama"


def check_expressible(config: ModelConfig, name: str) -> None:
    """Refuse a config that no model of the family has, with the fields."""
    c, family = config, FAMILIES[name]
    wrong = [k for k, v in family.fixed.items() if getattr(c, k) != v]
    if c.activation not in family.activations.values():
        wrong.append("activation")
    if c.qkv_bias != c.out_bias:
        wrong.append("out_bias")
    if name == "gpt2":
        wrong += ["n_kv_heads"] * (c.n_kv_heads != c.n_heads)
        wrong += ["head_dim"] * (c.head_dim * c.n_heads != c.d_model)
    elif c.rope_scaling and c.rope_scaling.kind not in ROPE_KINDS:
        wrong.append("rope_scaling")
    if wrong:
        found = ", ".join(f"{k}={getattr(c, k)!r}" for k in wrong)
        raise ValueError(f"transformers' {name} can't express {found}")


# %% book/08-other-peoples-weights.md#write_config
def write_config(config: ModelConfig) -> dict[str, Any]:
    """The `config.json` of a model, for transformers.

    Raises:
        ValueError: no family of transformers can express the config.
    """
    name = family_name(config)
    check_expressible(config, name)
    family = FAMILIES[name]
    options: dict[str, Any] = {"model_type": name}
    options["architectures"] = [family.architecture]
    back = {ours: theirs for theirs, ours in family.activations.items()}
    back |= {"gelu_tanh": "gelu_new"}
    for ours, theirs in family.options.items():
        value = getattr(config, ours)
        options[theirs] = back[value] if ours == "activation" else value
    if config.position == "rope":
        options["rope_theta"] = config.rope_base
        options["rope_scaling"] = None
        if config.rope_scaling is not None:
            options["rope_scaling"] = write_scaling(config.rope_scaling)
    return options


def write_scaling(scaling: RopeScaling) -> dict[str, Any]:
    """A scaling of RoPE in the words of transformers."""
    wanted = {
        "linear": ("factor",),
        "yarn": tuple(SCALING)[:5],
        "llama3": (*tuple(SCALING)[:2], *tuple(SCALING)[5:]),
    }[scaling.kind]
    values = {name: getattr(scaling, SCALING[name]) for name in wanted}
    values = {k: v for k, v in values.items() if v is not None}
    return {"rope_type": scaling.kind, **values}
