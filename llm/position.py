"""Position: telling attention which token stands where.

Tangled from book/06-position.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn


# %% book/06-position.md#sinusoidal
def sinusoidal(
    T: int, D: int, base: float = 10_000.0
) -> Float[Tensor, "T D"]:
    """A vector for each of T positions (Vaswani et al. 2017).

    Dimensions 2i and 2i + 1 are the sine and the cosine of the position
    times base^(-2i / D). D must be even.
    """
    if D % 2:
        raise ValueError(f"D is {D}: sines and cosines come in pairs")
    frequencies = base ** (-torch.arange(0, D, 2).float() / D)
    angles = torch.arange(T).float()[:, None] * frequencies
    return torch.stack((angles.sin(), angles.cos()), -1).flatten(-2)


# %% book/06-position.md#alibi_slopes
def alibi_slopes(n_heads: int) -> Float[Tensor, " H"]:
    """How fast each head's attention fades with distance (Press et al.).

    For a power of two a geometric sequence down to 2^-8; else that of the
    power below, and every other member of that of the power above.
    """
    below = 1 << (n_heads.bit_length() - 1)  # power of two <= n_heads
    first = 2 ** (-8 * torch.arange(1, below + 1) / below)
    more = 2 ** (-4 * torch.arange(1, 2 * below + 1, 2) / below)
    return torch.cat((first, more[: n_heads - below]))


def alibi_bias(
    n_heads: int, T: int, S: int | None = None
) -> Float[Tensor, "H T S"]:
    """What ALiBi adds to the scores: minus slope times distance.

    The T queries belong to the last T of S positions (S = T if not given).
    """
    S = T if S is None else S
    distance = torch.arange(S - T, S)[:, None] - torch.arange(S)
    return alibi_slopes(n_heads)[:, None, None] * -distance.abs()


# %% book/06-position.md#rotate
def rotate(
    x: Float[Tensor, "*batch H T D"],
    cos: Float[Tensor, "*#batch T D"],
    sin: Float[Tensor, "*#batch T D"],
) -> Float[Tensor, "*batch H T D"]:
    """Rotate each pair (i, i + D/2) by its angle (RoPE, Su et al. 2021).

    Args:
        x: queries or keys.
        cos, sin: from `Rotary`; the same for all heads.
    """
    left, right = x.chunk(2, -1)
    turned = torch.cat((-right, left), -1)
    rotated = x * cos.unsqueeze(-3) + turned * sin.unsqueeze(-3)
    return rotated.to(x.dtype)


# %% book/06-position.md#to_halves
def to_halves(
    weight: Float[Tensor, "HD *rest"], n_heads: int
) -> Float[Tensor, "HD *rest"]:
    """Reorder a projection whose pairs are (2i, 2i + 1) for `rotate`.

    Args:
        weight: that of a query or key projection, or its bias.
        n_heads: how many heads it has; keys may have fewer than queries.
    """
    pairs = weight.unflatten(0, (n_heads, -1, 2))
    return pairs.transpose(1, 2).flatten(0, 2)


def to_interleaved(
    weight: Float[Tensor, "HD *rest"], n_heads: int
) -> Float[Tensor, "HD *rest"]:
    """Undo `to_halves`."""
    halves = weight.unflatten(0, (n_heads, 2, -1))
    return halves.transpose(1, 2).flatten(0, 2)


# %% book/06-position.md#RopeScaling
@dataclass(frozen=True)
class RopeScaling:
    """How to stretch RoPE beyond the length that it was trained at.

    Names and meaning are those of `rope_scaling` in Hugging Face's configs,
    but for "ntk": there "dynamic" takes the factor from the text's length.

    Raises:
        ValueError: an unknown kind, a factor below 1, a length that is
            missing, borders in the wrong order, or what is no number.
    """

    kind: str  # "linear", "ntk", "yarn" or "llama3"
    factor: float
    original_max_seq_len: int | None = None  # yarn and llama3
    beta_fast: float = 32.0  # yarn: pairs with more turns are kept,
    beta_slow: float = 1.0  # with fewer divided by the factor
    attention_factor: float | None = None  # yarn: 0.1 log(factor) + 1
    low_freq_factor: float = 1.0  # llama3: like beta_slow
    high_freq_factor: float = 4.0  # llama3: like beta_fast

    def __post_init__(self) -> None:
        check_scaling(self)

    @property
    def magnitude(self) -> float:
        """What cos and sin are multiplied with."""
        if self.kind != "yarn":
            return 1.0
        if self.attention_factor is not None:
            return self.attention_factor
        return 0.1 * math.log(self.factor) + 1


def check_number(name: str, value: object, least: float = 1e-18) -> None:
    """Refuse what isn't a number, too low, or all but infinite."""
    fits = isinstance(value, int | float) and least < value < 1e18
    if not fits or isinstance(value, bool):
        raise ValueError(
            f"{name} is {value!r}: not between {least:g} and 1e+18"
        )


