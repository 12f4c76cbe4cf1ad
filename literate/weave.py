"""Weave: a chapter becomes a notebook that opens anywhere, in plain Markdown.

The same chapter gives the same bytes. Outputs are not made here (see `execute`); those
of cells whose code has not changed are kept, so that editing prose executes nothing.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode, v4

from literate.book import Cell, Chapter, LiterateError, read, read_book, write
from literate.plain import Labels, Page, survey
from literate.repository import Repository, packages

SET_UP = """\
# @title Set-up: installs the book's package where it is missing
from importlib.metadata import PackageNotFoundError, version

try:
    {versions}
except PackageNotFoundError:
    if "google.colab" in str(get_ipython()):
        %pip install -q "{requirement}"
    else:
        print('Install the package: pip install "{requirement}"')
"""
METHOD_OF = '''

def method_of(cls):
    """Make the decorated function a method of a class that was written above."""

    def attach(function):
        function.__qualname__ = f"{cls.__name__}.{function.__name__}"
        setattr(cls, function.__name__, function)
        return function

    return attach
'''
SET_UP_ID = "set-up"
FOLDED = {"cellView": "form", "jupyter": {"source_hidden": True}}
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def weave(
    chapter: Chapter, labels: Labels, previous: NotebookNode | None = None
) -> NotebookNode:
    """The chapter's notebook, with the outputs that the previous has for its code."""
    old = {cell.id: cell for cell in previous.cells} if previous else {}
    state = dict(previous.metadata.get("literate", {})) if previous else {}
    page = Page(chapter.path, chapter.text, labels, state)
    cells = [
        v4.new_markdown_cell(_opening(page, chapter.notebook), id="title"),
        _set_up(chapter, labels.site),
    ]
    texts = [*page.pieces, page.references()]
    for number, text in enumerate(texts):
        if text:
            cells.append(v4.new_markdown_cell(text, id=f"text-{number}"))
        if number < len(chapter.cells):
            cells.append(_code(chapter.cells[number]))
    for cell in cells:
        before = old.get(cell.id)
        if cell.cell_type != "code":
            continue
        if before and (cell.source == before.source or cell.id == SET_UP_ID):
            cell.outputs, cell.execution_count = before.outputs, before.execution_count
        else:
            state.pop("key", None)  # some output is missing: the notebook is stale
    state.update(source=chapter.path, repository=asdict(labels.site))
    metadata = {
        "kernelspec": KERNEL,
        "language_info": {"name": "python"},
        "literate": state,
    }
    return v4.new_notebook(cells=cells, metadata=metadata)


def _opening(page: Page, notebook: str) -> str:
    """The title, and a way to run it for those who have nothing installed."""
    site = page.labels.site
    source = f"[source]({site.file(page.path)})"
    links = f"[Open in Colab]({site.colab(notebook)}) · {source}"
    return f"# {page.heading}\n\n{links}"


def _set_up(chapter: Chapter, site: Repository) -> NotebookNode:
    extras = chapter.metadata.get("extras", [])
    try:
        names = ["literate-llm", *packages(extras)]
    except KeyError as error:
        message = f"pyproject.toml has no extra {error}"
        line = chapter.metadata_lines["extras"]
        raise LiterateError(chapter.path, line, message) from None
    versions = [f'version("{name}")' for name in names]
    source = SET_UP.replace("{versions}", "\n    ".join(versions))
    source = source.replace("{requirement}", site.requirement(extras))
    if any(cell.method_of for cell in chapter.cells):
        source += METHOD_OF
    return v4.new_code_cell(source.rstrip("\n"), id=SET_UP_ID, metadata=FOLDED)


def _code(cell: Cell) -> NotebookNode:
    """A code cell that knows its line in the chapter."""
    place = {"source": f"{cell.chapter}:{cell.line}"}
    if cell.tangle:
        place["tangle"] = cell.tangle
    metadata: dict[str, Any] = {"literate": place}
    if cell.tags:
        metadata["tags"] = list(cell.tags)
    if {"remove-input", "remove-cell"} & set(cell.tags):
        metadata |= FOLDED
    return v4.new_code_cell(cell.source, id=cell.notebook_id, metadata=metadata)


def load(chapter: Chapter) -> NotebookNode | None:
    """The chapter's notebook as it is on disk, if there is one that can be read."""
    if not Path(chapter.notebook).is_file():
        return None
    try:
        return nbformat.reads(read(chapter.notebook), as_version=4)
    except Exception:  # whatever is there, it is no notebook: make a new one
        return None


def save(chapter: Chapter, notebook: NotebookNode) -> bool:
    """Write the chapter's notebook, all or nothing; has it changed?"""
    return write(chapter.notebook, nbformat.writes(notebook) + "\n")


def findings(book: Sequence[Chapter]) -> Iterator[LiterateError]:
    """The notebooks that say, outputs aside, something else than their chapters.

    In a fork the address may be another one: that alone is no difference.
    """
    labels = survey(book)
    for chapter in select(book, ()):
        if not (found := load(chapter)):
            message = f"{chapter.notebook} is missing: run `./build.sh notebooks`"
            yield LiterateError(chapter.path, 1, message, 1)
            continue
        site = found.metadata.get("literate", {}).get("repository")
        used = replace(labels, site=Repository(**site)) if site else labels
        wanted = weave(chapter, used, found)
        place = f"{chapter.path}:1"
        for new, old in zip_longest(wanted.cells, found.cells):
            if new != old:
                break
            place = new.metadata.get("literate", {}).get("source", place)
        if wanted != found:
            message = f"{chapter.notebook} differs below: run `./build.sh notebooks`"
            yield LiterateError(chapter.path, int(place.split(":")[1]), message, 1)


def select(book: Sequence[Chapter], names: Sequence[str]) -> list[Chapter]:
    """The chapters with code, all or those that are named."""
    chapters = [chapter for chapter in book if chapter.cells]
    if not names:
        return chapters
    known = {key: chapter for chapter in chapters for key in _names(chapter)}
    for name in names:
        if name not in known:
            raise LiterateError("_toc.yml", 1, f"no chapter with code is {name!r}")
    return [chapter for chapter in chapters if chapter in map(known.get, names)]


def _names(chapter: Chapter) -> list[str]:
    """What one may call a chapter: by number or letter, name or path."""
    names = [chapter.number, chapter.name, chapter.path, chapter.notebook]
    if chapter.appendix:
        letter = chapter.name.split("-")[1]
        names += [letter, letter.upper()]
    return names


def run(args: argparse.Namespace) -> int:
    """Weave the chapters."""
    book = read_book()
    labels = survey(book)
    for chapter in select(book, args.chapters):
        if save(chapter, weave(chapter, labels, load(chapter))):
            print(f"{chapter.notebook} written")
    return 0


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "weave",
        help="write the notebooks without executing them",
        description="Write notebooks/ from book/: plain Markdown and the chapter's "
        "code. Outputs of code that has not changed are kept.",
    )
    parser.add_argument("chapters", nargs="*", metavar="NN", help="as 02; default: all")
    parser.set_defaults(run=run)
