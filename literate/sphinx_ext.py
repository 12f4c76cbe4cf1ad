"""What the book adds to Sphinx, for print and for the web.

The reader gives every chapter the outputs of its executed notebook and moves its
solutions to appendix G. Cells get the name of the file that they go into, a place that
`{py:func}` can link to, and a mark if their output varies by machine; tangled names
fill the index of identifiers. Chapters carry the numbers that their file names carry.
What only print needs is in `literate.sphinx_latex`.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import nbformat
import sphinxcontrib.bibtex.plugin
from docutils import nodes
from docutils.parsers.rst import directives
from nbformat import NotebookNode, v4
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.environment.collectors.toctree import TocTreeCollector
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinxcontrib.bibtex.style.referencing import BracketStyle
from sphinxcontrib.bibtex.style.referencing.author_year import AuthorYearReferenceStyle

from literate import sphinx_latex
from literate.book import Chapter, LiterateError, method_class, read_chapter, toc
from literate.latex_code import swap
from literate.repository import repository

LOG = logging.getLogger(__name__)
NUMBERED = re.compile(r"(?:.*/)?(?:(\d+)|appendix-([a-z]\d?))-[^/]*")
FENCE = re.compile(r" {0,3}(```+|~~~+)\{code-cell\}")
VARIES = "nbval-ignore-output"


def chapter_number(docname: str) -> int | str | None:
    """23 for `book/23-the-whole-road`, "A2" for `book/appendix-a2-...`, else None."""
    found = NUMBERED.fullmatch(docname)
    return (int(found[1]) if found[1] else found[2].upper()) if found else None


# --- reading ----------------------------------------------------------------------

Split = list[tuple[NotebookNode, int]]  # cells, each with the line before its first
_page: dict[str, Any] = {}  # what is being read: myst-nb's hook gets only the text


def remember_page(app: Sphinx, docname: str, source: list[str]) -> None:
    """Before a page is read, note which one it is."""
    _page.update(env=app.env, path=f"{docname}.md")


def warn(path: str, line: int, message: str) -> None:
    """A warning at a line of a page; the build treats it as an error."""
    LOG.warning("%s", message, location=f"{path}:{line}")


def read_page(text: str) -> NotebookNode:
    """Read a page as a notebook with its outputs (named in `nb_custom_formats`)."""
    chapter, body, _ = split_page(_page["path"], text)
    if "```{solutions}" in text:
        for path in toc():
            other, _, solutions = split_page(path, Path(path).read_text("utf-8"))
            if solutions:
                _page["env"].note_dependency(str(Path(path).absolute()))
                head = f"## {chapter_label(path)}: {other.title}"
                body += [(v4.new_markdown_cell(head), solutions[0][1]), *solutions]
    notebook = v4.new_notebook(cells=[cell for cell, _ in body])
    notebook.metadata = NotebookNode(chapter.metadata)
    notebook.metadata["source_map"] = [line for _, line in body]
    if any(cell.cell_type == "code" for cell in notebook.cells):
        notebook.metadata["language_info"] = {"name": "python"}
    return notebook


def split_page(path: str, text: str) -> tuple[Chapter, Split, Split]:
    """A page, as cells up to its `## Solutions` and from there on."""
    try:
        chapter = read_chapter(path, text)
    except LiterateError as error:
        warn(error.path, error.line, error.message)
        chapter = Chapter(path, "", text, {}, {}, ())
    lines = text.split("\n")
    at = lines.index("---", 1) + 1 if chapter.metadata else 0
    outputs = read_outputs(chapter) if chapter.cells else {}
    parts: tuple[Split, Split] = ([], [])
    late = False
    for cell in (*chapter.cells, None):
        if cell:
            fence = max(i for i in range(cell.line - 1) if FENCE.match(lines[i]))
        else:
            fence = len(lines)
        if "## Solutions" in lines[at:fence] and not late:
            cut = lines.index("## Solutions", at)
            parts[0].append((v4.new_markdown_cell("\n".join(lines[at:cut])), at))
            late, at = True, cut + 1
        parts[late].append((v4.new_markdown_cell("\n".join(lines[at:fence])), at))
        if cell:
            source = v4.new_code_cell(cell.source, id=cell.notebook_id)
            source.metadata = NotebookNode(cell.options)
            source.metadata["literate"] = {"id": cell.notebook_id, "page": path}
            source.outputs = outputs.get(cell.notebook_id, [])
            parts[late].append((source, cell.line - 1))
            at = cell.line + cell.source.count("\n") + 1
    return chapter, *parts


def read_outputs(chapter: Chapter) -> dict[str, list[NotebookNode]]:
    """The outputs of a chapter's cells, by id; a warning if it has changed since."""
    path = Path(chapter.notebook)
    _page["env"].note_dependency(str(path.absolute()))
    if not path.is_file():
        warn(chapter.path, 1, f"{path} is missing: run ./build.sh notebooks")
        return {}
    notebook = nbformat.read(path, as_version=4)
    executed = {cell.get("id"): cell for cell in notebook.cells}
    for cell in chapter.cells:
        if executed.get(cell.notebook_id, {}).get("source") != cell.source:
            message = "changed since it was executed: run ./build.sh notebooks"
            warn(chapter.path, cell.line, message)
            break
    return {name: cell.get("outputs", []) for name, cell in executed.items()}


