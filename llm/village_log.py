"""The log of a story: what happened, in which sentence, and what follows.

Tangled from book/appendix-a2-the-villages-questions.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from llm.village_words import NUMBERS, pairs
from llm.village_world import Event, State, world

# %% book/appendix-a2-the-villages-questions.md#Key
Key = tuple[str, str]  # ("at", "Bo"), ("of", "lantern"), ("count", "Bo")
Nodes = frozenset[tuple[int, Key]]  # facts, each with the event behind it
Found = tuple[str, Nodes] | None  # an answer, and what it rests on
EFFECTS = pairs(
    """settle: at 0 = 1, home 0 = 1; move: at 0 = 1; follow: at 0 < at 1;
    trade: at 0 < at 1, at 1 < at 0; get: of 1 = 0; have: of 1 = 0;
    give: of 2 = 1; lend: of 2 = 1; swap: of 2 = 1, of 3 = 0;
    drop: of 1 < at 0; lie: of 0 = 1; lose: of 1 = nobody;
    goal: goal 0 = why; agree: goal 0 < goal 1;
    turn: goal 0 < goal 1, goal 1 < goal 0, count 0 < count 1,
    count 1 < count 0; gain: count 0 + 1; spend: count 0 - 1;
    share: count 0 - 2, count 1 + 2; match: count 0 + count 1"""
)


# %% book/appendix-a2-the-villages-questions.md#Fact
class Fact(NamedTuple):
    """What is true from an event on, and the facts that it rests on."""

    event: int
    value: str
    nodes: Nodes


class Log:
    """All facts of a story, in the order in which they became true."""

    def __init__(self, state: State) -> None:
        self.state, self.food = state, state.food
        self.facts: dict[Key, list[Fact]] = {}
        for i, event in enumerate(state.events):
            if event.args[1:2] == ("gather",):
                self.food = event.args[2]
            rules = EFFECTS.get(event.kind, "").split(", ")
            news = [self.fact(rule, i, event) for rule in rules if rule]
            for key, fact in filter(None, news):
                self.facts.setdefault(key, []).append(fact)

    def now(
        self, what: str, whose: str, before: int | None = None
    ) -> Fact | None:
        """A fact at the end, or as an event found it."""
        for fact in reversed(self.facts.get((what, whose), [])):
            if before is None or fact.event < before:
                return fact
        return None

    def value(self, what: str, whose: str) -> str:
        """What a fact says at the end, or nothing."""
        fact = self.now(what, whose)
        return fact.value if fact else ""

    # -- book/appendix-a2-the-villages-questions.md#Log.fact
    def fact(self, rule: str, i: int, event: Event) -> tuple[Key, Fact] | None:
        """The fact that a rule makes of an event, if it makes one."""
        args = {str(k): arg for k, arg in enumerate(event.args)}
        args |= {"why": purpose(event.args), "nobody": ""}
        what, whose, sign, *source = rule.split()
        key, value = (what, args[whose]), args[source[-1]]
        said = self.state.sentences[event.sentence]
        rests: list[Key] = []
        if len(source) == 2:
            rests = [(source[0], value)]
            value = self.value(*rests[0])
        elif event.kind == "move" and value not in said:
            homes = [k for k in self.facts if k[0] == "home"]
            rests = [k for k in homes if self.value(*k) == value]
        if (what == "of" and not named(key[1], said)) or sign in "+-":
            rests.append(key)
        if not value and what != "of" and event.kind != "goal":
            return None
        if event.kind == "share" and not self.value(*key):
            return None  # how many they had before, nobody says
        if sign in "+-":
            more = NUMBERS.index(value) * (1 if sign == "+" else -1)
            value = NUMBERS[NUMBERS.index(self.value(*key) or "no") + more]
        under = [fact.nodes for k in rests if (fact := self.now(*k))]
        return key, Fact(i, value, frozenset({(i, key)}).union(*under))


# %% book/appendix-a2-the-villages-questions.md#whole
@lru_cache(2048)
def whole(word: str) -> re.Pattern[str]:
    """A word as a pattern, where it isn't a part of another."""
    return re.compile(rf"\b{word}\b")


def named(word: str, text: str) -> bool:
    """Does a text name it?"""
    return word in text and bool(whole(word).search(text))


