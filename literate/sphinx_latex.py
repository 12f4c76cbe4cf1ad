"""The book in print: what Sphinx's LaTeX writer is given instead of its own ideas.

Parts, chapter numbers, code, tables, exercises, solutions, notes and the index of
identifiers become commands of book/_latex/literate.sty.
"""

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from string import Template
from typing import Any

import cairosvg
import font_source_sans_pro
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

from literate.latex_code import docname_of, escape, label, listing, raw, swap
from literate.latex_tables import simple, tabulate
from literate.repository import repository

SHORT = 16  # letters: a name with fewer is rather not broken


class Print(SphinxPostTransform):
    """Rewrite the assembled tree of the book, just before it is written."""

    default_priority = 300
    formats = ("latex",)

    def run(self, **kwargs: Any) -> None:
        """All steps, from the smallest thing to the largest."""
        for index in list(self.document.findall(_named("IdentifierIndex"))):
            swap(index, raw(self.identifiers()))
        for cell in list(self.document.findall(_cell)):
            self.cell(cell)
        for block in list(self.document.findall(nodes.literal_block)):
            self.block(block)
        for exercise in list(self.document.findall(_exercise)):
            self.exercise(exercise)
        for note in list(self.document.findall(nodes.Admonition)):
            self.admonition(note)
        for table in list(self.document.findall(nodes.table)):
            if simple(table):
                swap(table, tabulate(table))
        for card in list(self.document.findall(nodes.container)):
            if "resource-card" in card["classes"]:
                card.insert(0, raw(r"\begin{bookcard}"))
                card.append(raw(r"\end{bookcard}"))
        for rows in list(self.document.findall(nodes.bullet_list)):
            if "bibliography" in rows["classes"]:
                self.bibliography(rows)
        self.notes()
        for literal in list(self.document.findall(nodes.literal)):
            self.inline(literal)
        self.parts()

    def cell(self, cell: nodes.Element) -> None:
        """A code cell: its labels, its file's name, its code, its output."""
        docname = docname_of(cell)
        labels = "".join(rf"\label{{{label(docname, i)}}}" for i in cell["ids"])
        children: list[nodes.Node] = []
        for part in cell.children:
            assert isinstance(part, nodes.Element)
            if "cell_input" in part["classes"]:
                file = next(iter(part.findall(_named("CellFile"))), None)
                path = escape(file["path"]).replace(r"\ ", " ") if file else ""
                block = next(iter(part.findall(nodes.literal_block)))
                text = listing(block, "bookinput", path)
                # the labels belong on the page that the first line is on
                head, brace, rest = text.partition("}%\n")
                mark = rf"\phantomsection{labels}\nobreak" if labels else ""
                if part is not cell.children[-1]:
                    short = cell.children[-1].astext().count("\n") < 6
                    penalty = 10000 if short else 300
                    rest = rest.replace(
                        r"\end{", rf"\bookwithoutput{{{penalty}}}\end{{"
                    )
                children.append(raw(f"{head}{brace}{mark}{rest}"))
            else:
                varies = next(iter(part.findall(_named("CellVaries"))), None)
                for node in part.children:
                    if isinstance(node, nodes.literal_block):
                        mark = "varies by machine" if varies else ""
                        children.append(raw(listing(node, "bookoutput", mark)))
                        varies = None
                    elif node is varies:
                        captions = list(part.findall(nodes.caption))
                        if captions:  # the picture floats, and takes the mark along
                            captions[-1] += nodes.Text(" Varies by machine.")
                        else:
                            children.append(raw(r"\bookvaries "))
                    else:
                        children.append(node)
        swap(cell, children)

    def block(self, block: nodes.literal_block) -> None:
        """A fence in the text; those in tables and notes stay as Sphinx has them."""
        parent = block.parent
        while parent:
            if isinstance(parent, nodes.table | nodes.footnote) or (
                "literal-block-wrapper" in parent.get("classes", ())
            ):
                return
            parent = parent.parent
        swap(block, raw(listing(block, "bookinput")))

    def exercise(self, node: nodes.Element) -> None:
        """An exercise or a solution: a headed passage between two hairlines."""
        title = next(iter(node.findall(nodes.title)))
        registry = self.env.sphinx_exercise_registry  # type: ignore[attr-defined]
        solution = type(node).__name__ == "solution_node"
        source = registry[node["target_label"]]["node"] if solution else node
        name, docname = source["label"], source["docname"]
        numbers = self.env.toc_fignumbers.get(docname, {}).get("exercise", {})
        number = ".".join(map(str, numbers.get(name, ())))
        subtitle = self.subtitle(title, number)
        node.remove(title)
        mine = label(docname_of(node), node["label"])
        here = rf"\phantomsection\label{{exercise:{node['label']}}}\label{{{mine}}}"
        here += r"\nobreak "
        need_room(node)
        head: list[nodes.Node]
        if solution:
            begin = rf"\begin{{booksolution}}{{{number}}}{{"
            head = [raw(begin), *subtitle, raw(f"}}{{exercise:{name}}}{here}")]
            end = raw(r"\end{booksolution}")
        else:
            back = [
                entry["node"]["label"]
                for entry in registry.values()
                if entry["node"].get("target_label") == name
            ]
            where = f"exercise:{back[0]}" if back else ""
            head = [raw(rf"\begin{{bookexercise}}{{{number}}}{{"), *subtitle]
            head.append(raw(f"}}{{{escape_text(budget(node))}}}{{{where}}}{here}"))
            last = not _exercise(next_sibling(node))
            end = raw((r"\bookexerciseend" if last else "") + r"\end{bookexercise}")
            if last:
                hold(node)
        swap(node, [nodes.inline("", "", *head), *node.children, end])

    def subtitle(self, title: nodes.Element, number: str) -> list[nodes.Node]:
        """What the author called the exercise, without `Exercise 1.2 (` and `)`."""
        children = list(title.children)
        while len(children) == 1 or isinstance(children[-1], nodes.reference):
            if not isinstance(children[-1], nodes.Element):
                return []
            children = list(children[-1].children)
        texts = [child.astext() for child in children]
        if " (" not in texts:
            return []
        return children[texts.index(" (") + 1 : -1]

    def admonition(self, node: nodes.Element) -> None:
        """A note: a headed passage, as quiet as an exercise."""
        title = next((c for c in node.children if isinstance(c, nodes.title)), None)
        head = (
            title.children if title else [nodes.Text(type(node).__name__.capitalize())]
        )
        hold(node)
        body = [child for child in node.children if child is not title]
        begin, end = r"\begin{bookadmonition}{", r"\end{bookadmonition}"
        swap(node, [raw(begin), *head, raw("}"), *body, raw(end)])

    def notes(self) -> None:
        """Margin notes and footnotes are footnotes, numbered together."""
        footnotes = {
            (docname_of(note), i): note
            for note in self.document.findall(nodes.footnote)
            for i in note["ids"]
        }
        for reference in list(self.document.findall(nodes.footnote_reference)):
            note = footnotes.get((docname_of(reference), reference["refid"]))
            if note:
                swap(reference, footnote(note))
        for note in footnotes.values():
            before = note.previous_sibling()
            if isinstance(before, nodes.transition):
                before.parent.remove(before)
            note.parent.remove(note)
        for side in list(self.document.findall(nodes.sidebar)):
            around = [side.previous_sibling(), next_sibling(side)]
            text = next((n for n in around if isinstance(n, nodes.paragraph)), None)
            if text:
                text += footnote(side)
                side.parent.remove(side)
            else:
                swap(
                    side,
                    [
                        raw(r"\begin{bookaside}"),
                        *side.children,
                        raw(r"\end{bookaside}"),
                    ],
                )

    def inline(self, node: nodes.literal) -> None:
        """Code in a sentence may break after a dot, a slash or an underscore."""
        parent = node.parent
        while parent and not isinstance(parent, nodes.title | nodes.caption):
            parent = parent.parent
        if parent:
            return
        text = re.sub(r"\S+", breakable, escape(node.astext()))
        swap(node, raw(rf"\sphinxcode{{{text}}}"))

    def bibliography(self, rows: nodes.bullet_list) -> None:
        """The works cited, one hanging paragraph each."""
        children: list[nodes.Node] = [raw(r"\begin{bookbibliography}")]
        for row in rows.children:
            assert isinstance(row, nodes.list_item)
            marks = "".join(
                rf"\label{{{label(row['docname'], i)}}}" for i in row["ids"]
            )
            children += [raw(rf"\item[]\phantomsection{marks}"), *row.children]
        swap(rows, [*children, raw(r"\end{bookbibliography}")])

    def identifiers(self) -> str:
        """The index of identifiers: page of the definition, pages of the uses."""
        from literate.sphinx_ext import identifiers

        lines, letter = [r"\begin{bookids}"], ""
        for entry in identifiers(self.env):
            first = entry.name.lstrip("_")[0].upper()
            if first != letter:
                letter = first
                lines.append(rf"\bookidgroup{{{letter}}}")
            name = re.sub(r"(\\_|\.)(?=\w)", r"\1\\allowbreak{}", escape(entry.name))
            uses = ",".join(label(*use) for use in entry.uses)
            lines.append(rf"\bookid{{{name}}}{{{label(*entry.definition)}}}{{{uses}}}")
        return "\n".join([*lines, r"\end{bookids}", ""])

    def parts(self) -> None:
        """Front matter, parts, chapter numbers, appendices, back matter."""
        from literate.sphinx_ext import chapter_number

        root = self.app.config.root_doc
        captions = [
            tree.get("caption") or ""
            for tree in self.env.get_doctree(root).findall(addnodes.toctree)
        ]
        wrappers = [
            node
            for node in self.document.findall(nodes.compound)
            if "toctree-wrapper" in node["classes"]
        ]
        if docname_of(self.document) != root or not wrappers:
            return
        for file in list(self.document.findall(addnodes.start_of_file)):
            number = chapter_number(file["docname"])
            if isinstance(number, int):
                file.insert(0, raw(rf"\booknumber{{{number - 1}}}"))
            elif number:
                unique = 10 * ord(number[0]) + int(number[1:] or 1)
                file.insert(0, raw(rf"\bookletter{{{unique}}}{{{number}}}"))
            if file["docname"].endswith("-solutions"):
                file.insert(0, raw(r"\bookunnumbered "))
                file.append(raw(r"\booknumbered "))
        top = next(iter(self.document.findall(nodes.section)))
        for wrapper in wrappers:
            wrapper.parent.remove(wrapper)
        # the first title is taken for the document's own and dropped
        whole = nodes.section("", nodes.title("", self.config.project), top)
        self.document.children = []
        self.document += whole
        began = False
        for caption, wrapper in zip(captions, wrappers, strict=True):
            found = re.fullmatch(r"(?:([IVXL]+)\. )?(.*)", caption)
            number, title = (found[1] or "", found[2]) if found else ("", caption)
            numbered = any(chapter_number(f["docname"]) for f in wrapper)
            if numbered and not began:
                whole += raw(r"\bookmain ")
                began = True
            if numbered:
                letters = any(
                    isinstance(chapter_number(f["docname"]), str) for f in wrapper
                )
                whole += raw(r"\bookappendix " if letters else "")
                whole += raw(rf"\bookpart{{{number}}}{{{escape_text(title)}}}")
            elif began:
                whole += raw(r"\bookback ")
            whole += wrapper


