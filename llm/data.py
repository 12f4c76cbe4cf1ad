"""From tokens to batches: packing, masks, shuffling, loading.

Tangled from book/04-batches.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import bisect
import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor
from torch.utils.data import Dataset

from llm.shards import open_shard
from llm.tokenizer import Tokenizer


# %% book/04-batches.md#best_fit
def best_fit(lengths: Sequence[int], capacity: int) -> list[list[int]]:
    """Put things into boxes, longest first, each where it fits best.

    Args:
        lengths: of the things, each from 1 to `capacity`.

    Returns:
        For each box, the indices of its things.
    """
    if lengths and not 1 <= min(lengths) <= max(lengths) <= capacity:
        raise ValueError(f"lengths must lie between 1 and {capacity}")
    boxes: list[list[int]] = []
    gaps: list[tuple[int, int]] = []
    order = sorted(range(len(lengths)), key=lambda i: (-lengths[i], i))
    for i in order:
        at = bisect.bisect_left(gaps, (lengths[i], 0))
        if at < len(gaps):
            gap, box = gaps.pop(at)
            boxes[box].append(i)
        else:
            gap, box = capacity, len(boxes)
            boxes.append([i])
        if gap > lengths[i]:
            bisect.insort(gaps, (gap - lengths[i], box))
    return boxes


# %% book/04-batches.md#pack
def pack(
    documents: Sequence[Sequence[int]], block_size: int, pad: int
) -> tuple[Int[Tensor, "N T1"], Int[Tensor, "N T1"]]:
    """Best-fit packing into rows of `block_size` + 1 tokens.

    Documents longer than a row are cut in pieces, each of which begins
    with the last token of the one before.

    Returns:
        The rows, and for each position the number of its piece within the
        row, from 0; -1 where there is padding.
    """
    width = block_size + 1
    pieces = [
        document[at : at + width]
        for document in documents
        for at in range(0, max(1, len(document) - 1), block_size)
    ]
    boxes = best_fit([len(piece) for piece in pieces], width)
    rows = np.full((len(boxes), width), pad, dtype=np.int64)
    owners = np.full((len(boxes), width), -1, dtype=np.int64)
    for row, box in enumerate(boxes):
        joined = [token for i in box for token in pieces[i]]
        sizes = [len(pieces[i]) for i in box]
        rows[row, : len(joined)] = joined
        owners[row, : len(joined)] = np.repeat(range(len(box)), sizes)
    return torch.from_numpy(rows), torch.from_numpy(owners)


# %% book/04-batches.md#document_ids
def document_ids(
    tokens: Int[Tensor, "*B T"], end: int
) -> Int[Tensor, "*B T"]:
    """The number of each token's document within its row, from 0."""
    ends = (tokens == end).long()
    return ends.cumsum(-1) - ends


def document_positions(
    ids: Int[Tensor, "*B T"],
) -> Int[Tensor, "*B T"]:
    """Positions that begin again at 0 with each document."""
    steps = torch.arange(ids.shape[-1], device=ids.device).expand_as(ids)
    begins = torch.ones_like(ids, dtype=torch.bool)
    begins[..., 1:] = ids[..., 1:] != ids[..., :-1]
    return steps - torch.where(begins, steps, 0).cummax(-1).values


def document_mask(
    ids: Int[Tensor, "*B T"],
) -> Bool[Tensor, "*B T T"]:
    """Who sees whom: true where i may look at j, which is not later.

    Padding, marked by -1, sees itself alone, so that no row of the mask is
    empty.
    """
    mask = (ids[..., :, None] == ids[..., None, :]).tril()
    real = (ids >= 0)[..., None]
    alone = torch.eye(ids.shape[-1], dtype=torch.bool, device=ids.device)
    return (mask & real) | alone