def purpose(goal: tuple[str, ...]) -> str:
    """A goal in words; nothing where stories leave it open."""
    match goal[1:]:
        case "use", thing:
            return f"to {world().uses.get(thing, '')}"
        case "find", thing:
            return f"to find the {thing}"
        case "gather", food:
            return f"to gather {food}"
    return ""


# %% book/appendix-a2-the-villages-questions.md#known
def known(
    log: Log, what: str, whose: str, before: int | None = None
) -> Found:
    """A fact as an answer."""
    fact = log.now(what, whose, before)
    return (fact.value, fact.nodes) if fact and fact.value else None


def last_fact(what: str) -> Callable[..., Found]:
    """Finds a fact about the last word that is asked about."""
    return lambda log, *words: known(log, what, words[-1])


def where(log: Log, thing: str, before: int | None = None) -> Found:
    """Where a thing lies, or where whoever has it is."""
    found = known(log, "of", thing, before)
    if not found or found[0] not in log.state.people:
        return found
    by = known(log, "at", found[0], before)
    return by and (by[0], found[1] | by[1])


def holder(log: Log, thing: str) -> Found:
    """Who has a thing."""
    found = known(log, "of", thing)
    return found if found and found[0] in log.state.people else None


def belongings(log: Log, who: str) -> Found:
    """The one thing that somebody has."""
    all_of = [(x, holder(log, x)) for x in log.state.things]
    mine = [(f"the {x}", at[1]) for x, at in all_of if at and at[0] == who]
    return mine[0] if len(mine) == 1 else None


# %% book/appendix-a2-the-villages-questions.md#at_event
def at_event(what: str, kind: str) -> Callable[..., Found]:
    """Finds a fact about somebody, as the only such event found it."""

    def find(log: Log, *args: str) -> Found:
        same = [e[:3:2] == (kind, args) for e in log.state.events]
        once = sum(same) == 1
        return known(log, what, args[0], same.index(True)) if once else None

    return find


def given(gap: int) -> Callable[..., Found]:
    """Finds who (0) gave, or what (2), in the only such gift."""

    def find(log: Log, *asked: str) -> Found:
        found = [
            (args[gap], frozenset({(i, ("of", args[2]))}))
            for i, (kind, _, args, *_) in enumerate(log.state.events)
            if kind == "give" and args[:gap] + args[gap + 1 :] == asked
        ]
        return found[0] if len(found) == 1 else None

    return find


def present(log: Log, *asked: str) -> Found:
    """What somebody gave somebody."""
    found = given(2)(log, *asked)
    return found and (f"the {found[0]}", found[1])


def lived(log: Log, who: str) -> Found:
    """Where somebody lived, if the story says it in this word."""
    home = log.now("home", who)
    at = home and log.state.events[home.event].sentence
    said = at is not None and "lived" in log.state.sentences[at]
    return known(log, "home", who) if said else None


# %% book/appendix-a2-the-villages-questions.md#beside
def beside(what: str, step: int) -> Callable[..., Found]:
    """Finds the fact before or after the only stretch with a value."""

    def find(log: Log, whose: str, value: str) -> Found:
        facts = log.facts.get((what, whose), [])
        if not all(fact.value for fact in facts):
            return None  # it was lost, and nobody says since when
        if what == "of":
            facts = [f for f in facts if f.value in log.state.people]
        old = ["", *(fact.value for fact in facts)]
        both = zip(facts, old, strict=False)
        starts = [fact for fact, value in both if fact.value != value]
        found = [i for i, fact in enumerate(starts) if fact.value == value]
        if len(found) != 1 or not 0 <= found[0] + step < len(starts):
            return None
        return starts[found[0] + step][1:]

    return find


def was(log: Log, thing: str, who: str) -> Found:
    """Where a thing was before somebody got it, for the only time."""
    facts = log.facts.get(("of", thing), [])
    found = [fact.event for fact in facts if fact.value == who]
    return where(log, thing, found[0]) if len(found) == 1 else None


def is_at(log: Log, who: str, at: str) -> Found:
    """Is somebody at a place? Yes or no."""
    found = known(log, "at", who)
    yes = found and at.endswith(f" {found[0]}")
    return found and ("yes" if yes else "no", found[1])


def has_it(log: Log, who: str, thing: str) -> Found:
    """Does somebody have a thing? Yes or no."""
    found = holder(log, thing)
    return found and ("yes" if found[0] == who else "no", found[1])
