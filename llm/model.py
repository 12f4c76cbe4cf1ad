"""The transformer: one model for GPT-2, Llama, Qwen3 and our own.

Tangled from book/07-the-transformer.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from llm.attention import fused_attention, merge_heads, split_heads
from llm.config import ModelConfig
from llm.linear_loss import TwoUses, linear_cross_entropy
from llm.ngram_embedding import NGramEmbedding
from llm.position import Rotary, rotate, sinusoidal


# %% book/07-the-transformer.md#RMSNorm
class RMSNorm(nn.Module):
    """Division by the root mean square (Zhang and Sennrich, 2019)."""

    def __init__(self, width: int, eps: float = 1e-6, weight: bool = True):
        super().__init__()
        self.width, self.eps = width, eps
        self.weight = nn.Parameter(torch.ones(width)) if weight else None

    def forward(self, x: Float[Tensor, "... D"]) -> Float[Tensor, "... D"]:
        """x, normalized in float32 at least, times the weight if any."""
        weight = None if self.weight is None else self.weight.to(x.dtype)
        return F.rms_norm(x, (self.width,), weight, self.eps)


# %% book/07-the-transformer.md#activations
def squared_relu(x: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """The square of x where x is positive, else zero (So et al., 2021)."""
    return F.relu(x).square()


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": F.relu,
    "relu2": squared_relu,
    "gelu": F.gelu,
    "gelu_tanh": partial(F.gelu, approximate="tanh"),
    "swiglu": F.silu,  # and gated, see MLP
}


# %% book/07-the-transformer.md#Rotation
Rotation = tuple[Tensor, Tensor] | None  # cosines and sines, or neither


class Attention(nn.Module):
    """Self-attention; groups of query heads may share keys and values."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        width, head_dim = config.d_model, config.head_dim
        self.n_heads, self.n_kv_heads = config.n_heads, config.n_kv_heads
        inner, shared = self.n_heads * head_dim, self.n_kv_heads * head_dim
        self.q = nn.Linear(width, inner, bias=config.qkv_bias)
        self.k = nn.Linear(width, shared, bias=config.qkv_bias)
        self.v = nn.Linear(width, shared, bias=config.qkv_bias)
        self.out = nn.Linear(inner, width, bias=config.out_bias)
        norm: Callable[[], nn.Module] = nn.Identity
        if config.qk_norm:
            eps, weight = config.norm_eps, config.norm_weight
            norm = partial(RMSNorm, head_dim, eps, weight)
        self.q_norm, self.k_norm = norm(), norm()
        self.values = None
        if config.value_embeddings:
            self.values = nn.Embedding(config.vocab_size, shared)

    def forward(
        self,
        x: Float[Tensor, "B T D"],
        rotation: Rotation = None,
        mask: Bool[Tensor, "... T T"] | None = None,
        input_ids: Int[Tensor, "B T"] | None = None,
    ) -> Float[Tensor, "B T D"]:
        """What each token takes from those that it may see."""
        q, k, v = self.project(x, rotation, input_ids)
        mixed = fused_attention(q, k, v, mask, causal=mask is None)
        return self.out(merge_heads(mixed))

    # -- book/07-the-transformer.md#Attention.project
    def project(
        self,
        x: Float[Tensor, "B T D"],
        rotation: Rotation,
        input_ids: Int[Tensor, "B T"] | None = None,
    ) -> tuple[
        Float[Tensor, "B H T K"],
        Float[Tensor, "B G T K"],
        Float[Tensor, "B G T K"],
    ]:
        """Queries, keys and values of all heads, ready to be compared."""
        q = self.q_norm(split_heads(self.q(x), self.n_heads))
        k = self.k_norm(split_heads(self.k(x), self.n_kv_heads))
        v = self.v(x)
        if self.values is not None:
            v = v + self.values(input_ids)
        v = split_heads(v, self.n_kv_heads)
        if rotation is not None:
            q, k = rotate(q, *rotation), rotate(k, *rotation)
        return q, k, v


