"""What a training step costs: time against the machine's limits, and bytes.

Tangled from book/11-fast-and-small.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import math
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.checkpoint import checkpoint

from llm.config import (
    ModelConfig,
    flops_per_token,
    matrix_sizes,
    n_parameters,
)


# %% book/11-fast-and-small.md#best_seconds
def best_seconds(
    function: Callable[[], Any],
    patience: float = 0.5,
    device: torch.device | str = "cpu",
) -> float:
    """The shortest time of a call: of as many as `patience` seconds allow.

    At least three are timed, after one to warm up.
    """
    best, calls, end = math.inf, 0, math.inf
    while calls < 4 or time.perf_counter() < end:
        begun = time.perf_counter()
        function()
        if torch.device(device).type == "cuda":
            torch.cuda.synchronize(device)
        now = time.perf_counter()
        if calls:
            best = min(best, now - begun)
        else:
            end = now + patience
        calls += 1
    return best


# %% book/11-fast-and-small.md#Roofline
@dataclass(frozen=True)
class Roofline:
    """The two ceilings of a machine (Williams et al., 2009).

    Args:
        flops: floating-point operations a second, at most.
        bandwidth: bytes a second to and from memory, at most.
    """

    flops: float
    bandwidth: float

    @property
    def ridge(self) -> float:
        """FLOPs per byte from which on arithmetic is the limit."""
        return self.flops / self.bandwidth

    def seconds(self, flops: float, nbytes: float) -> float:
        """The least time for so much arithmetic and so much traffic."""
        return max(flops / self.flops, nbytes / self.bandwidth)


# %% book/11-fast-and-small.md#measure_roofline
def measure_roofline(
    device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32
) -> Roofline:
    """What this machine can do, measured in about three seconds.

    The number of threads is the one that PyTorch is set to.
    """
    on_gpu = torch.device(device).type == "cuda"
    flops = 0.0
    for n in (2048, 4096, 8192) if on_gpu else (256, 512, 1024):
        a, b, c = torch.ones(3, n, n, device=device, dtype=dtype).unbind()
        taken = best_seconds(partial(torch.mm, a, b, out=c), 0.6, device)
        flops = max(flops, 2 * n**3 / taken)
    size = 2**30 if on_gpu else 2**26
    old = torch.ones(size, device=device, dtype=torch.uint8)
    new = torch.empty_like(old)
    copy = partial(new.copy_, old)
    return Roofline(flops, 2 * size / best_seconds(copy, 1.0, device))


# %% book/11-fast-and-small.md#mfu
def mfu(
    tokens_per_second: float, config: ModelConfig, T: int, peak: float
) -> float:
    """The share of the peak that goes into training the model.

    Args:
        tokens_per_second: how many tokens are trained on.
        T: tokens in a row of the batch.
        peak: FLOPs a second, of a data sheet or of `measure_roofline`.
    """
    return 3 * flops_per_token(config, T) * tokens_per_second / peak


# %% book/11-fast-and-small.md#storages
def storages(tree: Any) -> list[torch.UntypedStorage]:
    """The memory behind all tensors in a structure of any shape.

    A sparse one has none of its own: it's made of two that aren't sparse.
    """
    tensors = (x for x in tree_leaves(tree) if isinstance(x, Tensor))
    dense = (x for x in tensors if x.layout == torch.strided)
    return [x.untyped_storage() for x in dense]


class Meter(TorchDispatchMode):
    """Counts the bytes of tensors that are made under it.

    `live` is what exists now, `peak` the most there was, `history` what
    there was after each new tensor; all in bytes. What a kernel borrows and
    gives back before it returns isn't seen.
    """

    def __init__(self) -> None:
        super().__init__()
        self.live, self.peak = 0, 0
        self.history: list[int] = []
        self.known: set[int] = set()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Do the operation, and weigh what it made."""
        made = func(*args, **(kwargs or {}))
        # a view, or an operation in place, returns what it was given
        given = {id(storage) for storage in storages((args, kwargs))}
        for storage in storages(made):
            if id(storage) not in (given | self.known):
                what = (id(storage), storage.nbytes())
                self.add(*what)
                # call self.drop(*what) when nobody has it any more
                weakref.finalize(storage, self.drop, *what)
        return made

    def add(self, key: int, nbytes: int) -> None:
        """A storage was made."""
        self.known.add(key)
        self.live += nbytes
        self.peak = max(self.peak, self.live)
        self.history.append(self.live)

    def drop(self, key: int, nbytes: int) -> None:
        """A storage is gone."""
        self.known.discard(key)
        self.live -= nbytes


