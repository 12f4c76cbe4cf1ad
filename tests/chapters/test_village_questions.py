"""The tests of book/appendix-a2-the-villages-questions.md.

Tangled from book/appendix-a2-the-villages-questions.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import math
import re
from collections import Counter
from itertools import groupby, islice
from unittest import mock

from llm.village import Story, Village, read
from llm.village_log import EFFECTS, named, whole
from llm.village_questions import (
    HOPS,
    TYPES,
    answer,
    balanced_questions,
    candidates,
    chance,
    grade,
    questions,
    shortcuts,
    trainable,
)
from llm.village_tales import TALE_KINDS, read_tale, tales

# %% book/appendix-a2-the-villages-questions.md#STARTS
STARTS = {
    "at": r"(\w+) the \w+ was \w+ (the .+?) with an?",
    "of": r"(\w+) the \w+ was \w+ the .+? with an? \S+ (.+?)[,.]",
    "goal": r"(\w+) the \w+ wanted (to .+?)(?:,|\.)",
    "count": r"(\w+) the \w+ had (\w+)",
}
COPY = r"(?:With|What) (\w+) (?:was|wanted was also the wish of) (\w+) the"
ALONE = r"(\w+) was not alone: (\w+) the|(\w+) and (\w+) the \w+ had"
COUNTED = """no one two three four five six seven eight nine ten eleven
    twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen
    twenty"""
NUMBER = {word: i for i, word in enumerate(COUNTED.split())}


def retell(text):
    """What is true after each sentence of a tale: dictionaries."""
    first, second, *rest = re.split(r"(?<=\.) ", text)
    now = {sort: dict(re.findall(p, first)) for sort, p in STARTS.items()}
    now["count"] = {k: NUMBER[v] for k, v in now["count"].items()}
    now["of"] = {thing: who for who, thing in now["of"].items()}
    names = re.match(COPY, second) or re.match(ALONE, second)
    whom, who = (name for name in names.groups() if name)
    for sort in ("at", "goal", "count"):
        if whom in now[sort]:
            now[sort][who] = now[sort][whom]
    told = [now]
    for sentence in rest:
        now = {sort: dict(facts) for sort, facts in now.items()}
        one_change(now, sentence)
        told.append(now)
    return told


# %% book/appendix-a2-the-villages-questions.md#one_change
def one_change(now, sentence):
    """Change the dictionaries as one sentence of a tale says."""
    at, of, goal, count = (now[s] for s in ("at", "of", "goal", "count"))
    who, has = sentence.split()[0], {w: x for x, w in of.items()}

    def says(pattern):
        return re.fullmatch(rf"\w+ {pattern}\.", sentence)

    if m := says(r"(?:walked over|(?:therefore )?went) to (the .+)"):
        at[who] = m[1]
    elif m := says(r"(?:joined|ran to where) (\w+)(?: was)?"):
        at[who] = at[m[1]]
    elif m := says(r"and (\w+) changed places"):
        at[who], at[m[1]] = at[m[1]], at[who]
    elif m := says(r"and (\w+) sent each other what they had"):
        of[has[who]], of[has[m[1]]] = m[1], who
    elif m := says(r"sent (\w+) what s?he had"):
        of[has[who]] = m[1]
    elif says(r"put down what s?he had"):
        of[has[who]] = at[who]
    elif m := says(r"sent for the (.+)"):
        of[m[1]] = who
    elif m := says(r"(?:came to want what|was won over by) (\w+) .+"):
        goal[who] = goal[m[1]]
    elif m := says(r"now wanted (to .+)"):
        goal[who] = m[1]
    elif m := says(r"and (\w+) (?:swapped|talked) .+"):
        for facts in filter(None, (goal, count)):
            facts[who], facts[m[1]] = facts[m[1]], facts[who]
    elif m := says(r"(picked|found|ate|lost) (\w+)(?: more)?"):
        more = m[1] in ("picked", "found")
        count[who] += NUMBER[m[2]] if more else -NUMBER[m[2]]
    elif m := says(r"gave (\w+) to (\w+)"):
        count[who] -= NUMBER[m[1]]
        count[m[2]] += NUMBER[m[1]]
    elif m := says(r"gathered as many more as (\w+) had"):
        count[who] += count[m[1]]
    else:
        assert sentence.startswith("Then "), sentence


# %% book/appendix-a2-the-villages-questions.md#place_of
def place_of(facts, thing):
    """Where a thing is: where it lies, or where its owner is."""
    by = facts["of"][thing]
    return facts["at"].get(by, by)


def second_answer(text, question):
    """The answer to a question about a tale, by reading it another way."""
    told = retell(text)
    at, of, _, count = (told[-1][s] for s in STARTS)

    def ask(pattern):
        return re.fullmatch(pattern, question)

    if m := ask(r"Where is the (.+)\?"):
        return place_of(told[-1], m[1])
    if m := ask(r"Where is (\w+)\?"):
        return at[m[1]]
    if m := ask(r"Who has the (.+)\?"):
        return of[m[1]]
    if m := ask(r"What does (\w+) have\?"):
        return "the " + {who: thing for thing, who in of.items()}[m[1]]
    if m := ask(r"How many \w+ does (\w+) have\?"):
        return list(NUMBER)[count[m[1]]]
    if m := ask(r"Does (\w+) have the (.+)\?"):
        return "yes" if of[m[2]] == m[1] else "no"
    if m := ask(r"Is (\w+) \w+ (the .+)\?"):
        return "yes" if at[m[1]] == m[2] else "no"
    if m := ask(r"Why did (\w+) go to (.+)\?"):
        i = [facts["at"].get(m[1]) == m[2] for facts in told].index(True)
        return told[i]["goal"][m[1]]
    return second_beside(told, question)


def second_beside(told, question):
    """The answer to a question with `before` or `after`."""
    thing = r"Where was the (.+) before (\w+) had it\?"
    if m := re.fullmatch(thing, question):
        i = [facts["of"][m[1]] == m[2] for facts in told].index(True)
        return place_of(told[i - 1], m[1])
    if m := re.fullmatch(r"Who had the (.+) (\w+) (\w+)\?", question):
        values = [facts["of"][m[1]] for facts in told]
        values = [value for value in values if not value.startswith("the ")]
    else:
        m = re.fullmatch(r"Where was (\w+) (\w+) (the .+)\?", question)
        values = [f["at"][m[1]] for f in told if m[1] in f["at"]]
    runs = [value for value, _ in groupby(values)]
    return runs[runs.index(m[3]) + (-1 if m[2] == "before" else 1)]


# %% book/appendix-a2-the-villages-questions.md#second_reader
def second_reader():
    """Both readers give one answer to every question; tales are tales.

    Returns how many questions of each type were compared.
    """
    seen = Counter()
    for kind in TALE_KINDS:
        for story in islice(tales(Village(seed=5), kind), 50):
            reading = read_tale(story.text)
            assert reading.violation is None
            assert reading.state == story.state
            one_of = story.log_prob - math.log(len(TALE_KINDS))
            assert math.isclose(reading.log_prob, one_of, rel_tol=1e-6)
            asked = list(questions(story))
            assert len({q.text for q in asked}) == len(asked)
            for q in asked[::4] if len(asked) > 20 else asked:
                seen[q.type] += 1
                assert second_answer(story.text, q.text) == q.answer, q
                assert answer(story, q.text) == q.answer
                assert grade(q, q.steps)
    assert set(seen) == set(TYPES)
    return seen


def test_second_reader():
    """The tales are read twice."""
    assert second_reader().total() > 1_000


def test_stories_too():
    """Questions about stories: one answer each, and read gives the same."""
    for story in islice(Village(seed=5).stories(), 200):
        again = Story(story.text, 0.0, read(story.text).state)
        for q in questions(story):
            assert answer(again, q.text) == q.answer, q
            if q.type in ("where", "who", "what"):
                assert named(q.answer.removeprefix("the "), story.text)


# %% book/appendix-a2-the-villages-questions.md#wilson
def wilson(right, n, z=1.96):
    """The 95 % interval of a rate of which we saw `right` among `n`."""
    rate, more = right / n, z * z / n
    middle = (rate + more / 2) / (1 + more)
    half = z * math.sqrt(rate * (1 - rate) / n + more / n / 4) / (1 + more)
    return middle - half, middle + half


def scores(items):
    """For shortcut and hops: how many right, of how many, and chance."""
    table = {}
    for story, question in items:
        guess = chance(story, question)
        for name, said in shortcuts(story, question).items():
            row = table.setdefault((name, question.hops), [0, 0, 0.0])
            row[0] += said == question.answer
            row[1] += 1
            row[2] += guess
    return {k: (r, n, guess / n) for k, (r, n, guess) in table.items()}


# %% book/appendix-a2-the-villages-questions.md#majority
def majority(items):
    """Right, of how many, and chance, by the commonest answers."""
    right, guess, n = 0, 0.0, 0
    for kind in TYPES:
        same = [(s, q) for s, q in items if q.type == kind]
        often = Counter(q.answer for _, q in same[::2]).most_common(1)[0][0]
        right += sum(q.answer == often for _, q in same[1::2])
        guess += sum(chance(s, q) for s, q in same[1::2])
        n += len(same[1::2])
    return right, n, guess / n


# %% book/appendix-a2-the-villages-questions.md#test_shortcuts_are_at_chance
def test_shortcuts_are_at_chance():
    """By hops, all shortcuts and each type's majority: 95 % intervals."""
    items = balanced_questions(Village(split="test"), 126, seed=7)
    assert Counter(q.hops for _, q in items) == dict.fromkeys(HOPS, 21)
    assert Counter(q.type for _, q in items) == dict.fromkeys(TYPES, 18)
    for (name, hops), (right, n, guess) in scores(items).items():
        low, high = wilson(right, n)
        assert low <= guess <= high, (name, hops, right / n, guess)
        assert abs(right - guess * n) < 4, "closer than luck would bring it"
    right, n, guess = majority(items)
    assert wilson(right, n)[0] <= guess


