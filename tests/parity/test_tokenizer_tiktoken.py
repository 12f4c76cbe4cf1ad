"""The tokenizer against tiktoken, on ranks of our own and on GPT-2's."""

import os
import random
from pathlib import Path

import pytest
import tiktoken

from llm.ngram import book_text
from llm.tokenizer import Tokenizer, merge_bytes, train_bpe

# LITERATE_DATA is a folder with gpt2/vocab.json and gpt2/merges.txt; with
# LITERATE_STRINGS=1000000 the comparison takes some minutes.
DATA = os.environ.get("LITERATE_DATA", "")
STRINGS = int(os.environ.get("LITERATE_STRINGS", "20000"))
END = "<|endoftext|>"
HARD = [
    *(" ", "  ", "   ", "\t", "\n", "\r\n", "\u00a0", "\u2003", "\u200b", "\u200d"),
    *(
        "a",
        "I",
        "'s",
        "'LL",
        "n't",
        "the",
        " the",
        "\u00e9",
        "e\u0301",
        "\u0130",
        "\u00df",
    ),
    *(
        "0",
        "42",
        "123456",
        "\u0663",
        "\u00b2",
        "\u2167",
        "!",
        "...",
        "--",
        "_",
        "/",
        '"',
    ),
    *("\u4e2d\u6587", "\u0928\u092e", "\u0645\u0631", "\ud55c", "\U0001f642"),
    *("\U0001f469\u200d\U0001f4bb", "\U0001d54f", "\ufffd", "\x00", "\x1c", "\x85"),
    *("<|", "|>", END, "\ufeff", "\u2028", "\x7f"),
]


def nasty_strings(count):
    """Random strings, half of hard pieces and half of any code points."""
    rng = random.Random(0)
    for number in range(count):
        length = rng.randrange(12)
        if number % 2:
            yield "".join(rng.choices(HARD, k=length))
        else:
            points = (rng.randrange(0x110000) for _ in range(length))
            yield "".join(chr(p) for p in points if not 0xD800 <= p < 0xE000)


def assert_equal(ours, theirs, count):
    for text in nasty_strings(count):
        ids = ours.encode(text)
        assert ids == theirs.encode_ordinary(text), repr(text)
        assert ours.decode(ids) == text
        special = ours.encode(text, "all")
        assert special == theirs.encode(text, allowed_special="all"), repr(text)


@pytest.fixture(scope="module")
def trained():
    return train_bpe(book_text(), 1_000, [END])


def test_on_our_ranks(trained):
    assert_equal(trained, trained.to_tiktoken(), 5_000)


def test_the_teaching_encoder_agrees(trained):
    theirs = trained.to_tiktoken()
    for text in nasty_strings(2_000):
        pieces = trained._split(text)
        ids = [
            trained.ranks[token]
            for piece in pieces
            for token in merge_bytes(piece.encode(), trained.ranks)
        ]
        assert ids == theirs.encode_ordinary(text), repr(text)


def test_there_and_back_again(trained):
    again = Tokenizer.from_tiktoken(trained.to_tiktoken())
    assert again.merges == trained.merges
    assert again.vocab == trained.vocab
    assert_equal(again, trained.to_tiktoken(), 1_000)


@pytest.fixture(scope="module")
def gpt2():
    files = Path(DATA, "gpt2/vocab.json"), Path(DATA, "gpt2/merges.txt")
    if not DATA or not all(file.is_file() for file in files):
        pytest.skip("GPT-2's files are not in the folder LITERATE_DATA")
    return Tokenizer.from_gpt2(*files)


@pytest.mark.timeout(1800)
def test_on_gpt2s_ranks(gpt2):
    ranks = {token: gpt2._ids[rank] for token, rank in gpt2.ranks.items()}
    theirs = tiktoken.Encoding(
        "gpt2",
        pat_str=gpt2.pattern,
        mergeable_ranks=ranks,
        special_tokens={END: 50_256},
    )
    assert theirs.n_vocab == len(gpt2.vocab) == 50_257
    assert_equal(gpt2, theirs, STRINGS)


def test_on_the_gpt2_that_tiktoken_ships(gpt2, monkeypatch):
    cache = Path(DATA, "tiktoken_cache")
    if not cache.is_dir():
        pytest.skip("LITERATE_DATA has no tiktoken_cache")
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(cache))
    assert_equal(gpt2, tiktoken.get_encoding("gpt2"), 5_000)
