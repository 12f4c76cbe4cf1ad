"""Questions: each with one right answer, and no way round the story.

Tangled from book/appendix-a2-the-villages-questions.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import re
from collections.abc import Callable, Collection, Iterator
from itertools import product
from typing import NamedTuple

from llm.village import Story, Village
from llm.village_grammar import mix, stream
from llm.village_log import (
    Found,
    Key,
    Log,
    at_event,
    belongings,
    beside,
    given,
    has_it,
    holder,
    is_at,
    last_fact,
    lived,
    named,
    present,
    was,
    where,
    whole,
)
from llm.village_tales import TALE_KINDS, tales
from llm.village_words import NUMBERS, PREPOSITION
from llm.village_world import world

# %% book/appendix-a2-the-villages-questions.md#TALE
TALE, WHYS = "hands wishes baskets", "wishes lost harvest"
CLEAR = f"{TALE} gift errand swap"  # who has what at their end
PASSED = f"{CLEAR} hide promise build rescue friend"
GIFTS = "gift errand hide friend quarrel"  # gifts, not returns
STORY = "gift errand hide lost promise harvest build rescue friend"
FORMS: tuple[tuple[str, str, Callable[..., Found], str], ...] = (
    ("where", "Where is {who}?", last_fact("at"), TALE),
    ("where", "Where is the {thing}?", where, TALE),
    ("where", "Where did {who} live?", lived, STORY),
    ("where", "Where did {who} look for the {thing}?",
     at_event("at", "seek"), STORY),
    ("who", "Who has the {thing}?", holder, CLEAR),
    ("who", "Who gave {who} the {thing}?", given(0), GIFTS),
    ("what", "What does {who} have?", belongings, TALE),
    ("what", "What did {who} give {other}?", present, GIFTS),
    ("how many", "How many {food} does {who} have?", last_fact("count"),
     "baskets harvest"),
    ("why", "Why did {who} go to {place}?", at_event("goal", "move"), WHYS),
    ("before", "Where was {who} before {place}?", beside("at", -1), TALE),
    ("before", "Where was {who} after {place}?", beside("at", 1), TALE),
    ("before", "Where was the {thing} before {who} had it?", was, TALE),
    ("before", "Who had the {thing} before {who}?", beside("of", -1),
     PASSED),
    ("before", "Who had the {thing} after {who}?", beside("of", 1),
     PASSED),
    ("yes or no", "Is {who} {at}?", is_at, TALE),
    ("yes or no", "Does {who} have the {thing}?", has_it, CLEAR),
)


# %% book/appendix-a2-the-villages-questions.md#TYPES
TYPES = "where", "who", "what", "how many", "why", "before", "yes or no"
HOPS = 1, 2, 3, 4, 5, 6


class Question(NamedTuple):
    """A question with its only right answer."""

    text: str
    answer: str
    hops: int  # the changes that the answer rests on
    type: str
    steps: str  # what is true after each of them, and the answer
    asked: str = ""  # what a yes or no is about: a place or a name


def fillings(log: Log) -> dict[str, list[str]]:
    """What may stand in the gaps of questions about a story."""
    facts = [fs for key, fs in log.facts.items() if key[0] == "at"]
    said = {fact.value for fs in facts for fact in fs}
    places = [place for place in PREPOSITION if place in said]
    people, things = list(log.state.people), list(log.state.things)
    at = [f"{PREPOSITION[place]} {place}" for place in places]
    return {"who": people, "other": people, "thing": things,
            "food": [log.food], "place": places, "at": at}


def questions(
    story: Story, types: Collection[str] = TYPES
) -> Iterator[Question]:
    """The questions of some types to which a story has one answer."""
    log = Log(story.state)
    fits = fillings(log)
    for type, text, find, kinds in FORMS:
        if type not in types or story.state.kind not in kinds.split():
            continue
        gaps = re.findall(r"\{(\w+)\}", text)
        for row in product(*(fits[gap] for gap in gaps)):
            found = find(log, *row) if len({*row}) == len(row) else None
            if not found:
                continue
            bound = dict(zip(gaps, row, strict=True))
            steps = [say(log, *node) for node in sorted(found[1])]
            hops = len({event for event, _ in found[1]})
            asked = ""
            if type == "yes or no":
                asked = bound.get("at", f" {row[0]}").split(" ", 1)[1]
            written = " ".join([*steps, f"Answer: {found[0]}"])
            yield Question(
                text.format(**bound), found[0], hops, type, written, asked
            )


# %% book/appendix-a2-the-villages-questions.md#say
def say(log: Log, event: int, key: Key) -> str:
    """What an event has made true, as a sentence."""
    what, whose = key
    value = next(f.value for f in log.facts[key] if f.event == event)
    if what == "goal":
        return f"{whose} wants {value}."
    if what == "count":
        return f"{whose} has {'none' if value == 'no' else value}."
    if what == "of" and value in log.state.people:
        return f"{value} has the {whose}."
    subject = f"The {whose}" if what == "of" else whose
    verb = "lives" if what == "home" else "is"
    return f"{subject} {verb} {PREPOSITION[value]} {value}."


# %% book/appendix-a2-the-villages-questions.md#answer
def answer(story: Story, question: str) -> str:
    """The answer to a question in one of our forms.

    Raises ValueError if it is in none, or if the story doesn't answer it.
    """
    log = Log(story.state)
    fits = fillings(log)
    either = {k: "|".join(map(re.escape, v)) for k, v in fits.items()}
    for _, text, find, kinds in FORMS:
        pattern = re.sub(r"\{(\w+)\}", lambda m: f"({either[m[1]]})", text)
        match = re.fullmatch(pattern.replace("?", "[?]"), question)
        if match is None or story.state.kind not in kinds.split():
            continue
        if found := find(log, *match.groups()):
            return found[0]
    raise ValueError(f"the story doesn't answer {question!r}: see FORMS")


def grade(question: Question, reply: str) -> bool:
    """Does a reply say `Answer:` once, and then exactly the answer?"""
    _, mark, said = reply.partition("Answer:")
    return bool(mark) and said.strip() == question.answer


# %% book/appendix-a2-the-villages-questions.md#candidates
def candidates(story: Story, question: Question) -> dict[str, str]:
    """Answers of the right sort that a story offers, and their words.

    For a yes or no, what could stand in the question.
    """
    like, state = question.asked or question.answer, story.state
    sorts = (
        {place: place for place in PREPOSITION},
        {name: name for name in state.people},
        {f"the {thing}": thing for thing in state.things},
        {number: number for number in NUMBERS[1:]},
        {f"to {use}": use for use in world().uses.values()},
    )
    sort = next((sort for sort in sorts if like in sort), {like: like})
    had = {f.value for fs in Log(state).facts.values() for f in fs}
    return {
        name: word
        for name, word in sort.items()
        if (name in had or named(word, story.text))
        and (name == like or not named(word, question.text))
    }


def chance(story: Story, question: Question) -> float:
    """What a guess among the candidates scores."""
    few = 2 if question.asked else len(candidates(story, question))
    return 1 / few


# %% book/appendix-a2-the-villages-questions.md#shortcuts
def shortcuts(story: Story, question: Question) -> dict[str, str]:
    """What one would answer without following anything."""
    said, asked = candidates(story, question), question.asked
    spots = sorted(
        (match.start(), name)
        for name, word in said.items()
        for match in whole(word).finditer(story.text)
    )
    order = [name for _, name in spots]
    about = {*story.state.people, *story.state.things} - {asked}
    about = {word for word in about if named(word, question.text)}
    seen = [m.start() for w in about for m in whole(w).finditer(story.text)]

    def near(spot: int) -> str:
        return min(spots, key=lambda s: abs(s[0] - spot))[1]

    both = [  # where a sentence names an answer and what is asked about
        name
        for sentence in story.state.sentences
        if any(named(word, sentence) for word in about)
        for name, word in said.items()
        if named(word, sentence)
    ]

    guesses = {
        "first named": order[0],
        "last named": order[-1],
        "named most": max(said, key=order.count),
        "named least": min(order[::-1], key=order.count),
        "nearest at first": near(min(seen)),
        "nearest at last": near(max(seen)),
        "commonest": next(iter(said)),
        "middling": list(said)[len(said) // 2],
        "rarest": list(said)[-1],
    }
    if question.hops > 1:  # at one hop it's reading
        guesses["last beside"] = both[-1] if both else order[-1]
    if asked:
        says = {True: "yes", False: "no"}
        guesses = {k: says[v == asked] for k, v in guesses.items()}
        guesses["yes"] = "yes"
    return guesses


def gains(story: Story, question: Question) -> dict[str, float]:
    """How much better than a guess each shortcut does."""
    guess, right = chance(story, question), question.answer
    found = shortcuts(story, question)
    return {name: (said == right) - guess for name, said in found.items()}


# %% book/appendix-a2-the-villages-questions.md#Gains
Gains = dict[str, float]


def imbalance(debts: Gains, more: Gains) -> float:
    """How far from chance the shortcuts would be, all together."""
    return sum((debts.get(k, 0.0) + gain) ** 2 for k, gain in more.items())


def pick_from(
    pool: list[tuple[Story, Question, Gains]], debts: Gains
) -> tuple[Story, Question]:
    """Take the best of a pool, and let the three oldest go."""
    best = min(pool, key=lambda row: imbalance(debts, row[2]))
    pool[:] = [row for row in pool if row is not best][3:]
    for name, gain in best[2].items():
        debts[name] = debts.get(name, 0.0) + gain
    return best[:2]


# %% book/appendix-a2-the-villages-questions.md#HELD_OUT_HOPS
HELD_OUT_HOPS = 4, 6
HELD_OUT_TYPES = ("what", 3), ("why", 2), ("before", 5)


def trainable(type: str, hops: int) -> bool:
    """May such a question be seen in training?"""
    return hops not in HELD_OUT_HOPS and (type, hops) not in HELD_OUT_TYPES


# %% book/appendix-a2-the-villages-questions.md#balanced_questions
def balanced_questions(
    village: Village, n: int, seed: int = 0
) -> list[tuple[Story, Question]]:
    """`n` stories, each with a question; types and hops in equal numbers.

    Shortcuts are right as often as a guess among the candidates is. What a
    training village gives is all `trainable`.
    """
    free = village.split != "train"
    cells = [(t, h) for h in HOPS for t in TYPES if free or trainable(t, h)]
    left = {cell: (n + i) // len(cells) for i, cell in enumerate(cells)}
    pools: dict = {cell: [] for cell in cells}
    debts: dict = {cell: {} for cell in cells}
    draws = stream(mix(seed ^ 0xBA1A))
    start = next(draws)
    sources = [tales(village, kind, start=start) for kind in TALE_KINDS]
    sources.append(village.stories(start))
    chosen: list[tuple[Story, Question]] = []
    idle, turn = [0] * len(sources), 0
    while want := {t for (t, _), n in left.items() if n}:
        turn += 1
        for i, source in enumerate(sources):
            if idle[i] > 20 and turn % 16:
                continue  # it has been of no use for long
            story = next(source)
            asked = questions(story, want)
            fit = [q for q in asked if left.get((q.type, q.hops))]
            rare = min((len(pools[q.type, q.hops]) for q in fit), default=0)
            fit = [q for q in fit if len(pools[q.type, q.hops]) == rare]
            idle[i] = 0 if fit else idle[i] + 1
            q = fit[next(draws) % len(fit)] if fit else None
            if q is None or len(candidates(story, q)) < 2:
                continue
            pool, debt = pools[q.type, q.hops], debts[q.type, q.hops]
            pool.append((story, q, gains(story, q)))
            if len(pool) == 8:
                chosen.append(pick_from(pool, debt))
                left[q.type, q.hops] -= 1
    return chosen