def test_training_never_sees_what_is_held_out():
    """Training has the other cells, all of them, and no tale of a test."""
    items = balanced_questions(Village(), 50, seed=7)
    seen = {(q.type, q.hops) for _, q in items}
    assert seen == {(t, h) for t in TYPES for h in HOPS if trainable(t, h)}
    assert not {4, 6} & {q.hops for _, q in items}
    tests = balanced_questions(Village(split="test"), 42, seed=7)
    assert not {s.text for s, _ in items} & {s.text for s, _ in tests}
    assert {(q.type, q.hops) for _, q in tests} > seen


# %% book/appendix-a2-the-villages-questions.md#check_broken_effects
def check_broken_effects(broken_effects):
    """`broken_effects()`: one rule shorter, and answers go wrong."""
    broken = broken_effects()
    assert {k for k in broken if broken[k] != EFFECTS[k]} == {"trade"}
    told = list(islice(tales(Village(), "hands"), 100))
    right = [{q.text: q.answer for q in questions(s)} for s in told]
    with mock.patch.dict(EFFECTS, broken):
        wrong = [{q.text: q.answer for q in questions(s)} for s in told]
    changed = sum(a != b for a, b in zip(right, wrong, strict=True))
    assert 30 < changed < 100, changed
    return changed


# %% book/appendix-a2-the-villages-questions.md#check_shortcut
def check_shortcut(mine, items):
    """`mine(story, question)`: its score, and chance."""
    for story, question in items:
        options = {"yes", "no"} if question.asked else candidates(
            story, question
        )
        assert mine(story, question) in options
    right = sum(mine(s, q) == q.answer for s, q in items)
    guess = sum(chance(s, q) for s, q in items)
    return right / len(items), guess / len(items)


