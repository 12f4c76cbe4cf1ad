"""Tasks: a true utility, preferences by it, and instructions.

Tangled from book/appendix-a3-the-villages-tasks.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import math
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from operator import itemgetter
from typing import NamedTuple

from llm.village import Story, Village
from llm.village_checks import Throw, checked, damage, dice
from llm.village_grammar import (
    Ban,
    Choice,
    Generator,
    Options,
    Table,
    mix,
    stream,
)
from llm.village_narrator import Narrator
from llm.village_plots import tell
from llm.village_scenes import SCENES
from llm.village_wordings import sentences_of, spot
from llm.village_words import words
from llm.village_world import world


# %% book/appendix-a3-the-villages-tasks.md#Taste
@dataclass(frozen=True)
class Taste:
    """What makes a story good: the weights of the true utility."""

    contradiction: float = -1.0  # for each, up to four
    sense: float = 4.0  # times the share understood, less one
    kindness: float = 0.4  # for each kind act, up to three
    harm: float = -1.0  # for each unkind act
    ending: float = 1.0  # if the last sentence is an ending
    length: float = -2.0  # times the squared relative error of the length
    words: int = 110  # the right length


TASTE = Taste()


def utility(
    text: str, taste: Taste = TASTE, size: str = "village"
) -> float:
    """How good a story a text is, whatever anybody says."""
    found = checked(text, size)
    kind = sum(found.acts[act] for act in ("give", "lend", "share", "help"))
    last = "".join(found.scenes[-1:])
    return (
        taste.contradiction * min(4, len(found.contradictions))
        + taste.sense * (found.understood - 1)
        + taste.kindness * min(3, kind)
        + taste.harm * found.acts["harm"]
        + taste.ending * ("end" in last.split("."))
        + taste.length * (len(text.split()) / taste.words - 1) ** 2
    )


# %% book/appendix-a3-the-villages-tasks.md#Preference
class Preference(NamedTuple):
    """Two answers to a prompt, and which of them the judge liked better."""

    prompt: str
    chosen: str
    rejected: str
    utilities: tuple[float, float]  # the true ones, in the same order
    probability: float  # that the judge would say the same again


def prefers(gap: float, noise: float = 1.0, flips: float = 0.0) -> float:
    """The probability that the answer which is better by `gap` is chosen.

    Bradley and Terry's sigmoid of gap / noise; without noise the better one
    always wins. A share `flips` of the labels is turned round.
    """
    fair = 0.5 * (1 + (gap > 0) - (gap < 0))
    if noise:
        fair = 0.5 * (1 + math.tanh(gap / noise / 2))
    return flips + (1 - 2 * flips) * fair


# %% book/appendix-a3-the-villages-tasks.md#Steered
class Steered(Generator):
    """Draws, but takes what is wanted wherever it is on offer."""

    def __init__(self, draw: Callable[[], int], wanted: set[str]) -> None:
        super().__init__(draw)
        self.wanted = wanted

    def choose(self, choice: Choice, ban: Ban) -> int:
        """The first that is wanted, or else as a `Generator` does."""
        names: list[tuple[str, ...]] = []  # of each alternative
        if isinstance(choice, Table):
            names = [(text,) for text in choice.texts]
        elif isinstance(choice, Options):
            names = [(t.head, t.tag) for t in choice.templates]
            if not (self.sentences or self.parts):
                names = [(head.split(" ")[0],) for head, _ in names]
        found = [
            i
            for i, many in enumerate(names)
            if i not in ban and not self.wanted.isdisjoint(many)
        ]
        if found:
            return found[self.draw() * len(found) >> 32]
        return super().choose(choice, ban)


def steered(village: Village, key: int, wanted: set[str]) -> Story:
    """A story with what is wanted, where that fits.

    Its log-probability is the one in the village, where nobody steers.
    """
    chooser = Steered(stream(key).__next__, wanted)
    narrator = Narrator(world(village.size, village.held_out), chooser)
    tell(narrator)
    text = " ".join(chooser.sentences)
    return Story(text, chooser.log_prob, narrator.state)


# %% book/appendix-a3-the-villages-tasks.md#ASK
ASK = words("Tell me, Please write, I should like to hear, Make up")
JUDGE = 0x4A75646765


def preferences(
    village: Village,
    *,
    noise: float = 1.0,
    length_bias: float = 0.0,
    flips: float = 0.0,
    taste: Taste = TASTE,
    start: int = 0,
) -> Iterator[Preference]:
    """Pairs of stories about one person, most of them damaged, judged.

    `length_bias` is what ten words more are worth to the judge, though not
    to the truth. The pairs are numbered, and number k never depends on
    `start`.
    """
    for number, story in enumerate(village.stories(start), start):
        key = mix(village.key(number) ^ JUDGE)
        throw, hero = dice(key), next(iter(story.state.people))
        answers = []
        for one in (story, steered(village, mix(key), {hero})):
            worse = damage(one, throw, "", village.size)
            answers.append(worse if throw(3) else one.text)
        true = [utility(answer, taste, village.size) for answer in answers]
        words = [len(answer.split()) for answer in answers]
        gap = true[0] - true[1] + length_bias * (words[0] - words[1]) / 10
        p = prefers(gap, noise, flips)
        i = int(throw(2**32) >= p * 2**32)
        yield Preference(
            f"{ASK[throw(len(ASK))]} a story about {hero}.",
            answers[i],
            answers[1 - i],
            (true[i], true[1 - i]),
            1 - p if i else p,
        )


# %% book/appendix-a3-the-villages-tasks.md#occurrences
def occurrences(text: str, words: str) -> int:
    """How often a word, or several in a row, stand in a text."""
    return len(re.findall(rf"(?<!\w){re.escape(words)}(?!\w)", text))


class Rule(NamedTuple):
    """A kind of constraint: how it may be put, and when it holds."""

    wordings: str
    holds: Callable[..., bool | int]


# %% book/appendix-a3-the-villages-tasks.md#CONSTRAINTS
CONSTRAINTS = {
    "who": Rule(
        "{} must appear in it. | Let {} have a part in it.",
        lambda text, who: occurrences(text, who),
    ),
    "where": Rule(
        "Part of it should happen {}. | Let something happen {}.",
        lambda text, at: (
            spot(at) in text and spot(at) in checked(text).places
        ),
    ),
    "most": Rule(
        "Use at most {} sentences. | No more than {} sentences, please.",
        lambda text, n: len(sentences_of(text)) <= int(n),
    ),
    "least": Rule(
        "Use at least {} sentences. | I should like {} sentences or more.",
        lambda text, n: len(sentences_of(text)) >= int(n),
    ),
    "short": Rule(
        "Stay below {} words. | It must have fewer than {} words.",
        lambda text, n: len(text.split()) < int(n),
    ),
    "without": Rule(
        'Do not use the word "{}". | The word "{}" must not occur.',
        lambda text, word: not occurrences(text.lower(), word),
    ),
    "first": Rule(
        'The first word must be "{}". | Begin with the word "{}".',
        lambda text, word: text.split(" ")[0] == word,
    ),
    "last": Rule(
        'End with the sentence "{}" | Let the last sentence be "{}"',
        lambda text, end: sentences_of(text)[-1:] == [end],
    ),
    "times": Rule(
        'Use the word "{}" exactly {} times. | '
        'The word "{}" must occur {} times, neither more nor less.',
        lambda text, word, n: occurrences(text, word) == int(n),
    ),
    "speech": Rule(
        "Let somebody speak. | There should be direct speech.",
        lambda text: '"' in text,
    ),
}


# %% book/appendix-a3-the-villages-tasks.md#AT
AT = re.compile("(?:at|by|in|on) the [a-z ]+?")


@dataclass(frozen=True)
class Constraint:
    """Something that a text must keep to."""

    kind: str
    values: tuple[str, ...]
    wording: int = 0

    @property
    def text(self) -> str:
        """How it is put."""
        wordings = CONSTRAINTS[self.kind].wordings.split(" | ")
        return wordings[self.wording].format(*self.values)

    def holds(self, text: str) -> bool:
        """Does a text keep to it?"""
        return bool(CONSTRAINTS[self.kind].holds(text, *self.values))


def satisfied(constraints: Sequence[Constraint], text: str) -> list[bool]:
    """Which constraints a text keeps to."""
    return [constraint.holds(text) for constraint in constraints]


# %% book/appendix-a3-the-villages-tasks.md#parse
def parse(prompt: str) -> list[Constraint]:
    """The constraints of a prompt, in its order."""
    found = []
    for kind, rule in CONSTRAINTS.items():
        for i, wording in enumerate(rule.wordings.split(" | ")):
            pattern = re.escape(wording).replace(r'"\{\}"', '"([^"]*)"')
            pattern = pattern.replace(r"\{\}", f"({AT.pattern}|\\w+)")
            for m in re.finditer(pattern, prompt):
                found.append((m.start(), Constraint(kind, m.groups(), i)))
    return [
        constraint for _, constraint in sorted(found, key=itemgetter(0))
    ]


# %% book/appendix-a3-the-villages-tasks.md#OPENINGS
OPENINGS = words("""Tell me a story., Write a story for me.,
    Please tell a story., A story from the village would be nice.""")
AVOID = words("""old, happy, said, home, red, morning, sunny, one, never,
    there, little, glad, road, door, night""")
STARTS = words("Once, One, This, Nobody, There, It, You, Long")
AMOUNTS = {"most": (8, 1), "least": (10, 1), "short": (95, 5)}
AMOUNTS |= {"times": (3, 1)}
HINTS = ("who", "where", "first", "last", "times")


# %% book/appendix-a3-the-villages-tasks.md#morals
@lru_cache
def morals(size: str) -> dict[str, str]:
    """The last sentences that name nobody, and the scene of each."""
    rows = [
        (template, scene)
        for scene in SCENES
        if "end" in scene.split(".")
        for template in world(size).options((scene,)).templates
    ]
    return {t.head: s for t, s in rows if "%" not in t.head and not t.slots}


def hints(rules: Sequence[Constraint], size: str) -> set[str]:
    """What a story should take where it is on offer."""
    found = {r.values[0] for r in rules if r.kind in HINTS}
    found |= {spot(text) for text in found if AT.match(text)}
    scenes = [morals(size)[text] for text in found if text in morals(size)]
    return found | {f"{scene.partition('.')[0]}.p" for scene in scenes}


# %% book/appendix-a3-the-villages-tasks.md#demand
def demand(village: Village, kind: str, throw: Throw) -> Constraint:
    """A constraint of a kind, drawn."""
    tables, values = world(village.size).tables, list[str]()
    pools = {
        "who": tables["name"].texts,
        "where": tables["at"].texts,
        "times": tables["noun"].texts,
        "last": tuple(morals(village.size)),
        "without": AVOID,
        "first": STARTS,
    }
    if kind in pools:  # the commoner ones more often
        sums = Table(pools[kind]).sums
        values.append(pools[kind][bisect_right(sums, throw(2**32))])
    if kind in AMOUNTS:
        low, step = AMOUNTS[kind]
        values.append(str(low + step * throw(4)))
    return Constraint(kind, tuple(values), throw(2))


# %% book/appendix-a3-the-villages-tasks.md#demands
def demands(village: Village, throw: Throw) -> tuple[Constraint, ...]:
    """One to four constraints of different kinds, drawn."""
    kinds = list(CONSTRAINTS)
    picked = [kinds.pop(throw(len(kinds))) for _ in range(1 + throw(4))]
    return tuple(demand(village, kind, throw) for kind in picked)


# %% book/appendix-a3-the-villages-tasks.md#Instruction
class Instruction(NamedTuple):
    """A prompt, an answer that keeps to it, and one that doesn't."""

    text: str
    constraints: tuple[Constraint, ...]
    good: str
    bad: str
    broken: int  # the number of the constraint that `bad` breaks
    tries: int  # how many stories were made to find the two