def chapter_label(docname: str) -> str:
    """What a reference to a whole chapter says: `Chapter 2`, `Appendix F`."""
    number = chapter_number(docname.removesuffix(".md"))
    return f"{'Appendix' if isinstance(number, str) else 'Chapter'} {number}"


# --- cells ------------------------------------------------------------------------


class CellFile(nodes.General, nodes.Element):
    """The name of the file that a cell goes into, over the cell."""


class CellVaries(nodes.General, nodes.Element):
    """The mark of an output that another machine prints differently."""


@dataclass
class Place:
    """A cell: where it is, what it defines, what it may use."""

    docname: str
    anchor: str
    page: str
    file: str = ""
    defines: dict[str, str] = field(default_factory=dict)  # name: kind
    uses: set[str] = field(default_factory=set)


class Cells(SphinxTransform):
    """Label the cells, make their definitions targets, note what they use."""

    default_priority = 120

    def apply(self, **kwargs: Any) -> None:
        """Treat every cell of the page, in order."""
        names: dict[str, str] = {}  # what the chapter calls it: what it is
        modules: set[str] = set()
        for cell in list(self.document.findall(is_cell)):
            options = cell["cell_metadata"]
            mark = options.get("literate")
            sources = list(cell.findall(is_source))
            if not mark or not sources:
                if mark and VARIES in options.get("tags", ()):
                    self.mark_output(cell)
                continue
            source = sources[0].astext()
            place = Place(self.env.docname, f"cell-{mark['id']}", mark["page"])
            if self.env.docname not in mark["page"]:  # a solution, in appendix G
                place.anchor = f"cell-{mark['id']}-solution"
            tree = parse(source)
            modules |= set(imported(tree))
            target = str(options.get("tangle", ""))
            if target:
                place.file = target
                sources[0].insert(0, CellFile("", path=target, cell=place.anchor))
            if target.startswith("llm/"):
                module = target.removesuffix(".py").replace("/", ".")
                place.defines = dict(definitions(tree, module))
                names |= {n.removeprefix(f"{module}."): n for n in place.defines}
            names |= imports_from_llm(tree)
            place.uses = {
                n for n in used(tree, names, modules) if n not in place.defines
            }
            cell["ids"] = [*cell["ids"], place.anchor, *place.defines]
            for name, kind in place.defines.items():
                domain = self.env.get_domain("py")
                domain.note_object(name, kind, name, location=cell)  # type: ignore[attr-defined]
            places(self.env).append(place)
            if VARIES in options.get("tags", ()):
                self.mark_output(cell)

    def mark_output(self, cell: nodes.Element) -> None:
        """Say under a cell's output that it varies."""
        for output in cell.findall(is_output):
            output.append(CellVaries())


def is_cell(node: nodes.Node) -> bool:
    """Is it myst-nb's container of a code cell?"""
    return isinstance(node, nodes.container) and node.get("nb_element") == "cell_code"


def is_source(node: nodes.Node) -> bool:
    """Is it the part of a cell that holds the code?"""
    return isinstance(node, nodes.container) and "cell_input" in node["classes"]


def is_output(node: nodes.Node) -> bool:
    """Is it the part of a cell that holds what the code printed?"""
    return isinstance(node, nodes.container) and "cell_output" in node["classes"]


def parse(source: str) -> ast.Module:
    """The tree of a cell; one that is no Python has none."""
    try:
        return ast.parse(source)
    except SyntaxError:
        return ast.Module([], [])


