"""Grammar: chance, tables, templates, and three choosers.

Tangled from book/appendix-a-the-village.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import math
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import (
    Callable,
    Collection,
    Iterator,
    Mapping,
    Sequence,
)
from fractions import Fraction
from itertools import accumulate, takewhile
from typing import NamedTuple

import numpy as np

# %% book/appendix-a-the-village.md#ONE
ONE = 2**32  # a probability is a whole number of these parts
GOLDEN = 0x9E3779B97F4A7C15
MASK = 2**64 - 1


def mix(z: int) -> int:
    """Stir 64 bits, as splitmix64 does."""
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def stream(key: int, start: int = 0) -> Iterator[int]:
    """Random integers below 2**32 without end, from number `start` on."""
    z = key + start * GOLDEN
    while True:
        z = (z + GOLDEN) & MASK
        yield mix(z) >> 32


# %% book/appendix-a-the-village.md#streams
def streams(keys: Sequence[int], count: int) -> list[list[int]]:
    """The first `count` integers of the streams of many keys, at once."""
    z = np.array(keys, np.uint64)[:, None]
    z = z + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(GOLDEN)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((z ^ (z >> np.uint64(31))) >> np.uint64(32)).tolist()


# %% book/appendix-a-the-village.md#zipf
def zipf(n: int, first: int = 2) -> list[int]:
    """Weights that fall with the rank: 1/2, 1/3, 1/4, ..."""
    return [ONE // (rank + first) for rank in range(n)]


def shares(weights: Sequence[int]) -> list[int]:
    """Whole numbers in proportion to `weights` that sum to 2**32."""
    total = sum(weights)
    result = [weight * ONE // total for weight in weights]
    result[0] += ONE - sum(result)
    return result


Ban = Collection[int]  # the numbers of entries that may not be chosen
NOTHING: Ban = frozenset()


class Choice:
    """Alternatives, with probabilities in parts of 2**32."""

    def __init__(self, weights: Sequence[int]) -> None:
        self.shares = shares(weights)
        self.sums = list(accumulate(self.shares))
        self.logs = [math.log(share / ONE) for share in self.shares]


# %% book/appendix-a-the-village.md#left
def left(choice: Choice, ban: Ban) -> float:
    """The logarithm of what a ban leaves."""
    return math.log((ONE - sum([choice.shares[i] for i in ban])) / ONE)


# %% book/appendix-a-the-village.md#WORD
WORD = re.compile(r"[\w'-]")


def ends_at(head: str, text: str, end: int) -> bool:
    """Does a word of `text` end where `head` ends?"""
    if not head or end >= len(text) or not WORD.match(head[-1]):
        return True
    return not WORD.match(text[end])


def collisions(heads: Sequence[str]) -> list[tuple[str, str]]:
    """The pairs of which one begins the other, up to a word's end."""
    known = Counter(heads)
    found = [(head, head) for head, n in known.items() if n > 1]
    for head in heads:
        for end in range(len(head)):
            if head[:end] in known and ends_at(head[:end], head, end):
                found.append((head[:end], head))
    return found


# %% book/appendix-a-the-village.md#Table
class Table(Choice):
    """Words, the commoner first; ValueError if one begins another."""

    def __init__(self, texts: Sequence[str], first: int = 2) -> None:
        super().__init__(zipf(len(texts), first))
        if found := collisions(texts):
            raise ValueError(f"one text begins another: {found[:3]}")
        self.texts = tuple(texts)
        self.places = {text: i for i, text in enumerate(texts)}


# %% book/appendix-a-the-village.md#Slot
class Slot(NamedTuple):
    """A gap in a template, who or what it names, and the words after."""

    gap: str
    role: str
    after: str


class Template(NamedTuple):
    """One wording of one event."""

    key: str  # scene, event and wording, by which a repeat is found
    tag: str  # the event's name, by which a plot goes on
    effects: tuple[tuple[str, ...], ...]
    head: str  # the words up to the first gap
    slots: tuple[Slot, ...]
    ends: bool  # a whole sentence, not the beginning of one


