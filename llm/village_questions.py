"""Questions: each with one right answer, and no way round the story.

Tangled from book/appendix-a2-the-villages-questions.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import re
from collections.abc import Callable, Collection, Iterator
from functools import lru_cache
from itertools import product
from typing import NamedTuple

from llm.village import Story, Village
from llm.village_grammar import mix, stream
from llm.village_tales import TALE_KINDS, tales
from llm.village_words import NUMBERS, PREPOSITION, pairs
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
def at_event(log: Log, what: str, kind: str, *args: str) -> Found:
    """A fact about somebody, as the only such event found it."""
    same = [(e.kind, e.args) == (kind, args) for e in log.state.events]
    once = sum(same) == 1
    return known(log, what, args[0], same.index(True)) if once else None


def looked(log: Log, who: str, thing: str) -> Found:
    """Where somebody looked for a thing."""
    return at_event(log, "at", "seek", who, thing)


def why(log: Log, who: str, place: str) -> Found:
    """Why somebody went to a place."""
    return at_event(log, "goal", "move", who, place)


def given(log: Log, *args: str) -> Found:
    """What is missing (an empty word) of the only such gift."""
    gap = args.index("")
    found = [
        (e.args[gap], frozenset({(i, ("of", e.args[2]))}))
        for i, e in enumerate(log.state.events)
        if e.kind == "give"
        and all(a in (b, "") for a, b in zip(args, e.args, strict=True))
    ]
    return found[0] if len(found) == 1 else None


def giver(log: Log, whom: str, thing: str) -> Found:
    """Who gave somebody a thing."""
    return given(log, "", whom, thing)


def present(log: Log, who: str, whom: str) -> Found:
    """What somebody gave somebody."""
    found = given(log, who, whom, "")
    return found and (f"the {found[0]}", found[1])


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


# %% book/appendix-a2-the-villages-questions.md#TALE
TALE = "hands wishes baskets"
CLEAR = "gift errand swap hide"  # who has what at their end
STORY = f"{CLEAR} lost promise quarrel harvest build rescue friend"
ALL, SURE = f"{TALE} {STORY}", f"{TALE} {CLEAR}"
COUNTS, WHYS = "baskets harvest", "wishes lost harvest"
FORMS: tuple[tuple[str, str, Callable[..., Found], str], ...] = (
    ("where", "Where is {who}?", last_fact("at"), TALE),
    ("where", "Where is the {thing}?", where, TALE),
    ("where", "Where did {who} live?", last_fact("home"), STORY),
    ("where", "Where did {who} look for the {thing}?", looked, STORY),
    ("who", "Who has the {thing}?", holder, SURE),
    ("who", "Who gave {who} the {thing}?", giver, STORY),
    ("what", "What does {who} have?", belongings, TALE),
    ("what", "What did {who} give {other}?", present, STORY),
    ("how many", "How many {food} does {who} have?", last_fact("count"),
     COUNTS),
    ("why", "Why did {who} go to {place}?", why, WHYS),
    ("before", "Where was {who} before going to {place}?",
     beside("at", -1), TALE),
    ("before", "Where did {who} go after leaving {place}?",
     beside("at", 1), TALE),
    ("before", "Where was the {thing} before {who} had it?", was, TALE),
    ("before", "Who had the {thing} before {who}?", beside("of", -1), ALL),
    ("before", "Who had the {thing} after {who}?", beside("of", 1), ALL),
    ("yes or no", "Is {who} {at}?", is_at, TALE),
    ("yes or no", "Does {who} have the {thing}?", has_it, SURE),
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
        return f"{whose} has {value} {log.food}."
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
        {number: number for number in NUMBERS},
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

    guesses = {
        "first named": order[0],
        "last named": order[-1],
        "named most": max(said, key=order.count),
        "named least": min(order, key=order.count),
        "nearest at first": near(min(seen)),
        "nearest at last": near(max(seen)),
        "commonest": next(iter(said)),
        "middling": list(said)[len(said) // 2],
        "rarest": list(said)[-1],
    }
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
