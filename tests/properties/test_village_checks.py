"""The village's tasks keep their promises on what nobody looked at."""

import math
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm.village import Village
from llm.village_checks import DAMAGES, check, checked, damage, dice
from llm.village_poems import poems, read_poem, scan
from llm.village_tasks import (
    Constraint,
    instructions,
    parse,
    preferences,
    satisfied,
    utility,
)

SPLITS = ("train", "validation", "test")


@pytest.mark.parametrize("size", ["village", "hamlet"])
@pytest.mark.parametrize("split", SPLITS)
def test_stories_are_understood_and_never_objected_to(size: str, split: str) -> None:
    for story in islice(Village(size, 99, split).stories(), 700):
        found = checked(story.text, size)
        assert not found.contradictions, (found.contradictions, story.text)
        assert found.understood == 1.0, story.text


def test_held_out_stories_are_not_objected_to() -> None:
    for story in islice(Village(split="test", held_out=True).stories(), 500):
        assert not check(story.text), story.text


@given(st.text(max_size=300))
@settings(max_examples=60, deadline=None)
def test_any_text_has_a_utility(text: str) -> None:
    assert math.isfinite(utility(text))


@given(st.integers(0, 300), st.integers(0, 2**64 - 1), st.data())
@settings(max_examples=60, deadline=None)
def test_torn_stories_are_heard_to_the_end(
    number: int, key: int, data: st.DataObject
) -> None:
    story = next(Village().stories(number))
    text = damage(story, dice(key), data.draw(st.sampled_from(DAMAGES)))
    cut = data.draw(st.integers(0, len(text)))
    found = checked(text[cut:])
    assert 0 <= found.understood <= 1
    assert found == checked(text[cut:])


@pytest.mark.parametrize("size", ["village", "hamlet"])
def test_numbers_do_not_depend_on_the_start(size: str) -> None:
    village = Village(size, 3)
    pairs = list(islice(preferences(village), 12))
    assert list(islice(preferences(village, start=5), 7)) == pairs[5:]
    assert list(islice(poems(village, 5), 7)) == list(islice(poems(village), 12))[5:]
    tasks = list(islice(instructions(village), 3))
    assert tasks[0] == next(instructions(village))
    for task in tasks:
        assert parse(task.text) == list(task.constraints)
        assert all(satisfied(task.constraints, task.good))
        assert satisfied(task.constraints, task.bad).count(False) == 1


def test_splits_are_disjoint() -> None:
    found = [
        {poem.text for poem in islice(poems(Village(split=split)), 200)}
        | {pair.chosen for pair in islice(preferences(Village(split=split)), 50)}
        for split in SPLITS
    ]
    assert found[0].isdisjoint(found[1] | found[2])
    assert found[1].isdisjoint(found[2])


@pytest.mark.parametrize("size", ["village", "hamlet"])
def test_poems_scan_and_are_read_back(size: str) -> None:
    for poem in islice(poems(Village(size, 5)), 500):
        assert scan(poem.text) == [], poem.text
        assert math.isclose(read_poem(poem.text, size), poem.log_prob)
    assert read_poem("Roses are red,\nViolets are blue.", size) == -math.inf


def test_a_judge_without_noise_is_never_wrong() -> None:
    for pair in islice(preferences(Village(seed=8), noise=0.0), 40):
        assert pair.utilities[0] >= pair.utilities[1]


def test_where_asks_what_happened_and_not_what_was_mentioned() -> None:
    held, homes = 0, 0
    for story in islice(Village(seed=9).stories(), 400):
        events = story.state.events
        homes_of = {e.args[1] for e in events if e.kind == "settle" and e.args[1]}
        gone_to = {e.args[1] for e in events if e.kind == "move"}
        places = checked(story.text).places
        assert gone_to <= places, story.text
        homes += len(homes_of)
        held += len(homes_of & places)
    assert held < homes
    rule = Constraint("where", ("at the mill",))
    assert not rule.holds(
        "Once there was a shy fox called Hazel, who lived at the mill. "
        "Hazel went to the river."
    )


def test_whoever_has_left_does_not_speak() -> None:
    found = check('Hazel said goodbye and left. "Come in!" said Hazel.')
    assert any("has left" in one.reason for one in found)
