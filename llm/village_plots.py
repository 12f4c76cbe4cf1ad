"""Plots: what leads to what.

Tangled from book/appendix-a-the-village.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

from collections.abc import Iterator
from functools import cache

from llm.village_narrator import Narrator
from llm.village_words import NUMBERS, TRAITS


# %% book/appendix-a-the-village.md#lost
def lost(n: Narrator) -> None:
    """Somebody loses a thing, looks for it, asks, and is helped."""
    n.step("lost.matter")
    ask = "lost.ask"
    for asides in (("aside.low", "aside.meet"), ("aside.love",), ()):
        search = () if n.length > 300 else ("2 lost.search",)
        tag = n.beat(ask, *search, aside=asides)
        ask = "lost.sent" if n.has("C") else "lost.ask"
        if tag != "search":
            break
    if tag == "search":
        n.step(ask)
    airy = n.world.made_of[n.bound["X"]] in ("cloth", "paper")
    cause = n.step(
        "lost.left", "lost.wind" if airy else "lost.bird", "lost.kept"
    )
    n.step("lost.back" if cause == "kept" else "lost.fetch")
    n.step("lost.glad")
    n.ending("lost", "lost.thank", f"lost.after.{cause}")


# %% book/appendix-a-the-village.md#gift
def gift(n: Narrator) -> None:
    """Somebody in low spirits is brought what is missing."""
    need = n.step("gift.need", "gift.trouble") == "need"
    n.beat("gift.have" if need else "gift.pick", aside=("gift.sad",))
    arrive = ("3 gift.arrive", "gift.tempt", "gift.offer", "gift.rain")
    tag = n.beat(*arrive, aside=("aside.view", "aside.up"))
    if tag == "tempt":
        n.step("gift.resist")
    elif tag == "offer":
        n.step("gift.refuse")
    if tag != "gift.arrive":
        n.beat("gift.arrive", aside=("aside.up", "aside.view"))
    n.step("gift.give")
    n.step("gift.use" if need else "gift.smile")
    n.ending("gift", "3 gift.later")


# %% book/appendix-a-the-village.md#promise
def promise(n: Narrator) -> None:
    """A thing is borrowed, and brought back in spite of everything."""
    n.step("promise.lend")
    n.step("promise.word")
    n.beat("promise.use", aside=("aside.up",))
    names = ("rain", "sleep", "offer", "stay", "forget")
    troubles = [f"promise.{name}" for name in names]
    tag = n.step(*troubles, "promise.break")
    if tag == "break":
        n.beat("promise.truth", aside=("aside.low",))
        n.step("promise.work")
        n.step("promise.forgive")
        n.ending("promise")
        return
    n.step(f"promise.{'rain' if tag == 'on' else tag}.on")
    n.step("promise.back")
    n.step("promise.need", "promise.trust")
    n.ending("promise")


# %% book/appendix-a-the-village.md#quarrel
def quarrel(n: Narrator) -> None:
    """Two want the same, fall out, and make peace."""
    if n.step("quarrel.want", "quarrel.words") == "quarrel.want":
        n.step("quarrel.words")
    who = n.step("quarrel.away")
    n.step(f"quarrel.lone.{who}")
    advice = () if n.length > 400 else ("quarrel.advice",)
    if n.step("2 quarrel.meet", *advice) == "advice":
        n.step("quarrel.meet")
    n.step("quarrel.sorry")
    n.step(f"quarrel.solve.{who}", "quarrel.turns")
    n.ending("quarrel")


# %% book/appendix-a-the-village.md#harvest
def harvest(n: Narrator) -> None:
    """Somebody gathers, loses, shares and counts."""
    n.state.food = n.bound["F"]
    need, turn = NUMBERS.index(n.bound["N"]), 0
    while (have := n.state.counts.get(n.bound["A"], 0)) < need:
        more = ["harvest.more"]
        more.append("harvest.again" if n.has("B") else "harvest.friend")
        if n.has("C"):
            more.append("harvest.back")
        if have > 1 and turn < 5 and n.length <= 350:
            more.append("harvest.less")
            if not n.has("C"):
                more.append("harvest.beg")
        low = ("harvest.low",) if 0 < have < need // 2 else ()
        n.beat(*more, aside=low)
        turn += 1
    n.step("harvest.done")
    guests = [f"harvest.{r.lower()}" for r in "BC" if n.has(r)]
    n.ending("harvest", *guests)


# %% book/appendix-a-the-village.md#build
def build(n: Narrator) -> None:
    """Somebody makes a thing with borrowed tools."""
    n.step("build.plan")
    n.step("build.first")
    n.step("build.second")
    tag = n.step("build.bad", "build.help", "build.done")
    if tag == "bad":
        n.step("build.again")
    if tag != "build.done":
        n.step("build.done")
    n.step("build.use")
    share = "build.share.c" if n.has("C") else "build.share.b"
    n.ending("build", "2 build.return", share)


# %% book/appendix-a-the-village.md#swap
def swap(n: Narrator) -> None:
    """One thing is swapped for another, and that for a third."""
    n.beat("swap.price", aside=("swap.why",))
    n.step("swap.owner")
    long = n.step("2 swap.first", "swap.long") == "swap.long"
    if long:
        n.step("swap.fourth")
        n.step("swap.third")
    n.step("swap.last")
    miss = () if n.length > 540 else ("swap.miss",)
    if n.step("2 swap.glad", *miss) == "miss":
        n.step("swap.undo.long" if long else "swap.undo")
    n.ending("swap")


# %% book/appendix-a-the-village.md#errand
def errand(n: Narrator) -> None:
    """A thing goes from hand to hand."""
    n.beat("errand.busy", aside=("errand.why",))
    n.bound["H"] = n.bound["A"]
    n.step("errand.give")
    n.bound["H"] = n.bound["G"]
    n.step("errand.walk")
    while True:
        on = () if n.length > 420 else ("errand.lose", "errand.on")
        meet = () if n.length > 500 else ("errand.meet",)
        tag = n.step("errand.arrive", *meet, *on)
        if tag == "errand.arrive":
            break
        if tag == "lose":
            n.step("errand.found")
        if tag != "walk":
            n.bound["H"] = n.bound["G"]
    n.step("errand.use")
    n.ending("errand", "errand.thanks")


# %% book/appendix-a-the-village.md#follow
def follow(n: Narrator) -> None:
    """A sound is followed, by one after another."""
    n.beat("follow.go", aside=("follow.wonder",))
    n.step("follow.b")
    if n.step("follow.c", "follow.turn") == "c":
        n.step("follow.turn")
    tag = n.step("follow.three" if n.has("C") else "follow.two")
    n.beat("follow.there", aside=("follow.fear",))
    n.step("follow.said")
    n.step("follow.glad")
    n.ending("follow", *(["follow.late"] if tag == "stay" else ()))


# %% book/appendix-a-the-village.md#hide
def hide(n: Narrator) -> None:
    """A surprise is hidden, and moved by somebody who means well."""
    n.step("hide.put")
    n.step("hide.moved")
    day = ("2 hide.day", "hide.finder", "hide.other")
    tag = n.step(*day)
    other = ".other" if tag == "other" else ""
    if other:
        n.step("hide.day")
    if tag == "finder":
        n.step("hide.yours")
    else:
        n.step(f"hide.tell{other}")
        n.step(f"hide.fetch{other}")
        n.step("hide.give")
    n.ending("hide", "3 hide.party")


# %% book/appendix-a-the-village.md#rescue
def rescue(n: Narrator) -> None:
    """Somebody is stuck, and somebody fetches what helps."""
    n.step("rescue.who")
    n.beat("rescue.think", aside=("rescue.said", "rescue.try"))
    n.step("rescue.fetch")
    n.beat("rescue.free", aside=("rescue.jog",))
    n.step("rescue.thank")
    n.ending("rescue", "2 rescue.return", "2 rescue.later")


# %% book/appendix-a-the-village.md#friend
def friend(n: Narrator) -> None:
    """Two who are alone find out that they needn't be."""
    n.step("friend.wish")
    n.step("friend.other")
    first = "friend.loves" if n.has("L") else "friend.first"
    if n.step(first, "friend.shy") == "shy":
        n.step(first)
    n.step("friend.yes")
    tag = n.step("friend.give", "friend.show", "friend.glad")
    if tag != "friend.glad":
        n.step("friend.glad")
    if tag == "gift":
        n.ending("friend", "friend.later", "friend.later.gift")
    else:
        n.ending("friend", "3 friend.later")


