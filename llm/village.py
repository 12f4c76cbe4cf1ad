"""The village: stories whose probability is known exactly.

Tangled from book/appendix-a-the-village.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import NamedTuple

from llm.village_grammar import (
    MASK,
    Generator,
    OffText,
    Reader,
    mix,
    stream,
    streams,
)
from llm.village_narrator import Narrator
from llm.village_plots import tell
from llm.village_world import State, World, world

# %% book/appendix-a-the-village.md#SPLITS
SPLITS = ("train", "validation", "test")


class Story(NamedTuple):
    """A story, its log-probability in nats, and what is true at its end."""

    text: str
    log_prob: float
    state: State


def write(place: World, draws: Iterator[int]) -> Story:
    """The story that these numbers make."""
    chooser = Generator(draws.__next__)
    narrator = Narrator(place, chooser)
    tell(narrator)
    text = " ".join(chooser.sentences)
    return Story(text, chooser.log_prob, narrator.state)


@dataclass(frozen=True)
class Village:
    """A village; equal villages tell equal stories, on every machine.

    `size` is "village" or "hamlet". The `split`, "train", "validation" or
    "test", decides which streams are drawn from. `held_out` stories, for
    validation and test only, bring together an animal and a thing that no
    training story shows together. ValueError for anything else.
    """

    size: str = "village"
    seed: int = 0
    split: str = "train"
    held_out: bool = False

    def __post_init__(self) -> None:
        if self.split not in SPLITS:
            message = f"split is {self.split!r}: take one of "
            raise ValueError(message + ", ".join(SPLITS))
        if self.held_out and self.split == "train":
            raise ValueError("held_out stories are for validation and test")
        world(self.size, self.held_out)

    @property
    def world(self) -> World:
        """The tables and scenes."""
        return world(self.size, self.held_out)

    def key(self, number: int) -> int:
        """The seed of one story."""
        split = self.seed * len(SPLITS) + SPLITS.index(self.split)
        return mix((mix(split & MASK) + number) & MASK)

    def stories(self, start: int = 0) -> Iterator[Story]:
        """Stories without end, from number `start` on."""
        place, ahead = self.world, 128
        while True:
            keys = [self.key(start + i) for i in range(64)]
            for key, drawn in zip(keys, streams(keys, ahead), strict=True):
                yield write(place, chain(drawn, stream(key, ahead)))
            start += 64


# %% book/appendix-a-the-village.md#Reading
class Reading(NamedTuple):
    """What the village makes of a text."""

    log_prob: float  # in nats; minus infinity if the text isn't a story
    state: State  # as far as the text could be read
    violation: int | None  # the first character that can't stand there


def read(
    text: str, size: str = "village", held_out: bool = False
) -> Reading:
    """Read a text as the village tells it."""
    chooser = Reader(text)
    narrator = Narrator(world(size, held_out), chooser)
    try:
        tell(narrator)
        if chooser.at < len(text):
            raise OffText(chooser.at)
    except OffText as error:
        return Reading(-math.inf, narrator.state, error.at)
    return Reading(chooser.log_prob, narrator.state, None)


# %% book/appendix-a-the-village.md#entropy
def entropy(
    n: int, size: str = "village", seed: int = 0, split: str = "train"
) -> tuple[float, float]:
    """Bits per byte of the stories, and half of the 95 % interval's width.

    The ratio of two means over `n` stories; each story counts with one
    byte more, for the newline that ends it in a file. ValueError for n < 2.
    """
    if n < 2:
        raise ValueError(f"n is {n}: an interval needs two stories or more")
    rows = [
        (-story.log_prob / math.log(2), len(story.text.encode()) + 1)
        for story in islice(Village(size, seed, split).stories(), n)
    ]
    bits, length = (sum(column) for column in zip(*rows, strict=True))
    rate, mean = bits / length, length / n
    spread = sum((b - rate * c) ** 2 for b, c in rows) / (n - 1)
    return rate, 1.96 * math.sqrt(spread / n) / mean
