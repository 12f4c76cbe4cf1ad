"""Prints: one function for each kind of page.

Tangled from book/appendix-a4-the-villages-crawl.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from llm.village_pages import (
    BINARIES,
    BOILERPLATE,
    ERRORS,
    ESSAY,
    INNOCENT,
    LINKS,
    NASTY,
    PAPERS,
    PERSONAL,
    READERS,
    REPRINT,
    SITES,
    SPAM,
    SUBJECTS,
    TITLES,
    TONGUES,
    WARES,
    Dice,
)
from llm.village_words import HE, SHE


# %% book/appendix-a4-the-villages-crawl.md#Sheet
@dataclass
class Sheet:
    """A page before it gets a design, and what is true about it."""

    lines: list[str]  # the title, then the paragraphs
    keep: bool = False
    language: str = "en"
    toxic: bool = False
    source: "Sheet | None" = None  # of a copy
    jaccard: float | None = None  # of a copy that isn't exact
    contaminated: list[str] = field(default_factory=list)
    pii: dict[str, list[str]] = field(default_factory=dict)
    status: str = "200 OK"
    type: str = "text/html"
    body: bytes | None = None  # what is sent instead of a design
    site: int = -1  # -1: any
    cut: bool = False  # does the page break off after the text?
    url: str = ""
    id: str = ""

    @property
    def text(self) -> str:
        """What a perfect extractor finds."""
        return "\n".join(self.lines)


# %% book/appendix-a4-the-villages-crawl.md#SHELF
SHELF = 2_000  # as many earlier pages are remembered, to be copied


class Press:
    """What a crawl is printed from: stories, and pages to copy."""

    def __init__(
        self, stories: Iterable[Any], evaluation: Iterable[str], seed: int
    ) -> None:
        self.stories = (getattr(story, "text", story) for story in stories)
        self.evaluation, self.seed = list(evaluation), seed
        self.shelf: list[Sheet] = []
        self.seen = 0

    def story(self) -> str:
        """The next story. Raises ValueError if there are no more."""
        if (text := next(self.stories, None)) is None:
            raise ValueError(
                f"the stories ended after {self.seen} good pages: give an "
                "endless iterator, such as Village().stories()"
            )
        return str(text)

    def remember(self, dice: Dice, page: Sheet) -> None:
        """Put a page on the shelf, each earlier page with equal chances."""
        self.seen += 1
        if len(self.shelf) < SHELF:
            self.shelf.append(page)
        elif (place := dice.below(self.seen)) < SHELF:
            self.shelf[place] = page


# %% book/appendix-a4-the-villages-crawl.md#title_for
def title_for(dice: Dice, text: str) -> str:
    """A title that names somebody in the text."""
    found = re.search(rf"\b(?:{'|'.join(SHE + HE)}) the [a-z]+", text)
    title = dice.pick(TITLES).format(x=found[0] if found else "the day")
    return title[0].upper() + title[1:]


def curled(text: str) -> str:
    """The same with a printer's quotation marks."""
    text = re.sub(r'(^|[\s(])"', r"\1“", text).replace('"', "”")
    return text.replace("'", "’")


# %% book/appendix-a4-the-villages-crawl.md#personal
def personal(dice: Dice, lines: list[str]) -> dict[str, list[str]]:
    """Change one page of eight: add something private. Returns what."""
    found: dict[str, list[str]] = {}
    times = 0 if dice.below(8) else 1 + dice.below(3)
    for _ in range(times):
        kind = dice.pick(list(PERSONAL))
        who, what = dice.pick(READERS).lower(), dice.pick(WARES).split()[-1]
        one, two = dice.below(100), dice.below(100)
        forms, uses = PERSONAL[kind]
        item = dice.pick(forms).format(
            who=who, what=what, one=one, two=200 + two, line=f"{one:02}"
        )
        i = 1 + dice.below(len(lines) - 1)
        lines[i] += " " + dice.pick(uses).format(item)
        found.setdefault(kind, []).append(item)
    return found


# %% book/appendix-a4-the-villages-crawl.md#print_story
def print_story(press: Press, dice: Dice) -> Sheet:
    """One to four stories."""
    lines = [press.story() for _ in range(1 + dice.below(4))]
    lines.insert(0, title_for(dice, lines[0]))
    if not dice.below(4):
        lines = [curled(line) for line in lines]
    found = personal(dice, lines)
    return Sheet(lines, keep=True, pii=found)


