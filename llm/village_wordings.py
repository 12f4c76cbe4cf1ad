"""Wordings: the village's templates turned round, from text to meaning.

Tangled from book/appendix-a3-the-villages-tasks.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import re
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from llm.village_grammar import Template, parse_scene
from llm.village_scenes import SCENES
from llm.village_words import NUMBERS, STUCK, TOOLS
from llm.village_world import world

# %% book/appendix-a3-the-villages-tasks.md#PLAIN
PLAIN = re.compile(r"(?<![\w'-])[a-zA-Z]+(?![\w'-])")
BREAK = re.compile(r'(?<=[.!?])"?\s+(?=["A-Z])')


def sentences_of(text: str) -> list[str]:
    """The sentences; a quotation mark belongs to the one that it ends."""
    ends = [match.end() for match in BREAK.finditer(text)]
    spans = zip([0, *ends], [*ends, len(text)], strict=True)
    return [text[a:b].strip() for a, b in spans if text[a:b].strip()]


def any_of(texts: Iterable[str]) -> str:
    """A group that matches any of the texts, the longest first."""
    longest = sorted(set(texts), key=lambda text: (-len(text), text))
    return f"({'|'.join(map(re.escape, longest))})"


def spot(text: str) -> str:
    """`the mill`, where the text says `at the mill`."""
    return text if text.startswith("the ") else text.split(" ", 1)[1]


# %% book/appendix-a3-the-villages-tasks.md#PRONOUNS
PRONOUNS = {
    "she": ("she", "he"),
    "him": ("her", "him"),
    "her": ("her", "his"),
    "self": ("herself", "himself"),
}


@lru_cache
def gap_patterns(size: str) -> dict[str, str]:
    """What may stand in a gap, as regular expressions."""
    tables = world(size).tables
    found = {gap: any_of(table.texts) for gap, table in tables.items()}
    name, kind, look = found["name"], found["kind"], found["look"]
    noun = any_of([*tables["noun"].texts, *TOOLS, *STUCK.values()])
    here = [
        t for gap in tables if gap[:5] == "here " for t in tables[gap].texts
    ]
    for key, pair in PRONOUNS.items():
        found[key] = any_of(pair)
        found[key.title()] = any_of(word.title() for word in pair)
    return found | {
        "person": name,
        "the": f"{name} the {kind}",
        "noun": noun,
        "tool": noun,
        "a_tool": f"an? {noun}",
        "thing": f"{look} {noun}",
        "a_thing": f"an? {look} {noun}",
        "a": f"an? (?:{look} )?{noun}",
        "a_look": f"an? {look}",
        "at_home": found["home"],
        "here": any_of(here),
        "purpose": any_of(world(size).jobs),
        **dict.fromkeys(("some", "goal", "number"), any_of(NUMBERS)),
    }


# %% book/appendix-a3-the-villages-tasks.md#MEANS
# What the groups of a gap mean: + for what is new.
MEANS: dict[str, tuple[str, ...]] = {
    "the": ("+person", "+kind"),
    "name": ("+person",),
    "thing": ("+look", "+noun"),
    "a_thing": ("+look", "+noun"),
    "a_look": ("+look",),
    "tool": ("+noun",),
    "a_tool": ("+noun",),
    "at": ("+place",),
    "a": ("look", "noun"),
}
SORTS = {
    **dict.fromkeys("ABCDGH", "person"),
    **dict.fromkeys("XYZ", "noun"),
    **dict.fromkeys("PQR", "place"),
}


# %% book/appendix-a3-the-villages-tasks.md#Wording
class Wording(NamedTuple):
    """A template turned round: from a text to what it says."""

    regex: re.Pattern[str]
    fields: tuple[tuple[str, str], ...]  # of each group: role and meaning
    scene: str
    template: Template

    @property
    def plot(self) -> str:
        """The first part of the scene's name."""
        return self.scene.partition(".")[0]


def turned(
    scene: str, template: Template, sorts: dict[str, str], size: str
) -> Wording:
    """The wording of a template."""
    shape, pieces = gap_patterns(size), [template.head]
    fields: list[tuple[str, str]] = []
    for gap, role, after in template.slots:
        pieces += [f"%({role}+{gap})s", after]
    parts = re.split(r"%\((\w?)(\W?)(\w*)\)s", "".join(pieces))
    pattern = [re.escape(parts[0])]
    for i in range(1, len(parts), 4):
        role, mark, gap, after = parts[i : i + 4]
        gap = gap or sorts.get(role, "text")
        means = (mark.strip(".") + gap,)
        if mark == "+" or gap == "a":
            means = MEANS.get(gap, means)
        gap = "place" if (mark, gap) == (".", "home") else gap
        pattern += [shape.get(gap, "([^.!?]+?)"), re.escape(after)]
        fields += [(role, meaning) for meaning in means]
    regex = re.compile("".join(pattern) + r"(?![\w'])")
    return Wording(regex, tuple(fields), scene, template)


# %% book/appendix-a3-the-villages-tasks.md#FREE_SCENES
# What a text may say beside the village's own wordings.
FREE_SCENES = {
    "free": """1: move H P
{H} went to {P}. | {H} ran to {P}. | {H} walked to {P}.
> 1: have H X
{H} had {X:a_thing}. | {H} found {X:a_thing}.
> 1: get H X
{H} found the {X}. | {H} took the {X}. | {H} picked up the {X}.
> 1: drop H X
{H} put down the {X}. | {H} dropped the {X}.
> 1: give H G X
{H} gave {G} the {X}. | {H} gave the {X} to {G}.
> 1: leave H
{H} said goodbye and left. | {H} went away.
> 1: come H
{H} came back.""",
    "unkind": """1: harm H
But nobody thanked {H}, and that was that.
| {H} laughed at {G} and shut the door.""",
}


# %% book/appendix-a3-the-villages-tasks.md#fixed_words
def fixed_words(template: Template) -> list[str]:
    """The words that a template's first sentence always has."""
    text = " ".join([template.head, *(s.after for s in template.slots)])
    first = sentences_of(re.sub(r"%\(.*?\)s('s)?", "N_", text).strip())[:1]
    return PLAIN.findall("".join(first)) or [""]


@lru_cache
def wordings(size: str) -> dict[str, list[Wording]]:
    """All wordings of the village, under the rarest word of each."""
    rows = [
        (s, t) for s in SCENES for t in world(size).options((s,)).templates
    ]
    for scene, text in FREE_SCENES.items():
        rows += [(scene, t) for _, t in parse_scene(scene, text)]
    counts = Counter(word for _, t in rows for word in set(fixed_words(t)))
    sorts: dict[str, dict[str, str]] = {}
    for scene, template in rows:
        own = sorts.setdefault(scene.partition(".")[0], dict(SORTS))
        for gap, role, _ in template.slots:
            if gap not in ("kind", "a_kind", "home", "a_look", "the"):
                sort = MEANS.get(gap, (f"+{gap}",))[-1].strip("+")
                sort = "noun" if sort == "need" else sort
                own[role] = sort if sort in SORTS.values() else "text"
    found: dict[str, list[Wording]] = {}
    for scene, template in rows:
        rarest = min(fixed_words(template), key=lambda w: (counts[w], w))
        own = sorts[scene.partition(".")[0]]
        one = turned(scene, template, own, size)
        found.setdefault(rarest, []).append(one)
    return found
