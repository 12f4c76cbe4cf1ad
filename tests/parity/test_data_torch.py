"""Our rows through PyTorch's DataLoader, and beside slices of the file."""

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, DistributedSampler

from llm.data import Loader, TokenDataset, one_pass
from llm.shards import write_shard
from llm.tokenizer import train_bpe

BLOCK = 16


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "tokens.bin"
    tokenizer = train_bpe("", 257, ["<|endoftext|>"])
    ids = np.random.default_rng(0).integers(0, 257, 5_000)
    write_shard(path, ids, tokenizer)
    return TokenDataset(path, BLOCK, tokenizer)


def test_rows_are_slices_of_the_file(dataset):
    tokens = dataset.shards[0].tokens.astype(np.int64)
    assert len(dataset) == (len(tokens) - 1) // BLOCK
    for number in range(len(dataset)):
        inputs, targets = dataset[number][:-1], dataset[number][1:]
        at = number * BLOCK
        assert inputs.tolist() == tokens[at : at + BLOCK].tolist()
        assert targets.tolist() == tokens[at + 1 : at + 1 + BLOCK].tolist()


@pytest.mark.parametrize("workers", [0, 2])
def test_pytorchs_dataloader_reads_it(dataset, workers):
    theirs = DataLoader(dataset, batch_size=7, num_workers=workers)
    ours = one_pass(dataset, 7)
    for batch, expected in zip(theirs, ours, strict=True):
        assert torch.equal(batch, expected)


def test_an_unshuffled_loader_walks_as_pytorchs(dataset):
    theirs = DataLoader(dataset, batch_size=8, drop_last=True)
    ours = Loader(dataset, 8, shuffle=False)
    for batch in theirs:
        assert torch.equal(batch, next(ours))


def test_ranks_cover_what_pytorchs_sampler_covers(dataset):
    """Theirs pads the last step with rows that were seen; ours goes on."""
    theirs = [
        set(DistributedSampler(dataset, num_replicas=3, rank=rank)) for rank in range(3)
    ]
    assert set.union(*theirs) == set(range(len(dataset)))
    ranks = [Loader(dataset, 4, rank=rank, world_size=3) for rank in range(3)]
    steps = -(-len(dataset) // 12)
    rows = torch.cat([next(loader) for _ in range(steps) for loader in ranks])
    epoch = rows[: len(dataset)]
    expected = dataset.rows(range(len(dataset)))
    assert sorted(epoch.tolist()) == sorted(expected.tolist())
