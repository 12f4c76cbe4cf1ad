"""Poems: couplets in a steady metre, with their log-probability.

Tangled from book/appendix-a3-the-villages-tasks.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import math
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import count
from typing import NamedTuple

from llm.village import Village
from llm.village_grammar import (
    Chooser,
    Generator,
    OffText,
    Options,
    Reader,
    Table,
    mix,
    parse_scene,
    stream,
)
from llm.village_words import HE, HELD_OUT, LOOKS, NUMBERS, SHE, words
from llm.village_world import article, forms, world

# %% book/appendix-a3-the-villages-tasks.md#SILENT
SILENT = re.compile(
    r"""(?<=[^aeiouy])         # the ending stands after a consonant
    (?<![^aeiouy]l)         # but not in "apple" or "apples"
    (e                      # home
    |(?<![cgsxz])(?<![cs]h)es  # lanes, but not "houses" or "wishes"
    |(?<![dt])ed)$          # danced, but not "painted"
    """,
    re.VERBOSE,
)
# Where the stress falls, for words that don't follow the rule of thumb.
STRESS = {
    "10": words("""Daphne, Freya, Thea, Esme, hedgehog, quiet, evening,
        lying, every, fireside, sorely, careful, theatre"""),
    "01": words("""Odette, Yvette, polite, beside, until, along, about,
        today, tonight, asleep, again, outside, began, across, upon"""),
    "010": words("Isolde, Elias, tomorrow, whenever"),
    "100": words("""Celia, Violet, Beatrix, Thaddeus, Leopold, Lucian,
        Winifred, Zinnia, curious, diary"""),
    "101": words(
        "underneath, afternoon, everywhere, everyone, candlelight"
    ),
}
STRESSED = {word: marks for marks, many in STRESS.items() for word in many}


def stress(text: str) -> str:
    """The stresses of the words: 1 strong, 0 weak, and . for either.

    By the table, or else by a rule of thumb: a syllable is a group of
    vowels, silent endings apart, and of two the first is the strong one.
    """
    marks = ""
    for word in re.findall(r"(?<!')\b[A-Za-z]+", text):
        heard = SILENT.sub("", word.lower())
        count = len(re.findall("[aeiouy]+", heard))
        rule = {0: ".", 1: ".", 2: "10"}.get(count, "?" * count)
        marks += STRESSED.get(word, STRESSED.get(word.lower(), rule))
    return marks


# %% book/appendix-a3-the-villages-tasks.md#RHYMES
RHYMES = words("""mill still, stream dream, long song, grey day, dawn lawn,
    done sun, be tea, there stair, best nest, town down, bow snow, shy sky,
    please bees, black back, could should, afternoon tune, deep asleep,
    call fall, grew too, hat that, lane rain, stay today, by pie, said bread,
    all fall, side tide, low go, pot hot, torn morn, ten again, tree see,
    tonight light, we be, not hot, chair everywhere, candlelight night,
    crown town, hay day, song long, out about, inn tin, bay way, blue flew,
    door more, cold told""")


def rhymes(one_line: str, other: str) -> bool:
    """Do two lines rhyme, by the table?"""
    ends = [
        re.findall(r"[a-z]+", line.lower())[-1:]
        for line in (one_line, other)
    ]
    return any({*ends[0], *ends[1]} == set(pair.split()) for pair in RHYMES)


def scan(text: str) -> list[str]:
    """What is wrong with the metre and the rhymes of a poem."""
    found, lines = [], text.splitlines()
    for i, line in enumerate(lines):
        marks = stress(line)
        if len(marks) != 8:
            found.append(f"line {i + 1}: {len(marks)} syllables")
        elif "?" in marks or not re.fullmatch(marks, "01" * 4):
            found.append(f"line {i + 1}: stressed {marks}")
        if i % 2 and not rhymes(lines[i - 1], line):
            found.append(f"line {i + 1}: no rhyme")
    return found + ["a line is left over"] * (len(lines) % 2)


# %% book/appendix-a3-the-villages-tasks.md#COUPLETS
COUPLETS = {
    "open": """
