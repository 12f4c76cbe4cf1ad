"""Duplicates: hashes, MinHash signatures, banded LSH, union-find.

Tangled from book/03-cleaning-a-crawl.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import array
import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from jaxtyping import Int64, UInt32, UInt64


# %% book/03-cleaning-a-crawl.md#words_of
def words_of(text: str) -> list[str]:
    """The words of a text in lower case, without punctuation."""
    return re.findall(r"\w+", text.lower())


def hash64(text: str) -> int:
    """A hash of 64 bits, the same on every machine and in every run."""
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def text_hash(text: str) -> int:
    """The hash of a text's words: layout and punctuation don't count."""
    return hash64(" ".join(words_of(text)))


# %% book/03-cleaning-a-crawl.md#first_of_each
def first_of_each(
    hashes: UInt64[np.ndarray, "N"]
) -> Int64[np.ndarray, "N"]:
    """For each document, the index of the first one with its hash."""
    _, first, inverse = np.unique(
        hashes, return_index=True, return_inverse=True
    )
    return first[inverse.reshape(-1)].astype(np.int64)


def frequent(
    hashes: UInt64[np.ndarray, "N"], limit: int
) -> frozenset[int]:
    """The hashes that occur more than `limit` times."""
    values, counts = np.unique(hashes, return_counts=True)
    return frozenset(values[counts > limit].tolist())


# %% book/03-cleaning-a-crawl.md#hash_array
def hash_array(hashes: Iterable[int]) -> UInt64[np.ndarray, "N"]:
    """Hashes of 64 bits as an array."""
    return np.array(list(hashes), np.uint64)


def line_hashes(text: str) -> UInt64[np.ndarray, "L"]:
    """The hashes of the different lines of a text."""
    return hash_array({text_hash(line): None for line in text.split("\n")})


def drop_lines(text: str, common: Collection[int]) -> str:
    """A text without the lines that too many others have."""
    lines = text.split("\n")
    return "\n".join(ln for ln in lines if text_hash(ln) not in common)


# %% book/03-cleaning-a-crawl.md#shingles
@lru_cache(maxsize=2**16)
def word_hash(word: str) -> int:
    """`hash64`, remembering the words met lately."""
    return hash64(word)


def shingles(words: Sequence[str], n: int) -> UInt64[np.ndarray, "S"]:
    """The hashes of all runs of n words (of all the words, if fewer)."""
    n = max(min(n, len(words)), 1)
    hashes = np.array([word_hash(w) for w in words] or [0], np.uint64)
    end = len(hashes) - n + 1
    run = np.zeros(end, np.uint64)
    for k in range(n):
        run = run * np.uint64(0x9E3779B97F4A7C15) + hashes[k : k + end]
    run ^= run >> np.uint64(29)
    run *= np.uint64(0xBF58476D1CE4E5B9)
    return run ^ (run >> np.uint64(32))


# %% book/03-cleaning-a-crawl.md#MinHash
@dataclass(frozen=True)
class MinHash:
    """Signatures of `bands` times `rows` minima of hashed shingles."""

    bands: int = 14
    rows: int = 8
    shingle: int = 5
    seed: int = 0

    @cached_property
    def factors(self) -> UInt64[np.ndarray, "2 K"]:
        """A multiplier and an addend for each of the hash functions."""
        rng = np.random.Generator(np.random.PCG64(self.seed))
        size = 2, self.bands * self.rows
        return rng.integers(2**64, size=size, dtype=np.uint64)

    def signature(self, text: str) -> UInt32[np.ndarray, "K"]:
        """The least value of each hash function over all shingles."""
        a, b = self.factors
        hashes = shingles(words_of(text), self.shingle) >> np.uint64(32)
        least = np.full(len(a), 2**64 - 1, np.uint64)
        for at in range(0, len(hashes), 4096):
            values = hashes[at : at + 4096, None] * a + b
            least = np.minimum(least, values.min(axis=0))
        return (least >> np.uint64(32)).astype(np.uint32)

    def keys(
        self, signatures: UInt32[np.ndarray, "N K"]
    ) -> UInt64[np.ndarray, "N bands"]:
        """One hash for each band of each signature."""
        parts = signatures.reshape(len(signatures), self.bands, self.rows)
        keys = np.zeros(parts.shape[:2], np.uint64)
        for row in range(self.rows):
            keys = keys * np.uint64(0x9E3779B97F4A7C15) + parts[..., row]
            keys ^= keys >> np.uint64(29)
        return keys

    def keys_of(
        self, texts: Sequence[str]
    ) -> UInt64[np.ndarray, "N bands"]:
        """The band hashes of texts."""
        rows = [self.signature(text) for text in texts]
        shape = len(rows), self.bands * self.rows
        return self.keys(np.array(rows, np.uint32).reshape(shape))

    def probability(self, similarity: Any) -> Any:
        """How likely texts of this Jaccard similarity share a band."""
        return 1 - (1 - similarity**self.rows) ** self.bands


# %% book/03-cleaning-a-crawl.md#UnionFind
class UnionFind:
    """Disjoint sets of 0 to n-1; each set is named by its least member."""

    def __init__(self, n: int) -> None:
        self.parent = array.array("q", range(n))

    def find(self, i: int) -> int:
        """The least member of i's set."""
        parent = self.parent
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    def union(self, i: int, j: int) -> None:
        """Make one set of two."""
        i, j = self.find(i), self.find(j)
        self.parent[max(i, j)] = min(i, j)


# %% book/03-cleaning-a-crawl.md#neighbours
def neighbours(
    keys: UInt64[np.ndarray, "N"]
) -> Iterator[tuple[int, int]]:
    """Pairs of documents with equal keys, enough to join each group."""
    order = np.argsort(keys, kind="stable")
    same = np.flatnonzero(keys[order][1:] == keys[order][:-1])
    yield from zip(
        order[same].tolist(), order[same + 1].tolist(), strict=True
    )


def clusters(
    n: int, bands: Iterable[UInt64[np.ndarray, "N"]]
) -> Int64[np.ndarray, "N"]:
    """For each of n documents, the first one of its cluster."""
    sets = UnionFind(n)
    for keys in bands:
        for i, j in neighbours(keys):
            sets.union(i, j)
    return np.array([sets.find(i) for i in range(n)], np.int64)
