"""Plots: what leads to what.

Tangled from book/appendix-a-the-village.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

from functools import cache

from llm.village_narrator import Narrator
from llm.village_words import GROUPS, LEANINGS, NUMBERS, words

# %% book/appendix-a-the-village.md#CARRIED
# What a magpie could carry off, and what the wind could.
CARRIED = {
    "bird": words("""key, bell, whistle, needle, compass, spoon, thimble,
        ribbon, spindle, pipe, paintbrush, flute"""),
    "wind": words("""scarf, hat, umbrella, kite, flag, map, apron, sack,
        songbook"""),
}


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
    taken = [f"lost.{w}" for w in CARRIED if n.bound["X"] in CARRIED[w]]
    cause = n.step("lost.left", "lost.kept", *taken)
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
    n.step("promise.use")
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
    need, tag = NUMBERS.index(n.bound["N"]), ""
    while (have := n.state.counts.get(n.bound["A"], 0)) < need:
        more = ["harvest.more"]
        more += ["harvest.back"] if n.has("C") else []
        more += [] if n.has("B") else ["harvest.friend"]
        if tag == "more" and have > 1 and n.length < 330:
            more += ["harvest.less", "harvest.beg"]
        low = ("harvest.low",) if 0 < have < need // 2 else ()
        told = n.beat(*more, aside=low)
        tag = tag if tag == "less" else told
    n.step("harvest.done")
    guests = [f"harvest.{r.lower()}" for r in "BC" if n.has(r)]
    n.ending("harvest", *guests)


# %% book/appendix-a-the-village.md#build
def build(n: Narrator) -> None:
    """Somebody makes a thing with borrowed tools."""
    n.step("build.plan")
    n.step("build.first")
    n.step("build.second")
    bad = ("build.bad",) if n.length < 370 else ()
    tag = n.step("build.help", "build.done", *bad)
    if tag == "bad":
        n.step("build.again")
    if tag != "build.done":
        n.step("build.done")
    n.step("build.use")
    n.step("build.return")
    n.ending("build", "build.share.c" if n.has("C") else "build.share.b")


# %% book/appendix-a-the-village.md#swap
def swap(n: Narrator) -> None:
    """One thing is swapped for another, and that for a third."""
    n.beat("swap.price", aside=("swap.why",))
    n.step("swap.owner")
    more = ("swap.long",) if n.length < 400 else ()
    long = n.step("2 swap.first", *more) == "swap.long"
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
        on = ("errand.on",) if n.length < 360 else ()
        more = ("errand.lose", "errand.meet") if len(n.cast) < 4 else ()
        tag = n.step("errand.arrive", *more, *on)
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
    came = n.step("rescue.fetch", "rescue.came") == "came"
    if came:
        n.step("rescue.free.came")
    else:
        n.beat("rescue.free", aside=("rescue.jog",))
    n.step("rescue.thank")
    n.step("rescue.return.came" if came else "rescue.return")
    n.ending("rescue", "rescue.later")


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


# %% book/appendix-a-the-village.md#PLOTS
PLOTS = {
    plot.__name__: plot
    for plot in (
        *(lost, gift, promise, quarrel, harvest, build, swap),
        *(errand, follow, hide, rescue, friend),
    )
}
# The plots that always have a thing, and need one that is held out.
WITH_THINGS = (
    *("lost", "gift", "promise", "quarrel"),
    *("swap", "errand", "hide"),
)


@cache
def beginnings(trait: str, plots: tuple[str, ...]) -> tuple[str, ...]:
    """The first sentences of the plots that fit a trait, or of all."""
    fit = LEANINGS.get(GROUPS.get(trait, ""), ())
    own = [plot for plot in plots if plot in fit]
    return tuple(f"{plot}.p" for plot in own or plots)


def tell(n: Narrator) -> None:
    """Tell a whole story."""
    opening = n.step("3 open", "cold")
    if opening != "cold" and n.step("5 when", "love") == "love":
        n.step("when")
    plots = n.world.size.plots or tuple(PLOTS)
    if n.world.held_out:
        plots = tuple(plot for plot in plots if plot in WITH_THINGS)
    tag = n.step(*beginnings(n.bound.get("T.is", ""), plots))
    n.state.kind = tag.partition(".")[0]
    PLOTS[n.state.kind](n)