# %% book/appendix-a2-the-villages-questions.md#check_long_tale
def check_long_tale(long_tale):
    """`long_tale()`: a tale with a question of eight hops or more."""
    text = long_tale()
    reading = read_tale(text)
    assert reading.violation is None, text[: reading.violation]
    story = Story(text, reading.log_prob, reading.state)
    asked = {q.text: q for q in questions(story)}
    question = asked["Where is the lantern?"]
    assert second_answer(text, question.text) == question.answer
    assert question.hops >= 8, question.hops
    return question


# %% book/appendix-a2-the-villages-questions.md#broken_effects
def broken_effects():
    """The effects, with a trade that moves one person only."""
    return EFFECTS | {"trade": "at 0 < at 1"}


def test_broken_effects():
    """The exercise "A rule that is wrong"."""
    check_broken_effects(broken_effects)


# %% book/appendix-a2-the-villages-questions.md#named_once
def named_once(story, question):
    """The last candidate that is named once only, if there is one."""
    if question.asked:
        return "no"
    said = candidates(story, question)
    once = [k for k in said if len(whole(said[k]).findall(story.text)) == 1]
    return max(once or said, key=lambda k: story.text.rfind(said[k]))


def test_named_once():
    """The exercise "A shortcut of your own"."""
    told = islice(tales(Village(split="test"), "hands"), 50)
    items = [(story, q) for story in told for q in questions(story)]
    right, guess = check_shortcut(named_once, items)
    assert 0 < right < 1
    assert 0 < guess < 1


# %% book/appendix-a2-the-villages-questions.md#long_tale
def long_tale():
    """A tale in which the lantern takes nine hops."""
    return (
        "One rainy Monday Bo the miller was at the mill with a red "
        "lantern, Fern the fox was by the river with an old kettle, and "
        "Otto the potter was in the barn with a little drum. With Otto was "
        "Wren the hare. Bo and Fern sent each other what they had. Fern "
        "sent Wren what she had. Wren and Otto sent each other what they "
        "had. Otto and Bo sent each other what they had. Wren and Fern "
        "changed places. Bo joined Wren. Bo put down what he had. Then "
        "the sun went down."
    )


def test_long_tale():
    """The exercise "The longest chain"."""
    check_long_tale(long_tale)
