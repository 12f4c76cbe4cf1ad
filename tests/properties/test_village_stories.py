"""The village holds for stories and texts that nobody picked."""

import math
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm.village import SPLITS, Village, entropy, read
from llm.village_grammar import (
    ONE,
    Ban,
    Choice,
    Enumerator,
    Table,
    collisions,
    shares,
    stream,
    streams,
    zipf,
)
from llm.village_narrator import Narrator
from llm.village_plots import tell
from llm.village_world import Size, State, World, article

SIZES = st.sampled_from(["village", "hamlet"])
KEYS = st.integers(0, 2**64 - 1)


@given(KEYS, st.integers(0, 300))
def test_streams_agree_and_skip(key: int, start: int) -> None:
    ahead = streams([key, 1], start + 3)
    assert list(islice(stream(key, start), 3)) == ahead[0][start:]
    assert max(ahead[0]) < ONE


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=50))
def test_shares_sum_to_one(weights: list[int]) -> None:
    found = shares(weights)
    assert sum(found) == ONE
    assert min(found) >= 0
    assert sum(shares(zipf(len(weights)))) == ONE


@given(st.lists(st.text("ab '", max_size=4), max_size=8))
def test_collisions_are_what_a_reader_would_confuse(heads: list[str]) -> None:
    def begins(short: str, long: str) -> bool:
        inside = short[-1:] in {"a", "b", "'"} and long[len(short) :][:1] in {
            "a",
            "b",
            "'",
        }
        return long.startswith(short) and not inside

    slow = any(
        i != j and begins(heads[i], heads[j])
        for i in range(len(heads))
        for j in range(len(heads))
    )
    assert bool(collisions(heads)) == slow


@settings(max_examples=40, deadline=None)
@given(SIZES, st.integers(0, 10**9), st.sampled_from(SPLITS), st.integers(0, 10**9))
def test_what_is_told_can_be_read(size: str, seed: int, split: str, at: int) -> None:
    story = next(Village(size, seed, split).stories(start=at))
    reading = read(story.text, size)
    assert reading == (story.log_prob, story.state, None)
    assert " ".join(story.state.sentences) == story.text
    assert 30 <= len(story.text.split()) <= 170
    assert all(e.sentence < len(story.state.sentences) for e in story.state.events)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.data())
def test_each_beginning_of_a_story_is_fine_up_to_its_end(
    seed: int, data: st.DataObject
) -> None:
    text = next(Village(seed=seed).stories()).text
    end = data.draw(st.integers(0, len(text) - 1))
    reading = read(text[:end])
    assert reading.violation == end
    assert reading.log_prob == -math.inf
    assert read(text + " ").violation == len(text)
    broken = f"{text[:end]}~{text[end + 1 :]}"
    assert read(broken).violation == end


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60))
def test_no_text_upsets_the_reader(text: str) -> None:
    reading = read(text)
    assert reading.violation is not None
    assert 0 <= reading.violation <= len(text)


@settings(max_examples=20, deadline=None)
@given(SIZES, st.integers(0, 10**6))
def test_a_state_is_its_events(size: str, seed: int) -> None:
    story = next(Village(size, seed).stories())
    again = State()
    for event in story.state.events:
        getattr(again, event.kind)(*event.args)
    for fact in ("at", "holder", "lies", "counts", "feels", "knows", "goals"):
        assert getattr(again, fact) == getattr(story.state, fact)
    assert all(count >= 0 for count in again.counts.values())
    assert not again.holder.keys() & again.lies.keys()


def test_splits_and_seeds_share_no_story() -> None:
    texts = [
        story.text
        for seed in (0, 1)
        for split in SPLITS
        for story in islice(Village("hamlet", seed, split).stories(), 300)
    ]
    assert len(set(texts)) == len(texts)


class Beginning(Enumerator):
    """Takes some choices, and stops where the next one comes."""

    def __init__(self, first: list[int]) -> None:
        super().__init__()
        self.path = [[i] for i in first]

    def choose(self, choice: Choice, ban: Ban) -> int:
        if self.depth == len(self.path):
            raise StopIteration
        return super().choose(choice, ban)


@pytest.mark.slow
def test_what_may_follow_a_beginning_is_complete() -> None:
    """With asides and two wordings, below the first twelve choices."""
    place = World(Size(1, 3, 2, 1, 1, wordings=2, plots=("rescue",)))
    chooser = Enumerator()
    tell(Narrator(place, chooser))
    first = [tried[-1] for tried in chooser.path[:12]]
    begun = Beginning(first)
    with pytest.raises(StopIteration):
        tell(Narrator(place, begun))
    chooser, total, texts = Enumerator(), [], set()
    chooser.path = [[i] for i in first]
    while True:
        tell(Narrator(place, chooser))
        total.append(math.exp(chooser.log_prob - begun.log_prob))
        texts.add(" ".join(chooser.sentences))
        if not chooser.advance():
            break
    assert abs(math.fsum(total) - 1) < 1e-9
    assert len(texts) == len(total) > 1_000


def test_articles_go_by_sound() -> None:
    said = "owl honest hourglass useful unicorn umbrella eel one-eyed red"
    found = [article(word).split()[0] for word in said.split()]
    assert " ".join(found) == "an an an a a an an a a"
    for seed in range(200):
        text = f" {next(Village(seed=seed).stories()).text.lower()} "
        assert not any(f" a {vowel}" in text for vowel in "aei")


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Village("town"), "size is 'town'"),
        (lambda: Village(split="dev"), "split is 'dev'"),
        (lambda: Village(held_out=True), "held_out"),
        (lambda: read("x", "town"), "size is 'town'"),
        (lambda: entropy(1), "n is 1"),
        (lambda: Table(["the mill", "the mill pond"]), "one text begins"),
    ],
)
def test_bad_input_gets_a_sentence(make, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        make()


def test_the_entropy_is_near_the_measured_one() -> None:
    rate, half = entropy(2_000)
    assert abs(rate - 0.157) < 4 * half + 0.001
    assert 0 < half < 0.003
