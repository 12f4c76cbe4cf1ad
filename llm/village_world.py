"""The world: what is true in a story, and how sentences change it.

Tangled from book/appendix-a-the-village.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from itertools import chain, zip_longest
from typing import NamedTuple

from llm.village_grammar import (
    Options,
    Table,
    Template,
    parse_scene,
    unfold,
)
from llm.village_scenes import SCENES
from llm.village_words import (
    FOODS,
    HE,
    HELD_OUT,
    INDOORS,
    JOBS,
    KINDS,
    LEANINGS,
    LOOKS,
    MATERIALS,
    NUMBERS,
    SHE,
    SIGHTS,
    SOUNDS,
    STUCK,
    TABLES,
    TOOLS,
    TRAITS,
    USES,
    words,
)


# %% book/appendix-a-the-village.md#Event
class Event(NamedTuple):
    """A change, in the order of the telling."""

    kind: str
    sentence: int  # index into State.sentences
    args: tuple[str, ...]  # names, nouns, places ("the mill"), number words
    why: tuple[str, ...] = ()  # the goal of args[0] at that time


class Person(NamedTuple):
    """Somebody in a story; what it doesn't tell is the empty string."""

    name: str
    kind: str
    she: bool
    home: str
    trait: str


@dataclass
class State:
    """What is true at the end of a story, and how it came about.

    Each event is a call of the method that bears its kind.
    """

    kind: str = ""  # of story
    sentences: list[str] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    people: dict[str, Person] = field(default_factory=dict)
    things: dict[str, str] = field(default_factory=dict)  # noun -> look
    at: dict[str, str] = field(default_factory=dict)  # person -> place
    holder: dict[str, str] = field(default_factory=dict)  # thing -> person
    lies: dict[str, str] = field(default_factory=dict)  # thing -> place
    counts: dict[str, int] = field(default_factory=dict)  # person -> number
    food: str = ""  # what is counted
    feels: dict[str, str] = field(default_factory=dict)
    knows: dict[str, dict[str, str]] = field(default_factory=dict)
    goals: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def move(self, who: str, place: str) -> None:
        """Go somewhere, or (`settle`) be at home from the start."""
        if place:
            self.at[who] = place

    def follow(self, who: str, whom: str) -> None:
        """Go where somebody is."""
        self.move(who, self.at.get(whom, ""))

    def get(self, who: str, thing: str) -> None:
        """Find or take a thing, or (`have`) have had it all along."""
        self.holder[thing] = who
        self.lies.pop(thing, None)

    def give(self, who: str, whom: str, thing: str) -> None:
        """Hand a thing on, or (`lend`) for a time."""
        self.holder[thing] = whom

    def swap(self, who: str, whom: str, thing: str, other: str) -> None:
        """Give a thing and get another."""
        self.holder[thing], self.holder[other] = whom, who

    def note(self, *what: str) -> None:
        """What changes none of the facts above."""

    settle, have, lend = move, get, give
    seek = promise = keep = tell = meet = trouble = help = note

    # -- book/appendix-a-the-village.md#State.lose
    def lose(self, who: str, thing: str) -> None:
        """Have a thing no longer; where it is, nobody knows."""
        self.holder.pop(thing, None)

    def lie(self, thing: str, place: str) -> None:
        """Be somewhere, held by nobody."""
        self.holder.pop(thing, None)
        if place:
            self.lies[thing] = place

    def drop(self, who: str, thing: str) -> None:
        """Leave a thing where one is."""
        self.lie(thing, self.at.get(who, ""))

    def feel(self, who: str, feeling: str) -> None:
        """Have a feeling, in place of the one before."""
        self.feels[who] = feeling

    def know(self, who: str, thing: str, where: str) -> None:
        """Believe that a thing is at a place, or with somebody."""
        self.knows.setdefault(who, {})[thing] = where

    def goal(self, who: str, *what: str) -> None:
        """Want something from now on."""
        self.goals[who] = what

    # -- book/appendix-a-the-village.md#State.gain
    def gain(self, who: str, number: str) -> None:
        """Have so many more of what is counted."""
        self.counts[who] = self.counts.get(who, 0) + NUMBERS.index(number)

    def spend(self, who: str, number: str) -> None:
        """Have so many fewer."""
        self.counts[who] = self.counts.get(who, 0) - NUMBERS.index(number)

    def share(self, who: str, whom: str, number: str) -> None:
        """Give so many away."""
        self.spend(who, number)
        self.gain(whom, number)


