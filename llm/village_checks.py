"""Checks whether a text agrees with itself.

Tangled from book/appendix-a3-the-villages-tasks.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

from llm.village import Story
from llm.village_grammar import stream
from llm.village_wordings import (
    BREAK,
    PLAIN,
    PRONOUNS,
    Wording,
    any_of,
    gap_patterns,
    spot,
    wordings,
)
from llm.village_words import HE, NUMBERS, SHE, STUCK
from llm.village_world import Person, State, world


# %% book/appendix-a3-the-villages-tasks.md#distant
def distant(state: State, who: str, whom: str) -> Iterator[str]:
    """An objection, if two people are known to be in different places."""
    here, there = state.at.get(who, ""), state.at.get(whom, "")
    if here and there and here != there:
        yield f"{who} is at {here}, {whom} at {there}"


def lacks(state: State, who: str, thing: str) -> Iterator[str]:
    """An objection, if somebody doesn't hold a thing."""
    holder = state.holder.get(thing, state.lies.get(thing, "nobody"))
    if holder not in ("", who):
        yield f"{who} doesn't have the {thing}, {holder} has"


def objections(state: State, kind: str, args: list[str]) -> Iterator[str]:
    """Why an event can't happen in a state."""
    at = state.at.get(args[0]) if args else None
    match kind, args:
        case (("give" | "lend"), [who, whom, thing]):
            yield from lacks(state, who, thing)
            yield from distant(state, who, whom)
        case "swap", [who, whom, thing, other]:
            yield from lacks(state, who, thing)
            yield from lacks(state, whom, other)
            yield from distant(state, who, whom)
        case "drop", [who, thing]:
            yield from lacks(state, who, thing)
        case (("get" | "have"), [who, thing]):
            if state.holder.get(thing, who) not in ("", who):
                yield f"{state.holder[thing]} has the {thing}"
            if at and state.lies.get(thing, at) != at:
                yield f"{who} is at {at}, the {thing} isn't"
        case "seek", [who, thing]:
            here = at and state.lies.get(thing) == at
            if here or state.holder.get(thing) == who:
                yield f"{who} looks for the {thing} where it is"
        case "lie", [thing, _] if thing in state.holder:
            yield f"{state.holder[thing]} has the {thing}"
        case (("spend" | "share"), [who, *_, number]):
            if state.counts.get(who, 0) < NUMBERS.index(number):
                yield f"{who} has fewer than {number}"