# %% book/07-the-transformer.md#MLP
class MLP(nn.Module):
    """A network with one hidden layer, for each token alone."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.activation = ACTIVATIONS[config.activation]
        width, inner, bias = config.d_model, config.d_ff, config.mlp_bias
        first = partial(nn.Linear, width, inner, bias=bias)
        self.gate = first() if config.gated else None
        self.up = first()
        self.down = nn.Linear(inner, width, bias=bias)

    def forward(self, x: Float[Tensor, "... D"]) -> Float[Tensor, "... D"]:
        """Up to d_ff numbers, bent or gated, and down again."""
        if self.gate is None:
            return self.down(self.activation(self.up(x)))
        return self.down(self.activation(self.gate(x)) * self.up(x))


# %% book/07-the-transformer.md#make_norm
def make_norm(config: ModelConfig) -> nn.Module:
    """The norm that the config asks for, as wide as the model."""
    width, eps, weight = config.d_model, config.norm_eps, config.norm_weight
    if config.norm == "rms":
        return RMSNorm(width, eps, weight)
    return nn.LayerNorm(width, eps, elementwise_affine=weight)


class Block(nn.Module):
    """Attention and an MLP, each added to the stream that passes."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.post = config.placement == "post"
        self.attention_norm = make_norm(config)
        self.attention = Attention(config)
        self.mlp_norm = make_norm(config)
        self.mlp = MLP(config)
        start = nn.Parameter(torch.tensor([1.0, 0.0]))
        self.shortcut = start if config.embed_shortcut else None

    def forward(
        self,
        x: Float[Tensor, "B T D"],
        first: Float[Tensor, "B T D"],
        rotation: Rotation = None,
        mask: Bool[Tensor, "... T T"] | None = None,
        input_ids: Int[Tensor, "B T"] | None = None,
    ) -> Float[Tensor, "B T D"]:
        """The stream after this block; `first` is how it began."""
        if self.shortcut is not None:
            x = self.shortcut[0] * x + self.shortcut[1] * first
        beside = rotation, mask, input_ids
        if self.post:
            x = self.attention_norm(x + self.attention(x, *beside))
            return self.mlp_norm(x + self.mlp(x))
        x = x + self.attention(self.attention_norm(x), *beside)
        return x + self.mlp(self.mlp_norm(x))


# %% book/07-the-transformer.md#initialize
@torch.no_grad()
def initialize(model: nn.Module, config: ModelConfig) -> None:
    """Draw all matrices from a normal distribution; biases become zero.

    What writes to the stream, `out` and `down`, is divided by the root of
    the number of writers (Radford et al., 2019). With `init="zero"` it is
    zero, and so is a head that isn't tied. Tables of runs begin at zero.
    """
    zero = config.init == "zero"
    for name, parameter in model.named_parameters():
        if name.endswith("bias"):
            parameter.zero_()
        elif parameter.ndim == 2 and parameter.requires_grad:
            parameter.normal_(std=config.init_std)
        if name.endswith(("out.weight", "down.weight")):
            parameter.mul_(0 if zero else (2 * config.n_layers) ** -0.5)
        if (name == "head.weight" and zero) or "tables" in name:
            parameter.zero_()


