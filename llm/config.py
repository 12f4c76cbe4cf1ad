"""Everything about a model that is known before it is built.

Tangled from book/07-the-transformer.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import dataclasses
from dataclasses import dataclass
from typing import Any

from llm.position import RopeScaling

# %% book/07-the-transformer.md#CHOICES
CHOICES = {
    "norm": ("rms", "layer"),
    "placement": ("pre", "post"),
    "activation": ("relu", "relu2", "gelu", "gelu_tanh", "swiglu"),
    "position": ("rope", "learned", "sinusoidal", "none"),
    "init": ("normal", "zero"),
}


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """The sizes of a Transformer, and the choices that tell models apart.

    Raises:
        ValueError: sizes that don't fit together, or an unknown choice.
    """

    vocab_size: int
    n_layers: int
    n_heads: int
    n_kv_heads: int = 0  # 0: as many as n_heads
    d_model: int
    head_dim: int = 0  # 0: d_model / n_heads
    d_ff: int
    max_seq_len: int
    norm: str = "rms"
    norm_eps: float = 1e-6
    norm_weight: bool = True
    placement: str = "pre"
    activation: str = "swiglu"
    position: str = "rope"
    rope_base: float = 10_000.0
    rope_scaling: RopeScaling | None = None
    qkv_bias: bool = False
    out_bias: bool = False
    mlp_bias: bool = False
    qk_norm: bool = False  # RMSNorm of each head's queries and keys
    tie_embeddings: bool = False
    embed_norm: bool = False  # weightless RMSNorm of the embeddings
    embed_shortcut: bool = False  # each block sees the embeddings again
    value_embeddings: bool = False  # a table a block, added to the values
    ngrams: int = 1  # above 1: tables for runs of 2 to that many tokens
    ngram_rows: int = 16_384  # of each of those tables
    ngram_dropout: float = 0.0  # share of the runs not looked up in training
    init: str = "normal"
    init_std: float = 0.02

    def __post_init__(self) -> None:
        complete_config(self)
        check_config(self)

    @property
    def gated(self) -> bool:
        """Has the MLP three matrices?"""
        return self.activation == "swiglu"

    # -- book/07-the-transformer.md#ModelConfig.to_dict
    def to_dict(self) -> dict[str, Any]:
        """All fields, ready for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> "ModelConfig":
        """The config that `to_dict` wrote; an unknown field is refused."""
        unknown = fields.keys() - cls.__dataclass_fields__.keys()
        if unknown:
            raise ValueError(f"ModelConfig has no field {min(unknown)!r}")
        scaling = fields.get("rope_scaling")
        if isinstance(scaling, dict):
            fields = {**fields, "rope_scaling": RopeScaling(**scaling)}
        return cls(**fields)


# %% book/07-the-transformer.md#complete_config
def complete_config(config: ModelConfig) -> None:
    """Fill in the fields that follow from others."""
    if not config.n_kv_heads:
        object.__setattr__(config, "n_kv_heads", config.n_heads)
    if not config.head_dim:
        check_multiple(config, "d_model", "n_heads")
        head_dim = config.d_model // config.n_heads
        object.__setattr__(config, "head_dim", head_dim)


def check_multiple(config: ModelConfig, name: str, part: str) -> None:
    """Refuse a config whose field `name` isn't a multiple of `part`."""
    size, unit = getattr(config, name), getattr(config, part)
    if unit < 1 or size % unit:
        raise ValueError(f"{name} is {size}, no multiple of {part}, {unit}")


def check_config(config: ModelConfig) -> None:
    """Refuse a config that can't be built, with the field that is wrong."""
    for name, value in vars(config).items():
        if type(value) is int and value < 1:
            raise ValueError(f"{name} is {value}: at least 1 is needed")
        if name in CHOICES and value not in CHOICES[name]:
            known = ", ".join(CHOICES[name])
            raise ValueError(f"{name} is {value!r}, not one of {known}")
    check_multiple(config, "n_heads", "n_kv_heads")
    if not 0 <= config.ngram_dropout <= 1:
        raise ValueError(
            f"ngram_dropout is {config.ngram_dropout}: a share is from 0 to 1"
        )
    if config.position == "rope" and config.head_dim % 2:
        raise ValueError(
            f"head_dim is {config.head_dim}: rotary positions turn pairs, "
            "so it must be even"
        )