# %% book/appendix-a-the-village.md#article
def article(word: str) -> str:
    """The word with `a` or `an`, by its sound."""
    glide = word.startswith(("uni", "use", "eu", "one"))
    vowel = word[0] in "aeiou" and not glide
    an = vowel or word.startswith(("hon", "hour", "heir"))
    return f"{'an' if an else 'a'} {word}"


@cache
def forms(role: str, name: str, she: bool) -> dict[str, str]:
    """What a template may call a person: `A`, `A.she`, `A.Her`, ..."""
    words = ("he", "him", "his", "himself")
    if she:
        words = ("she", "her", "her", "herself")
    bound = {role: name}
    for key, word in zip(("she", "him", "her", "self"), words, strict=True):
        bound[f"{role}.{key}"] = word
        bound[f"{role}.{key.title()}"] = word.title()
    return bound


def interleave(groups: Iterable[Iterable[str]]) -> list[str]:
    """The first of each group, then the second of each, and so on."""
    rows = zip_longest(*groups)
    return [word for row in rows for word in row if word is not None]


# %% book/appendix-a-the-village.md#RANK
RANK = {"name": 12, "kind": 12, "a_kind": 12}  # where 1/rank begins


@dataclass(frozen=True)
class Size:
    """How much of each table a world has; None is all of it."""

    words: int | None = None  # of most tables
    people: int | None = None  # names; kinds too
    places: int | None = None
    materials: int | None = None
    things: int | None = None  # of each material
    wordings: int | None = None  # of each event
    plots: tuple[str, ...] = ()  # () is all