def parse_template(key: str, tag: str, effects: str, text: str) -> Template:
    """Compile `{A} gave {B} {X:a_thing}.` with what it changes."""
    pieces = re.split(r"\{([^}]*)\}", text)
    texts, gaps = [pieces[0]], []
    for field, after in zip(pieces[1::2], pieces[2::2], strict=True):
        if re.fullmatch(r"[A-Z](\.\w+)?", field):
            texts[-1] += f"%({field})s{after}"
        else:
            role, _, gap = field.rpartition(":")
            gaps.append((gap, role))
            texts.append(after)
    rows = zip(gaps, texts[1:], strict=True)
    slots = [Slot(*gap, after) for gap, after in rows]
    calls = [tuple(call.split()) for call in effects.split(";") if call]
    return Template(
        key, tag, tuple(calls), texts[0], tuple(slots), text[-1] in '.!?"'
    )


# %% book/appendix-a-the-village.md#parse_scene
def parse_scene(
    name: str, text: str, most: int | None = None
) -> Iterator[tuple[int, Template]]:
    """The templates of a scene with their weights.

    `3 tag: effect; effect` on the first line is an event of weight 3; the
    lines below are its wordings, likelier first, with bars between. Further
    events begin with `>`. `most` limits the wordings of each.
    """
    lines = text.lstrip().startswith("> ")  # then each line is a wording
    if lines:
        text = text.strip()[2:]
    for block in text.split("\n> "):
        first, _, body = block.replace("\n  ", " ").partition("\n")
        front, _, effects = first.partition(":")
        weight, _, tag = front.partition(" ")
        if lines:
            body = " | ".join(filter(None, body.split("\n")))
        kept = " ".join(body.split()).split(" | ")[:most]
        for i, share in enumerate(shares(zipf(len(kept), 4))):
            key = f"{name} {first} {i}"
            template = parse_template(key, tag or name, effects, kept[i])
            yield int(Fraction(weight or 1) * share), template


# %% book/appendix-a-the-village.md#unfold
def unfold(
    weight: int, template: Template, tables: Mapping[str, Table]
) -> Iterator[tuple[int, Template]]:
    """One template for each word of a leading gap `{!thief}`."""
    gap, _, after = template.slots[0] if template.slots else ("", "", "")
    if not gap.startswith("!"):
        yield weight << 16, template  # 16 bits more, for the words
        return
    table = tables[gap[1:]]
    for text, share in zip(table.texts, table.shares, strict=True):
        head, rest = template.head + text + after, template.slots[1:]
        yield weight * share >> 16, template._replace(head=head, slots=rest)


class Options(Choice):
    """The templates of one or more scenes, as one choice."""

    def __init__(self, weighted: Sequence[tuple[int, Template]]) -> None:
        super().__init__([weight for weight, _ in weighted])
        self.templates = tuple(template for _, template in weighted)
        self.keys = frozenset(template.key for template in self.templates)

    def numbers(self, keys: Collection[str]) -> Ban:
        """The templates with these keys, unless that is all of them."""
        found = [i for i, t in enumerate(self.templates) if t.key in keys]
        return found if len(found) < len(self.templates) else NOTHING


# %% book/appendix-a-the-village.md#Chooser
class Chooser:
    """What runs a program: it decides, and keeps the text and its price."""

    def __init__(self) -> None:
        self.log_prob = 0.0
        self.sentences: list[str] = []
        self.parts: list[str] = []

    def choose(self, choice: Choice, ban: Ban) -> int:
        """The number of an alternative that isn't banned."""
        raise NotImplementedError

    def literal(self, text: str) -> None:
        """Say what there is no choice about."""
        self.parts.append(text)

    def option(
        self, options: Options, bound: Mapping[str, str], ban: Ban = NOTHING
    ) -> Template:
        """Choose a wording, and say it up to its first gap."""
        i = self.choose(options, ban)
        self.log_prob += options.logs[i]
        if ban:
            self.log_prob -= left(options, ban)
        self.literal(options.templates[i].head % bound)
        return options.templates[i]

    def pick(self, table: Table, ban: Ban = NOTHING) -> int:
        """Choose a word and say it; its number."""
        i = self.choose(table, ban)
        self.log_prob += table.logs[i]
        if ban:
            self.log_prob -= left(table, ban)
        self.literal(table.texts[i])
        return i

    def stop(self) -> None:
        """End a sentence."""
        self.sentences.append("".join(self.parts))
        self.parts.clear()