# %% book/04-batches.md#TokenDataset
class TokenDataset(Dataset[Tensor]):
    """Rows of T + 1 tokens from a shard or a folder of shards.

    Args:
        path: a shard, or a folder that `tokenize` has finished.
        block_size: T, the number of tokens that a row predicts.
        tokenizer: the one that the tokens must come from.
        verify: check each shard's checksum, which reads it once.

    Raises:
        ValueError: a bad shard, named; or one shorter than a row.
    """

    def __init__(
        self,
        path: str | Path,
        block_size: int,
        tokenizer: Tokenizer | None = None,
        verify: bool = True,
    ) -> None:
        if block_size < 1:
            raise ValueError(f"block_size is {block_size}: at least 1")
        self.block_size = block_size
        paths = shard_paths(Path(path))
        self.shards = [open_shard(p, tokenizer, verify) for p in paths]
        self.vocab_size = self.shards[0].vocab_size
        self.end = self.shards[0].end
        for shard in self.shards:
            if shard.tokenizer != self.shards[0].tokenizer:
                raise ValueError(
                    f"{shard.path} was made with another tokenizer than "
                    f"{paths[0]}: tokenize again"
                )
            if len(shard.tokens) <= block_size:
                raise ValueError(
                    f"{shard.path} has {len(shard.tokens)} tokens, shorter "
                    f"than a row of {block_size} + 1: take a smaller block"
                )
        self.windows = [
            np.lib.stride_tricks.sliding_window_view(
                shard.tokens, block_size + 1
            )[::block_size]
            for shard in self.shards
        ]
        self.ends = np.cumsum([len(view) for view in self.windows])

    def __len__(self) -> int:
        return int(self.ends[-1])

    def __getitem__(self, index: int) -> Int[Tensor, "T1"]:
        if index < 0:
            index += len(self)
        return self.rows([index])[0]

    # -- book/04-batches.md#TokenDataset.rows
    def rows(
        self, indices: Sequence[int] | np.ndarray
    ) -> Int[Tensor, "B T1"]:
        """Several rows at once, int64; the loop is over shards, not rows."""
        wanted = np.asarray(indices, dtype=np.int64)
        if len(wanted) and not 0 <= wanted.min() <= wanted.max() < len(self):
            raise IndexError(f"rows are numbered from 0 to {len(self) - 1}")
        result = np.empty((len(wanted), self.block_size + 1), dtype=np.int64)
        which = np.searchsorted(self.ends, wanted, side="right")
        for number in np.unique(which):
            view, chosen = self.windows[number], which == number
            first = self.ends[number] - len(view)
            result[chosen] = view[wanted[chosen] - first]
        return torch.from_numpy(result)


# %% book/04-batches.md#shard_paths
def shard_paths(path: Path) -> list[Path]:
    """The shards that a path stands for, in order."""
    if not path.is_dir():
        return [path]
    index = path / "index.json"
    if not index.exists():
        raise ValueError(
            f"{path} has no index.json: its tokenization hasn't finished, "
            "run it again"
        )
    try:
        names = list(json.loads(index.read_text())["shards"])
    except (KeyError, TypeError, ValueError):
        names = []
    if not names or any(Path(name).name != name for name in names):
        raise ValueError(f"{index} is damaged: tokenize again")
    return [path / name for name in names]


# %% book/04-batches.md#round_keys
def round_keys(seed: int, epoch: int, rounds: int = 8) -> np.ndarray:
    """Eight numbers of 64 bits that decide the order of an epoch."""
    text = f"{seed} {epoch}".encode()
    digest = hashlib.shake_256(text).digest(8 * rounds)
    return np.frombuffer(digest, dtype="<u8").astype(np.uint64)


def stir(halves: np.ndarray, key: np.uint64) -> np.ndarray:
    """A hash of each half, 32 bits."""
    factor = np.uint64(0x9E3779B97F4A7C15)
    hashed = (halves + key) * factor
    hashed ^= hashed >> np.uint64(29)
    hashed *= (factor ^ key) | np.uint64(1)
    return hashed >> np.uint64(32)


