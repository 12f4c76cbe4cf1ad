"""Tales: short stories made to be asked about, one change a sentence.

Tangled from book/appendix-a2-the-villages-questions.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import math
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from llm.village import Reading, Story, Village
from llm.village_grammar import (
    Chooser,
    Generator,
    OffText,
    Reader,
    mix,
    stream,
)
from llm.village_narrator import Narrator
from llm.village_scenes import SCENES, scenes
from llm.village_words import SHE
from llm.village_world import State, World, forms, world

# %% book/appendix-a2-the-villages-questions.md#HANDS
HANDS = """
= who 1 A
{A}
> 1 B
{B}
> 1 C
{C}
> 1 D
{D}
= tale.end 1
Then the sun went down. | Then it was time for supper. | Then it began to
rain.
= hands 1: settle A; settle B; settle C; move A P; move B Q; move C R;
  have A X; have B Y; have C Z
One {weather} {time} {A:the} was {P:at} with {X:a_thing}, {B:the} was {Q:at}
with {Y:a_thing}, and {C:the} was {R:at} with {Z:a_thing}.
= hands.d 1: settle D; follow D H
With {H} was {D:the}. | {H} was not alone: {D:the} was there too.
= hands.go 1: move H P
went to {P:place}.
= hands.back 1: move H P
walked over to {P}.
= hands.join 2: follow H G
joined {G}. | ran to where {G} was.
= hands.trade 2: trade H G
and {G} changed places.
= hands.send 8: give H G V
sent {G} what {H.she} had.
= hands.swap 14: swap H G V W
and {G} sent each other what they had.
= hands.drop 2: drop H V
put down what {H.she} had.
= hands.get 2: get H V
sent for the {V}.
"""


# %% book/appendix-a2-the-villages-questions.md#WISHES
WISHES = """
= wishes 1: settle A; settle B; settle C; goal A use X; goal B use Y;
  goal C use Z
On a {weather} {time} {A:the} wanted to {X:need}, {B:the} wanted to
{Y:need}, and {C:the} wanted to {Z:need}.
= wishes.d 1: settle D; agree D H
What {H} wanted was also the wish of {D:the}.
= wishes.agree 2: agree H G
came to want what {G} wanted. | was won over by {G} to wish the same.
= wishes.turn 10: turn H G
and {G} talked until each had the other's wish.
= wishes.new 1: goal H use X
now wanted to {X.use}.
= wishes.go 14: move H P
therefore went to {P:place}.
"""
BASKETS = """
= baskets 1: settle A; settle B; settle C; gain A I; gain B J; gain C K
There was a {weather} {time} when {A:the} had {I:number} {F:food}, {B:the}
had {J:number}, and {C:the} had {K:number}.
= baskets.d 1: settle D; match D H
{H} and {D:the} had the same number.
= baskets.more 2: gain H N
picked {N:number} more. | found {N:number}.
= baskets.less 1: spend H one
ate one.
> 1: spend H two
ate two.
> 1: spend H three
lost three.
= baskets.share 1: share H G one
gave one to {G}.
> 1: share H G two
gave two to {G}.
= baskets.match 1: match H G
gathered as many more as {G} had.
= baskets.trade 1: turn H G
and {G} swapped baskets.
"""


@lru_cache
def tale_world(size: str, held_out: bool = False) -> World:
    """The world of a size, which from now on has the scenes of tales."""
    SCENES.update(scenes(HANDS, WISHES, BASKETS))
    return world(size, held_out)


# %% book/appendix-a2-the-villages-questions.md#TaleState
class TaleState(State):
    """A state in which people can also do as others do."""

    def trade(self, who: str, whom: str) -> None:
        """Be where the other was, and the other way round."""
        self.at[who], self.at[whom] = self.at[whom], self.at[who]

    def agree(self, who: str, whom: str) -> None:
        """Want what another wants."""
        self.goals[who] = self.goals[whom]

    def turn(self, who: str, whom: str) -> None:
        """Have the other's wish, or basket, and the other way round."""
        tables: list[dict[str, Any]] = [self.goals, self.counts]
        for facts in tables:
            if who in facts:
                facts[who], facts[whom] = facts[whom], facts[who]

    def match(self, who: str, whom: str) -> None:
        """Get as many more as another has."""
        self.counts[who] = self.counts.get(who, 0) + self.counts[whom]


