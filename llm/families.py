"""What tells GPT-2, Llama and Qwen3 apart on disk, as data.

Tangled from book/08-other-peoples-weights.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any

from llm.config import ModelConfig
from llm.position import RopeScaling
from llm.tensor_files import brief, checked_option, positive


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
    ignored: str = ""  # pattern of names that hold no weights
    aliases: dict[str, str] = field(default_factory=dict)  # of options


# %% book/08-other-peoples-weights.md#PLAIN_BLOCK
PLAIN_BLOCK = {
    **{"norm_weight": True, "placement": "pre"},
    **{"embed_norm": False, "embed_shortcut": False},
    **{"value_embeddings": False, "ngrams": 1},
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
    ignored=r"transformer\.h\.\d+\.attn\.(masked_)?bias",
    aliases={
        **{"hidden_size": "n_embd", "num_hidden_layers": "n_layer"},
        **{"num_attention_heads": "n_head"},
        **{"max_position_embeddings": "n_positions"},
    },
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
    ignored=r"model\.layers\.\d+\.self_attn\.rotary_emb\.inv_freq",
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


# %% book/08-other-peoples-weights.md#LENGTH
LENGTH = "original_max_position_embeddings"
ROPE_KINDS = {
    "linear": ("factor",),
    "yarn": (
        *("factor", LENGTH, "beta_fast", "beta_slow", "attention_factor"),
    ),
    "llama3": ("factor", LENGTH, "low_freq_factor", "high_freq_factor"),
}
OPTIONAL = ("beta_fast", "beta_slow", "attention_factor")
NO_EFFECT = {"truncate": True, "partial_rotary_factor": 1.0}


# %% book/08-other-peoples-weights.md#rope_options
def rope_options(options: dict[str, Any]) -> dict[str, Any]:
    """What a config says of RoPE, in the places where files have it."""
    new, old = options.get("rope_parameters"), options.get("rope_scaling")
    rope = old if new is None else new
    if rope is not None and not isinstance(rope, dict):
        raise ValueError(f"the scaling of RoPE is {brief(rope)}, no object")
    if new and old and new != old:
        raise ValueError("rope_parameters and rope_scaling differ")
    rope = {k: v for k, v in (rope or {}).items() if v is not None}
    rope.setdefault("rope_type", rope.get("type", "default"))
    rope.pop("type", None)
    outside = ["rope_theta"]
    if rope["rope_type"] != "default":
        outside.append(LENGTH)
    for name in outside:
        value = options.get(name)
        if value is not None and rope.setdefault(name, value) != value:
            raise ValueError(f"there are two {name}, which differ")
    return rope


# %% book/08-other-peoples-weights.md#read_rope
def read_rope(options: dict[str, Any]) -> dict[str, Any]:
    """The fields of a ModelConfig that tell how positions rotate."""
    rope = rope_options(options)
    base = positive("rope_theta", rope.pop("rope_theta", 10_000.0))
    if base <= 1:
        raise ValueError(f"rope_theta is {base}, but must be above 1")
    kind = rope.pop("rope_type")
    rope = {k: v for k, v in rope.items() if NO_EFFECT.get(k) != v}
    if kind == "default" and not rope:
        return {"rope_base": float(base)}
    if kind not in ("default", *ROPE_KINDS):
        raise ValueError(f"RoPE's kind is {brief(kind)}, unknown to us")
    names = ROPE_KINDS.get(kind, ())
    if unknown := rope.keys() - set(names):
        what = brief(min(unknown))
        raise ValueError(f"RoPE, {kind}, has {what}, unknown to us")
    if kind == "yarn":
        rope.setdefault(LENGTH, options.get("max_position_embeddings"))
    for name in names:
        if name not in rope and name not in OPTIONAL:
            raise ValueError(f"the scaling of RoPE has no {name}")
    values = {k: positive(k, v) for k, v in rope.items() if k != LENGTH}
    if LENGTH in rope:
        length = checked_option(LENGTH, rope[LENGTH], int)
        values["original_max_seq_len"] = length
    scaling = RopeScaling(kind, **values)
    return {"rope_base": float(base), "rope_scaling": scaling}


# %% book/08-other-peoples-weights.md#NEUTRAL
NEUTRAL = {
    **{"is_causal": True, "quantization_config": None},
    **{"is_encoder_decoder": False, "chunk_size_feed_forward": 0},
}
HARMLESS = re.compile(
    r"model_type|architectures|transformers_version|use_cache|n_ctx"
    r"|(bos|eos|pad)_token_id|(torch_)?dtype|_name_or_path|id2label"
    r"|label2id|problem_type|return_dict|initializer_range|output_\w+"
    r"|\w+_dropout|\w+_pdrop|summary_\w+|task_specific_params"
    r"|reorder_and_upcast_attn|pretraining_tp|sliding_window"
    r"|max_window_layers|layer_types|rope_\w+|" + LENGTH
)


def unknown_options(options: dict[str, Any], family: Family) -> list[str]:
    """Options that are neither read nor known to change nothing."""
    known = {*family.options.values(), *family.aliases, *family.neutral}
    return sorted(
        name
        for name in options.keys() - known - NEUTRAL.keys()
        if not HARMLESS.fullmatch(name)
    )


# %% book/08-other-peoples-weights.md#check_neutral
def check_neutral(options: dict[str, Any], family: Family) -> None:
    """Refuse options that would change what the model computes."""
    for name, value in {**family.neutral, **NEUTRAL}.items():
        found = options.get(name)
        if found is not None and found != value:
            raise ValueError(
                f"{name} is {brief(found)}: we know only {value!r}; for "
                "others use transformers"
            )
    for alias, name in family.aliases.items():
        found = options.get(alias)
        if found is not None and found != options.get(name):
            raise ValueError(
                f"{alias} and {name} mean the same, but differ"
            )
    classes = options.get("architectures") or [family.architecture]
    if not isinstance(classes, list) or family.architecture not in classes:
        raise ValueError(
            f"architectures is {brief(classes)}, not {family.architecture}"
        )
    kinds = options.get("layer_types")
    n = options.get(family.options["n_layers"])
    if kinds is not None and (
        not isinstance(kinds, list)
        or len(kinds) != n
        or any(kind != "full_attention" for kind in kinds)
    ):
        raise ValueError("layer_types isn't 'full_attention' for each layer")


# %% book/08-other-peoples-weights.md#read_config
def read_config(options: dict[str, Any]) -> tuple[Family, ModelConfig]:
    """The family and the config that a `config.json` describes.

    Raises:
        ValueError: an option that is missing, wrong or unknown to us.
    """
    model_type = options.get("model_type")
    if not isinstance(model_type, str) or model_type not in FAMILIES:
        known = ", ".join(FAMILIES)
        raise ValueError(
            f"model_type is {brief(model_type)}: we know {known}; for "
            "others use transformers"
        )
    family = FAMILIES[model_type]
    check_neutral(options, family)
    types = {item.name: item.type for item in fields(ModelConfig)}
    values = dict(family.fixed)
    for ours, theirs in family.options.items():
        value = options.get(theirs)
        if value is None and theirs == "n_inner":
            values[ours] = 4 * values["d_model"]
        elif value is None and theirs in family.defaults:
            values[ours] = family.defaults[theirs]
        else:
            values[ours] = checked_option(theirs, value, types[ours])
    if (name := values["activation"]) not in family.activations:
        theirs = family.options["activation"]
        raise ValueError(f"{theirs} is {brief(name)}, unknown to us")
    values["activation"] = family.activations[name]
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
    if name == "gpt2" and c.n_kv_heads != c.n_heads:
        wrong.append("n_kv_heads")
    if name == "gpt2" and c.head_dim * c.n_heads != c.d_model:
        wrong.append("head_dim")
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
    values: dict[str, Any] = {"rope_type": scaling.kind}
    for name in ROPE_KINDS[scaling.kind]:
        ours = "original_max_seq_len" if name == LENGTH else name
        if (value := getattr(scaling, ours)) is not None:
            values[name] = value
    return values