def permute(
    positions: np.ndarray, n: int, keys: np.ndarray
) -> np.ndarray:
    """Where a random-looking permutation of 0..n-1 sends some positions.

    Constant memory: a Feistel network on the next power of four, walked
    until the result is below n, as all positions must be.
    """
    half = np.uint64(max(1, ((n - 1).bit_length() + 1) // 2))
    mask = np.uint64((1 << int(half)) - 1)
    result = np.array(positions, dtype=np.uint64)
    todo = np.arange(len(result))
    while len(todo):
        left, right = result[todo] >> half, result[todo] & mask
        for key in keys:
            left, right = right, left ^ (stir(right, key) & mask)
        result[todo] = (left << half) | right
        todo = todo[result[todo] >= n]
    return result.astype(np.int64)


# %% book/04-batches.md#Loader
class Loader:
    """Endless batches of rows, shuffled anew in each epoch.

    Epochs follow each other without a gap: a batch may hold the last rows
    of one and the first of the next, so that each row comes exactly once
    per epoch on some rank, whatever the sizes.

    Args:
        dataset: rows to draw from.
        batch_size: rows per step on this rank.
        rank, world_size: this process among those that train together.
    """

    def __init__(
        self,
        dataset: TokenDataset,
        batch_size: int,
        seed: int = 0,
        rank: int = 0,
        world_size: int = 1,
        shuffle: bool = True,
    ) -> None:
        if batch_size < 1 or not 0 <= rank < world_size:
            raise ValueError(
                f"batch_size {batch_size} must be at least 1, and rank "
                f"{rank} lie between 0 and world_size {world_size}"
            )
        self.dataset, self.batch_size = dataset, batch_size
        self.seed, self.shuffle = seed, shuffle
        self.rank, self.world_size = rank, world_size
        self.used = 0  # rows that all ranks together have been given
        self.ahead: dict[int, np.ndarray] = {}  # row numbers of next steps

    def __iter__(self) -> Iterator[Int[Tensor, "B T1"]]:
        return self

    def __next__(self) -> Int[Tensor, "B T1"]:
        size = self.world_size * self.batch_size
        if self.used not in self.ahead:
            steps = self.used + size * np.arange(1 + 8_192 // self.batch_size)
            mine = np.arange(self.batch_size) + self.rank * self.batch_size
            numbers = self.numbers(steps[:, None] + mine)
            self.ahead = dict(zip(steps.tolist(), numbers, strict=True))
        chosen = self.ahead[self.used]
        self.used += size
        return self.dataset.rows(chosen)

    def numbers(self, places: np.ndarray) -> np.ndarray:
        """The row numbers at some places of the endless line."""
        epochs, numbers = np.divmod(places, len(self.dataset))
        if self.shuffle:
            for epoch in np.unique(epochs):
                keys = round_keys(self.seed, int(epoch))
                now = epochs == epoch
                numbers[now] = permute(
                    numbers[now], len(self.dataset), keys
                )
        return numbers

    # -- book/04-batches.md#Loader.state_dict
    def state_dict(self) -> dict[str, Any]:
        """Where the loader stands; as JSON it is a line."""
        made = hashlib.sha256()
        for shard in self.dataset.shards:
            made.update(shard.checksum)
        return {
            "used": self.used,
            "seed": self.seed,
            "shuffle": self.shuffle,
            "rows": len(self.dataset),
            "block_size": self.dataset.block_size,
            "data": made.hexdigest()[:16],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where a loader on the same data stood.

        The number of ranks and the batch size may differ from then.

        Raises:
            ValueError: the state is of other data or another order, or damaged.
        """
        mine = self.state_dict()
        for name in mine:
            if name not in state:
                raise ValueError(f"the loader's state lacks {name!r}")
            if name not in ("used", "seed") and state[name] != mine[name]:
                raise ValueError(
                    f"the loader's state has {name} {state[name]!r}, the data "
                    f"here {mine[name]!r}: resume with the same data"
                )
        if not isinstance(state["used"], int) or state["used"] < 0:
            raise ValueError(f"the state's position is {state['used']!r}")
        self.used, self.seed, self.ahead = state["used"], state["seed"], {}


# %% book/04-batches.md#one_pass
def one_pass(
    dataset: TokenDataset,
    batch_size: int,
    rank: int = 0,
    world_size: int = 1,
) -> Iterator[Int[Tensor, "B T1"]]:
    """Each of this rank's rows once, in order; the last batch is short."""
    mine = np.arange(rank, len(dataset), world_size)
    for at in range(0, len(mine), batch_size):
        yield dataset.rows(mine[at : at + batch_size])