> 1
Old {A:name} lived beside the mill, / The {kind}, fond of sitting still.
Where {A:name} lived, beside the stream,
  / A {trait} {kind} sat to dream.
Come in, sit down, the night is long, / And {A:name} hums a fireside song.
When {A:name} woke, the sky was grey;
  / It was, {A.she} thought, a baking day.
The {kind} {A:name} rose at dawn / And watched the mist rise off the lawn.
Down {at}, when work was done, / Sat {A:name} in the evening sun.
Who knocks so late? Who can it be? / It's {A:name}, come to share our tea.
Upon the hill, in candlelight, / Sat {A:name}, sewing half the night.
If {A:name} had a silver crown, / {A.She}'d lend it out to half the town.
""",
    "thing": """
> 1
{A.She} had a {look} {noun} there, / And kept it underneath the stair.
The {noun} that {A.she} loved the best / Was lying in a blackbird's nest.
{A.She} lost a {noun}, searched the town,
  / And looked both up the street and down.
{A.She} wrapped a {noun}, tied a bow,
  / And carried it through all the snow.
{A.She} found a {noun} in the hay / And wondered whose it was all day.
{A.She} sold {A.her} {noun} for a song / And missed it sorely all day long.
"Whose is this {look} {noun}, please?"
  / {A.She} asked the crows, {A.she} asked the bees.
And in the night, when all was black,
  / {A.She} brought the borrowed {noun} back.
{A.She} picked {number} {food}, all {A.she} could,
  / And shared them out, as neighbours should.
""",
    "weather": """
> 1
It was a {weather} afternoon, / And every chimney hummed a tune.
That night was {night}, dark and deep, / And half the village fell asleep.
Outside, the geese began to call; / A yellow leaf was first to fall.
A moon came up, the owls came out, / And moths and shadows flew about.
All day it rained on mill and inn, / And drummed on every roof of tin.
There, {at}, where nettles grew, / A robin sang, a cuckoo too.
A wind came by and took {A.her} hat;
  / {A.She} laughed, and ran, and that was that.
""",
    "friend": """
> 2
Then {B:name} came along the lane, / With muddy boots, and wet with rain.
"Good day," said {B:name}. "May I stay?
  / I've walked about ten miles today."
The {kind} {B:name}, passing by, / Looked in, and helped to bake a pie.
And {B:name}, who was passing, said:
  / "You look as though you need some bread."
Next door lived {B:name}, kind and shy, / Who knew each star in all the sky.
"Take mine," said {B:name}, "take it all.
  / I'll fetch it when the chestnuts fall."
With {B:name} sitting by {A.her} side
  / {A.She} counted stars, and watched the tide.
""",
    "deed": """
> 2
They sang until the fire was low, / And neither of them thought to go.
They cooked {number} {food} in a pot,
  / And ate them while they still were hot.
They mended what the wind had torn, / And sat and talked until the morn.
They rowed a boat across the bay / And ate their supper on the way.
They made a kite of paper, blue, / And let it go, and up it flew.
There, {at}, they danced till ten, / Sat down to rest, and danced again.
They hung a {noun} on a tree / For everyone who passed to see.
""",
    "end": """
> 1 end
If you should pass that way tonight, / You'll see a window full of light.
So {A} slept, and so shall we: / Put out the lamp, and let it be.
That was the tale. The lamp is low, / And {A} says it's time to go.
But whether this is true or not, / I know that {A}'s soup was hot.
So share your bread, and lend your chair,
  / And you'll have neighbours everywhere.
{A.She} said good night to all the town,
  / And turned the kitchen lantern down.