def definitions(tree: ast.AST, module: str) -> Iterator[tuple[str, str]]:
    """Functions, classes, methods and constants, by full name, with their kind."""
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.FunctionDef(name) | ast.AsyncFunctionDef(name):
                owner = method_class(node)
                yield (
                    f"{module}.{owner + '.' if owner else ''}{name}",
                    ("method" if owner else "function"),
                )
            case ast.ClassDef(name, _, _, body):
                yield f"{module}.{name}", "class"
                for item in body:
                    if isinstance(item, ast.FunctionDef) and not item.name.startswith(
                        "__"
                    ):
                        yield f"{module}.{name}.{item.name}", "method"
            case ast.Assign([ast.Name(name)]) | ast.AnnAssign(ast.Name(name)):
                yield f"{module}.{name}", "data"


def imports_from_llm(tree: ast.AST) -> dict[str, str]:
    """`{"Bpe": "llm.tokenizer.Tokenizer"}` for an import of the book's own package."""
    return {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("llm")
        for alias in node.names
    }


def imported(tree: ast.AST) -> Iterator[str]:
    """The names of imported modules, whose attributes are not the book's methods."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((a.asname or a.name).split(".")[0] for a in node.names)


def used(tree: ast.AST, names: dict[str, str], modules: set[str]) -> Iterator[str]:
    """Full names that code mentions; `.name` for an attribute of what is unknown."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(name) if name in names:
                yield names[name]
            case ast.ImportFrom(module) if (module or "").startswith("llm"):
                yield from (f"{module}.{alias.name}" for alias in node.names)
            case ast.Attribute(ast.Name(owner), name) if owner in names:
                yield f"{names[owner]}.{name}"
            case ast.Attribute(value, name):
                root = value.id if isinstance(value, ast.Name) else ""
                if root not in modules and not any(
                    hasattr(kind, name) for kind in (str, bytes, list, dict, set, Path)
                ):
                    yield f".{name}"


# --- the index of identifiers -----------------------------------------------------


def places(env: BuildEnvironment) -> list[Place]:
    """All cells seen so far; kept with the environment."""
    if not hasattr(env, "literate_places"):
        env.literate_places = []  # type: ignore[attr-defined]
    return env.literate_places  # type: ignore[attr-defined]