def check_scaling(scaling: RopeScaling) -> None:
    """Refuse a scaling that can't be computed, with what is wrong."""
    kind, trained = scaling.kind, scaling.original_max_seq_len
    if kind not in ("linear", "ntk", "yarn", "llama3"):
        raise ValueError(f"kind is {kind!r}: linear, ntk, yarn or llama3")
    if kind in ("yarn", "llama3") and trained is None:
        raise ValueError(
            f"original_max_seq_len is None: {kind} needs the length that "
            "the model was trained at"
        )
    optional = ("original_max_seq_len", "attention_factor")
    for name, value in vars(scaling).items():
        if name != "kind" and not (name in optional and value is None):
            check_number(name, value)
    if scaling.factor < 1:
        raise ValueError(f"factor is {scaling.factor}: at least 1")
    for high, low in (
        ("beta_fast", "beta_slow"),
        ("high_freq_factor", "low_freq_factor"),
    ):
        if getattr(scaling, high) <= getattr(scaling, low):
            raise ValueError(
                f"{high} is {getattr(scaling, high)}: it must exceed {low}"
            )


# %% book/06-position.md#kept_share
def kept_share(
    frequencies: Float[Tensor, " half"], base: float, scaling: RopeScaling
) -> Float[Tensor, " half"]:
    """How much of each frequency stays: 1 as trained, 0 divided."""
    if scaling.kind == "linear":
        return torch.zeros_like(frequencies)
    length = scaling.original_max_seq_len or 0
    if scaling.kind == "llama3":
        low, high = scaling.low_freq_factor, scaling.high_freq_factor
        turns = length * frequencies / (2 * math.pi)
        return ((turns - low) / (high - low)).clamp(0, 1)

    half = len(frequencies)
    first, last = (
        half * math.log(length / (2 * math.pi * turns)) / math.log(base)
        for turns in (scaling.beta_fast, scaling.beta_slow)
    )
    first = max(float(math.floor(first)), 0.0)
    last = min(float(math.ceil(last)), 2.0 * half - 1)
    ramp = torch.arange(half).float() - first
    return 1 - (ramp / max(last - first, 0.001)).clamp(0, 1)


def rope_frequencies(
    head_dim: int,
    base: float = 10_000.0,
    scaling: RopeScaling | None = None,
) -> Float[Tensor, " half"]:
    """The angle, in radians per position, of each of D/2 pairs.

    Raises:
        ValueError: an odd head_dim, a base of 1 or less, or "ntk" for a
            single pair, which would be the fastest and the slowest.
    """
    if head_dim < 2 or head_dim % 2:
        raise ValueError(f"head_dim is {head_dim}: RoPE turns pairs")
    check_number("base", base, least=1.0)
    if scaling is not None and scaling.kind == "ntk":
        if head_dim == 2:
            raise ValueError("head_dim is 2: ntk needs two pairs")
        base *= scaling.factor ** (head_dim / (head_dim - 2))
    exponents = torch.arange(0, head_dim, 2).float() / head_dim
    frequencies = 1 / base**exponents
    if scaling is None or scaling.kind == "ntk":
        return frequencies
    kept = kept_share(frequencies, base, scaling)
    return frequencies * kept + frequencies / scaling.factor * (1 - kept)


# %% book/06-position.md#Rotary
class Rotary(nn.Module):
    """The cosines and sines that `rotate` needs, kept in tables.

    The tables are buffers that aren't saved: they follow the model to its
    device and type, and are computed anew wherever it is loaded.

    Args:
        head_dim: D, even.
        max_seq_len: positions to prepare, up to 1,024; the tables grow
            when more are asked for.
    """

    cos: Tensor
    sin: Tensor

    def __init__(
        self,
        head_dim: int,
        max_seq_len: int,
        base: float = 10_000.0,
        scaling: RopeScaling | None = None,
    ) -> None:
        super().__init__()
        self.head_dim, self.base, self.scaling = head_dim, base, scaling
        for name in ("cos", "sin"):
            self.register_buffer(name, torch.empty(0), persistent=False)
        if max_seq_len < 1:
            raise ValueError(f"max_seq_len is {max_seq_len}: at least 1")
        self.fill(min(max_seq_len, 1_024))

    @torch.inference_mode(False)  # or they couldn't be trained with later
    def fill(self, length: int) -> None:
        """Compute the tables for positions 0 to length - 1, in float32."""
        speeds = rope_frequencies(self.head_dim, self.base, self.scaling)
        angles = torch.arange(length).float()[:, None] * speeds
        angles = torch.cat((angles, angles), -1)
        magnitude = self.scaling.magnitude if self.scaling else 1.0
        self.cos = (angles.cos() * magnitude).to(self.cos)
        self.sin = (angles.sin() * magnitude).to(self.sin)

    def forward(
        self, positions: Int[Tensor, "*batch T"], length: int | None = None
    ) -> tuple[Float[Tensor, "*batch T D"], Float[Tensor, "*batch T D"]]:
        """Cosine and sine of each position's angles.

        Args:
            length: more than the greatest position, if you know: asking
                the tensor makes the program wait for a GPU.

        Raises:
            ValueError: a position is negative (seen if `length` is absent).
        """
        if length is None:
            low, high = (int(p) for p in positions.aminmax())
            if low < 0:
                raise ValueError(f"position {low}: they count from 0")
            length = high + 1
        if length > len(self.cos):
            self.fill(max(length, 2 * len(self.cos)))
        return self.cos[positions], self.sin[positions]
