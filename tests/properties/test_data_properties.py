"""What holds for any sizes: permutations, packing, ranks, resuming."""

import tempfile
from pathlib import Path

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llm.data import (
    Loader,
    TokenDataset,
    best_fit,
    document_ids,
    document_mask,
    document_positions,
    pack,
    permute,
    round_keys,
)
from llm.shards import portions, write_shard
from llm.tokenizer import train_bpe

TOKENIZER = train_bpe("", 257, ["<|endoftext|>"])


@given(st.integers(1, 3_000), st.integers(0, 2**63))
def test_permute_is_one_to_one(n, seed):
    order = permute(np.arange(n), n, round_keys(seed, 0))
    assert np.array_equal(np.sort(order), np.arange(n))


@given(st.lists(st.integers(1, 40), max_size=60), st.integers(40, 90))
def test_best_fit_places_each_thing_once(lengths, capacity):
    boxes = best_fit(lengths, capacity)
    assert sorted(i for box in boxes for i in box) == list(range(len(lengths)))
    assert all(sum(lengths[i] for i in box) <= capacity for box in boxes)


@given(st.lists(st.lists(st.integers(1, 9), min_size=1, max_size=30), max_size=20))
def test_pack_predicts_each_token_once(documents):
    rows, owners = pack(documents, 11, pad=0)
    assert (rows[owners < 0] == 0).all()
    counts = (owners[:, 1:] == owners[:, :-1]) & (owners[:, 1:] >= 0)
    predicted = sorted(rows[:, 1:][counts].tolist())
    assert predicted == sorted(t for document in documents for t in document[1:])
    assert set(rows[owners >= 0].tolist()) == {t for d in documents for t in d}


@given(st.lists(st.integers(0, 3), min_size=1, max_size=40))
def test_masks_and_positions_agree_with_a_loop(tokens):
    ids = document_ids(torch.tensor(tokens), 0)
    mask, positions = document_mask(ids), document_positions(ids)
    number = place = 0
    for i, token in enumerate(tokens):
        assert (int(ids[i]), int(positions[i])) == (number, place)
        seen = [j for j in range(len(tokens)) if mask[i, j]]
        assert seen == list(range(i - place, i + 1))
        number, place = (number + 1, 0) if token == 0 else (number, place + 1)


@given(st.lists(st.text(max_size=9), max_size=40), st.integers(1, 20))
def test_portions_keep_all_documents_in_order(documents, size):
    parts = list(portions(documents, size))
    assert [text for part in parts for text in part] == documents
    assert all(sum(map(len, part)) >= size for part in parts[:-1])


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 40), st.integers(1, 7), st.integers(1, 4), st.integers(0, 9))
def test_ranks_share_each_epoch_and_resume(n, batch_size, ranks, steps):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.bin"
        write_shard(path, [*np.repeat(np.arange(n), 3).tolist(), 0], TOKENIZER)
        data = TokenDataset(path, 3)
        loaders = [Loader(data, batch_size, 1, r, ranks) for r in range(ranks)]
        line = [
            int(first)
            for _ in range(steps)
            for loader in loaders
            for first in next(loader)[:, 0]
        ]
        for at in range(0, len(line) - n + 1, n):
            assert sorted(line[at : at + n]) == list(range(n))
        other = Loader(data, batch_size, 0, 0, ranks)
        other.load_state_dict(loaders[0].state_dict())
        assert torch.equal(next(other), next(loaders[0]))
