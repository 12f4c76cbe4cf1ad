"""What must hold for any text, any corpus and any way of cutting it."""

import json
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from llm.ngram import book_text
from llm.tokenizer import (
    GPT2_PATTERN,
    PATTERN,
    Tokenizer,
    count_pieces,
    learn_merges,
    train_bpe,
)

SPECIAL = ["<|endoftext|>", "<|end|>", "<|end", "\u2603"]
PARTS = [" ", "  ", "\n", "\t", "\r\n", "\u00a0", "a", "the", " the", "'s", "12", "..."]
PARTS += ["<|end|>", "<|endoftext|>", "<|", "\u4e2d", "e\u0301", "\U0001f642", "\x00"]
texts = st.one_of(st.text(), st.lists(st.sampled_from(PARTS)).map("".join))
patterns = st.sampled_from([GPT2_PATTERN, PATTERN, r"\S+|\s+", r"(?s:.)"])


@pytest.fixture(scope="module")
def tokenizer():
    return train_bpe(book_text()[:30_000], 700, SPECIAL)


TOKENIZER = train_bpe(book_text()[:30_000], 700, SPECIAL)


@given(texts)
def test_any_text_comes_back(text):
    assert TOKENIZER.decode(TOKENIZER.encode(text)) == text
    assert TOKENIZER.decode(TOKENIZER.encode(text, "all")) == text


@given(st.binary())
def test_any_bytes_come_back(data):
    ids = [TOKENIZER.ranks[bytes([byte])] for byte in data]
    assert TOKENIZER.decode_bytes(ids) == data
    assert isinstance(TOKENIZER.decode(ids), str)


@given(texts)
def test_no_text_can_forge_a_special_token(text):
    ids = TOKENIZER.encode(text.join(SPECIAL))
    assert not set(ids) & set(TOKENIZER.special_tokens.values())
    some = TOKENIZER.encode(text.join(SPECIAL), ["<|end|>"])
    special = set(TOKENIZER.special_tokens.values())
    assert set(some) & special <= {TOKENIZER.special_tokens["<|end|>"]}


def test_the_longest_special_token_wins():
    number = TOKENIZER.special_tokens
    assert TOKENIZER.encode("<|end|>", "all") == [number["<|end|>"]]
    assert TOKENIZER.encode("<|endoftext|>", "all") == [number["<|endoftext|>"]]
    assert TOKENIZER.encode("<|end", "all") == [number["<|end"]]


@settings(max_examples=200)
@given(st.lists(texts, max_size=8), st.sampled_from([(), "all"]), st.integers(1, 9))
def test_a_stream_is_the_joined_text(chunks, special, block):
    streamed = list(TOKENIZER.encode_iterable(chunks, special, block=block))
    assert streamed == TOKENIZER.encode("".join(chunks), special)


@given(st.lists(texts, max_size=6))
def test_a_batch_is_its_texts(batch):
    assert TOKENIZER.encode_batch(batch) == [TOKENIZER.encode(text) for text in batch]


@settings(max_examples=200)
@given(texts, patterns)
def test_counting_is_exact(text, pattern):
    text = text * 40  # so long that shortcuts are worth taking
    plain = Counter(piece for piece in regex.findall(pattern, text) if piece)
    assert +count_pieces(text, (), pattern) == plain


def naive_merges(pieces, num_merges):
    """The definition: count all pairs, merge the best, and again."""
    words = {tuple(bytes([b]) for b in w.encode()): 0 for w in pieces}
    for word, n in pieces.items():
        words[tuple(bytes([b]) for b in word.encode())] += n
    merges = []
    while len(merges) < num_merges:
        counts = Counter()
        for word, n in words.items():
            for pair in pairwise(word):
                counts[pair] += n
        if not counts:
            break
        best = max(counts, key=lambda pair: (counts[pair], pair))
        merges.append(best)
        merged = Counter()
        for word, n in words.items():
            out, i = [], 0
            while i < len(word):
                if word[i : i + 2] == best:
                    out.append(best[0] + best[1])
                    i += 2
                else:
                    out.append(word[i])
                    i += 1
            merged[tuple(out)] += n
        words = merged
    return merges


words = st.text(alphabet="aab\u00e9", min_size=1, max_size=14)


@settings(max_examples=150)
@given(st.dictionaries(words, st.integers(1, 4), max_size=12), st.integers(0, 30))
def test_training_is_the_definition(pieces, num_merges):
    """Ties and runs are everywhere in these."""
    assert learn_merges(Counter(pieces), num_merges) == naive_merges(pieces, num_merges)


@settings(max_examples=30)
@given(st.lists(texts, max_size=5))
def test_training_does_not_see_how_the_corpus_comes(tmp_path_factory, chunks):
    path = Path(tmp_path_factory.mktemp("corpus")) / "text.txt"
    text = "".join(chunks).replace("\r", "")
    path.write_bytes(text.encode())
    assert train_bpe(path, 300).merges == train_bpe(text, 300).merges
    assert train_bpe([path], 300).merges == train_bpe(text, 300).merges


@given(st.lists(st.integers(-(2**40), 2**40), min_size=300, max_size=300, unique=True))
@settings(max_examples=20)
def test_ids_may_be_any_integers(ids):
    small = train_bpe("the cat sat on the mat " * 9, 300)
    tokens = list(small.vocab.values())
    odd = Tokenizer(dict(zip(ids, tokens, strict=False)), small.merges)
    text = "the mat sat on the cat"
    back = {i: n for n, i in enumerate(ids)}
    assert [back[i] for i in odd.encode(text)] == small.encode(text)
    assert odd.decode(odd.encode(text)) == text


def test_saving_keeps_everything(tmp_path, tokenizer):
    path = tmp_path / "tokenizer.json"
    tokenizer.save(path)
    again = Tokenizer.load(path)
    assert again.vocab == tokenizer.vocab
    assert again.merges == tokenizer.merges
    assert again.special_tokens == tokenizer.special_tokens
    assert again.pattern == tokenizer.pattern
    again.save(tmp_path / "again.json")
    assert path.read_bytes() == (tmp_path / "again.json").read_bytes()
    assert json.loads(path.read_text())["format"].startswith("literate-llm")


def test_a_run_of_a_million_is_not_quadratic(tokenizer):
    for text in ("a" * 1_000_000, " " * 1_000_000, "\n" * 1_000_000, "ab" * 500_000):
        assert tokenizer.decode(tokenizer.encode(text)) == text