# %% book/appendix-a-the-village.md#track
def track(n: Narrator) -> None:
    """Three people, two things and a few places: one change a sentence."""
    n.beat("track.meet", aside=("track.all",))
    for told in range(7):
        n.step(*changes(n))
        passed = [e.kind in ("get", "give", "swap") for e in n.state.events]
        if told > 3 and sum(passed) > 1:
            break
    n.step("track.end")


def changes(n: Narrator) -> tuple[str, ...]:
    """What may happen next in a tracking story."""
    at = {role: n.state.at[n.bound[role]] for role in "ABC"}
    found: list[str] = []
    for h in "ABC":
        for place in "PQR":
            if not n.has(place):
                found.append(f"track.go H={h} P={place}")
                break
            if n.bound[place] != at[h]:
                found.append(f"track.back H={h} P={place}")
        if not n.has("Y"):
            found.append(f"track.find H={h}")
        for g in "ABC":
            if at[g] != at[h]:
                found.append(f"track.join H={h} G={g}")
    for thing in "XY":
        if n.has(thing):
            found += passes(n, thing, at)
    return tuple(found)


def passes(n: Narrator, thing: str, at: dict[str, str]) -> Iterator[str]:
    """Where a thing may go next, if not straight back."""
    noun, last = n.bound[thing], n.state.events[-1]
    holder = n.state.holder.get(noun)
    other = n.state.holder.get(n.bound["Y"]) if n.has("Y") else None
    for h in "ABC":
        name = n.bound[h]
        here = holder is None and n.state.lies[noun] == at[h]
        if here and last.args[0] != name:
            yield f"track.take H={h} X={thing}"
        if holder != name:
            continue
        if last.kind != "get":
            yield f"track.drop H={h} X={thing}"
        for g in "ABC":
            if g == h or at[g] != at[h]:
                continue
            if last[0::2] != ("give", (n.bound[g], name, noun)):
                yield f"track.give H={h} G={g} X={thing}"
            if thing == "X" and other == n.bound[g] and last.kind != "swap":
                yield f"track.swap H={h} G={g}"