# %% book/appendix-a3-the-villages-tasks.md#Witness
class Witness:
    """Hears a story piece by piece, believes it, and objects."""

    def __init__(self, size: str) -> None:
        self.size, self.world = size, world(size)
        self.state = State()
        self.bound: dict[str, str] = {}  # who plays what
        self.local: dict[str, str] = {}  # ... in this sentence
        self.gone: frozenset[str] = frozenset()
        self.places: frozenset[str] = frozenset()  # of events
        self.plot = ""

    # -- book/appendix-a3-the-villages-tasks.md#Witness.copy
    def copy(self) -> "Witness":
        """A witness that knows the same."""
        other = Witness(self.size)
        other.bound, other.gone = dict(self.bound), self.gone
        other.places = self.places
        for key, value in vars(self.state).items():
            if isinstance(value, dict):
                setattr(other.state, key, dict(value))
        return other

    # -- book/appendix-a3-the-villages-tasks.md#Witness.hear
    def hear(self, wording: Wording, texts: Iterable[str]) -> list[str]:
        """Take in a wording with what fills its gaps; what is wrong."""
        found: list[str] = []
        self.local, self.plot = {}, wording.plot
        for (role, meaning), text in zip(
            wording.fields, texts, strict=True
        ):
            if meaning.startswith("+"):
                found += self.learn(role, meaning[1:], text)
            elif text:
                found += self.refer(role, meaning, text)
        for kind, *roles in wording.template.effects:
            found += self.happen(kind, roles)
        people = [self.local[r] for r in "ABCDGH" if r in self.local]
        if len(set(people)) < len(people):
            found.append("one person plays two parts")
        if wording.scene != "free" and self.gone.intersection(people[:1]):
            found.append(f"{people[0]} is here, and has left")
        have = self.state.counts.get(self.bound.get("A", ""), 0)
        need = NUMBERS.index(self.bound.get("N", "no"))
        if wording.scene == "harvest.done" and have < need:
            found.append(f"{have} are not the {need} that were needed")
        return found

    # -- book/appendix-a3-the-villages-tasks.md#Witness.learn
    def learn(self, role: str, meaning: str, text: str) -> Iterator[str]:
        """A gap that is filled for the first time."""
        state, bound, key = self.state, self.bound, role
        if meaning == "person":
            if text in state.people:
                yield f"{text} is introduced twice"
            she = text in self.world.she
            state.people[text] = Person(text, "", she, "", "")
        elif meaning in ("kind", "home", "look"):
            key = f"{role}.{meaning}"
            text = spot(text) if meaning == "home" else text
        elif meaning in ("need", "stuck"):
            uses = {use: noun for noun, use in self.world.uses.items()}
            key = "X" if meaning == "stuck" else role
            text = (STUCK if meaning == "stuck" else uses)[text]
            state.things[text] = ""
        elif meaning == "noun":
            if text in state.things:
                yield f"there is a {text} already"
            state.things[text] = bound.get(f"{role}.look", "")
        elif meaning == "place":
            text = bound["HERE"] = spot(text)
        elif meaning == "purpose":
            bound[f"{role}.use"], text = text, self.world.jobs[text]
        elif meaning == "here":
            here = self.world.tables.get(f"here {bound.get('HERE')}")
            if here and text not in here.texts:
                yield f"{text}? Not at {bound['HERE']}"
        bound[key] = self.local[key] = text

    # -- book/appendix-a3-the-villages-tasks.md#Witness.refer
    def refer(self, role: str, meaning: str, text: str) -> Iterator[str]:
        """A gap for what is known, or should be."""
        state, local = self.state, self.local
        known = {**self.bound, **local}
        if pair := PRONOUNS.get(meaning.lower()):
            she = known.get(role) in self.world.she
            if role not in known or text.lower() != pair[not she]:
                who = known.get(role, "nobody")
                yield f"{who} is called {text.lower()}"
        elif meaning == "person":
            local[role] = text
            if role in "GH" or role not in known:
                self.bound[role] = text
            if text not in state.people:
                yield f"{text} comes from nowhere"
                list(self.learn("", "person", text))
        elif meaning == "look":
            local[f"{role}.look"] = text
        elif meaning == "noun":
            local[role], look = text, local.pop(f"{role}.look", "")
            was = state.things.get(text)
            if was is None:
                yield f"the {text} comes from nowhere"
            elif look and was and look != was:
                yield f"the {text} is {look}, and was {was}"
            state.things[text] = was or look
        elif meaning in ("place", "at"):
            local[role] = spot(text)
            was = self.bound.setdefault(role, spot(text))
            if was != spot(text) and self.plot != "track":
                yield f"it was {was}, not {spot(text)}"
        elif meaning in ("home", "at_home"):
            if known.get(f"{role}.home", spot(text)) != spot(text):
                yield f"{known.get(role)} lives at {known[f'{role}.home']}"
        elif meaning == "use":
            if self.world.uses.get(known.get(role, ""), text) != text:
                yield f"a {known[role]} isn't there to {text}"
        elif meaning == "text":
            was = self.bound.setdefault(role, text)
            if was != text:
                yield f"it was {was}, not {text}"

    # -- book/appendix-a3-the-villages-tasks.md#Witness.happen
    def happen(self, kind: str, roles: list[str]) -> Iterator[str]:
        """An event: may it happen? Then make it true."""
        known, state = {**self.bound, **self.local}, self.state
        lives = kind == "settle"
        if lives:
            kind, roles = "move", [roles[0], f"{roles[0]}.home"]
        if roles[:1] == ["H"] and "H" not in self.local:  # who had it
            thing = known.get(roles[-1], "")
            known["H"] = state.holder.get(thing, known.get("H", ""))
        args = [known.get(r, "") if r[0] < "a" else r for r in roles]
        if not all(args):
            return
        if kind in ("move", "follow", "come"):
            self.gone -= {args[0]}
        elif kind == "leave":
            self.gone |= {args[0]}
        yield from objections(state, kind, args)
        with suppress(KeyError):  # of a text that leaves things open
            getattr(state, kind, state.note)(*args)
        if args and not lives and kind not in ("goal", "feel", "know"):
            self.places |= {state.at.get(args[0], "")}

    # -- book/appendix-a3-the-villages-tasks.md#Witness.guess
    def guess(self, text: str) -> Iterator[str]:
        """What can be said of a sentence in unknown words."""
        people = self.state.people
        for name, kind in re.findall(r"\b([A-Z]\w+)(?: the (\w+))?", text):
            if name in {*SHE, *HE} and name not in people:
                list(self.learn("", "person", name))
                if not kind and f"called {name}" not in text:
                    yield f"{name} comes from nowhere"
        gaps, state = gap_patterns(self.size), self.state
        for look, noun in re.findall(gaps["a"], text):
            state.things.setdefault(noun, look)
            state.holder.setdefault(noun, "")  # somebody, or nobody
        for noun in re.findall(rf"\bthe {gaps['noun']}\b", text):
            if noun not in state.things:
                yield f"the {noun} comes from nowhere"
        here = {person.she for person in people.values()}
        for she, word in ((True, "she"), (False, "he")):
            if here and she not in here and word in PLAIN.findall(text):
                yield f"nobody is called {word}"


