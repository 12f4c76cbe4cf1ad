"""The tests of book/appendix-a3-the-villages-tasks.md.

Tangled from book/appendix-a3-the-villages-tasks.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import re
from itertools import islice

from llm.village import Village
from llm.village_checks import Witness, check, listen
from llm.village_tasks import prefers, utility
from llm.village_wordings import BREAK, sentences_of


# %% book/appendix-a3-the-villages-tasks.md#check_agreement
def check_agreement(agreement):
    """`agreement(gap, noise, other)`: two judges say the same."""
    assert agreement(0.0, 1.0, 1.0) == 0.5
    assert abs(agreement(1.0, 1.0, 1.0) - 0.6068) < 1e-4
    assert abs(agreement(-1.0, 1.0, 1.0) - 0.6068) < 1e-4
    assert agreement(2.0, 0.0, 0.0) == 1.0
    assert 0.5 < agreement(1.0, 2.0, 1.0) < agreement(1.0, 1.0, 1.0)


# %% book/appendix-a3-the-villages-tasks.md#check_fresh_starts
def check_fresh_starts(fresh_starts):
    """`fresh_starts(text)`: no two sentences begin alike."""
    assert fresh_starts("Bo sang. Fern danced.")
    assert not fresh_starts("Bo sang. Fern danced. Bo slept.")
    assert not fresh_starts('"Bo!" said Fern. Bo came.')
    assert fresh_starts("")


# %% book/appendix-a3-the-villages-tasks.md#check_whereabouts
def check_whereabouts(whereabouts):
    """`whereabouts(text, thing)`: a holder, a place, or nothing."""
    for story in islice(Village(seed=5).stories(), 100):
        state = story.state
        for thing in state.things:
            known = state.holder.get(thing, state.lies.get(thing, ""))
            assert whereabouts(story.text, thing) == known
    assert whereabouts("It rained.", "kettle") == ""


# %% book/appendix-a3-the-villages-tasks.md#check_padded
def check_padded(padded):
    """`padded(text, words)`: longer, no less coherent, and not better."""
    for story in islice(Village(seed=2).stories(), 20):
        text = padded(story.text, 200)
        assert len(text.split()) >= 200
        assert not check(text)
        assert utility(text) < utility(story.text)


# %% book/appendix-a3-the-villages-tasks.md#check_fit
def check_fit(fit):
    """`fit(wins)`: utilities from counted preferences."""
    true = [1.0, 0.2, -1.2]
    wins = [[10_000 * prefers(u - v) * (u != v) for v in true] for u in true]
    for found, u in zip(fit(wins), true, strict=True):
        assert abs(found - u) < 1e-3
    even = fit([[0, 5, 5], [5, 0, 5], [5, 5, 0]])
    assert all(abs(u) < 1e-9 for u in even)


# %% book/appendix-a3-the-villages-tasks.md#agreement
def agreement(gap, noise, other):
    """Both prefer the first, or both the second."""
    p, q = prefers(gap, noise), prefers(gap, other)
    return p * q + (1 - p) * (1 - q)


def test_agreement():
    """The exercise "Two judges"."""
    check_agreement(agreement)


# %% book/appendix-a3-the-villages-tasks.md#fresh_starts
def fresh_starts(text):
    """Compare the first words with their set."""
    starts = [re.findall(r"\w+", s)[0] for s in sentences_of(text)]
    return len(set(starts)) == len(starts)


def test_fresh_starts():
    """The exercise "A new constraint"."""
    check_fresh_starts(fresh_starts)


# %% book/appendix-a3-the-villages-tasks.md#whereabouts
def whereabouts(text, thing):
    """What a witness believes after the last sentence."""
    witness, at = Witness("village"), 0
    while at < len(text):
        ahead = BREAK.search(text, at)
        end = ahead.end() if ahead else len(text)
        if heard := listen(witness, text, at, end):
            witness, end = heard[0], heard[3]
        at = end + len(text[end:]) - len(text[end:].lstrip())
    state = witness.state
    return state.holder.get(thing, state.lies.get(thing, ""))


def test_whereabouts():
    """The exercise "Where did the kettle go?"."""
    check_whereabouts(whereabouts)


# %% book/appendix-a3-the-villages-tasks.md#padded
def padded(text, words):
    """Rainy days, each with its number."""
    day = 1
    while len(text.split()) < words:
        day += 1
        text += f" Then it rained for {day} days and {day + 1} nights."
    return text


def test_padded():
    """The exercise "Pleasing the judge"."""
    check_padded(padded)


# %% book/appendix-a3-the-villages-tasks.md#fit
def fit(wins):
    """Climb until the expected wins are the counted ones."""
    n, total = len(wins), sum(map(sum, wins))
    u = [0.0] * n
    for _ in range(500):
        for i in range(n):
            gap = [
                wins[i][j] - (wins[i][j] + wins[j][i]) * prefers(u[i] - u[j])
                for j in range(n)
                if j != i
            ]
            u[i] += 4 * sum(gap) / total
        middle = sum(u) / n
        u = [value - middle for value in u]
    return u


def test_fit():
    """The exercise "Utilities from votes"."""
    check_fit(fit)