def next_sibling(node: nodes.Node) -> nodes.Node | None:
    """The node after a node, targets and index entries apart."""
    rest = node.parent.children[node.parent.index(node) + 1 :]
    unseen = nodes.target | addnodes.index | nodes.comment
    return next((n for n in rest if not isinstance(n, unseen)), None)


def breakable(found: re.Match[str]) -> str:
    """A word of code in which a line may end: in a short one only if it must."""
    word = found[0]
    penalty = 100 if len(word.replace("\\", "")) >= SHORT else 1000
    inside = r"(?<=[^\W_)\]\"'])(\\_|[./=,(\[])(?=\w{2})"
    return re.sub(inside, rf"\1\\penalty{penalty}{{}}", word)


def need_room(node: nodes.Element) -> None:
    """The head of a section waits for the head and the first lines below it."""
    section = node.parent
    before = section.children[: section.index(node)]
    unseen = nodes.title | nodes.target | addnodes.index | nodes.comment
    first = all(isinstance(child, unseen) for child in before)
    if first and isinstance(section, nodes.section):
        around = section.parent
        around.insert(around.index(section), raw(r"\bookneed{10\baselineskip}"))


def hold(node: nodes.Element) -> None:
    """The listing that ends a passage stays with the hairline below it."""
    blocks = list(node.findall(nodes.raw))
    text = blocks[-1].astext() if blocks else ""
    code = re.search(r"\\end\{book(input|output)\}\s*$", text)
    if code and node.astext().endswith(text):
        swap(blocks[-1], raw(text.replace(r"\end{", r"\bookhold\end{")))


