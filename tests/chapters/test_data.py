"""The tests of book/04-batches.md.

Tangled from book/04-batches.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import bisect
import itertools
import json
import math
import tempfile
from pathlib import Path

import numpy as np
import torch

from llm.data import (
    Loader,
    TokenDataset,
    document_ids,
    document_mask,
    permute,
    round_keys,
    stir,
)
from llm.shards import write_shard
from llm.tokenizer import train_bpe


# %% book/04-batches.md#test_a_packed_document_is_as_if_alone
def test_a_packed_document_is_as_if_alone():
    torch.manual_seed(0)
    row = torch.tensor([11, 12, 13, 0, 31, 32, 0, 21])
    x = torch.randn(8, 5)

    def attend(x, mask):
        scores = (x @ x.T).masked_fill(~mask, float("-inf"))
        return scores.softmax(-1) @ x

    together = attend(x, document_mask(document_ids(row, 0)))
    for part in (slice(0, 4), slice(4, 7), slice(7, 8)):
        n = len(row[part])
        alone = attend(x[part], torch.ones(n, n, dtype=torch.bool).tril())
        torch.testing.assert_close(together[part], alone)


# %% book/04-batches.md#test_a_loader_resumes_to_the_same_bits
def test_a_loader_resumes_to_the_same_bits():
    dataset = numbered_dataset(n_rows=53)
    loader = Loader(dataset, 4, seed=3)
    for _ in range(20):
        next(loader)
    saved = json.loads(json.dumps(loader.state_dict()))
    ahead = [next(loader) for _ in range(30)]
    again = Loader(dataset, 4)
    again.load_state_dict(saved)
    for batch in ahead:
        assert torch.equal(batch, next(again))


def test_two_ranks_are_disjoint_and_complete():
    dataset = numbered_dataset(n_rows=53)
    ranks = [Loader(dataset, 3, 5, rank, 2) for rank in range(2)]
    line = []
    for _ in range(53):
        for loader in ranks:
            line += next(loader)[:, 0].tolist()
    firsts = sorted(dataset.rows(range(53))[:, 0].tolist())
    assert len(set(firsts)) == 53
    for epoch in range(len(line) // 53):
        assert sorted(line[epoch * 53 : (epoch + 1) * 53]) == firsts
    assert line[:53] != line[53:106]


def test_two_ranks_can_go_on_as_four():
    dataset = numbered_dataset(n_rows=53)
    line = iter(Loader(dataset, 1, seed=5))
    two = [Loader(dataset, 4, 5, rank, 2) for rank in range(2)]
    for _ in range(9):
        for batch in map(next, two):
            assert torch.equal(batch, torch.cat([next(line) for _ in batch]))
    four = [Loader(dataset, 2, 0, rank, 4) for rank in range(4)]
    for loader in four:
        loader.load_state_dict(two[0].state_dict())
    for _ in range(9):
        for batch in map(next, four):
            assert torch.equal(batch, torch.cat([next(line) for _ in batch]))


def numbered_dataset(n_rows, block_size=4):
    """Rows that can be told apart by their first token."""
    special = ["<|endoftext|>"]
    tokenizer = train_bpe("", 257, special)
    folder = Path(tempfile.mkdtemp())
    ids = [*np.repeat(np.arange(n_rows), block_size).tolist(), 0]
    write_shard(folder / "numbered.bin", ids, tokenizer)
    return TokenDataset(folder / "numbered.bin", block_size)


# %% book/04-batches.md#check_count_rows
def check_count_rows(count_rows):
    """`count_rows(n, block_size)`: rows, and tokens never a target."""
    assert count_rows(13, 4) == (3, 1)
    assert count_rows(14, 4) == (3, 2)
    assert count_rows(5, 4) == (1, 1)
    assert count_rows(4, 4) == (0, 4)


# %% book/04-batches.md#check_documents_of
def check_documents_of(documents_of):
    """`documents_of(row, end)`: a list of lists of tokens."""
    assert documents_of([1, 2, 0, 3, 0, 4], 0) == [[1, 2, 0], [3, 0], [4]]
    assert documents_of([0, 0, 5], 0) == [[0], [0], [5]]
    assert documents_of([7, 0], 0) == [[7, 0]]
    assert documents_of([], 0) == []


# %% book/04-batches.md#check_share_seen
def check_share_seen(share_seen):
    """`share_seen(k, m)`: tokens seen m times in k passes of crops."""
    assert abs(share_seen(1, 0) - math.exp(-1)) < 1e-12
    assert abs(share_seen(4, 4) - 0.19537) < 1e-4
    assert abs(sum(share_seen(3, m) for m in range(60)) - 1) < 1e-9


# %% book/04-batches.md#check_find
def check_find(find):
    """`find(row, n, keys)`: the inverse of `permute`."""
    for n in (1, 2, 10, 1_000, 4_097):
        keys = round_keys(seed=7, epoch=0)
        order = permute(np.arange(n), n, keys)
        for place in range(0, n, 1 + n // 20):
            assert find(int(order[place]), n, keys) == place


# %% book/04-batches.md#check_mixture
def check_mixture(mixture):
    """`mixture(loaders, weights, seed, start)`: several loaders' batches."""
    letters = [itertools.repeat("a"), itertools.repeat("b")]

    def draw(seed, start):
        batches = mixture(letters, [0.7, 0.3], seed, start)
        return list(itertools.islice(batches, 2_000 - start))

    draws = draw(1, 0)
    assert 0.65 < draws.count("a") / 2_000 < 0.75
    assert draw(1, 500) == draws[500:]
    assert draw(2, 0) != draws