def print_essay(press: Press, dice: Dice) -> Sheet:
    """Thoughts on a subject, with two stories for proof."""
    subject = dice.pick(SUBJECTS)
    opening, doubt, bridge, turn, lesson, end = (
        [s.format(x=subject) for s in dice.some(row, 2)] for row in ESSAY
    )
    lines = [f"On {subject}", " ".join([opening[0], *doubt]), bridge[0]]
    lines += [press.story(), " ".join(turn), press.story()]
    lines.append(" ".join([*lesson, end[0]]))
    found = personal(dice, lines)
    return Sheet(lines, keep=True, pii=found)


# %% book/appendix-a4-the-villages-crawl.md#edited
def edited(dice: Dice, lines: list[str]) -> list[str]:
    """Other words, a missing end, another order, or a frame."""
    how, body = dice.below(4), [line.split(" ") for line in lines[1:]]
    size = sum(map(len, body))
    if how == 0:  # other words, but none that is private
        for _ in range(1 + dice.below(size // 16 + 1)):
            row, word = dice.pick(body), dice.pick(dice.pick(body))
            i = dice.below(len(row))
            if not re.search(r"[\d@]", row[i] + word):
                row[i] = word
    elif how == 1:  # a missing end
        for _ in range(size * (3 + dice.below(40)) // 100):
            body[-1].pop()
            body = body if body[-1] else body[:-1]
    elif how == 2:  # another order of sentences
        row = dice.pick(body)
        parts = re.split(r"(?<=[.!?”]) ", " ".join(row))
        row[:] = " ".join(dice.some(parts, len(parts))).split(" ")
    else:  # a frame
        paper = f"the {dice.pick(SITES)} {dice.pick(PAPERS)}"
        frame = [text.format(x=paper).split(" ") for text in REPRINT]
        body = [frame[0], *body, frame[1]]
    return [lines[0], *map(" ".join, body)]


# %% book/appendix-a4-the-villages-crawl.md#runs_of_words
def runs_of_words(lines: list[str], n: int) -> set[tuple[str, ...]]:
    """All runs of n words, in lower case."""
    words = re.findall(r"\w+", "\n".join(lines).lower())
    return {
        tuple(words[i : i + n]) for i in range(max(len(words) - n + 1, 1))
    }


def overlap(one: list[str], two: list[str], n: int = 5) -> float:
    """The share of runs of n words that are common."""
    a, b = runs_of_words(one, n), runs_of_words(two, n)
    return round(len(a & b) / len(a | b), 4)


# %% book/appendix-a4-the-villages-crawl.md#print_duplicate
def print_duplicate(press: Press, dice: Dice) -> Sheet:
    """The text of an earlier page, at another address."""
    old = dice.pick(press.shelf)
    site = old.site if not dice.below(3) else -1
    return Sheet(old.lines, source=old, pii=old.pii, site=site)


def print_near_duplicate(press: Press, dice: Dice) -> Sheet:
    """The text of an earlier page, edited."""
    old = dice.pick(press.shelf)
    while (lines := edited(dice, old.lines)) == old.lines:
        pass
    page = Sheet(lines, source=old, jaccard=overlap(old.lines, lines))
    for kind, items in old.pii.items():
        page.pii[kind] = [item for item in items if item in page.text]
    return page


# %% book/appendix-a4-the-villages-crawl.md#print_gibberish
def print_gibberish(press: Press, dice: Dice) -> Sheet:
    """Letters that follow each other as in a story, or mixed words."""
    text = " ".join(press.story() for _ in range(2))
    if dice.below(2):
        words = text.split()
        text = " ".join(dice.some(words, min(len(words), 150)))
    else:
        follow: dict[str, list[str]] = {}
        for one, two in pairwise(text):
            follow.setdefault(one, []).append(two)
        out = [text[0]]
        while len(out) < 600:
            out.append(dice.pick(follow.get(out[-1], [" "])))
        text = "".join(out)
    return Sheet(["Untitled", *text.split(". ")], language="und")


# %% book/appendix-a4-the-villages-crawl.md#print_foreign
def print_foreign(press: Press, dice: Dice) -> Sheet:
    """Sentences in another language."""
    language = dice.pick(list(TONGUES))
    patterns, times, who, acts, places, sayings = TONGUES[language]
    lines = []
    for _ in range(4 + dice.below(5)):
        said = [dice.pick(sayings)]
        for _ in range(3 + dice.below(3)):
            verb, what = dice.pick(acts).split("/")
            s, t = dice.pick(who), dice.pick(times)
            said.append(dice.pick(patterns).format(
                s=s, S=s[0].upper() + s[1:], T=t[0].upper() + t[1:],
                v=verb, o=what, p=dice.pick(places),
            ))
        lines.append(" ".join(reversed(said)))  # the saying comes last
    title = lines[0].split(". ")[0]
    return Sheet([title, *lines[1:]], language=language)


# %% book/appendix-a4-the-villages-crawl.md#print_boilerplate
def print_boilerplate(press: Press, dice: Dice) -> Sheet:
    """A page whose only content is the machinery of its site."""
    title, *rest = dice.pick(BOILERPLATE)
    return Sheet([title, *dice.some(rest, 3 + dice.below(len(rest) - 2))])


def print_spam(press: Press, dice: Dice) -> Sheet:
    """One article for sale, in all the words that one may search for."""
    x = dice.pick(WARES)
    parts = [dice.pick(SPAM).format(x=x) for _ in range(60)]
    lines = [", ".join(parts[i : i + 12]) + "." for i in range(0, 60, 12)]
    return Sheet([f"{x} - buy {x} online - best {x}", *lines])


def print_list(press: Press, dice: Dice) -> Sheet:
    """Links, and nothing else."""
    links = dice.some(LINKS, 12) + [
        f"{dice.pick(WARES)} {dice.pick(READERS)}" for _ in range(24)
    ]
    return Sheet(["Links", *dice.some(links, len(links))])


def print_repeated(press: Press, dice: Dice) -> Sheet:
    """The beginning of a story, again and again."""
    text = press.story()
    line = " ".join(re.split(r"(?<=[.!?]) ", text)[: 1 + dice.below(2)])
    return Sheet([title_for(dice, text)] + [line] * (6 + dice.below(9)))


# %% book/appendix-a4-the-villages-crawl.md#print_contaminated
def print_contaminated(press: Press, dice: Dice) -> Sheet:
    """A good page with a text that a model will be examined on."""
    page, item = print_story(press, dice), dice.pick(press.evaluation)
    page.lines[-1] += f" {item}"
    page.contaminated, page.keep = [item], False
    return page


def print_innocent(press: Press, dice: Dice) -> Sheet:
    """Words that a list of bad words would trip over, and no offence."""
    title, *rest = dice.pick(INNOCENT)
    return Sheet([title, " ".join(dice.some(rest, 5)), press.story()], True)


def print_nasty(press: Press, dice: Dice) -> Sheet:
    """A story, and somebody who didn't like it."""
    words = dice.some(NASTY, 8)
    lines = [press.story(), " ".join(words[:4]), " ".join(words[4:])]
    return Sheet([title_for(dice, lines[0]), *lines], toxic=True)


# %% book/appendix-a4-the-villages-crawl.md#print_truncated
def print_truncated(press: Press, dice: Dice) -> Sheet:
    """A good page, of which the crawler took the beginning only."""
    page = print_story(press, dice)
    cut = len(page.lines[0]) + 100 + dice.below(300)
    return Sheet(page.text[:cut].split("\n"), cut=True)


def print_broken(press: Press, dice: Dice) -> Sheet:
    """A good page; its record will be spoiled."""
    return replace(print_story(press, dice), keep=False)


# %% book/appendix-a4-the-villages-crawl.md#print_error
def print_error(press: Press, dice: Dice) -> Sheet:
    """No page: an error, a redirection, or nothing at all."""
    status, *lines = dice.pick(ERRORS)
    page = Sheet(lines, status=status)
    if status == "200 OK":
        page.body = b""
    return page


def print_non_html(press: Press, dice: Dice) -> Sheet:
    """A picture, a document, a program."""
    kind, start = dice.pick(BINARIES)
    noise = bytes(dice.below(256) for _ in range(200 + dice.below(800)))
    return Sheet([], language="und", type=kind, body=start + noise)


# %% book/appendix-a4-the-villages-crawl.md#PRINTERS
PRINTERS: dict[str, Callable[[Press, Dice], Sheet]] = {
    printer.__name__.removeprefix("print_"): printer
    for printer in (
        print_story, print_essay, print_duplicate, print_near_duplicate,
        print_boilerplate, print_foreign, print_list, print_spam,
        print_error, print_gibberish, print_repeated, print_non_html,
        print_innocent, print_contaminated, print_nasty, print_truncated,
        print_broken,
    )
}