# %% book/appendix-a3-the-villages-tasks.md#listen
def listen(
    witness: Witness, text: str, at: int, end: int
) -> tuple[Witness, list[str], Wording, int] | None:
    """The reading of what begins at `at` that objects least, if any."""
    index, best = wordings(witness.size), None
    for word in dict.fromkeys(PLAIN.findall(text, at, end)):
        for wording in index.get(word, ()):
            if match := wording.regex.match(text, at):
                other = witness.copy()
                reasons = other.hear(wording, match.groups(""))
                strange = wording.plot != witness.plot
                rank = (len(reasons), strange, -match.end())
                if best is None or rank < best[0]:
                    best = rank, (other, reasons, wording, match.end())
    return best[1] if best else None


# %% book/appendix-a3-the-villages-tasks.md#SPEAKER
SPEAKER = re.compile(
    r'" (?:(?:said|asked|called|cried|begged|told) ([A-Z]\w+)\b'
    r"|([A-Z]\w+) (?:said|asked|called|cried|begged|told)\b)"
)


class Contradiction(NamedTuple):
    """Where a text doesn't agree with itself, and why."""

    sentence: int
    reason: str


class Check(NamedTuple):
    """What a checker finds in a text."""

    contradictions: list[Contradiction]
    understood: float  # the share of the characters
    scenes: list[str]  # what was told; "" where nothing was understood
    acts: Counter[str]  # the kinds of events
    places: set[str]  # where something happened


# %% book/appendix-a3-the-villages-tasks.md#checked
def checked(text: str, size: str = "village") -> Check:
    """Contradictions, the share understood, and what was told."""
    witness, at, known = Witness(size), 0, 0
    found, scenes, acts = [], [], Counter[str]()
    starts = [0, *(m.end() for m in BREAK.finditer(text)), len(text)]
    told: set[str] = set()
    while at < len(text):
        i = bisect_right(starts, at) - 1
        end, reasons, counted = starts[i + 1], list[str](), False
        gone = witness.gone  # before this piece was heard
        heard = listen(witness, text, at, end)
        if heard is None:
            reasons += witness.guess(text[at:end])
        else:
            witness, reasons, wording, stop = heard
            kinds = [effect[0] for effect in wording.template.effects]
            counted = "gain" in kinds
            acts.update(kinds)
            end = stop + len(text[stop:]) - len(text[stop:].lstrip())
            known += end - at
        scenes.append(wording.scene if heard else "")
        piece, at = text[at:end].strip(), end
        if piece in told and not counted:
            reasons.append("this was said before")
        told.add(piece)
        for who in map("".join, SPEAKER.findall(piece)):
            if who in gone:
                reasons.append(f"{who} speaks, and has left")
        found += [Contradiction(i, reason) for reason in reasons]
    share = known / max(1, len(text))
    return Check(found, share, scenes, acts, {*witness.places})


