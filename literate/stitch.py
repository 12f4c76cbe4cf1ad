"""Stitch: carry an edit made in `llm/` back into its chapter; and say where a line is.

Cell by cell, three versions are compared: what the book says, what the tangled file
says, and what both came from, which is in git's HEAD (or was tangled or stitched since
then). An edit on one side is kept; an edit on both is a conflict, and refused. The new
chapters are made in memory and tangled, and written only if that gives the tangled
files back, byte for byte. So nothing is lost: all of it is carried over, or nothing is
written.
"""

import argparse
import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from itertools import zip_longest
from pathlib import Path

from literate.book import (
    Cell,
    Chapter,
    LiterateError,
    read,
    read_book,
    read_chapter,
    write,
)
from literate.imports import top_imports
from literate.tangle import (
    MARKER,
    TANGLED,
    Line,
    Module,
    body_span,
    build,
    committed,
    made_files,
)


@dataclass
class Block:
    """A cell in a tangled file: its marker, and the lines below it."""

    key: str  # book/05-attention.md#attention
    line: int  # the marker's line in the file, from 1
    indent: str = ""
    rows: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The rows, without the blank ones around them."""
        return "\n".join(self.rows).strip("\n")


@dataclass
class File:
    """A tangled file in its three versions."""

    module: Module
    text: str  # what is on disk
    have: list[Block]  # the same in blocks
    bases: list[dict[str, Block]]  # what it was
    book_changed: bool = False

    def unchanged(self, block: Block | None) -> bool:
        """Is a block what it was, so that a difference comes from the other side?"""
        return block is not None and any(
            block.key in base and block.text == base[block.key].text
            for base in self.bases
        )


@dataclass(frozen=True)
class Edit:
    """A cell that was edited in a tangled file."""

    cell: Cell
    target: str
    block: Block


def refuse(path: str, line: int, message: str) -> LiterateError:
    """An edit that the book cannot take over."""
    return LiterateError(path, line, f"{message}; nothing was written", status=1)


def blocks(text: str) -> list[Block]:
    """Split a tangled file at its markers; the first block is the header."""
    result = [Block("", 0)]
    for number, row in enumerate(text.split("\n"), 1):
        if found := MARKER.fullmatch(row):
            key = f"{found['chapter']}#{found['id']}"
            result.append(Block(key, number, found["indent"]))
        else:
            result[-1].rows.append(row)
    return result


# --- find the edits ---------------------------------------------------------------


def stitch(book: Sequence[Chapter]) -> list[str]:
    """Carry all edits into the chapters; say which chapters changed."""
    modules = build(book)
    files = {target: _file(module) for target, module in modules.items()}
    cells = {f"{c.chapter}#{c.id}": c for chapter in book for c in chapter.cells}
    edits = [edit for file in files.values() for edit in _edits(file, cells)]
    for path, made in made_files():
        if made and path not in modules and read(path) not in _bases(path):
            raise refuse(path, 1, "edited here, and no longer made by the book")
    rows = {chapter.path: _overlay(chapter, edits) for chapter in book}
    texts = {path: "".join(line.text for line in lines) for path, lines in rows.items()}
    try:
        again = build([read_chapter(path, text) for path, text in texts.items()])
    except LiterateError as error:
        origin = rows[error.path][error.line - 1] if error.path in rows else error
        raise refuse(origin.path, origin.line, error.message) from None
    for target, file in files.items():
        _check_law(file, again[target].text, {e.block.key for e in edits}, book)
    changed = [path for path, text in texts.items() if write(path, text)]
    for target, file in files.items():
        write(TANGLED / target, file.text)
    return [f"stitched {path}" for path in changed]


def _bases(target: str) -> list[str]:
    """What book and package had in common: committed, or else tangled since then."""
    kept = TANGLED / target
    return [text for text in (committed(target), kept.is_file() and read(kept)) if text]


def _file(module: Module) -> File:
    """Read the versions of a file; a missing one is for tangle to make."""
    path = Path(module.target)
    text = read(path) if path.is_file() else module.text
    try:
        ast.parse(text)
    except SyntaxError as error:
        message = f"SyntaxError: {error.msg}"
        raise refuse(module.target, error.lineno or 1, message) from None
    bases = [] if text == module.text else _bases(module.target)
    return File(
        module, text, blocks(text), [{b.key: b for b in blocks(t)} for t in bases]
    )


def _edits(file: File, cells: Mapping[str, Cell]) -> Iterator[Edit]:
    target, now = file.module.target, {b.key: b for b in blocks(file.module.text)}
    seen: dict[str, Block] = {}
    for block in file.have:
        if block.key in seen:
            raise refuse(target, block.line, f"the marker {block.key} is here twice")
        seen[block.key] = block
        mine = now.get(block.key)
        if mine is not None and mine.text == block.text:
            continue
        if file.unchanged(block):
            file.book_changed = True
        elif mine is None:
            message = f"the book has no cell {block.key} in {target}"
            raise refuse(target, block.line, message)
        elif not block.key:
            continue  # the header: the law decides, with the edits in place
        elif file.unchanged(mine):
            yield Edit(cells[block.key], target, block)
        else:
            cell = cells[block.key]
            message = f"changed here and at {cell.chapter}:{cell.line}: make them equal"
            raise refuse(target, block.line, f"conflict: {message}")
    _check_order(file, list(seen), list(now), cells)


def _check_order(
    file: File, have: list[str], now: list[str], cells: Mapping[str, Cell]
) -> None:
    """Cells are added, removed and moved in the book, not here."""
    for key in now:
        if key not in have:
            if any(key in base for base in file.bases):
                cell = cells[key]
                place = f"{cell.chapter}:{cell.line}"
                message = f"the cell {key} is gone: remove it in the book, at {place}"
                raise refuse(file.module.target, 1, message)
            file.book_changed = True
    if [k for k in have if k in now] != [k for k in now if k in have]:
        if not any([k for k in base if k in have] == have for base in file.bases):
            raise refuse(file.module.target, 1, "cells change their order in the book")
        file.book_changed = True


# --- put them into the chapters ---------------------------------------------------


def _overlay(chapter: Chapter, edits: Sequence[Edit]) -> list[Line]:
    """A chapter's lines with the edits, each with its line end and where it's from."""
    rows = re.findall(r".*?(?:\r\n?|\n)|.+$", chapter.text)
    lines = [Line(row, chapter.path, number) for number, row in enumerate(rows, 1)]
    mine = [edit for edit in edits if edit.cell.chapter == chapter.path]
    for edit in sorted(mine, key=lambda edit: edit.cell.line, reverse=True):
        start, stop = (edit.cell.line - 1 + at for at in body_span(edit.cell))
        end = lines[start].text[len(lines[start].text.rstrip("\r\n")) :]
        new = [line._replace(text=line.text + end) for line in _new_body(edit)]
        lines[start:stop] = new
    return lines


def _new_body(edit: Edit) -> list[Line]:
    """The lines that replace the body of a cell."""
    first = edit.block.line + 1
    lines = [Line(r, edit.target, first + i) for i, r in enumerate(edit.block.rows)]
    while lines and not lines[-1].text:
        lines.pop()
    while lines and not lines[0].text:
        lines.pop(0)
    if edit.cell.method_of is None:
        return lines
    for number, line in enumerate(lines):
        if line.text and not line.text.startswith("    "):
            message = "below the methods of a class, only methods of it"
            raise refuse(edit.target, line.line, message)
        lines[number] = line._replace(text=line.text[4:])
    return _decorated(lines, f"@method_of({edit.cell.method_of})")


def _decorated(lines: list[Line], decorator: str) -> list[Line]:
    """Give each method its decorator again, and two blank lines before it."""
    try:
        tree = ast.parse("\n".join(line.text for line in lines))
    except SyntaxError as error:
        raise refuse(*lines[0][1:], f"SyntaxError: {error.msg}") from None
    result: list[Line] = []
    done = 0
    for node in tree.body:
        top = min(
            [node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))]
        )
        for line in lines[done : top - 1]:
            result += [line] if line.text else [line, line]
        result.append(lines[top - 1]._replace(text=decorator))
        done = node.end_lineno or top
        result += lines[top - 1 : done]
    return result + lines[done:]


# --- the law: tangling gives the edited files back --------------------------------


def _check_law(
    file: File, again: str, edited: set[str], book: Sequence[Chapter]
) -> None:
    """Refuse unless nothing that was edited is lost when the new chapters are tangled.

    A file that only the package changed has to come back as it is. Where the book has
    changes of its own, the blocks that were edited have to.
    """
    if file.text == again:
        return
    pairs = [(file.text, again, 1)]
    if file.book_changed:
        new = {block.key: block for block in blocks(again)}
        pairs = [
            (block.text, new[block.key].text, block.line + 1)
            for block in file.have
            if block.key in edited or not (block.key or file.unchanged(block))
        ]
    for one, other, line in pairs:
        if one != other:
            both = list(zip_longest(one.split("\n"), other.split("\n")))
            at = next(i for i, (row, wanted) in enumerate(both) if row != wanted)
            message = _reason(file, line + at, both[at], book)
            raise refuse(file.module.target, line + at, message)


def _reason(
    file: File, line: int, rows: tuple[str | None, str | None], book: Sequence[Chapter]
) -> str:
    """Why a line cannot be carried over, and what to do instead."""
    path, at = file.module.place(line - 1)
    first_cell = next((block.line for block in file.have if block.key), line + 1)
    chapter = next((c for c in book if c.path == path), None)
    if chapter is None:
        return f"this file is written by the tool, from {path}:{at}"
    if any(row and re.match(r"\s*(import|from) ", row) for row in rows):
        cell = next((c for c in chapter.cells if any(top_imports(c))), chapter.cells[0])
        text = next(row.strip() for row in rows if row)
        message = f"imports are computed: `{text}` belongs into an import cell of the "
        return message + f"chapter (as at {path}:{cell.line}), if the code uses it"
    if all(row and MARKER.fullmatch(row) for row in rows):
        return f"the cell begins with another name now: edit {path}:{at} instead"
    if not all(rows):
        return "other blank lines than the book makes: `ruff format` puts them right"
    if line < first_cell:
        return (
            f"the docstring is the line `modules:` of the front matter, at {path}:{at}"
        )
    return f"it does not come back from the book as it is: edit {path}:{at}"


# --- where ------------------------------------------------------------------------


def where(book: Sequence[Chapter], path: str, line: int) -> tuple[str, int]:
    """The chapter's line of a tangled line, or the tangled line of a chapter's line."""
    modules = build(book)
    if path in modules:
        rows = read(path).split("\n")
        if 1 <= line <= len(rows):
            wanted = modules[path].text.split("\n")
            matcher = SequenceMatcher(None, rows, wanted, autojunk=False)
            for _, start, stop, other, last in matcher.get_opcodes():
                if start < line <= stop:
                    return modules[path].place(min(other + line - 1 - start, last - 1))
    pages = {chapter.path: chapter.text.splitlines() for chapter in book}
    rows = pages.get(path, [])
    if 1 <= line <= len(rows):
        found = [
            (row.text.strip() == rows[line - 1].strip(), target, -number)
            for target, module in modules.items()
            for number, row in enumerate(module.lines, 1)
            if row[1:] == (path, line)
        ]
        if found:
            return max(found)[1], -max(found)[2]
        raise LiterateError(path, line, "this line is not tangled", status=1)
    message = "no such line" if path in modules or path in pages else "not in the book"
    raise LiterateError(path, line, message, status=1)


# --- the commands -----------------------------------------------------------------


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands to the command line."""
    parser = commands.add_parser(
        "stitch",
        help="carry edits made in llm/ or tests/chapters/ back into book/",
        description="Carry edits made in llm/ or tests/chapters/ back into the "
        "chapters, cell by cell. Refuses a cell that the book changed too, an edit "
        "outside of the cells (imports, docstrings), and whatever would not come back "
        "byte for byte when tangled. Then nothing is written.",
    )
    parser.set_defaults(run=run)
    parser = commands.add_parser(
        "where",
        help="say which line of the book a line of llm/ comes from, and back",
        description="Print the chapter's line of a tangled line, or the tangled line "
        "of a chapter's line.",
    )
    parser.add_argument("place", metavar="FILE:LINE", type=_place)
    parser.set_defaults(run=run_where)


def _place(text: str) -> tuple[str, int]:
    """Parse `llm/attention.py:42`."""
    path, _, line = text.rpartition(":")
    return path.removeprefix("./"), int(line)


def run(args: argparse.Namespace) -> int:
    """Run `literate stitch`."""
    changed = stitch(read_book())
    print("\n".join(changed) or "no edits to stitch")
    return 0


def run_where(args: argparse.Namespace) -> int:
    """Run `literate where`."""
    print("{}:{}".format(*where(read_book(), *args.place)))
    return 0