class World:
    """The tables and scenes of a size, compiled."""

    def __init__(self, size: Size, held_out: bool = False) -> None:
        self.size, self.held_out = size, held_out
        self.scenes: dict[str, list[tuple[int, Template]]] = {}
        self.unions: dict[tuple[str, ...], Options] = {}
        n, few = size.words, size.things
        kept = list(USES.items())[: size.materials]
        made = {m: dict(list(uses.items())[:few]) for m, uses in kept}
        self.made_of = {t: m for m, uses in made.items() for t in uses}
        self.uses = {t: uses[t] for uses in made.values() for t in uses}
        own = {m: MATERIALS[m][:few] for m in made}
        self.material = dict.fromkeys(LOOKS[:n], "")
        self.material |= {w: m for m, looks in own.items() for w in looks}
        self.jobs = {why: job for job, why in list(JOBS.items())[:n]}
        self.she = frozenset(SHE)
        self.tables = self._tables(size, interleave(made.values()))
        tables = self.tables.__getitem__
        self.names, self.kinds = tables("name"), tables("kind")
        self.places, self.ats = tables("place"), tables("at")
        self.looks = tables("look")
        self.nouns = {m: tables(f"noun {m}") for m in ("", *made)}
        self.here = {at: tables(f"here {at}") for at in self.places.texts}
        at = enumerate(self.places.texts)
        self.indoors = {i for i, place in at if place in INDOORS}
        # When the nouns of a material run out, so must its adjectives.
        self.scarce = [m for m in made if held_out or len(made[m]) < 10]
        names = enumerate(self.names.texts)
        self.boys = {i for i, name in names if name not in self.she}
        self.girls = set(self.names.places.values()) - self.boys
        self.apart: dict[str, set[int]] = {}  # noun -> kinds kept from it
        for i, kind in enumerate(self.kinds.texts):
            for noun in HELD_OUT.get(kind, ()):
                self.apart.setdefault(noun, set()).add(i)

    # -- book/appendix-a-the-village.md#World._tables
    def _tables(self, size: Size, nouns: list[str]) -> dict[str, Table]:
        """A table for each gap, and more by material, place and number."""
        n, of = size.words, self.material
        ats = list(SIGHTS)[: size.places]
        plain = [look for look in of if not of[look]]
        owned = [[w for w in of if of[w] == m] for m in USES]
        told = set(size.plots or chain(*LEANINGS.values()))
        traits = [TRAITS[g] for g in TRAITS if told.intersection(LEANINGS[g])]
        found = {gap: many[:n] for gap, many in TABLES.items()} | {
            "name": interleave([SHE, HE])[: size.people],
            "kind": KINDS[: size.people],
            "trait": interleave(traits)[: n and 2 * n],
            "at": ats,
            "home": ats,
            "place": [at.split(" ", 1)[1] for at in ats],
            "look": interleave([plain, interleave(owned)]),
            "tool": TOOLS[: n and n + 1],
            "noun": nouns,
            "noun ": nouns,
            "need": [self.uses[noun] for noun in nouns],
            "food": FOODS[:n],
            "stuck": list(STUCK)[:n],
            "purposes": list(self.jobs),
            "sounds": list(SOUNDS)[:n],
            "number": NUMBERS[5:1:-1],
            "goal": NUMBERS[6:11][:n],
        }
        for have in range(1, 21):
            found[f"some {have}"] = NUMBERS[1 : min(have, 6) + 1]
        for at in ats:
            sights = words(SIGHTS[at].replace("|", ","))
            found[f"here {at.split(' ', 1)[1]}"] = sights[:n]
        for material in dict.fromkeys(self.made_of.values()):
            made = [t for t in nouns if self.made_of[t] == material]
            fit = [w for w in found["look"] if of[w] in ("", material)]
            found[f"noun {material}"] = made
            found[f"a_look {material}"] = [article(look) for look in fit]
        for gap in ("kind", "trait", "look", "tool"):
            found[f"a_{gap}"] = [article(word) for word in found[gap]]
        found["spot"] = [*found["spot in"], *found["spot out"]]
        return {gap: Table(found[gap], RANK.get(gap, 3)) for gap in found}

    # -- book/appendix-a-the-village.md#World.options
    def options(self, scenes: tuple[str, ...]) -> Options:
        """One choice among the wordings of all scenes.

        `"3 wishes.turn G=B"` is the scene `wishes.turn`, thrice as likely,
        with the role B where its text says G.
        """
        found = self.unions.get(scenes)
        if found is None:
            rows = [row for scene in scenes for row in self._scene(scene)]
            found = self.unions[scenes] = Options(rows)
        return found

    def _scene(self, scene: str) -> list[tuple[int, Template]]:
        """The templates of one scene, with their weights."""
        if scene not in self.scenes:
            counted = scene if scene[0].isdigit() else f"1 {scene}"
            factor, name, *roles = counted.split()
            text = SCENES[name]
            for old, new in (pair.split("=") for pair in roles):
                text = re.sub(rf"\b{old}\b", new, text)
            self.scenes[scene] = [
                (int(factor) * share, opened)
                for row in parse_scene(name, text, self.size.wordings)
                for share, opened in unfold(*row, self.tables)
            ]
        return self.scenes[scene]


# %% book/appendix-a-the-village.md#HAMLET
HAMLET = ("lost", "gift", "harvest", "swap", "quarrel")
SIZES = {"village": Size(), "hamlet": Size(8, 8, 12, 5, 3, 2, HAMLET)}


@cache
def world(size: str = "village", held_out: bool = False) -> World:
    """The world of a size; raises ValueError for another size."""
    if size not in SIZES:
        raise ValueError(f"size is {size!r}: take one of {list(SIZES)}")
    return World(SIZES[size], held_out)
