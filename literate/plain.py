"""MyST into plain Markdown, for readers that know no MyST: Colab, GitHub, Jupyter.

The parser is Sphinx's own (myst-parser on markdown-it-py). What has a plain form is
replaced where it stands, and all other text stays byte for byte. Numbers are counted
as Sphinx counts them, so that "Figure 2.3" is the same figure on paper and in Colab.
"""

import posixpath
import re
import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, NoReturn

import yaml
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_inline import StateInline, image, link
from markdown_it.token import Token
from mdit_py_plugins.footnote.index import footnote_ref
from mdit_py_plugins.myst_role.index import myst_role
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.mdit import create_md_parser
from pybtex.database import BibliographyData

from literate.book import Chapter, LiterateError, load_yaml, read
from literate.repository import Repository, repository
from literate.works import Works

EXTENSIONS = {"amsmath", "attrs_block", "colon_fence", "deflist", "dollarmath"}
TITLED = re.compile(r"(.*?)\s*<([^<>]*)>", re.DOTALL)
ADMONITIONS = {"note", "tip", "hint", "important", "warning", "caution", "seealso"}
TEXT_FIRST = {*ADMONITIONS, "margin", "epigraph"}
KINDS = {
    "figure": "Figure %s",
    "table": "Table %s",
    "code-block": "Listing %s",
    "equation": "(%s)",
    "section": "Section %s",
    "chapter": "Chapter %s",
    "appendix": "Appendix %s",
    "exercise": "Exercise %s",
}
TITLES = ("section", "chapter", "appendix")
Edit = tuple[int, int, str]


def _spanned(rule: Callable[[StateInline, bool], bool]) -> Callable[..., bool]:
    """The same inline rule, which also notes where in the source its token stands."""

    def apply(state: StateInline, silent: bool) -> bool:
        start, count = state.pos, len(state.tokens)
        if not rule(state, silent):
            return False
        if not silent:
            token = next(t for t in state.tokens[count:] if t.type != "text")
            token.meta["span"] = (start, state.pos)
        return True

    return apply


def _parser() -> MarkdownIt:
    config = MdParserConfig(enable_extensions=EXTENSIONS)
    parser = create_md_parser(config, RendererHTML)
    parser.core.ruler.disable("attr")  # which takes attribute lines out of the stream
    parser.inline.ruler.at("myst_role", _spanned(myst_role))
    parser.inline.ruler.at("footnote_ref", _spanned(footnote_ref))
    parser.inline.ruler.at("image", _spanned(image))
    parser.inline.ruler.at("link", _spanned(link))
    return parser


PARSER = _parser()


@dataclass(frozen=True)
class Target:
    """What a label points to."""

    page: str
    line: int
    kind: str
    number: str
    title: str


@dataclass
class Labels:
    """What the pages of the book say about each other."""

    site: Repository
    works: Works
    formats: Mapping[str, str]
    targets: dict[str, Target] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)
    notebooks: set[str] = field(default_factory=set)


def survey(book: Iterable[Chapter]) -> Labels:
    """Collect the labels of the whole book; each may be given once."""
    config = yaml.safe_load(read("_config.yml")) or {}
    sphinx = config.get("sphinx", {}).get("config", {})
    equation = sphinx.get("math_eqref_format", "({number})").replace("{number}", "%s")
    files = config.get("bibtex_bibfiles")
    labels = Labels(
        repository(),
        Works.read(files[0]) if files else Works(BibliographyData()),
        {**KINDS, "equation": equation, **sphinx.get("numfig_format", {})},
    )
    for chapter in book:
        page = Page(chapter.path, chapter.text, labels, counting=True)
        for label, target in page.targets.items():
            first = labels.targets.setdefault(label, target)
            if first is not target:
                message = f"label {label!r} is taken at {first.page}:{first.line}"
                raise LiterateError(page.path, target.line, message)
        labels.titles[chapter.path] = page.title
        if chapter.cells:
            labels.notebooks.add(chapter.path)
    return labels