# %% book/07-the-transformer.md#presets
# ** packs several fields into a line.
LIKE_GPT2 = {
    **{"vocab_size": 50_257, "max_seq_len": 1_024, "norm_eps": 1e-5},
    **{"norm": "layer", "activation": "gelu_tanh", "position": "learned"},
    **{"qkv_bias": True, "out_bias": True, "mlp_bias": True},
    "tie_embeddings": True,
}
STRETCH = RopeScaling("llama3", 32.0, original_max_seq_len=8_192)
LIKE_LLAMA = {
    **{"vocab_size": 128_256, "max_seq_len": 131_072, "norm_eps": 1e-5},
    **{"rope_base": 500_000.0, "rope_scaling": STRETCH},
    "tie_embeddings": True,
}
LIKE_QWEN3 = {
    **{"vocab_size": 151_936, "max_seq_len": 40_960, "head_dim": 128},
    **{"rope_base": 1_000_000.0, "qk_norm": True, "tie_embeddings": True},
}
LIKE_VILLAGE = {
    **{"vocab_size": 1_024, "max_seq_len": 256, "activation": "relu2"},
    **{"qk_norm": True, "embed_norm": True},
    **{"init": "zero", "init_std": 0.05},
}
SHAPE = ("n_layers", "n_heads", "n_kv_heads", "d_model", "d_ff")
PRESETS: dict[str, tuple[dict[str, Any], tuple[int, ...]]] = {
    "gpt2": (LIKE_GPT2, (12, 12, 12, 768, 3_072)),
    "gpt2-medium": (LIKE_GPT2, (24, 16, 16, 1_024, 4_096)),
    "gpt2-large": (LIKE_GPT2, (36, 20, 20, 1_280, 5_120)),
    "gpt2-xl": (LIKE_GPT2, (48, 25, 25, 1_600, 6_400)),
    "llama": (LIKE_LLAMA, (16, 32, 8, 2_048, 8_192)),
    "llama-3b": (LIKE_LLAMA, (28, 24, 8, 3_072, 8_192)),
    "qwen3": (LIKE_QWEN3, (28, 16, 8, 1_024, 3_072)),
    "qwen3-1.7b": (LIKE_QWEN3, (28, 16, 8, 2_048, 6_144)),
    "qwen3-4b": (LIKE_QWEN3, (36, 32, 8, 2_560, 9_728)),
    "village": (LIKE_VILLAGE, (6, 4, 4, 128, 512)),
}


# %% book/07-the-transformer.md#preset
def preset(name: str, **changes: Any) -> ModelConfig:
    """The config of a known model, with some of its fields changed.

    With `n_heads` changed, `n_kv_heads` equals it unless given too.
    """
    if name not in PRESETS:
        raise ValueError(f"no preset {name!r}: {', '.join(PRESETS)}")
    family, numbers = PRESETS[name]
    sizes = dict(zip(SHAPE, numbers, strict=True))
    if "n_heads" in changes:
        sizes["n_kv_heads"] = changes["n_heads"]
    return ModelConfig(**{**sizes, **family, **changes})


# %% book/07-the-transformer.md#matrix_sizes
def matrix_sizes(config: ModelConfig) -> tuple[int, int]:
    """Entries of the matrices of a block's attention and of its MLP."""
    heads = 2 * (config.n_heads + config.n_kv_heads)
    attention = config.d_model * heads * config.head_dim
    return attention, config.d_model * config.d_ff * (2 + config.gated)


def n_parameters(config: ModelConfig) -> int:
    """The number of trainable parameters, without building the model."""
    c, D = config, config.d_model
    norm = D * c.norm_weight * (2 if c.norm == "layer" else 1)
    block = sum(matrix_sizes(c)) + 2 * norm + 2 * c.embed_shortcut
    block += c.qkv_bias * (c.n_heads + 2 * c.n_kv_heads) * c.head_dim
    block += c.out_bias * D + 2 * c.qk_norm * c.norm_weight * c.head_dim
    block += c.mlp_bias * ((1 + c.gated) * c.d_ff + D)
    shared = c.n_kv_heads * c.head_dim
    block += c.value_embeddings * c.vocab_size * shared
    tables = c.vocab_size * (1 if c.tie_embeddings else 2)
    tables += c.max_seq_len * (c.position == "learned")
    before = c.ngrams - 1
    tables += (before * (c.ngram_rows + 1) + 1) * (before > 0)
    last = norm if c.placement == "pre" else 0
    return D * tables + c.n_layers * block + last


# %% book/07-the-transformer.md#flops_per_token
def flops_per_token(config: ModelConfig, T: int) -> int:
    """Floating-point operations of a forward pass, for each of T tokens.

    Counts matrix products, all T x T scores included. Training takes three
    times as many: each product has two more in the backward pass.
    """
    scores = 2 * T * config.n_heads * config.head_dim
    blocks = config.n_layers * (sum(matrix_sizes(config)) + scores)
    return 2 * (blocks + config.vocab_size * config.d_model)