def check(text: str, size: str = "village") -> list[Contradiction]:
    """The places where a text doesn't agree with itself."""
    return checked(text, size).contradictions


# %% book/appendix-a3-the-villages-tasks.md#Throw
Throw = Callable[[int], int]  # a throw below a number
DAMAGES = ("name", "thing", "place", "pronoun", "missing", "repeat", "move",
           "cut", "unkind")  # fmt: skip
FLIPPED = {"she": "he", "her": "his", "herself": "himself", "he": "she",
           "his": "her", "him": "her", "himself": "herself"}  # fmt: skip
FLIPPED |= {a.title(): b.title() for a, b in FLIPPED.items()}


def dice(key: int) -> Throw:
    """Throws that are the same everywhere."""
    numbers = stream(key)
    return lambda sides: next(numbers) * sides >> 32


# %% book/appendix-a3-the-villages-tasks.md#mentions
def mentions(
    rows: Sequence[str], words: Iterable[str], first: int = 0
) -> list[tuple[int, str]]:
    """Where the words stand; with `first=1` not where they stand first."""
    pattern = re.compile(rf"\b{any_of(words)}\b")
    found = [(i, w) for i, r in enumerate(rows) for w in pattern.findall(r)]
    new = {word: i for i, word in reversed(found)} if first else {}
    return [(i, word) for i, word in found if i > new.get(word, -1)]


def exchanged(
    rows: list[str],
    where: Sequence[tuple[int, str]],
    pool: Sequence[str],
    throw: Throw,
) -> list[str]:
    """One of the mentions becomes another word of the pool."""
    if where:
        i, old = where[throw(len(where))]
        others = [word for word in pool if word != old]
        new = others[throw(len(others))] if others else FLIPPED[old]
        rows[i] = re.sub(rf"\b{old}\b", new, rows[i], count=1)
    return rows


# %% book/appendix-a3-the-villages-tasks.md#damage
def damage(
    story: Story, throw: Throw, kind: str = "", size: str = "village"
) -> str:
    """A worse version of a story, by one of `DAMAGES`, or any of them.

    The story itself, where such a damage isn't possible.
    """
    kind = kind or DAMAGES[throw(len(DAMAGES))]
    state, w = story.state, world(size)
    rows, people = list(state.sentences), list(state.people)
    i = throw(len(rows))
    nouns, ats = w.tables["noun"].texts, w.tables["at"].texts
    pools: dict[str, tuple[Iterable[str], Sequence[str]]] = {
        "name": (people, w.tables["name"].texts),
        "thing": (state.things or nouns, nouns),
        "place": (ats, ats),
    }
    if kind in pools:
        words, pool = pools[kind]
        return " ".join(
            exchanged(rows, mentions(rows, words, 1), pool, throw)
        )
    if kind == "pronoun":
        exchanged(rows, mentions(rows, FLIPPED), (), throw)
    elif kind == "missing":
        entries = [e.sentence for e in state.events if e.kind == "settle"]
        del rows[entries[throw(len(entries))]]
    elif kind == "repeat":
        rows.insert(i, rows[i])
    elif kind == "move":
        rows.insert(throw(len(rows)), rows.pop(i))
    elif kind == "cut":
        rows = rows[:-2]
    elif kind == "unkind":
        rows[-1] = f"But nobody thanked {people[0]}, and that was that."
    return " ".join(rows)