def options(path: str, line: int, content: str) -> tuple[dict[str, Any], str, int]:
    """What a directive holds from a line on: its options, its text, and its line."""
    lines = content.split("\n")
    if lines[0].strip() == "---":
        end = next((i for i in range(1, len(lines)) if lines[i].strip() == "---"), 0)
        found, count = load_yaml(path, line + 1, "\n".join(lines[1:end]))[0], end + 1
    else:
        pairs = [re.match(r"\s*:([\w-]+):\s*(.*)", row) for row in lines]
        count = [*map(bool, pairs), False].index(False)
        found = {pair[1]: pair[2] for pair in pairs[:count] if pair}
    while count < len(lines) and not lines[count].strip():
        count += 1
    return found, "\n".join(lines[count:]).rstrip("\n"), line + count


def number_of(path: str) -> str:
    """The number of a chapter, or A or A2 of an appendix, from its file name."""
    found = re.match(r"0*(\d+)-|appendix-([a-z]\d?)-", posixpath.basename(path))
    return (found[1] or found[2].upper()) if found else ""


def duration(seconds: float, peak_mb: float) -> str:
    """`Runs in 14 s with 610 MB on two CPU cores.`"""
    time = f"{seconds:g} s" if seconds < 90 else f"{seconds / 60:.0f} minutes"
    size = f"{peak_mb:g} MB" if peak_mb < 1000 else f"{peak_mb / 1000:.1f} GB"
    return f"Runs in {time} with {size} on two CPU cores."


def leftovers(markdown: str) -> list[str]:
    """The roles and directives that are still in a text: none, in a notebook."""
    found: list[str] = []
    for token in PARSER.parse(markdown):
        if token.type in ("colon_fence", "myst_target", "myst_line_comment"):
            found.append(token.info or token.content)
        elif token.type == "fence" and token.info.startswith("{"):
            found.append(token.info)
        found += re.findall(r"[`:~]{3}\{.*", token.content if token.children else "")
        for child in token.children or ():
            if child.type == "myst_role":
                found.append(f"{{{child.meta['name']}}}`{child.content}`")
    return found


def quote(text: str) -> str:
    """A block quote."""
    return "\n".join(f"> {row}".rstrip() for row in text.strip().split("\n"))


