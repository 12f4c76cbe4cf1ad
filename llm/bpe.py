"""Byte-pair encoding: counting pieces and learning the merges.

Tangled from book/02-tokenization.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import array
import contextlib
import gc
import heapq
import itertools
import math
import re
from collections import Counter, defaultdict
from collections.abc import (
    Callable,
    Collection,
    Iterable,
    Iterator,
    Mapping,
)
from pathlib import Path

import numpy as np
import regex

# %% book/02-tokenization.md#patterns
GPT2_PATTERN = (
    r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+"
    r"|\s+(?!\S)|\s+"
)
PATTERN = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
)


def compile_pattern(pattern: str) -> Callable[[str], list[str]]:
    """A function that cuts a text into pieces."""
    try:
        return regex.compile(pattern).findall
    except regex.error as error:
        raise ValueError(f"pattern {pattern!r}: {error}") from None


# %% book/02-tokenization.md#MIRROR
MIRROR = bytes(range(255, -1, -1))


def descending(token: bytes) -> str:
    """A string that sorts before another's if `token` sorts after it."""
    return token.translate(MIRROR).decode("latin-1") + "\u0100"


# %% book/02-tokenization.md#PairIndex
WALL = -1
FEW = 128
Places = list[int] | np.ndarray


class PairIndex:
    """Where each pair of neighbouring tokens stands, and how often.

    The words lie end to end in `ids`, with walls between them. A token of
    n bytes keeps its n places, and its id stands in the first and in the
    last of them. A pair stands at its border: the first place of its right
    token. `weights` has the count of the word around each place.
    """

    def __init__(self, words: Mapping[bytes, int]) -> None:
        lengths = np.array([len(word) + 1 for word in words], "q")
        text = b"\0" + b"".join([word + b"\0" for word in words])
        ids = np.frombuffer(text, np.uint8).astype("i")
        ids[np.cumsum(np.append(0, lengths))] = WALL
        weights = np.repeat(np.array([0, *words.values()]), [1, *lengths])
        self.ids, self.all_ids = views(ids, "i")
        self.weights, self.all_weights = views(weights, "q")
        self.tokens = [bytes([byte]) for byte in range(256)]
        self.order = [descending(token) for token in self.tokens]
        self.heap: list[tuple[int, str, str, int, int, Places]] = []
        borders = 1 + np.flatnonzero((ids[:-1] != WALL) & (ids[1:] != WALL))
        pairs = 256 * ids[borders - 1] + ids[borders]
        for pair, count, places in self.grouped(pairs, borders):
            self.offer(count, pair // 256, pair % 256, places)

    # -- book/02-tokenization.md#PairIndex.offer
    def offer(self, count: int, a: int, b: int, places: Places) -> None:
        """Put the pair (a, b) on the heap."""
        first, second = self.order[a], self.order[b]
        heapq.heappush(self.heap, (-count, first, second, a, b, places))

    def weigh(self, places: Places) -> int:
        """How often a pair at these places occurs."""
        if len(places) < FEW:
            weights = self.weights
            return sum([weights[p] for p in places])
        return int(self.all_weights[places].sum())

    def standing(self, a: int, b: int, places: Places) -> Places:
        """The places where the pair (a, b) still stands."""
        if len(places) < FEW:
            ids = self.ids
            return [p for p in places if ids[p] == b and ids[p - 1] == a]
        many = np.asarray(places)
        many = many[(self.all_ids[many] == b) & (self.all_ids[many - 1] == a)]
        return many if len(many) >= FEW else many.tolist()

    def grouped(
        self, keys: np.ndarray, places: np.ndarray
    ) -> Iterator[tuple[int, int, Places]]:
        """The places of each key, and their weight."""
        if not len(keys):
            return
        narrow = keys.astype(np.min_scalar_type(keys.max()))
        order = narrow.argsort(kind="stable")
        keys, places = keys[order], places[order]
        borders = np.flatnonzero(keys[1:] != keys[:-1]) + 1
        starts, ends = np.append(0, borders), np.append(borders, len(keys))
        counts = np.add.reduceat(self.all_weights[places], starts)
        columns = keys[starts], counts, starts, ends
        rows = zip(*[column.tolist() for column in columns], strict=True)
        for key, count, i, j in rows:
            here = places[i:j]
            yield key, count, here.tolist() if j - i < FEW else here

    # -- book/02-tokenization.md#PairIndex.merge
    def merge(self, a: int, b: int, places: Places) -> None:
        """Make one token of every (a, b), and offer its new pairs."""
        back, ahead = len(self.tokens[a]), len(self.tokens[b])
        if a == b:
            places = apart(places, back + ahead)
        self.tokens.append(self.tokens[a] + self.tokens[b])
        self.order.append(descending(self.tokens[-1]))
        if len(places) < FEW:
            self.merge_few(back, ahead, places)
        else:
            self.merge_many(back, ahead, np.asarray(places))

    def merge_few(self, back: int, ahead: int, places: Places) -> None:
        """Merge one place after the other."""
        ids, new = self.ids, len(self.tokens) - 1
        before, after = defaultdict(list), defaultdict(list)
        for p in places:
            start, end = p - back, p + ahead
            ids[start] = ids[end - 1] = new
            left, right = ids[start - 1], ids[end]
            if left != WALL:
                before[left].append(start)
            if right != WALL:
                after[right].append(end)
        # Names of our own are quicker to look up in a loop.
        push, heap, weight = heapq.heappush, self.heap, self.weights.__getitem__
        order, mine = self.order, self.order[new]
        for left, found in before.items():
            n = sum(map(weight, found))
            push(heap, (-n, order[left], mine, left, new, found))
        for right, found in after.items():
            n = sum(map(weight, found))
            push(heap, (-n, mine, order[right], new, right, found))

    def merge_many(self, back: int, ahead: int, places: np.ndarray) -> None:
        """Merge all places at once."""
        ids, new = self.all_ids, len(self.tokens) - 1
        starts, ends = places - back, places + ahead
        ids[starts] = ids[ends - 1] = new
        left, right = ids[starts - 1], ids[ends]
        # A pair of two new tokens is offered once, by the right one.
        before, after = left != WALL, (right != WALL) & (right != new)
        for token, count, found in self.grouped(left[before], starts[before]):
            self.offer(count, token, new, found)
        for token, count, found in self.grouped(right[after], ends[after]):
            self.offer(count, new, token, found)


# %% book/02-tokenization.md#views
def views(
    values: np.ndarray, code: str
) -> tuple["array.array[int]", np.ndarray]:
    """One memory, twice: for numbers one by one, and for all at once."""
    memory = array.array(code, values.astype(code).tobytes())
    return memory, np.frombuffer(memory, code)


# %% book/02-tokenization.md#apart
def apart(places: Places, size: int) -> list[int]:
    """Of places from left to right, those that don't overlap."""
    kept, free = [], 0
    for place in places:
        if place >= free:
            kept.append(int(place))
            free = place + size
    return kept


# %% book/02-tokenization.md#no_search_for_cycles
@contextlib.contextmanager
def no_search_for_cycles() -> Iterator[None]:
    """Let Python's cyclic garbage collector wait."""
    resume = gc.enable if gc.isenabled() else gc.disable
    gc.disable()
    try:
        yield
    finally:
        resume()


# %% book/02-tokenization.md#learn_merges
def learn_merges(
    pieces: Mapping[str, int], num_merges: int
) -> list[tuple[bytes, bytes]]:
    """The merges that byte-pair encoding learns from counted pieces."""
    words = {piece.encode(): count for piece, count in pieces.items()}
    merges: list[tuple[bytes, bytes]] = []
    with no_search_for_cycles():
        index = PairIndex(words)
        while index.heap and len(merges) < num_merges:
            *_, a, b, places = heapq.heappop(index.heap)
            still = index.standing(a, b, places)
            if len(still) == len(places):
                merges.append((index.tokens[a], index.tokens[b]))
                index.merge(a, b, still)
            elif len(still):
                index.offer(index.weigh(still), a, b, still)
    return merges


# %% book/02-tokenization.md#settled
CUT = r"(?<=[\p{L}\p{N}])(?=[^\p{L}\p{N}\p{M}'])"
PROBE = "I'll say: 12 km, 3.5 m! (x_y) \t z\n\n a\r\nb' 中。नी "
every_cut, last_cut = regex.compile(CUT), regex.compile("(?r)" + CUT)


def settled(text: str, split: Callable[[str], list[str]]) -> int:
    """How many characters are in pieces that no later text can change."""
    parts = [
        piece for part in every_cut.split(PROBE) for piece in split(part)
    ]
    if parts != split(PROBE):
        return 0
    match = last_cut.search(text)
    return match.start() if match else 0


# %% book/02-tokenization.md#either
def either(special: Collection[str]) -> "regex.Pattern[str]":
    """A pattern for any of the special tokens, the longest first."""
    longest_first = sorted(special, key=len, reverse=True)
    return regex.compile("|".join(map(regex.escape, longest_first)))


# %% book/02-tokenization.md#cut_stream
def cut_stream(
    texts: Iterable[str],
    split: Callable[[str], list[str]],
    special: Collection[str] = (),
    block: int = 1 << 16,
) -> Iterator[str]:
    """Cut a stream into parts that can be split into pieces one by one.

    A special token is a part of its own. `block` is how many characters to
    gather before looking for a cut.
    """
    cuts, longest = either(special), max(map(len, special), default=0)
    rest, enough = "", block
    for text in itertools.chain(texts, [None]):
        rest += text or ""
        if text is not None and len(rest) < enough:
            continue
        limit = len(rest) - (0 if text is None else longest)
        start = 0
        for match in (cuts.finditer(rest) if special else ()):
            if match.start() > limit:
                break
            yield from (rest[start : match.start()], match[0])
            start = match.end()
        head = rest[start : max(start, limit)]
        end = start + (len(head) if text is None else settled(head, split))
        yield rest[start:end]
        rest = rest[end:]
        enough = max(block, 2 * len(rest))


# %% book/02-tokenization.md#cut_words
def cut_words(text: str) -> list[str]:
    """Cut at spaces and newlines that surely begin a piece.

    Surely: a pattern gives the last of several blanks to what follows. A
    blank that is no cut becomes a zero character; each word but the first
    has lost a space in front, unless it begins with a newline.
    """
    text = re.sub(r" (?!\S)", "\0", text)
    text = re.sub(r"\n(?=[^\s\0])", " \n", text)
    return text.split(" ")


# %% book/02-tokenization.md#count_by_words
def count_by_words(
    words: Mapping[str, int], split: Callable[[str], list[str]]
) -> Counter[str]:
    """The pieces of counted words, each different word split once."""
    alike, counts = defaultdict(list), Counter[str]()
    for word, n in words.items():
        if word.isascii() and word.isalpha():
            counts[" " + word] = n
        else:
            alike[n].append(word)
    for n, some in alike.items():
        joined = (" " + " ".join(some)).replace(" \n", "\n")
        for piece, k in Counter(split(joined.replace("\0", " "))).items():
            counts[piece] = counts.get(piece, 0) + n * k
    return counts


# %% book/02-tokenization.md#Corpus
Corpus = str | Path | Iterable[str | Path]
BLOCK = 1 << 17


def read_blocks(source: str | Path) -> Iterator[str]:
    """A text, or that of a file, a block at a time."""
    if isinstance(source, str):
        for start in range(0, len(source), BLOCK):
            yield source[start : start + BLOCK]
        return
    with source.open(encoding="utf-8", newline="") as file:
        try:
            while block := file.read(BLOCK):
                yield block
        except UnicodeDecodeError as error:
            raise ValueError(f"{source} isn't UTF-8: {error}") from None


# %% book/02-tokenization.md#count_pieces
def count_pieces(
    corpus: Corpus,
    special_tokens: Collection[str] = (),
    pattern: str = PATTERN,
) -> Counter[str]:
    """How often the pattern cuts each piece out of the corpus."""
    sources = [corpus] if isinstance(corpus, str | Path) else corpus
    split = compile_pattern(pattern)
    short_way = pattern in (PATTERN, GPT2_PATTERN)
    counts: Counter[str] = Counter()
    words: Counter[str] = Counter()
    for source in sources:
        if not isinstance(source, str | Path):
            raise TypeError(f"neither a text nor a path: {source!r}")
        blocks = read_blocks(source)
        for part in cut_stream(blocks, split, special_tokens, BLOCK):
            if part in special_tokens:
                continue
            if short_way and "\0" not in part:
                first, *others = cut_words(part)
                counts.update(split(first.replace("\0", " ")))
                words.update(others)
            else:
                counts.update(split(part))
    total = count_by_words(words, split)
    total.update(counts)
    return total


# %% book/02-tokenization.md#merge_bytes
def merge_bytes(
    piece: bytes,
    ranks: Mapping[bytes, int],
    below: int | float = math.inf,
) -> list[bytes]:
    """Replay the merges in one piece; only ranks `below` count."""
    parts = [bytes([byte]) for byte in piece]
    after = [*range(1, len(parts)), 0]
    before = [*range(-1, len(parts) - 1)]
    heap: list[tuple[int, int, bytes]] = []

    def offer(i: int) -> None:
        if i >= 0 and after[i]:
            both = parts[i] + parts[after[i]]
            rank = ranks.get(both, math.inf)
            if rank < below:
                heapq.heappush(heap, (int(rank), i, both))

    for i in range(len(parts)):
        offer(i)
    while heap:
        _, i, both = heapq.heappop(heap)
        j = after[i]
        if not j or not parts[i] or parts[i] + parts[j] != both:
            continue
        parts[i], parts[j] = both, b""
        after[i] = after[j]
        if after[i]:
            before[after[i]] = i
        offer(i)
        offer(before[i])
    return [part for part in parts if part]