def forget_page(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    """A page is read again: forget its cells."""
    places(env)[:] = [place for place in places(env) if place.docname != docname]


def merge_pages(
    app: Sphinx, env: BuildEnvironment, docnames: Iterable[str], other: BuildEnvironment
) -> None:
    """Take over the pages that another process has read."""
    places(env).extend(p for p in places(other) if p.docname in set(docnames))


@dataclass(frozen=True)
class Identifier:
    """An entry of the index: a name, the cell that defines it, those that use it."""

    name: str
    file: str
    definition: tuple[str, str]
    uses: tuple[tuple[str, str], ...]


def identifiers(env: BuildEnvironment) -> list[Identifier]:
    """The index of identifiers, in alphabetical order, uses in the book's order."""
    pages = env.toctree_includes.get(env.config.root_doc, [])
    cells = sorted(places(env), key=lambda place: pages.index(place.docname))
    found = []
    for place in cells:
        for name in place.defines:
            short = name.split(".", 2)[2]
            method = f".{short.split('.')[-1]}" if "." in short else None
            uses = [p for p in cells if name in p.uses or method in p.uses]
            found.append(
                Identifier(
                    short,
                    place.file,
                    (place.docname, name),
                    tuple((p.docname, p.anchor) for p in uses if p is not place),
                )
            )
    return sorted(found, key=lambda entry: (entry.name.lower(), entry.name))


class IdentifierIndex(nodes.General, nodes.Element):
    """Where the index of identifiers goes; filled when all pages are known."""


class IdentifiersDirective(SphinxDirective):
    """`{identifiers}`: the index of everything that the book defines."""

    def run(self) -> list[nodes.Node]:
        """Leave a mark."""
        return [IdentifierIndex()]


class FillIdentifiers(SphinxPostTransform):
    """The index on the web: links to sections (print has pages: sphinx_latex)."""

    default_priority = 15
    formats = ("html", "text")

    def run(self, **kwargs: Any) -> None:
        """Replace the mark by a definition list."""
        self.numbers: dict[str, dict[str, str]] = {}
        for mark in list(self.document.findall(IdentifierIndex)):
            rows = nodes.bullet_list(classes=["identifiers"])
            for entry in identifiers(self.env):
                text = nodes.paragraph("", "", nodes.literal("", entry.name))
                text += nodes.Text(" ")
                text += self.link(*entry.definition, "defined")
                seen = {self.section(*entry.definition)}
                for use in entry.uses:
                    if self.section(*use) not in seen:
                        seen.add(self.section(*use))
                        text += [nodes.Text(", "), self.link(*use, "used")]
                rows += nodes.list_item("", text)
            mark.replace_self(rows)

    def section(self, docname: str, target: str) -> str:
        """The number of the section that a cell stands in."""
        if docname not in self.numbers:
            self.numbers[docname] = self.sections(docname)
        return self.numbers[docname][target]

    def sections(self, docname: str) -> dict[str, str]:
        """For each cell of a page, the number of the innermost section around it."""
        found: dict[str, str] = {}
        numbers = self.env.toc_secnumbers.get(docname, {})
        for section in self.env.get_doctree(docname).findall(nodes.section):
            number = numbers.get(f"#{section['ids'][0]}") or numbers.get("") or ()
            for cell in section.findall(is_cell):
                found |= dict.fromkeys(cell["ids"], ".".join(map(str, number)))
        return found

    def link(self, docname: str, target: str, role: str) -> nodes.Node:
        """A link to a cell that shows its section."""
        uri = self.app.builder.get_relative_uri(self.env.docname, docname)
        text = self.section(docname, target)
        return nodes.reference(
            "", text, internal=True, refuri=f"{uri}#{target}", classes=[role]
        )


# --- the resource card, the solutions ---------------------------------------------


class ResourceCard(SphinxDirective):
    """`{resource-card}`: what the chapter needs, as its last execution measured it."""

    option_spec: ClassVar = {
        "gpu": directives.unchanged_required,
        "download": directives.unchanged_required,
    }

    def run(self) -> list[nodes.Node]:
        """Seconds and megabytes come from the notebook's metadata."""
        name = f"notebooks/{Path(self.env.docname).name}.ipynb"
        path = Path(self.env.srcdir, name)
        notebook = (
            nbformat.read(path, as_version=4) if path.is_file() else v4.new_notebook()
        )
        measured = notebook.metadata.get("literate", {})
        text = [self.options.get("gpu", ""), self.options.get("download", "")]
        if "seconds" in measured:
            text.insert(0, duration(measured["seconds"], measured["peak_mb"]))
        content, messages = self.parse_inline(" ".join(filter(None, text)))
        card = nodes.container(
            "", nodes.paragraph("", "", *content), classes=["resource-card"]
        )
        if measured:
            link = nodes.reference("", "Open in Colab", refuri=repository().colab(name))
            card += addnodes.only("", nodes.paragraph("", "", link), expr="html")
        return [card, *messages]


def duration(seconds: float, peak_mb: float) -> str:
    """`Runs in 14 s with 610 MB on two CPU cores.`"""
    time = f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} minutes"
    size = f"{peak_mb:.0f} MB" if peak_mb < 1000 else f"{peak_mb / 1000:.1f} GB"
    return f"Runs in {time} with {size} on two CPU cores."


class SolutionsHere(SphinxDirective):
    """`{solutions}`: the reader has put all solutions after it."""

    def run(self) -> list[nodes.Node]:
        """Nothing is left to do."""
        return []


# --- numbers and references -------------------------------------------------------


