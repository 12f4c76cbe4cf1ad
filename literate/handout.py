"""A handout: one chapter by itself, as a PDF or as one HTML file, through nbconvert.

It is made of the executed notebook and needs no network: pictures are inside, formulas
are LaTeX in the PDF and MathML in the HTML. Solutions stay out unless they are asked
for, since a handout is for a class.
"""

import argparse
import base64
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import nbformat
import yaml
from nbformat import NotebookNode

from literate.book import LiterateError, chapter_number, read
from literate.repository import Repository

TEMPLATES = Path("book/_templates")
STYLE = Path("book/_latex/literate.sty")
MARKDOWN = "gfm-alerts+smart+tex_math_dollars"
BREAK = "<!-- cell -->"
LINE = 84  # characters of a table that fit
TAG = re.compile(r"\s*\\tag\{(.*?)\}\s*")


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "handout", help="make a PDF or an HTML file of one chapter", description=__doc__
    )
    parser.add_argument("chapter", metavar="NN", help="a chapter's number, as 02")
    parser.add_argument("--format", choices=("pdf", "html"), default="pdf")
    parser.add_argument("--solutions", action="store_true", help="keep the solutions")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Make the handout and say where it is."""
    path = find(args.chapter)
    target = args.output or Path("_build/handout", f"{path.stem}.{args.format}")
    made = make(path, args.format, args.solutions)
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".{target.name}.tmp")
    unfinished.write_bytes(made)
    os.replace(unfinished, target)
    print(target)
    return 0


def find(chapter: str) -> Path:
    """The notebook of a chapter, by its number, its name or its path."""
    notebooks = sorted(Path("notebooks").glob("*.ipynb"))
    numbers = [chapter_number(str(path)) for path in notebooks]
    for path, number in zip(notebooks, numbers, strict=True):
        if chapter in (number, number.lstrip("0"), path.stem, path.as_posix()):
            return path
    known = f"there are: {', '.join(numbers)}" if numbers else "there are none"
    message = f"no chapter {chapter!r} among the executed notebooks ({known})"
    raise LiterateError("notebooks", 1, message)


def make(path: Path, form: str, solutions: bool = False) -> bytes:
    """The bytes of a handout; `form` is pdf or html."""
    from nbconvert import HTMLExporter, PDFExporter
    from nbconvert.exporters.pdf import LatexFailed
    from traitlets.config import Config

    notebook = nbformat.reads(read(path), as_version=4)
    site = Repository(**notebook.metadata["literate"]["repository"])
    prose = Prose("html" if form == "html" else "latex", site)
    title = prepare(notebook, prose, solutions)
    config = Config()
    config.TemplateExporter.extra_template_basedirs = [str(TEMPLATES.resolve())]
    config.TemplateExporter.template_name = f"handout-{prose.to}"
    config.TagRemovePreprocessor.enabled = True
    config.TagRemovePreprocessor.remove_cell_tags = {"remove-cell"}
    config.TagRemovePreprocessor.remove_input_tags = {"remove-input"}
    config.TagRemovePreprocessor.remove_all_outputs_tags = {"remove-output"}
    config.SVG2PDFPreprocessor.enabled = False  # there is a PDF of every picture
    config.PDFExporter.latex_command = ["xelatex", "-halt-on-error", "{filename}"]
    config.PDFExporter.latex_count = 2
    resources: dict[str, Any] = {"handout": imprint(title, site)}
    if prose.to == "latex":
        resources |= {"outputs": prose.files | style(), "latex": colours()}
    exporter = HTMLExporter if form == "html" else PDFExporter
    try:
        made, _ = exporter(config=config).from_notebook_node(notebook, resources)
    except LatexFailed as error:
        found = re.findall(r"^! .*", str(error), re.MULTILINE) or ["no reason given"]
        raise LiterateError(path, 1, f"LaTeX stopped: {found[-1][2:]}", 1) from None
    except OSError as error:
        message = f"{error.strerror or str(error).split('.')[0]}; or try --format html"
        raise LiterateError(path, 1, message, 1) from None
    return made.encode() if isinstance(made, str) else made


def imprint(title: str, site: Repository) -> dict[str, str]:
    """What a handout says about itself and the book."""
    config = yaml.safe_load(read("_config.yml"))
    rights = f"© {config['copyright']} {config['author']}."
    return {
        "title": title,
        "book": config["title"],
        "author": config["author"],
        "address": site.url,
        "licence": f"{rights} Text and figures: CC BY-SA 4.0. Code: MIT.",
    }


def style() -> dict[str, bytes]:
    """The book's LaTeX style and its fonts."""
    from literate.sphinx_latex import fonts

    paths = [STYLE, *map(Path, fonts())]
    return {path.name: path.read_bytes() for path in paths}


def colours() -> dict[str, str]:
    """The book's colours for code, in LaTeX."""
    from pygments.formatters import LatexFormatter

    from literate.latex_code import BookStyle

    definitions = LatexFormatter(style=BookStyle).get_style_defs()
    return {"pygments_definitions": definitions}


# --- the notebook -----------------------------------------------------------------