# %% book/04-batches.md#check_pack_stream
def check_pack_stream(pack_stream):
    """`pack_stream(lengths, capacity, most_open)`: the fills of boxes."""
    assert sorted(pack_stream([4, 6, 2], 6, 2)) == [6, 6]
    assert list(pack_stream([], 6, 2)) == []
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 200, 3_000).tolist()
    for most in (1, 8, 64):
        fills = list(pack_stream(iter(lengths), 256, most))
        assert sum(fills) == sum(lengths)
        assert max(fills) <= 256
    assert sum(fills) / (256 * len(fills)) > 0.95


# %% book/04-batches.md#count_rows
def count_rows(n, block_size):
    rows = max(0, (n - 1) // block_size)
    return rows, n - rows * block_size


def test_count_rows():
    """The exercise "How many rows?"."""
    check_count_rows(count_rows)


# %% book/04-batches.md#documents_of
def documents_of(row, end):
    owners = document_ids(torch.tensor(row, dtype=torch.long), end)
    pairs = zip(owners.tolist(), row, strict=True)
    groups = itertools.groupby(pairs, key=lambda pair: pair[0])
    return [[token for _, token in group] for _, group in groups]


def test_documents_of():
    """The exercise "Unmixing a row"."""
    check_documents_of(documents_of)


# %% book/04-batches.md#share_seen
def share_seen(k, m):
    return math.exp(-k) * k**m / math.factorial(m)


def test_share_seen():
    """The exercise "How often is often?"."""
    check_share_seen(share_seen)


# %% book/04-batches.md#find
def find(row, n, keys):
    half = np.uint64(max(1, ((n - 1).bit_length() + 1) // 2))
    mask = np.uint64((1 << int(half)) - 1)
    value = np.array([row], dtype=np.uint64)
    while True:
        left, right = value >> half, value & mask
        for key in reversed(keys):
            left, right = right ^ (stir(left, key) & mask), left
        value = (left << half) | right
        if value[0] < n:
            return int(value[0])


def test_find():
    """The exercise "Back through the network"."""
    check_find(find)


# %% book/04-batches.md#mixture
def mixture(loaders, weights, seed, start=0):
    borders = np.cumsum(weights) / np.sum(weights)
    for step in itertools.count(start):
        draw = np.random.default_rng([seed, step]).random()
        yield next(loaders[int(np.searchsorted(borders, draw, "right"))])


def test_mixture():
    """The exercise "Seventy to thirty"."""
    check_mixture(mixture)


# %% book/04-batches.md#pack_stream
def pack_stream(lengths, capacity, most_open):
    gaps = []
    for length in lengths:
        if length == capacity:
            yield capacity
            continue
        at = bisect.bisect_left(gaps, length)
        if at == len(gaps):
            if len(gaps) == most_open:
                yield capacity - gaps.pop(0)
            gap = capacity
        else:
            gap = gaps.pop(at)
        if gap == length:
            yield capacity
        else:
            bisect.insort(gaps, gap - length)
    yield from (capacity - gap for gap in gaps)


def test_pack_stream():
    """The exercise "Packing a stream"."""
    check_pack_stream(pack_stream)
