"""The narrator, who tells scenes through a chooser.

Tangled from book/appendix-a-the-village.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

from collections.abc import Sequence

from llm.village_grammar import NOTHING, Chooser
from llm.village_words import (
    BROKE,
    FAILS,
    GROUPS,
    HELD_OUT,
    INDOORS,
    LEANINGS,
    RESCUES,
    SHE,
    SOUNDS,
    STUCK,
    UNFIT,
)
from llm.village_world import Event, Person, State, World, article, forms


# %% book/appendix-a-the-village.md#Narrator
class Narrator:
    """Tells a story: asks the chooser, speaks, keeps the state true."""

    def __init__(self, world: World, chooser: Chooser) -> None:
        self.world = world
        self.chooser = chooser
        self.state = State(sentences=chooser.sentences)
        self.bound: dict[str, str] = {}  # role -> who or what it is
        self.said: set[str] = set()  # the keys of wordings, and asides
        self.whole = True  # no sentence has been begun and not ended
        self.length = 0  # characters in whole sentences
        self.kinds: list[str] = []  # all that follows is taken
        self.nouns: list[str] = []
        self.cast: set[int] = set()
        self.looks: set[int] = set()
        self.visited: set[int] = set()
        self.unfit: tuple[str, ...] = ()  # for the weather

    def step(self, *scenes: str) -> str:
        """Tell a sentence (or its beginning) of these scenes; its tag."""
        chooser, bound = self.chooser, self.bound
        if not self.whole:
            chooser.literal(" ")
        options = self.world.options(scenes)
        old = options.keys & self.said
        ban = options.numbers(old) if old else NOTHING
        template = chooser.option(options, bound, ban)
        self.said.add(template.key)
        for gap, role, after in template.slots:
            GAPS.get(gap, Narrator.plain)(self, gap, role)
            chooser.literal(after % bound)
        sentence = len(chooser.sentences)
        self.whole = template.ends
        if template.ends:
            chooser.stop()
            self.length += len(chooser.sentences[-1])
        for kind, *roles in template.effects:
            self.change(sentence, kind, roles)
        return template.tag

    def change(self, sentence: int, kind: str, roles: list[str]) -> None:
        """Make an event come true."""
        state, bound = self.state, self.bound
        args = tuple([bound[r] if r[0] < "a" else r for r in roles])
        if kind == "settle":
            person = self.person(roles[0])
            state.people[person.name] = person
            args = (person.name, person.home)
        why = state.goals.get(args[0], ())
        state.events.append(Event(kind, sentence, args, why))
        getattr(state, kind)(*args)

    def person(self, role: str) -> Person:
        """Who plays a role."""
        get, name = self.bound.get, self.bound[role]
        trait = get("T", "") if role == "A" else ""
        kind, home = get(f"{role}.kind", ""), get(f"{role}.home", "")
        return Person(name, kind, name in SHE, home, trait)

    # -- book/appendix-a-the-village.md#Narrator.beat
    def beat(self, *scenes: str, aside: Sequence[str] = ()) -> str:
        """One of the scenes, perhaps after an aside or two."""
        while True:
            fit = [a for a in aside if self.fits(a)]
            tag = self.step(*scenes, *fit)
            if tag not in fit:
                return tag
            self.said.add(tag)

    def fits(self, aside: str) -> bool:
        """Can an aside be told now?"""
        if aside in self.said or self.length > 300:
            return False
        if aside == "aside.love":
            return self.has("L")
        return aside != "aside.meet" or not self.has("C")

    def ending(self, kind: str, *scenes: str) -> None:
        """The last sentence, or the last two."""
        ends = [f"{kind}.end", "end" if self.has("A.home") else "end.cold"]
        if self.has("L"):
            ends = ["end.love"]
        group = GROUPS.get(self.bound.get("T.is", ""), "")
        if kind in LEANINGS.get(group, ()):
            weak = group in ("careless", "proud", "shy")
            ends.append("end.change" if weak else "end.proof")
        more = () if self.length > 600 else scenes
        if self.step(*more, *ends) in more:
            self.step(*ends)

    def has(self, role: str) -> bool:
        """Is a role taken?"""
        return role in self.bound

    # -- book/appendix-a-the-village.md#Narrator.plain
    def plain(self, gap: str, role: str) -> str:
        """A word of the table that bears the gap's name."""
        table = self.world.tables[gap]
        word = table.texts[self.chooser.pick(table)]
        if role:
            self.bound[role] = word
        return word

    def name(self, gap: str, role: str) -> None:
        """`Bo`; a boy as B where A is a girl: pronouns must be clear."""
        world, ban = self.world, self.cast
        if role == "B":
            girl = self.bound["A"] in SHE
            ban = ban | (world.girls if girl else world.boys)
        i = self.chooser.pick(world.names, ban)
        self.cast.add(i)
        name = world.names.texts[i]
        self.bound |= forms(role, name, name in SHE)

    def the(self, gap: str, role: str) -> None:
        """`Bo the miller`."""
        self.name(gap, role)
        self.chooser.literal(" the ")
        self.kind("kind", role)

    def kind(self, gap: str, role: str) -> None:
        """`miller` or `a miller`, an animal or a trade."""
        world = self.world
        table, places = world.tables[gap], world.kinds.places
        ban = {places[kind] for kind in self.kinds}
        if not world.held_out:
            ban.update(*[world.apart.get(noun, ()) for noun in self.nouns])
        elif role == "A":
            ban = {i for k, i in places.items() if k not in HELD_OUT}
        kind = world.kinds.texts[self.chooser.pick(table, ban)]
        self.kinds.append(kind)
        self.bound[f"{role}.kind"] = kind

    def trait(self, gap: str, role: str) -> None:
        """`honest` or `an honest`."""
        self.plain(gap, role)
        self.bound[f"{role}.is"] = self.bound[role].split()[-1]

    def weather(self, gap: str, role: str) -> None:
        """`sunny`, and nobody will wish for an umbrella."""
        self.unfit = UNFIT[self.plain(gap, role)]

    # -- book/appendix-a-the-village.md#Narrator.place
    def place(self, gap: str, role: str) -> None:
        """`the mill` or `at the mill`, new to this story; O is outdoors."""
        world, bound, ban = self.world, self.bound, self.visited
        if role == "O":
            both = ban | world.indoors
            ban = both if len(both) < len(world.ats.texts) else world.indoors
        i = self.chooser.pick(world.tables[gap], ban)
        if len(self.visited) + 3 > len(world.places.texts):
            self.visited.clear()  # before they run out
        self.visited.add(i)
        if gap == "home":
            bound[f"{role}.home"] = world.places.texts[i]
            bound[f"{role}.at_home"] = world.ats.texts[i]
        else:
            bound[role] = bound["HERE"] = world.places.texts[i]
            bound[f"{role}.at"] = world.ats.texts[i]

    def here(self, gap: str, role: str) -> None:
        """What one sees at the place named last."""
        self.plain(f"here {self.bound['HERE']}", role)

    def spot(self, gap: str, role: str) -> None:
        """Where a thing may lie there."""
        indoors = self.bound["HERE"] in INDOORS
        self.plain("spot in" if indoors else "spot out", role)

    # -- book/appendix-a-the-village.md#Narrator.thing
    def thing(self, gap: str, role: str) -> None:
        """`red lantern` or `a red lantern`."""
        world, of = self.world, self.world.material
        ban = set(self.looks)
        for material in world.scarce:
            table = world.nouns[material]
            if len(self.banned(table.places)) == len(table.texts):
                looks = world.looks.places.items()
                ban |= {i for look, i in looks if of[look] == material}
        table = world.tables[gap.replace("thing", "look")]
        i = self.chooser.pick(table, ban)
        self.looks.add(i)
        look = world.looks.texts[i]
        self.chooser.literal(" ")
        table = world.nouns[of[look]]
        j = self.chooser.pick(table, self.banned(table.places))
        self.bring(role, table.texts[j], look)

    def bring(self, role: str, noun: str, look: str = "") -> None:
        """A thing enters the story, or shows its look."""
        bound = self.bound
        self.nouns.append(noun)
        self.state.things[noun] = look
        bound[role], bound[f"{role}.look"] = noun, look
        bound[f"{role}.a"] = article(f"{look} {noun}".strip())
        bound[f"{role}.use"] = self.world.uses.get(noun, "")
        material = self.world.made_of.get(noun, "")
        bound[f"{role}.broke"] = BROKE.get(material, "")

    def banned(self, places: dict[str, int]) -> set[int]:
        """Nouns that are taken, or don't go with somebody in the story."""
        ban = set(self.nouns)
        if not self.world.held_out:
            ban.update(*[HELD_OUT.get(kind, ()) for kind in self.kinds])
        elif not ban:
            ban = places.keys() - HELD_OUT[self.bound["A.kind"]]
        ban.update(self.unfit)
        return {places[noun] for noun in ban if noun in places}

    # -- book/appendix-a-the-village.md#Narrator.noun
    def noun(self, gap: str, role: str) -> None:
        """`lantern`, or `see the path at night`, which says as much."""
        tables = self.world.tables
        plain = tables["tool" if gap.endswith("tool") else "noun"]
        i = self.chooser.pick(tables[gap], self.banned(plain.places))
        self.bring(role, plain.texts[i])

    def look(self, gap: str, role: str) -> None:
        """`an old`, for a thing that has been named."""
        noun = self.bound[role]
        look = self.plain(f"a_look {self.world.made_of[noun]}", "")
        self.bring(role, noun, look.split(" ", 1)[1])

    def stuck(self, gap: str, role: str) -> None:
        """How somebody is stuck; X becomes what helps."""
        table = self.world.tables[gap]
        ban = self.banned({STUCK[t]: i for i, t in enumerate(table.texts)})
        text = table.texts[self.chooser.pick(table, ban)]
        tried, _, way = RESCUES[text].partition(" / ")
        self.bound |= {role: text, f"{role}.try": tried, f"{role}.way": way}
        self.bring("X", STUCK[text])

    # -- book/appendix-a-the-village.md#Narrator.purpose
    def purpose(self, gap: str, role: str) -> None:
        """What somebody wants, for which one builds a certain thing."""
        why = self.plain("purposes", f"{role}.use")
        job = self.bound[role] = self.world.jobs[why]
        self.bound[f"{role}.fail"] = FAILS[job]

    def sound(self, gap: str, role: str) -> None:
        """What is heard, and where it will turn out to come from."""
        self.bound[f"{role}.source"] = SOUNDS[self.plain("sounds", role)]

    def some(self, gap: str, role: str) -> None:
        """A number, up to what the main character has."""
        self.plain(f"some {self.state.counts[self.bound['A']]}", role)


# %% book/appendix-a-the-village.md#GAPS
GAPS = {
    gap: getattr(Narrator, name)
    for name, gaps in {
        "kind": "kind a_kind",
        "trait": "trait a_trait",
        "place": "place at home",
        "thing": "thing a_thing",
        "noun": "noun need tool a_tool",
        "look": "a_look",
    }.items()
    for gap in gaps.split()
} | {
    gap: getattr(Narrator, gap)
    for gap in (
        *("name", "the", "weather", "here", "spot", "stuck", "purpose"),
        *("sound", "some"),
    )
}