# %% book/07-the-transformer.md#Transformer
class Transformer(nn.Module):
    """Token ids in; out come, at each, the logits of the token after it."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config = config
        V, D = config.vocab_size, config.d_model
        self.embedding = nn.Embedding(V, D)
        self.position, self.rotary = make_position(config)
        self.before = NGramEmbedding(config) if config.ngrams > 1 else None
        blocks = (Block(config) for _ in range(config.n_layers))
        self.blocks = nn.ModuleList(blocks)
        pre = config.placement == "pre"
        self.norm = make_norm(config) if pre else nn.Identity()
        self.head = nn.Linear(D, V, bias=False)
        if config.tie_embeddings:
            self.head.weight = self.embedding.weight
        initialize(self, config)

    def forward(
        self,
        input_ids: Int[Tensor, "B T"],
        *,
        mask: Bool[Tensor, "*B T T"] | None = None,
        positions: Int[Tensor, "B T"] | None = None,
    ) -> Float[Tensor, "B T V"]:
        """The logits; arguments are those of `hidden`."""
        return self.head(self.hidden(input_ids, mask, positions))

    # -- book/07-the-transformer.md#Transformer.hidden
    def hidden(
        self,
        input_ids: Int[Tensor, "B T"],
        mask: Bool[Tensor, "*B T T"] | None = None,
        positions: Int[Tensor, "B T"] | None = None,
        table: Float[Tensor, "V D"] | None = None,
    ) -> Float[Tensor, "B T D"]:
        """What the head reads: the stream after all blocks, normalized.

        Args:
            mask: true where a token may attend, for all rows or for each;
                causal if not given.
            positions: of each token in its document; 0, 1, 2 ... if not given.
            table: look tokens up here, with a sparse gradient; see `loss`.
        """
        length = None  # asking `positions` would make a GPU wait
        if positions is None:
            length, most = input_ids.shape[1], self.config.max_seq_len
            if self.position is not None and length > most:
                raise ValueError(f"{length} tokens, but max_seq_len is {most}")
            positions = torch.arange(length, device=input_ids.device)
        if table is None:
            x = self.embedding(input_ids)
        else:
            x = F.embedding(input_ids, table, sparse=True)
        if self.position is not None:
            x = x + self.position(positions)
        if self.before is not None:
            x = self.before(x, input_ids, mask)
        if self.config.embed_norm:
            x = F.rms_norm(x, x.shape[-1:], eps=self.config.norm_eps)
        rotation = None
        if self.rotary is not None:
            rotation = self.rotary(positions, length)
        mask = mask.unsqueeze(-3) if mask is not None else None
        first = x
        for block in self.blocks:
            x = block(x, first, rotation, mask, input_ids)
        return self.norm(x)

    # -- book/07-the-transformer.md#Transformer.loss
    def loss(
        self,
        input_ids: Int[Tensor, "B T"],
        targets: Int[Tensor, "B T"],
        *,
        mask: Bool[Tensor, "*B T T"] | None = None,
        positions: Int[Tensor, "B T"] | None = None,
        ignore_index: int = -100,
    ) -> Float[Tensor, ""]:
        """The mean cross-entropy in nats, without holding all logits."""
        table, weight = None, self.head.weight
        eager = not torch.compiler.is_compiling()
        if eager and self.config.tie_embeddings and not input_ids.is_cuda:
            table, weight = TwoUses.apply(weight)
        x = self.hidden(input_ids, mask, positions, table)
        return linear_cross_entropy(x, weight, targets, ignore_index)


# %% book/07-the-transformer.md#make_position
def make_position(
    config: ModelConfig,
) -> tuple[nn.Embedding | None, Rotary | None]:
    """A table to add to the embeddings, or rotations, or neither."""
    T, D = config.max_seq_len, config.d_model
    if config.position == "rope":
        base, scaling = config.rope_base, config.rope_scaling
        return None, Rotary(config.head_dim, T, base, scaling)
    if config.position == "none":
        return None, None
    table = nn.Embedding(T, D)
    if config.position == "sinusoidal":
        # As large as the embeddings will be: a sine's square is a half.
        waves = config.init_std * 2**0.5 * sinusoidal(T, D)
        table = nn.Embedding.from_pretrained(waves, freeze=True)
    return table, None


# %% book/07-the-transformer.md#sample
@torch.no_grad()
def sample(
    model: Transformer,
    input_ids: Int[Tensor, "B T"],
    n: int,
    temperature: float = 1.0,
    generator: torch.Generator | None = None,
) -> Int[Tensor, "B _"]:
    """The ids and n more, each drawn from what the model expects.

    Args:
        temperature: below 1 prefers the likely; 0 takes the likeliest.
    """
    for _ in range(n):
        seen = input_ids[:, -model.config.max_seq_len :]
        logits = model(seen)[:, -1].float()
        if temperature == 0:
            chosen = logits.argmax(-1, keepdim=True)
        else:
            probs = (logits / temperature).softmax(-1)
            chosen = torch.multinomial(probs, 1, generator=generator)
        input_ids = torch.cat((input_ids, chosen), 1)
    return input_ids