def escape_text(text: str) -> str:
    """Prose for TeX."""
    return escape(text).replace(r"\ ", " ")


def budget(exercise: nodes.Element) -> str:
    """Take `**Five minutes.**` from the start of an exercise's text."""
    paragraph = next(iter(exercise.findall(nodes.paragraph)), None)
    children = [child for child in paragraph or () if child.astext()]
    if paragraph is None or not children or not isinstance(children[0], nodes.strong):
        return ""
    words = children.pop(0).astext().rstrip(".")
    if children and isinstance(children[0], nodes.Text):
        children[0] = nodes.Text(children[0].lstrip())
    paragraph.children = []
    paragraph += children
    return words


def footnote(note: nodes.Element) -> list[nodes.Node]:
    """The text of a note, inline, as a footnote."""
    out: list[nodes.Node] = [raw(r"\footnote{")]
    for child in note.children:
        if isinstance(child, nodes.label | nodes.title):
            continue
        if len(out) > 1:
            out.append(raw(r"\par "))
        out += child.children if isinstance(child, nodes.paragraph) else [child]
    return [*out, raw("}")]


def _cell(node: nodes.Node) -> bool:
    return isinstance(node, nodes.container) and node.get("nb_element") == "cell_code"


def _exercise(node: nodes.Node | None) -> bool:
    kinds = ("exercise_node", "exercise_enumerable_node", "solution_node")
    return type(node).__name__ in kinds