# %% book/appendix-a-the-village.md#Generator
class Generator(Chooser):
    """The chooser that draws from a stream."""

    def __init__(self, draw: Callable[[], int]) -> None:
        super().__init__()
        self.draw = draw

    def choose(self, choice: Choice, ban: Ban) -> int:
        """By the shares; what is banned is drawn again."""
        i = bisect_right(choice.sums, self.draw())
        if ban:
            if len(ban) >= len(choice.shares):
                raise ValueError("nothing is left to choose from")
            while i in ban:
                i = bisect_right(choice.sums, self.draw())
        return i


# %% book/appendix-a-the-village.md#OffText
class OffText(Exception):  # noqa: N818
    """The text leaves the language at a character."""

    def __init__(self, at: int) -> None:
        super().__init__(at)
        self.at = at


class Reader(Chooser):
    """The chooser that follows a text; OffText is raised where it can't."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
        self.at = 0
        self.heads: Sequence[str] = ()

    def option(
        self, options: Options, bound: Mapping[str, str], ban: Ban = NOTHING
    ) -> Template:
        """The wording that stands in the text."""
        self.heads = [t.head % bound for t in options.templates]
        if found := collisions(self.heads):
            raise AssertionError(f"one text begins another: {found[:3]}")
        return super().option(options, bound, ban)

    def pick(self, table: Table, ban: Ban = NOTHING) -> int:
        """The word that stands in the text."""
        self.heads = table.texts
        return super().pick(table, ban)

    def choose(self, choice: Choice, ban: Ban) -> int:
        """The number of the head that stands here; at most one can."""
        if self.sentences and not self.parts:
            self.literal(" ")  # the blank belongs to no sentence
            self.parts.clear()
        for i, head in enumerate(self.heads):
            end = self.at + len(head)
            here = self.text.startswith(head, self.at)
            if here and i not in ban and ends_at(head, self.text, end):
                return i
        allowed = [h for i, h in enumerate(self.heads) if i not in ban]
        raise OffText(max(map(self.agree, allowed)))

    def agree(self, head: str) -> int:
        """Where the text stops agreeing with a head."""
        ahead = self.text[self.at : self.at + len(head)]
        same = (a == b for a, b in zip(head, ahead, strict=False))
        return self.at + sum(takewhile(bool, same))

    def literal(self, text: str) -> None:
        """Go on, if the text does."""
        if not self.text.startswith(text, self.at):
            raise OffText(self.agree(text))
        seam = self.text[self.at - 1 : self.at + 1] if self.parts else ""
        if text and len(re.findall(WORD, seam)) == 2:
            raise AssertionError(f"a word goes on: {seam!r} in {text!r}")
        self.at += len(text)
        super().literal(text)


# %% book/appendix-a-the-village.md#Enumerator
class Enumerator(Chooser):
    """The chooser that tries all: run again until `advance` is false."""

    def __init__(self) -> None:
        super().__init__()
        self.depth = 0
        self.path: list[list[int]] = []  # what is still to be tried

    def choose(self, choice: Choice, ban: Ban) -> int:
        """The same as in the run before, except at its last open choice."""
        if self.depth == len(self.path):
            allowed = [i for i in range(len(choice.shares)) if i not in ban]
            self.path.append(allowed[::-1])
        self.depth += 1
        return self.path[self.depth - 1][-1]

    def advance(self) -> bool:
        """Prepare the next run; false when all is tried."""
        while self.path and len(self.path[-1]) == 1:
            self.path.pop()
        if self.path:
            self.path[-1].pop()
        super().__init__()
        self.depth = 0
        return bool(self.path)