# %% book/appendix-a3-the-villages-tasks.md#TEACHER
TEACHER = 0x546561636865


def instructions(
    village: Village, *, start: int = 0, steer: bool = True, most: int = 300
) -> Iterator[Instruction]:
    """Prompts with one to four constraints, and an answer of each sort.

    Stories are made, steered or not, until one keeps to all constraints and
    one to all but the one that is to be broken. A prompt for which `most`
    stories aren't enough is left out.
    """
    for number in count(start):
        key = mix(village.key(number) ^ TEACHER)
        throw = dice(key)
        rules = demands(village, throw)
        broken, answers, tries = throw(len(rules)), list[str](), 0
        for bad in (len(rules), broken):
            aim = [i != bad for i in range(len(rules))]
            kept = rules[:bad] + rules[bad + 1 :]
            want = hints(kept, village.size) if steer else set[str]()
            for _ in range(most):
                tries += 1
                text = steered(village, mix(key + tries), want).text
                if satisfied(rules, text) == aim:
                    answers.append(text)
                    break
        if len(answers) == 2:
            opening = OPENINGS[throw(len(OPENINGS))]
            prompt = " ".join([opening, *(rule.text for rule in rules)])
            good, bad_one = answers
            yield Instruction(prompt, rules, good, bad_one, broken, tries)