def _named(name: str) -> Any:
    return lambda node: type(node).__name__ == name


# --- files ------------------------------------------------------------------------


def fonts() -> Iterator[str]:
    """The files of the sans serif, which comes with a Python package."""
    for weight in ("Regular", "It", "Semibold", "SemiboldIt", "Light", "LightIt"):
        name = f"SourceSansPro-{weight}.otf"
        yield str(Path(font_source_sans_pro.font_directory, name))


def built_on() -> time.struct_time:
    """The date on the copyright page: the commit's, so that two builds are equal."""
    return time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH", time.time())))


def prepare(app: Sphinx, config: Any) -> None:
    """Give LaTeX its fonts, its style and what the title pages say."""
    style = Path(app.srcdir, "book/_latex/literate.sty")
    config.latex_additional_files = [str(style), *fonts()]
    date = built_on()
    day = f"{date.tm_mday} {time.strftime('%B %Y', date)}"
    url = repository().url
    words = {"version": config.release, "date": day, "year": date.tm_year}
    text = Template(config.literate_copyright).substitute(words, url=url)
    elements = config.latex_elements
    elements["preamble"] = "\n".join(
        [
            elements.get("preamble", ""),
            rf"\newcommand\booksubtitle{{{config.literate_subtitle}}}",
            rf"\newcommand\bookcopyright{{{text}}}",
        ]
    )


def set_up_tex(app: Sphinx) -> None:
    """The cover, which is an SVG, as PDF; and how the Makefile shall call XeLaTeX."""
    if app.builder.format != "latex":
        return
    os.environ.setdefault("LATEXMKOPTS", "-xelatex -silent")  # one PDF, at the end
    strict = "-interaction=nonstopmode -halt-on-error -file-line-error"
    os.environ.setdefault("LATEXOPTS", strict)
    cover = Path(app.srcdir, "book/figures/cover.svg")
    if cover.is_file():
        Path(app.outdir).mkdir(parents=True, exist_ok=True)
        cairosvg.svg2pdf(url=str(cover), write_to=str(Path(app.outdir, "cover.pdf")))


def setup(app: Sphinx) -> None:
    """Register what print needs."""
    app.add_config_value("literate_subtitle", "", "env")
    app.add_config_value("literate_copyright", "", "env")
    app.add_post_transform(Print)
    app.connect("config-inited", prepare, priority=950)
    app.connect("builder-inited", set_up_tex)