# %% book/11-fast-and-small.md#BENT
# Times d_ff: what an activation saves, and how much its derivative has at
# a time (of relu2: what arrives, twice the ReLU, and their product).
BENT = {"relu": (1, 2), "relu2": (2, 3), "swiglu": (4, 2),
        "gelu": (2, 1), "gelu_tanh": (2, 1)}


def saved_by_norm(config: ModelConfig) -> int:
    """The numbers that a norm of the stream saves for each token."""
    if config.norm == "layer":
        return 2 * config.d_model + 2
    return (2 + config.norm_weight) * config.d_model + 1


def saved_by_block(config: ModelConfig) -> int:
    """The numbers that a block saves for each token, for its derivative."""
    c = config
    inner, shared = c.n_heads * c.head_dim, c.n_kv_heads * c.head_dim
    attention = 4 * inner + c.n_heads  # shared keys are repeated for it
    if c.qk_norm:  # its output has another layout, so heads are merged anew
        attention += inner + (1 + c.norm_weight) * (inner + shared)
        attention += c.n_heads + c.n_kv_heads
    mlp = BENT[c.activation][0] * c.d_ff
    stream = c.embed_shortcut * c.d_model
    return 2 * saved_by_norm(c) + attention + mlp + stream


# %% book/11-fast-and-small.md#StepMemory
@dataclass(frozen=True)
class StepMemory:
    """The bytes of a training step: what stays, and three moments of it."""

    parameters: int
    optimizer: int
    loss: int
    backward: int
    update: int

    @property
    def peak(self) -> int:
        """The most bytes that exist at a time."""
        moments = max(self.loss, self.backward, self.update)
        return self.parameters + self.optimizer + moments


# %% book/11-fast-and-small.md#step_memory
def step_memory(
    config: ModelConfig,
    B: int,
    T: int,
    *,
    states: float = 2,
    checkpointed: bool = False,
) -> StepMemory:
    """The memory of a step of training in float32, before it is taken.

    Counts as a CPU allocates: `model.loss`, `backward`, a fused optimizer.

    Args:
        states: numbers per parameter that the optimizer keeps; AdamW two.
        checkpointed: `checkpoint_activations` has been called.
    """
    c, N, P = config, B * T, n_parameters(config)
    V, D, L = c.vocab_size, c.d_model, c.n_layers
    block = N * saved_by_block(c)
    kept = N * D if checkpointed else block
    before = c.ngrams - 1  # for each an index of 64 bits and a vector
    bottom = N * (D * c.embed_norm + before * (D + 2))
    table = c.value_embeddings * V * c.n_kv_heads * c.head_dim
    last = N * (saved_by_norm(c) - D) if c.placement == "pre" else 0
    parts = -(-N // max(1, 2**25 // V))  # as in `linear_cross_entropy`
    logits = -(-N // parts) * (-(-V // 64) * 64)  # V rounded up
    # the stream and its gradient, and the gradient of the head
    loss = bottom + L * kept + last + 2 * N * D + V * D
    loss += max(logits, V * D + N * D)  # or both times what's above
    bent = N * (D + BENT[c.activation][1] * c.d_ff)
    # a norm at the block's end is gone before the MLP is bent
    rest = block - N * saved_by_norm(c) * (c.placement == "post")
    backward = max(  # at block i, with gradients of those above it
        bottom + i * kept + rest + bent + V * D
        + (L - 1 - i) * (sum(matrix_sizes(c)) + table)
        for i in (L - 1, 0)
    )
    optimizer = round(4 * states * P)
    return StepMemory(4 * P, optimizer, 4 * loss, 4 * backward, 4 * P)


# %% book/11-fast-and-small.md#checkpoint_activations
def checkpoint_activations(model: nn.Module, every: int = 1) -> None:
    """Let blocks forget what they compute, and compute it again.

    Gradients stay the same; a step takes about a third longer (Chen et
    al., 2016).

    Args:
        model: has a list `blocks`, as `Transformer` does.
        every: 2 wraps every second block, and so on.

    Raises:
        ValueError: the model's activations are checkpointed already.
    """
    blocks = list(model.blocks)[::every]  # type: ignore[arg-type]
    if any("forward" in vars(block) for block in blocks):
        raise ValueError("the blocks of this model are wrapped already")
    for block in blocks:
        block.forward = partial(
            checkpoint,
            block.forward,
            use_reentrant=False,
            preserve_rng_state=False,  # nothing in a block is random
        )