# %% book/appendix-a2-the-villages-questions.md#others
def others(n: Narrator, h: str) -> list[str]:
    """Everybody but `h`, and but those who have just dealt with `h`."""
    name, last = n.bound, {*n.state.events[-1].args[:2]}
    return [g for g in "ABCD" if g != h and {name[g], name[h]} != last]


def hands(n: Narrator, h: str) -> Iterator[str]:
    """What may happen next where people move and things are sent."""
    at, name = n.state.at, n.bound
    free = [p for p in "PQRSU" if not n.has(p)]
    yield from (f"hands.go P={p}" for p in free[:1])
    for p in "PQRSU":
        if n.has(p) and name[p] != at[name[h]]:
            yield f"hands.back P={p}"
    has = {n.state.holder.get(name[x]): x for x in "XYZ"}
    x = has.get(name[h])
    for g in others(n, h):
        if at[name[g]] != at[name[h]]:
            yield from (f"hands.join G={g}", f"hands.trade G={g}")
        if x and (y := has.get(name[g])):
            yield f"hands.swap G={g} V={x} W={y}"
        elif x:
            yield f"hands.send G={g} V={x}"
    if x:
        yield f"hands.drop V={x}"
    else:
        yield from (f"hands.get V={y}" for y in "XYZ")


# %% book/appendix-a2-the-villages-questions.md#wishes
def wishes(n: Narrator, h: str) -> Iterator[str]:
    """What may happen next where wishes are catching."""
    goals, name = n.state.goals, n.bound
    for g in others(n, h):
        if goals[name[g]] != goals[name[h]]:
            yield from (f"wishes.agree G={g}", f"wishes.turn G={g}")
    for x in "XYZ":
        if name[x] != goals[name[h]][1]:
            yield f"wishes.new X={x}"
    free = [p for p in "PQRSU" if not n.has(p)]
    yield from (f"wishes.go P={p}" for p in free[:1])


def baskets(n: Narrator, h: str) -> Iterator[str]:
    """What may happen next where there is something to count."""
    mine = n.state.counts[n.bound[h]]
    if mine < 15:
        yield "baskets.more"
    if mine > 3:
        yield "baskets.less"
    for g in others(n, h):
        other = n.state.counts[n.bound[g]]
        if mine > 3 and other < 18:
            yield f"baskets.share G={g}"
        if other and mine + other <= 20:
            yield f"baskets.match G={g}"
        if other != mine:
            yield f"baskets.trade G={g}"


# %% book/appendix-a2-the-villages-questions.md#TALE_KINDS
TALE_KINDS: dict[str, Callable[[Narrator, str], Iterator[str]]] = {
    plot.__name__: plot for plot in (hands, wishes, baskets)
}


def run_tale(
    place: World, chooser: Chooser, state: State, *kinds: str
) -> None:
    """Four people, and three to ten changes."""
    n = Narrator(place, chooser)
    n.state = state
    state.kind = n.step(*(kinds or TALE_KINDS))
    state.food = n.bound.get("F", "")
    n.step(*(f"{state.kind}.d H={role}" for role in "ABC"))
    for told in range(10):
        n.said.clear()  # no wording is too often said
        h = n.step("2 who", *(["tale.end"] if told > 2 else []))
        if h == "tale.end":
            return
        name = n.bound[h]
        n.bound |= forms("H", name, name in SHE)
        n.step(*TALE_KINDS[state.kind](n, h))
    n.step("tale.end")


# %% book/appendix-a2-the-villages-questions.md#tales
def tales(village: Village, *kinds: str, start: int = 0) -> Iterator[Story]:
    """Endless tales of some kinds: "hands", "wishes", "baskets".

    `log_prob` is that of a tale among these kinds (without any: among all).
    """
    while True:
        draws = stream(mix(village.key(start) ^ 0x7A1E))
        chooser = Generator(draws.__next__)
        state = TaleState(sentences=chooser.sentences)
        place = tale_world(village.size, village.held_out)
        run_tale(place, chooser, state, *kinds)
        yield Story(" ".join(state.sentences), chooser.log_prob, state)
        start += 1


def read_tale(text: str, size: str = "village") -> Reading:
    """What a text is among all tales; `read` does this for stories."""
    chooser = Reader(text)
    state = TaleState(sentences=chooser.sentences)
    try:
        run_tale(tale_world(size), chooser, state)
    except OffText as error:
        return Reading(-math.inf, state, error.at)
    if chooser.at < len(text):
        return Reading(-math.inf, state, chooser.at)
    return Reading(chooser.log_prob, state, None)