# %% book/appendix-a-the-village.md#LEANINGS
# What a trait makes likelier.
LEANINGS = {
    "careless": ("lost", "promise", "hide"),
    "kind": ("gift", "rescue", "harvest"),
    "proud": ("quarrel", "swap"),
    "able": ("build", "harvest", "track"),
    "brave": ("follow", "rescue", "swap"),
    "true": ("promise", "errand"),
    "shy": ("friend", "gift"),
}
PLOTS = {
    plot.__name__: plot
    for plot in (
        *(lost, gift, promise, quarrel, harvest, build, swap),
        *(errand, follow, hide, rescue, friend, track),
    )
}
# The plots that always have a thing, and need one that is held out.
WITH_THINGS = (
    *("lost", "gift", "promise", "quarrel"),
    *("swap", "errand", "hide", "track"),
)


@cache
def beginnings(trait: str, plots: tuple[str, ...]) -> tuple[str, ...]:
    """The first sentences of plots; some are likelier for some people."""
    group = next((g for g, many in TRAITS.items() if trait in many), "")
    favoured = LEANINGS.get(group, ())
    return tuple(
        f"{6 if plot in favoured else 2} {plot}.p" for plot in plots
    )


def tell(n: Narrator) -> None:
    """Tell a whole story."""
    opening = n.step("3 open", "cold")
    if opening != "cold" and n.step("5 when", "love") == "love":
        n.step("when")
    plots = n.world.size.plots or tuple(PLOTS)
    if n.world.held_out:
        plots = tuple(plot for plot in plots if plot in WITH_THINGS)
    tag = n.step(*beginnings(n.bound.get("T", ""), plots))
    n.state.kind = tag.partition(".")[0]
    PLOTS[n.state.kind](n)
