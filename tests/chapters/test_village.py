"""The tests of book/appendix-a-the-village.md.

Tangled from book/appendix-a-the-village.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import hashlib
import math
from itertools import islice, pairwise

from llm.village import Story, Village, read
from llm.village_grammar import (
    Chooser,
    Enumerator,
    Generator,
    Reader,
    mix,
    stream,
)
from llm.village_narrator import Narrator
from llm.village_plots import tell
from llm.village_scenes import SCENES, scenes
from llm.village_words import HELD_OUT
from llm.village_world import SIZES, Size, State, World, world


# %% book/appendix-a-the-village.md#test_the_reader_finds_what_the_generator_did
def test_the_reader_finds_what_the_generator_did():
    for size in ("village", "hamlet"):
        for story in islice(Village(size, seed=2).stories(), 400):
            reading = read(story.text, size)
            assert reading.violation is None, story.text
            assert reading.log_prob == story.log_prob
            assert reading.state == story.state


# %% book/appendix-a-the-village.md#tell_all
def tell_all(place, first=()):
    """All texts of a world, and their log-probabilities."""
    chooser = Enumerator()
    chooser.path = [[i] for i in first]
    while True:
        tell(Narrator(place, chooser))
        yield " ".join(chooser.sentences), chooser.log_prob
        if not chooser.advance():
            return


# %% book/appendix-a-the-village.md#test_a_small_world_is_complete
def test_a_small_world_is_complete():
    place = World(Size(1, 3, 2, 1, 1, wordings=1, plots=("rescue",)))
    told = list(tell_all(place))
    total = math.fsum(math.exp(price) for _, price in told)
    assert len({text for text, _ in told}) == len(told) == 31_632
    assert abs(total - 1) < 1e-9


# %% book/appendix-a-the-village.md#test_held_out_pairs_occur_in_held_out_stories_only
def test_held_out_pairs_occur_in_held_out_stories_only():
    def pairs_in(story):
        kinds = {person.kind for person in story.state.people.values()}
        return [
            (kind, thing)
            for kind in kinds & HELD_OUT.keys()
            for thing in set(HELD_OUT[kind]) & story.state.things.keys()
        ]

    for split in ("train", "validation", "test"):
        for story in islice(Village(split=split).stories(), 1_000):
            assert not pairs_in(story)
    for story in islice(Village(split="test", held_out=True).stories(), 500):
        assert pairs_in(story)
        assert read(story.text, held_out=True).log_prob == story.log_prob


# %% book/appendix-a-the-village.md#DIGESTS
DIGESTS = {"village": "a318b1c80bc0cab5", "hamlet": "771ed1663e083c98"}


def test_the_stories_are_the_same_everywhere():
    for size, digest in DIGESTS.items():
        stories = islice(Village(size).stories(), 500)
        text = "\n".join(story.text for story in stories)
        assert hashlib.sha256(text.encode()).hexdigest()[:16] == digest
    numbered = [story.text for story in islice(Village().stories(), 70)]
    assert next(Village().stories(start=69)).text == numbered[69]


# %% book/appendix-a-the-village.md#check_bits_per_word
def check_bits_per_word(bits_per_word):
    """`bits_per_word(stories)`: a float."""
    stories = list(islice(Village("hamlet").stories(), 50))
    words_told = sum(len(story.text.split()) for story in stories)
    price = -sum(story.log_prob for story in stories) / math.log(2)
    assert math.isclose(bits_per_word(stories), price / words_told)
    assert math.isclose(
        bits_per_word([Story("one two", -2 * math.log(2), State())]), 1.0
    )


# %% book/appendix-a-the-village.md#check_prefix_free
def check_prefix_free(prefix_free):
    """`prefix_free(texts)`: does no text begin another?"""
    assert prefix_free(["a", "b", "ca", "cb"])
    assert not prefix_free(["ca", "b", "c"])
    assert not prefix_free(["a", "a"])
    assert not prefix_free(["", "a"])
    assert prefix_free([""])
    assert prefix_free([])
    bits = stream(1)
    for _ in range(300):
        drawn = [f"{next(bits) >> 28:b}" for _ in range(3)]
        slow = not any(
            i != j and drawn[j].startswith(drawn[i])
            for i in range(3)
            for j in range(3)
        )
        assert prefix_free(drawn) == slow


# %% book/appendix-a-the-village.md#check_bits_by_sentence
def check_bits_by_sentence(bits_by_sentence):
    """`bits_by_sentence(text)`: bits of each sentence."""
    for story in islice(Village(seed=6).stories(), 20):
        prices = bits_by_sentence(story.text)
        assert len(prices) == len(story.state.sentences)
        assert min(prices) >= 0
        total = -story.log_prob / math.log(2)
        assert math.isclose(sum(prices), total)


# %% book/appendix-a-the-village.md#check_greedy
def check_greedy(greedy):
    """`greedy(size)`: a text and its log-probability."""
    for size in ("village", "hamlet"):
        text, price = greedy(size)
        assert read(text, size).log_prob == price
        stories = islice(Village(size).stories(), 200)
        assert sum(price > story.log_prob for story in stories) > 100


# %% book/appendix-a-the-village.md#check_plot
def check_plot(plot):
    """`plot(narrator)` tells on, after A has been introduced."""
    place = World(SIZES["village"])

    def whole(chooser):
        narrator = Narrator(place, chooser)
        narrator.step("open")
        plot(narrator)
        return " ".join(chooser.sentences)

    told = set()
    for key in range(100):
        chooser = Generator(stream(mix(key)).__next__)
        text = whole(chooser)
        reader = Reader(text)
        assert whole(reader) == text
        assert reader.log_prob == chooser.log_prob
        told.add(text)
    assert len(told) > 90


# %% book/appendix-a-the-village.md#bits_per_word
def bits_per_word(stories):
    price = -sum(story.log_prob for story in stories) / math.log(2)
    return price / sum(len(story.text.split()) for story in stories)


def test_bits_per_word():
    check_bits_per_word(bits_per_word)


# %% book/appendix-a-the-village.md#prefix_free
def prefix_free(texts):
    rows = pairwise(sorted(texts))
    return not any(long.startswith(short) for short, long in rows)


def test_prefix_free():
    check_prefix_free(prefix_free)


# %% book/appendix-a-the-village.md#PriceReader
class PriceReader(Reader):
    """Notes what the text has cost at the end of each sentence."""

    def __init__(self, text):
        super().__init__(text)
        self.paid = [0.0]

    def stop(self):
        super().stop()
        self.paid.append(-self.log_prob / math.log(2))


def bits_by_sentence(text):
    reader = PriceReader(text)
    tell(Narrator(world(), reader))
    return [after - before for before, after in pairwise(reader.paid)]


def test_bits_by_sentence():
    check_bits_by_sentence(bits_by_sentence)


# %% book/appendix-a-the-village.md#Greedy
class Greedy(Chooser):
    """Takes the likeliest alternative."""

    def choose(self, choice, ban):
        free = [i for i in range(len(choice.shares)) if i not in ban]
        return max(free, key=choice.shares.__getitem__)


def greedy(size):
    chooser = Greedy()
    tell(Narrator(world(size), chooser))
    return " ".join(chooser.sentences), chooser.log_prob


def test_greedy():
    check_greedy(greedy)


# %% book/appendix-a-the-village.md#STORM
STORM = """
= storm.come 1: goal A wait
One night a storm came up, and {A} could not sleep.
= storm.guest 1: settle B; follow B A
There was a knock: it was {B:the}, who was afraid of the thunder. |
In came {B:the}, wet to the bone, and asked for {snack}.
= storm.end 1: feel A M
They counted the seconds until it was over, and {A} was {M:glad}.
"""


def storm(n):
    SCENES.update(scenes(STORM))
    for name in ("come", "guest", "end"):
        n.step(f"storm.{name}")


def test_plot():
    check_plot(storm)