Now close the book and shut the door; / Tomorrow there'll be one tale more.
Since then, whenever winds are cold, / The tale of {A} has been told.
""",
}


# %% book/appendix-a3-the-villages-tasks.md#TEMPERS
TEMPERS = words("""gentle, quiet, clever, faithful, patient, cheerful,
    sleepy, thoughtful, careful, merry, timid, friendly, bashful""")


@lru_cache
def lexicon(size: str) -> dict[str, Table]:
    """What fits a gap: words of two syllables, the first of them strong."""
    tables = world(size).tables
    names = [n for n in tables["name"].texts if n[-1] not in "sxz"]
    weather = tables["weather"].texts
    found: dict[str, Sequence[str]] = {
        "name": names,
        "she": [name for name in names if name in SHE],
        "he": [name for name in names if name in HE],
        "kind": tables["kind"].texts,
        "food": tables["food"].texts,
        "weather": weather,
        "night": [w for w in weather if w not in ("sunny", "golden")],
        "noun": [n for n in tables["noun"].texts if article(n)[1] == " "],
        "look": [
            w for w in tables["look"].texts if w in LOOKS and w[0] != "o"
        ],
        "trait": TEMPERS,
    }
    made = {
        gap: Table([word for word in many if stress(word) == "10"])
        for gap, many in found.items()
    }
    ats = [at for at in tables["at"].texts if stress(at) == "..."]
    return made | {"at": Table(ats), "number": Table(NUMBERS[3:7])}


# %% book/appendix-a3-the-villages-tasks.md#stanzas
@lru_cache
def stanzas(*scenes: str) -> Options:
    """The couplets of some scenes, as one choice."""
    rows = []
    for scene in scenes:
        for weight, t in parse_scene(scene, COUPLETS[scene]):
            slots = tuple(
                s._replace(after=s.after.replace(" / ", "\n"))
                for s in t.slots
            )
            rows.append(
                (
                    weight,
                    t._replace(
                        head=t.head.replace(" / ", "\n"), slots=slots
                    ),
                )
            )
    return Options(rows)


# %% book/appendix-a3-the-villages-tasks.md#Poet
class Poet:
    """Recites a poem: asks the chooser, and says it."""

    def __init__(self, size: str, chooser: Chooser) -> None:
        self.chooser, self.size = chooser, size
        self.bound: dict[str, str] = {}
        self.used: set[str] = set()

    def clashes(self, text: str) -> bool:
        """Was a word said, or one that it never goes with in training?"""
        never = {text, *HELD_OUT.get(text, ())}
        pairs = (kind for kind, nouns in HELD_OUT.items() if text in nouns)
        return not self.used.isdisjoint(never | set(pairs))

    def step(self, *scenes: str) -> str:
        """One couplet; its scene."""
        chooser, tables = self.chooser, lexicon(self.size)
        if self.bound:
            chooser.literal("\n")
        template = chooser.option(stanzas(*scenes), self.bound)
        for name, role, after in template.slots:
            if role == "B":  # so that "she" and "he" stay clear
                she = self.bound["A"] in world(self.size).she
                name = "he" if she else "she"
            texts = tables[name].texts
            ban = frozenset(
                i for i, t in enumerate(texts) if self.clashes(t)
            )
            text = texts[chooser.pick(tables[name], ban)]
            self.used.add(text)
            if role:
                self.bound |= forms(
                    role, text, text in world(self.size).she
                )
            chooser.literal(after % self.bound)
        return template.tag

    def recite(self) -> None:
        """Two to five couplets."""
        self.step("open")
        self.step("thing", "weather")
        if (
            self.step("friend", "end") != "end"
            and self.step("deed", "end") != "end"
        ):
            self.step("end")


# %% book/appendix-a3-the-villages-tasks.md#Poem
class Poem(NamedTuple):
    """A poem, and its log-probability in nats."""

    text: str
    log_prob: float


POET = 0x506F6574


def poems(village: Village, start: int = 0) -> Iterator[Poem]:
    """Poems without end, from number `start` on."""
    for number in count(start):
        chooser = Generator(
            stream(mix(village.key(number) ^ POET)).__next__
        )
        Poet(village.size, chooser).recite()
        yield Poem("".join(chooser.parts), chooser.log_prob)


def read_poem(text: str, size: str = "village") -> float:
    """The log-probability of a poem; minus infinity of another text."""
    chooser = Reader(text)
    try:
        Poet(size, chooser).recite()
    except OffText:
        return -math.inf
    return chooser.log_prob if chooser.at == len(text) else -math.inf