def prepare(notebook: NotebookNode, prose: "Prose", solutions: bool) -> str:
    """Convert the Markdown of a notebook, in place, and return the title."""
    first, *cells = (cell for cell in notebook.cells if cell.get("id") != "set-up")
    notebook.cells = cells if solutions else list(without_solutions(cells))
    places = [(c, "source") for c in notebook.cells if c.cell_type == "markdown"]
    for cell in notebook.cells:
        for data in (out.data for out in cell.get("outputs", []) if "data" in out):
            if prose.to == "html" and "image/svg+xml" in data:
                data["text/html"] = picture(data["image/svg+xml"].encode())
            if "text/markdown" in data:
                places.append((data, "text/markdown"))
    texts = prose.convert([place[key] for place, key in places])
    for (place, key), text in zip(places, texts, strict=True):
        place[key] = text
    return first.source.split("\n")[0].lstrip("# ")


def without_solutions(cells: list[NotebookNode]) -> Iterator[NotebookNode]:
    """The cells up to the heading `## Solutions`, and those from the next one on."""
    inside = False
    for cell in cells:
        if cell.cell_type == "markdown":
            kept = ""
            for part in re.split(r"^(?=## )", cell.source, flags=re.MULTILINE):
                if part.startswith("## "):
                    inside = part.startswith("## Solutions")
                kept += "" if inside else part
            cell.source = kept
        if cell.source and (cell.cell_type == "markdown" or not inside):
            yield cell


def picture(svg: bytes) -> str:
    """An image that carries its bytes; the caption below it says what it shows."""
    return f'<img alt="" src="{data_address(svg)}">'


def data_address(svg: bytes) -> str:
    """A picture as an address."""
    return f"data:image/svg+xml;base64,{base64.b64encode(svg).decode()}"


@dataclass
class Prose:
    """Markdown on its way to html or latex; `files` are the pictures of the latter."""

    to: str
    site: Repository
    files: dict[str, bytes] = field(default_factory=dict)

    def convert(self, texts: list[str]) -> list[str]:
        """Convert the texts; pandoc runs for all of them at once."""
        import pypandoc

        options = {"html": ["--mathml"], "latex": ["--shift-heading-level-by=-1"]}
        source = f"\n\n{BREAK}\n\n".join(texts)
        tree = json.loads(pypandoc.convert_text(source, "json", format=MARKDOWN))
        adapted = json.dumps(self.adapt(tree))
        made = pypandoc.convert_text(
            adapted, self.to, format="json", extra_args=options[self.to]
        )
        return [text.strip() for text in made.split(BREAK)]

    def adapt(self, node: Any) -> Any:
        """Pandoc's tree with pictures at hand, full links, and numbered formulas."""
        match node:
            case {"t": "RawBlock", "c": ["html", text]} if text.strip() == BREAK:
                return {"t": "RawBlock", "c": [self.to, BREAK]}
            case {"t": "CodeBlock", "c": [_, text]}:  # without pandoc's own colours
                return {"t": "CodeBlock", "c": [["", [], []], text]}
            case {"t": "Image" | "Link" as kind, "c": [attributes, text, target]}:
                target[0] = self.address(kind, target[0])
                return {"t": kind, "c": [attributes, self.adapt(text), target]}
            case {"t": "Math", "c": [_, tex]} if self.to == "html" and TAG.search(tex):
                return numbered(node)
            case {"t": "Table", "c": [_, _, columns, head, bodies, _]}:
                balance(columns, head, bodies)
        if isinstance(node, dict):
            return {key: self.adapt(part) for key, part in node.items()}
        return [self.adapt(part) for part in node] if isinstance(node, list) else node

    def address(self, kind: str, address: str) -> str:
        """Where a link leads from a handout, or where a picture lies."""
        path = Path(unquote(address.removeprefix(self.site.raw(""))))
        if kind == "Link" and re.fullmatch(r"[\w-]+\.ipynb", address):
            return self.site.file(f"notebooks/{address}")
        if kind == "Link" or not path.is_file():
            return address
        if self.to == "html":
            return data_address(path.read_bytes())
        import cairosvg

        self.files[f"{path.stem}.pdf"] = cairosvg.svg2pdf(url=str(path))
        return f"{path.stem}.pdf"


def numbered(formula: dict[str, Any]) -> dict[str, Any]:
    """A formula next to its number, which MathML doesn't know."""
    kind, tex = formula["c"]
    label = {"t": "Str", "c": f"({TAG.findall(tex)[0]})"}
    number = {"t": "Span", "c": [["", ["number"], []], [label]]}
    plain = {"t": "Math", "c": [kind, TAG.sub("", tex)]}
    return {"t": "Span", "c": [["", ["equation"], []], [plain, number]]}


def balance(columns: list[list[Any]], head: Any, bodies: Any) -> None:
    """Share the line among the columns of a table that is too wide for it."""
    rows = [row[1] for part in (head[1], *(body[3] for body in bodies)) for row in part]
    needs = [max(length(row[i]) for row in rows) for i in range(len(columns))]
    if sum(needs) > LINE:
        wanted = [min(need, LINE // 2) for need in needs]
        for column, share in zip(columns, wanted, strict=True):
            column[1] = {"t": "ColWidth", "c": share / sum(wanted)}


def length(node: Any) -> int:
    """About how many characters a part of pandoc's tree prints."""
    match node:
        case {"t": "Str", "c": text} | {"t": "Code" | "Math", "c": [_, text]}:
            return len(text)
        case {"t": "Space" | "SoftBreak"}:
            return 1
        case dict():
            return sum(map(length, node.values()))
        case list():
            return sum(map(length, node))
    return 0