class Page:
    """A page in plain Markdown: `pieces` are what stands between its code cells.

    While `counting`, labels may be unknown, since they are about to be collected.
    """

    def __init__(
        self,
        path: str,
        text: str,
        labels: Labels,
        measured: Mapping[str, float] | None = None,
        counting: bool = False,
    ) -> None:
        self.path, self.labels, self.measured = path, labels, measured or {}
        self.counting = counting
        self.number, self.title = number_of(path), ""
        self.targets: dict[str, Target] = {}
        self._cited: set[str] = set()
        self._counts: Counter[str] = Counter()
        self._sections: list[int] = []
        self._notes: dict[str, int] = {}
        self._waiting: list[str] = []
        self._env: dict[str, Any] = {}
        # A NUL, which no page may contain, marks the place of a code cell.
        pieces = self._plain(text, 1).split("\0")
        self.pieces = [piece.strip("\n") for piece in pieces]
        for reference in self._env.get("references", {}).values():
            line = reference["map"][0] + 1
            self._fail(line, "put the address into the link: other cells don't see it")

    @property
    def heading(self) -> str:
        """The title as it is printed over the page: `Chapter 2: Tokenization`."""
        form = self._format(self._kind, self.number)
        return f"{form}: {self.title}" if self.number else self.title

    @property
    def _kind(self) -> str:
        return "chapter" if self.number.isdigit() else "appendix"

    def _fail(self, line: int, message: str) -> NoReturn:
        raise LiterateError(self.path, line, message)

    # --- blocks

    def _plain(self, text: str, first: int) -> str:
        """Convert Markdown that begins at line `first` of the page."""
        lines = text.split("\n")
        starts = list(accumulate((len(row) + 1 for row in lines), initial=0))
        cursors = [0] * len(lines)
        edits: list[Edit] = []
        done = 0
        for token in PARSER.parse(text, self._env):
            if not token.map or token.map[0] < done:
                continue
            low, high = token.map
            if token.type == "inline":
                edits += self._inline(token, lines, starts, cursors, first + low)
                continue
            edits += self._marks(token, lines, starts)
            new = self._block(token, lines[low], first + low)
            if token.type not in ("myst_target", "attrs_block", "myst_line_comment"):
                self._name("place", "", "", first + low)
            if new is None:
                continue
            done = high
            margin, end = _margin(token, lines[low]), starts[high] - 1
            new = new.replace("\n", "\n" + re.sub(r"[^>\s]", " ", margin))
            above = lines[low - 1].strip(" >") if low else ""
            if new and above and not margin.strip():
                new = "\n" + new
            if new and high < len(lines) and lines[high].strip(" >"):
                new += "\n"
            if not (new or above or margin):
                end += 1
            edits.append((starts[low] + len(margin), end, new))
        for start, end, new in sorted(edits, reverse=True):
            text = text[:start] + new + text[end:]
        return text

    def _marks(
        self, token: Token, lines: list[str], starts: list[int]
    ) -> Iterator[Edit]:
        """What begins a block, where the block itself stays."""
        at = token.map[0] if token.map else 0
        while token.type == "dd_open" and lines[at].lstrip()[:1] not in (":", "~"):
            at += 1  # the plugin may begin a definition at its term
        end = starts[at] + len(lines[at].rstrip())
        start = starts[at] + len(lines[at]) - len(lines[at].lstrip())
        if token.type == "dt_open":  # a definition list becomes a list, terms in bold
            yield start, start, "- **"
            yield end, end, "**:"
        elif token.type == "dd_open":
            yield start, start + 1, " "
        elif token.type == "footnote_reference_open":
            label = token.meta["label"]
            yield start, start + len(f"[^{label}]:"), f"- {self._note(label)}"

    def _block(self, token: Token, row: str, line: int) -> str | None:
        """What replaces a block, or None where it may stay."""
        match token.type:
            case "fence" | "colon_fence":
                named = re.fullmatch(r"\{([\w:-]+)\}\s*(.*)", token.info.strip())
                if named:
                    return self._directive(named[1], named[2], token.content, line)
                if token.type == "colon_fence":
                    self._fail(line, "a colon fence needs a {directive}")
            case "math_block_label":
                return self._equation(token.content, token.info, line)
            case "amsmath":
                self._fail(line, r"write $$ around it, and aligned instead of align")
            case "myst_target":
                self._waiting.append(token.content)
                return ""
            case "attrs_block":
                self._waiting += [str(token.attrs["id"])] if "id" in token.attrs else []
                return ""
            case "myst_line_comment" | "myst_block_break" | "front_matter":
                return ""
            case "heading_open":
                return self._heading(int(token.tag[1]), row.strip("# "), line)
        return None

    def _heading(self, level: int, words: str, line: int) -> str | None:
        if level == 1:
            self._name(self._kind, self.number, words, line)
            self.title = self._plain(words, line)
            return ""
        self._sections = [*self._sections, 0, 0, 0, 0][: level - 1]
        self._sections[-1] += 1
        number = ".".join([self.number, *map(str, self._sections)])
        self._name("section", number if self.number else "", words, line)
        return None

    def _equation(self, content: str, label: str, line: int) -> str:
        number = self._count("equation", "", line, label)
        body = textwrap.dedent(content).strip()
        return f"$$\n{body}\n\\tag{{{number}}}\n$$"

    # --- numbers and labels

    def _count(self, kind: str, title: str, line: int, label: str = "") -> str:
        """The number of the next figure, table, ...; its labels will point to it."""
        self._counts[kind] += 1
        number = str(self._counts[kind])
        if self.number:
            number = f"{self.number}.{number}"
        self._name(kind, number, title, line, label)
        return number

    def _name(
        self, kind: str, number: str, title: str, line: int, label: str = ""
    ) -> None:
        """Let the label, and those that stood above, point here."""
        for name in [*self._waiting, label] if label else self._waiting:
            if name.lower() in self.targets:
                self._fail(line, f"label {name!r} is taken in this page")
            target = Target(self.path, line, kind, number, title)
            self.targets[name.lower()] = target
        self._waiting = []

    def _format(self, kind: str, number: str) -> str:
        form = self.labels.formats.get(kind, kind.capitalize() + " %s")
        return form.replace("%s", number)

    def _find(self, label: str, line: int) -> Target:
        found = self.labels.targets.get(label.lower())
        if not found and not self.counting:
            self._fail(line, f"nothing in the book has the label {label!r}")
        return found or Target(self.path, line, "figure", "", label)

    def _linked(self, text: str, page: str) -> str:
        """A text as a link, if it leads to another page."""
        return text if page == self.path else f"[{text}]({self._address(page)})"

    def _address(self, page: str) -> str:
        if page in self.labels.notebooks:
            return posixpath.basename(page).removesuffix(".md") + ".ipynb"
        return self.labels.site.file(page)

    def _path(self, address: str) -> str:
        """A file as the page names it, from the root of the repository."""
        return posixpath.normpath(
            address.lstrip("/")
            if address.startswith("/")
            else posixpath.join(posixpath.dirname(self.path), address)
        )

    # --- inside a paragraph

    def _inline(
        self,
        token: Token,
        lines: list[str],
        starts: list[int],
        cursors: list[int],
        line: int,
    ) -> Iterator[Edit]:
        """The replacements in a paragraph, a heading or a cell of a table.

        The parser has stripped margins from the rows of `token.content`: find each in
        its line, after the one before (`cursors`), as a table has several in a line.
        """
        content, begins = token.content, []
        elements = [child for child in token.children or () if "span" in child.meta]
        low = token.map[0] if token.map else 0
        for at, row in enumerate(content.split("\n"), low):
            column = lines[at].find(row, cursors[at])
            if column < 0 and elements:
                self._fail(line, r"write \| where no role, link or image is beside it")
            cursors[at] = max(cursors[at], column + len(row))
            begins.append(starts[at] + column)

        def place(position: int) -> int:
            row = content.count("\n", 0, position)
            return begins[row] + position - (content.rfind("\n", 0, position) + 1)

        for child in elements:
            start, end = child.meta["span"]
            at = line + content.count("\n", 0, start)
            for first, last, new in self._element(child, content[start:end], at):
                yield place(start + first), place(start + last - 1) + 1, new

    def _element(self, token: Token, source: str, line: int) -> Iterator[Edit]:
        """The replacements in the source of a role, link, image or footnote mark."""
        end = len(source)
        match token.type:
            case "myst_role":
                yield 0, end, self._role(token.meta["name"], token.content, line)
            case "footnote_ref":
                yield 0, end, self._note(token.meta["label"])
            case "image":
                yield 0, end, self._image(str(token.attrs["src"]), token.content)
            case "link_open":
                href = str(token.attrs["href"])
                if re.match(r"[\w+.-]+:|//", href) or "](" not in source:
                    return
                path, _, label = href.partition("#")
                text = source.rindex("](")
                page = self._path(path) if path else self._find(label, line).page
                if text == 1:
                    yield 0, end, self._reference(label, "", line)
                elif page == self.path:
                    yield 0, 1, ""
                    yield text, end, ""
                else:
                    yield text + 2, end - 1, self._address(page)

    def _role(self, name: str, content: str, line: int) -> str:
        titled = TITLED.fullmatch(content)
        text, target = (titled[1], titled[2]) if titled else ("", content)
        match name:
            case "ref" | "numref" | "prf:ref":
                return self._reference(target, text, line, name)
            case "eq":
                return self._reference(target, "", line, "numref")
            case "doc":
                page = self._path(target.removesuffix(".md")) + ".md"
                if page not in self.labels.titles and not self.counting:
                    self._fail(line, f"_toc.yml lists no page {target!r}")
                title = self.labels.titles.get(page, target)
                return self._linked(text or title, page)
            case "cite" | "cite:p" | "cite:t":
                keys = [key.strip() for key in content.split(",")]
                return self._citation(keys, name == "cite:t", line)
            case "term" | "index":
                return text or content.removeprefix("!")
            case "download":
                file = self._path(target)
                return f"[{text or file}]({self.labels.site.raw(file)})"
            case "abbr" | "guilabel":
                return content
            case "kbd" | "sub" | "sup":
                return f"<{name}>{content}</{name}>"
            case "math":
                return f"${content}$"
            case "code" | "command" | "file" | "envvar" | "program" | "samp":
                return f"`{content}`"
        if not name.startswith("py:"):
            self._fail(line, f"the role {{{name}}} has no plain form")
        shown = text or target.lstrip("!.")
        if shown.startswith("~"):
            shown = shown.rpartition(".")[2]
        return f"`{shown}()`" if name in ("py:func", "py:meth") else f"`{shown}`"

    def _reference(self, label: str, text: str, line: int, role: str = "ref") -> str:
        found = self._find(label, line)
        if role == "numref" and found.number and ("%s" in text or "{number}" in text):
            text = re.sub(r"%s|\{number\}", found.number, text)
        elif not text and role == "ref" and found.kind in TITLES:
            text = self._plain(found.title, line)
        elif not text:
            numbered = self._format(found.kind, found.number)
            text = numbered if found.number else self._plain(found.title, line)
        if not text and not self.counting:
            self._fail(line, f"{label!r} has no title: write {{ref}}`text <{label}>`")
        return self._linked(text, found.page)

    def _note(self, label: str) -> str:
        return f"<sup>{self._notes.setdefault(label, len(self._notes) + 1)}</sup>"

    def _image(self, source: str, alt: str) -> str:
        """An image by its absolute address: Colab sees no file of the repository."""
        if not re.match(r"[\w+.-]+:", source):
            source = self.labels.site.raw(self._path(source))
        return f"![{alt}]({source})"

    def _citation(self, keys: list[str], textual: bool, line: int) -> str:
        for key in keys:
            if key not in self.labels.works:
                self._fail(line, f"the bibliography has no {key!r}")
        self._cited.update(keys)
        works = [self.labels.works.cite(key) for key in keys]
        if textual:
            return ", ".join(f"{who} ({year})" for who, year in works)
        return "(" + "; ".join(f"{who}, {year}" for who, year in works) + ")"

    def references(self) -> str:
        """The works that the page cites, as a section, or nothing."""
        rows = self.labels.works.listed(sorted(self._cited))
        return "\n- ".join(["## References\n", *rows]) if rows else ""

    # --- directives

    def _directive(self, name: str, argument: str, content: str, line: int) -> str:
        """What replaces a directive that begins at a line."""
        if name in TEXT_FIRST and argument:
            argument, content, line = "", f"{argument}\n{content}", line - 1
        settings, body, below = options(self.path, line + 1, content)
        label = settings.get("name") or settings.get("label") or ""
        if name in ADMONITIONS:
            return quote(f"**{name.capitalize()}.** {self._plain(body, below)}")
        if name.startswith("prf:"):
            return self._box(name.removeprefix("prf:"), argument, body, below, label)
        match name:
            case "code-cell":
                figure = settings.get("mystnb", {}).get("figure", {})
                caption, label = figure.get("caption", "").strip(), figure.get("name")
                return "\0" + self._caption("figure", caption, line, label)
            case "figure" | "image":
                picture = self._image(argument, settings.get("alt", ""))
                caption = self._caption("figure", body, below, label)
                return f"{picture}\n\n{caption}".strip()
            case "table" | "list-table":
                caption = self._caption("table", argument, line, label)
                if name == "list-table":
                    body = _table(body, int(settings.get("header-rows", 0)))
                return f"{caption}\n\n{self._plain(body, below)}".strip()
            case "code-block" | "code":
                title = settings.get("caption", "")
                caption = self._caption("code-block", title, line, label)
                fence = max(["``", *re.findall("`{3,}", body)], key=len) + "`"
                return f"{caption}\n\n{fence}{argument}\n{body}\n{fence}".strip()
            case "math":
                return self._equation(body, label, line)
            case "glossary":
                terms = re.sub(r"^(?=[^\s:]).*", r"- **\g<0>**:", body, flags=re.M)
                return self._plain(re.sub("^:", " ", terms, flags=re.M), below)
            case "admonition" | "topic" | "sidebar":
                return quote(f"**{argument}**\n\n{self._plain(body, below)}")
            case "margin" | "epigraph":
                return quote(self._plain(body, below))
            case "dropdown":
                head = f"<details><summary>{argument}</summary>"
                return f"{head}\n\n{self._plain(body, below)}\n\n</details>"
            case "exercise" | "exercise-start":
                number = self._count("exercise", argument, line, label)
                title = f": {argument}" if argument else ""
                head = f"#### {self._format('exercise', number)}{title}"
                return f"{head}\n\n{self._plain(body, below)}".strip()
            case "solution" | "solution-start":
                to = self._find(argument, line)
                head = f"#### Solution to {self._format(to.kind, to.number)}"
                self._name("place", "", "", line, label)
                return f"{head}\n\n{self._plain(body, below)}".strip()
            case "resource-card":
                said = [settings.get("gpu", ""), settings.get("download", "")]
                if "seconds" in self.measured:
                    took = self.measured["seconds"], self.measured["peak_mb"]
                    said.insert(0, duration(*took))
                text = self._plain(" ".join(filter(None, said)), line)
                return quote(f"**What this chapter needs.** {text}")
            case "index" | "bibliography" | "exercise-end" | "solution-end":
                return ""
        if self.counting:  # a page without a notebook may have what others may not
            return ""
        self._fail(line, f"the directive {{{name}}} has no plain form")

    def _caption(self, kind: str, text: str, line: int, label: str) -> str:
        """`**Figure 2.3.** text`, or nothing without a text, as then no number."""
        if not text:
            return ""
        number = self._count(kind, text, line, label)
        return f"**{self._format(kind, number)}.** {self._plain(text, line)}"

    def _box(self, kind: str, title: str, body: str, line: int, label: str) -> str:
        """A definition, an algorithm, a theorem."""
        numbered = self._format(kind, self._count(kind, title, line, label))
        title = f" ({self._plain(title, line)})" if title else ""
        return quote(f"**{numbered}**{title}\n\n{self._plain(body, line)}")


def _table(body: str, headers: int) -> str:
    """The table that a nested list of rows and cells describes."""
    rows: list[list[str]] = []
    for token in PARSER.parse(body):
        if token.type == "list_item_open" and token.level == 1:
            rows.append([])
        elif token.type == "list_item_open" and token.level == 3:
            rows[-1].append("")
        elif token.type == "inline":
            text = token.content.replace("\n", " ").replace("|", r"\|")
            rows[-1][-1] = f"{rows[-1][-1]} {text}".strip()
    if not headers:
        rows.insert(0, [""] * len(rows[0]))
    rows.insert(1, ["---"] * len(rows[0]))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _margin(token: Token, row: str) -> str:
    """What stands before a block in its first row: `> `, or the mark of a list."""
    if token.markup and token.type != "heading_open":
        return row[: row.index(token.markup)]
    return row[: len(row) - len(row.lstrip("> "))]