def number_pages(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Number chapters as their files are named, and all in them; say what changed."""
    old = getattr(env, "literate_numbers", {})
    env.toc_secnumbers = {}
    for docname, contents in env.tocs.items():
        number = chapter_number(docname)
        if number is not None:
            sections: dict[str, tuple[int | str, ...]] = {}
            number_sections(contents, (number,), sections, is_solutions(docname))
            env.toc_secnumbers[docname] = sections  # type: ignore[assignment]
            env.titles[docname]["secnumber"] = (number,)
    TocTreeCollector().assign_figure_numbers(env)
    new = {
        name: repr((env.toc_secnumbers.get(name), env.toc_fignumbers.get(name)))
        for name in env.found_docs
    }
    env.literate_numbers = new  # type: ignore[attr-defined]
    return [name for name in new if new[name] != old.get(name)]


def number_sections(
    contents: nodes.Element,
    number: tuple[int | str, ...],
    sections: dict[str, tuple[int | str, ...]],
    bare: bool,
) -> None:
    """Number the entries of a table of contents, `(2,)`, `(2, 1)`, `(2, 1, 1)`."""
    for place, item in enumerate(contents.children, start=1):
        assert isinstance(item, nodes.Element)
        reference = item.next_node(nodes.reference)
        if reference is None:
            continue
        here = number if len(number) == 1 and not sections else (*number, place)
        shown = None if bare and sections else here
        reference["secnumber"] = shown
        sections[reference["anchorname"]] = shown or ()
        for inner in item.children:
            if isinstance(inner, nodes.bullet_list):
                number_sections(inner, here, sections, bare)


def is_solutions(docname: str) -> bool:
    """Is it the page of solutions, whose sections are named for chapters?"""
    return docname.endswith("-solutions")


class WholeChapters(SphinxPostTransform):
    """A `{numref}` to a chapter's title says Chapter 2, not Section 2."""

    default_priority = 4

    def run(self, **kwargs: Any) -> None:
        """Give such references their text before they are resolved."""
        labels = self.env.get_domain("std").anonlabels  # type: ignore[attr-defined]
        for node in self.document.findall(addnodes.pending_xref):
            if node.get("reftype") == "numref" and not node.get("refexplicit"):
                docname, label = labels.get(node["reftarget"], ("", ""))
                if (
                    chapter_number(docname)
                    and label
                    and label in top_ids(self.env, docname)
                ):
                    node["reftype"], node["refexplicit"] = "ref", True
                    text = chapter_label(docname)
                    node.children = [nodes.inline("", text, classes=["std", "std-ref"])]


def top_ids(env: BuildEnvironment, docname: str) -> list[str]:
    """The ids of a page's title."""
    section = next(iter(env.get_doctree(docname).findall(nodes.section)), None)
    return section["ids"] if section else []


class Exercises(SphinxTransform):
    """Take the sections away that sphinx-exercise wraps around its text."""

    default_priority = 60

    def apply(self, **kwargs: Any) -> None:
        """Lift their children, and set the exercise's budget apart."""
        for section in list(self.document.findall(nodes.section)):
            if section["ids"] in (["exercise-content"], ["solution-content"]):
                swap(section, section.children)


class Bibliography(SphinxPostTransform):
    """A plain list: references name authors and years, so entries need no labels."""

    default_priority = 12

    def run(self, **kwargs: Any) -> None:
        """Turn citations into list items that keep their places."""
        for parent in {c.parent for c in self.document.findall(nodes.citation)}:
            rows = nodes.bullet_list(classes=["bibliography"])
            for citation in parent.findall(nodes.citation):
                text = [
                    child for child in citation if not isinstance(child, nodes.label)
                ]
                rows += nodes.list_item(
                    "", *text, ids=citation["ids"], docname=citation["docname"]
                )
            parent.replace_self(rows)


@dataclass
class RoundReferences(AuthorYearReferenceStyle):
    """(Knuth, 1984), in parentheses instead of brackets."""

    bracket_parenthetical: BracketStyle = field(
        default_factory=lambda: BracketStyle("(", ")")
    )
    bracket_textual: BracketStyle = field(
        default_factory=lambda: BracketStyle("(", ")")
    )


sphinxcontrib.bibtex.plugin.register_plugin(
    "sphinxcontrib.bibtex.style.referencing", "author_year_round", RoundReferences
)


# --- on the web -------------------------------------------------------------------


def visit_file_html(self: Any, node: CellFile) -> None:
    """A tab with the file's name, which leads to the whole file (literate.html)."""
    path = node["path"]
    url = self.builder.get_relative_uri(self.builder.current_docname, f"code/{path}")
    url += f"#{node['cell'].removesuffix('-solution')}"
    self.body.append(f'<div class="cell-file"><a href="{url}">{path}</a></div>')
    raise nodes.SkipNode


def visit_varies_html(self: Any, node: CellVaries) -> None:
    """A small mark."""
    self.body.append('<p class="varies">varies by machine</p>')
    raise nodes.SkipNode


def skip(self: Any, node: nodes.Element) -> None:
    """Formats that have no use for a node."""
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    """Sphinx's entry point."""
    app.connect("env-get-updated", number_pages, priority=900)
    app.connect("source-read", remember_page, priority=100)
    app.connect("env-purge-doc", forget_page)
    app.connect("env-merge-info", merge_pages)
    for directive, cls in {
        "identifiers": IdentifiersDirective,
        "resource-card": ResourceCard,
        "solutions": SolutionsHere,
    }.items():
        app.add_directive(directive, cls)
    for transform in (Cells, Exercises):
        app.add_transform(transform)
    for post in (Bibliography, FillIdentifiers, WholeChapters):
        app.add_post_transform(post)
    app.add_node(
        CellFile, html=(visit_file_html, None), latex=(skip, None), text=(skip, None)
    )
    app.add_node(
        CellVaries,
        html=(visit_varies_html, None),
        latex=(skip, None),
        text=(skip, None),
    )
    app.add_node(
        IdentifierIndex, html=(skip, None), latex=(skip, None), text=(skip, None)
    )
    sphinx_latex.setup(app)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
