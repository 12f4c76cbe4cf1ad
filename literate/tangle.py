"""Tangle: make `llm/` and `tests/chapters/` out of the chapters' cells.

A tangled file has a docstring (from the chapter's front matter, `modules:`), the
imports that its code needs (computed from its free names and the chapter's own import
cells), and the cells in the order of the chapter, each below a marker with its address.
Methods written with `@method_of(Class)` go into the body of their class.

Three files have no chapter, because they say nothing that a reader would want to read:
`llm/__init__.py` holds the version, which `pyproject.toml` states, `llm/__main__.py`
starts the `main` of `llm/cli.py`, and `llm/py.typed` is empty.
"""

import argparse
import ast
import graphlib
import inspect
import re
import subprocess
import textwrap
import warnings
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

from literate.book import (
    Cell,
    Chapter,
    LiterateError,
    bindings,
    method_class,
    nearest,
    read,
    read_book,
    write,
)
from literate.imports import (
    Index,
    check_law,
    import_block,
    index,
    llm_uses,
    module_name,
    needed_imports,
)

MARKER = re.compile(r"(?P<indent> *)# (?:%%|--) (?P<chapter>book/\S+\.md)#(?P<id>\S+)")
MADE = re.compile(r"^(Tangled from book/|Written by the literate tool)", re.MULTILINE)
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
FOLDERS = ("llm", "tests/chapters")
TANGLED = Path("_build/tangled")  # each file as it was when book and package agreed
REPLACED = Path("_build/replaced")  # edited files that tangle has overwritten


class Line(NamedTuple):
    """A line of a tangled file, and where in the book it comes from."""

    text: str
    path: str
    line: int


@dataclass(frozen=True)
class Module:
    """A tangled file."""

    target: str
    lines: tuple[Line, ...]
    uses: frozenset[str] = frozenset()  # the targets that it imports

    @property
    def text(self) -> str:
        """What is in the file."""
        return "".join(f"{line.text}\n" for line in self.lines)

    def place(self, index: int) -> tuple[str, int]:
        """Where in the book a line comes from, counted from 0; the last one's end."""
        if not self.lines:
            return self.target, 1
        return self.lines[min(index, len(self.lines) - 1)][1:]


# --- a cell -----------------------------------------------------------------------


def body(cell: Cell) -> list[Line]:
    """The lines of a cell that are tangled: no imports, no calls of tests."""
    rows = cell.source.split("\n")
    start, stop = body_span(cell)
    kept = [Line(row, cell.chapter, cell.line + i) for i, row in enumerate(rows)]
    if cell.method_of is None:
        return kept[start:stop]
    inside: set[int] = set()
    decorators = set()
    for node in cell.tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            decorators.add(cell.at(node.decorator_list[0]))
            inside.update(range(cell.at(node), cell.line + (node.end_lineno or 1)))
    result: list[Line] = []
    for line in kept[start:stop]:
        double = not line.text and result and not result[-1].text
        if line.line not in decorators and (line.line in inside or not double):
            result.append(line)
    return result


def body_span(cell: Cell) -> tuple[int, int]:
    """Where the tangled part of a cell begins and ends, in lines of its source."""
    rows, nodes = cell.source.split("\n"), cell.tree.body
    imports = list(takewhile(_is_import, nodes))
    calls = list(takewhile(lambda node: _is_test_call(cell, node), reversed(nodes)))
    start = imports[-1].end_lineno or 0 if imports else 0
    stop = calls[-1].lineno - 1 if calls else len(rows)
    while stop > start and not rows[stop - 1]:
        stop -= 1
    while start < stop and not rows[start]:
        start += 1
    return start, stop


def _is_import(node: ast.AST) -> bool:
    return isinstance(node, ast.Import | ast.ImportFrom)


def _is_test_call(cell: Cell, node: ast.AST) -> bool:
    """Is it `test_round_trip()`, by which a chapter runs its own test?"""
    match node:
        case ast.Expr(ast.Call(ast.Name(name), [], [])):
            return name.startswith("test_") and (cell.tangle or "").startswith("tests/")
    return False


def check_cell(cell: Cell) -> None:
    """Refuse what cannot be tangled, with the remedy."""
    start, stop = body_span(cell)
    nodes = [n for n in cell.tree.body if start < n.lineno <= stop]
    for number, node in enumerate(cell.tree.body[:-1]):
        if _is_import(node) and cell.tree.body[number + 1].lineno == node.end_lineno:
            raise cell.error("a line of its own for each import", node)
    if start == stop or not nodes:
        raise cell.error("nothing to tangle: imports are computed, so drop `:tangle:`")
    if "id" not in cell.options and not cell.definitions and not cell.method_of:
        raise cell.error("a tangled cell that defines no name needs an `:id:`")
    for number, row in enumerate(cell.source.split("\n")):
        if MARKER.fullmatch(row):
            message = "looks like a marker of the tangled file: reword it"
            raise LiterateError(cell.chapter, cell.line + number, message)
    for node in nodes:
        _check_statement(cell, node)
    if cell.method_of:
        _check_methods(cell, nodes)


def _check_statement(cell: Cell, node: ast.stmt) -> None:
    match node:
        case ast.Import() | ast.ImportFrom():
            raise cell.error("imports come first in a tangled cell", node)
        case ast.Expr(ast.Constant(str())):
            raise cell.error("a module's docstring is its line under `modules:`", node)
        case ast.Expr() if _is_test_call(cell, node):
            raise cell.error("calls of tests come last in their cell", node)
        case ast.Expr():
            message = (
                "a tangled cell defines and does not act: move this to its own cell"
            )
            raise cell.error(message, node)
        case ast.If(ast.Compare(ast.Name("__name__"))):
            message = (
                'no `if __name__ == "__main__"`, which is true in a notebook: define '
                "main(), which `python -m llm` and the command line call"
            )
            raise cell.error(message, node)


def _check_methods(cell: Cell, nodes: list[ast.stmt]) -> None:
    for node in nodes:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or (
            method_class(node) != cell.method_of
        ):
            message = f"a cell with methods of {cell.method_of} has nothing else in it"
            raise cell.error(message, node)
        first = node.decorator_list[0]
        if "method_of" not in ast.dump(first) or first.lineno != first.end_lineno:
            message = (
                "@method_of comes first among the decorators, on a line of its own"
            )
            raise cell.error(message, first)
        for inner in ast.walk(node):
            match inner:
                case ast.Call(ast.Name("super"), []):
                    message = "super() fails in a method that is attached later: keep "
                    raise cell.error(message + "the method in the class's cell", inner)
                case ast.Attribute(attr=name) | ast.Name(id=name):
                    if name.startswith("__") and not name.endswith("__"):
                        message = f"{name} is another name inside a class: use one _"
                        raise cell.error(message, inner)
    flat = "\n".join(line.text for line in body(cell))
    inside = ast.parse("class _:\n" + textwrap.indent(flat, "    ")).body[0]
    assert isinstance(inside, ast.ClassDef)
    for plain, indented in zip(ast.parse(flat).body, inside.body, strict=True):
        if _shape(plain) != _shape(indented):
            message = (
                "a string over several lines would change when it is indented into "
            )
            message += "the class: make it a constant of the module"
            raise cell.error(message, nodes[inside.body.index(indented)])


def _shape(node: ast.AST) -> str:
    """A syntax tree as text, with docstrings as help() would show them."""
    for inner in ast.walk(node):
        match inner:
            case ast.Expr(ast.Constant(str(text)) as constant):
                constant.value = inspect.cleandoc(text)
    return ast.dump(node)


# --- a module ---------------------------------------------------------------------


def _module(shelf: Index, target: str) -> Module:
    """Put a file together: docstring, imports, cells."""
    chapter = shelf.owner[target]
    cells = _cell_lines(shelf.cells[target])
    source = "".join(f"{line.text}\n" for line in cells)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            compile(source, target, "exec", dont_inherit=True)
        needed = needed_imports(shelf, target, source)
    except SyntaxError as error:
        at = cells[min(error.lineno or 1, len(cells)) - 1]
        raise LiterateError(at.path, at.line, f"SyntaxError: {error.msg}") from None
    head = _docstring(chapter, target)
    if imports := import_block(needed):
        head.append(head[-1]._replace(text=""))
        head += [Line(text, chapter.path, line) for text, line in imports]
    first = ast.parse(source).body[0]  # two blank lines above functions, as in ruff
    blanks = 2 if isinstance(first, DEFINITIONS) else 1
    lines = (*head, *[cells[0]._replace(text="")] * blanks, *cells)
    tree = ast.parse("\n".join(line.text for line in lines))
    uses = {used for node in ast.walk(tree) for used, _ in llm_uses(node)}
    return Module(target, lines, frozenset(uses))


def _cell_lines(cells: Sequence[Cell]) -> list[Line]:
    """The cells with their markers; methods at the end of their class's cell."""
    blocks: list[list[Line]] = []
    classes: dict[str | None, list[Line]] = {}
    for cell in cells:
        check_cell(cell)
        marker = f"{cell.chapter}#{cell.id}"
        rows = body(cell)
        top = rows[0]
        if cell.method_of is None:
            blocks.append([top._replace(text=f"# %% {marker}"), *rows])
            last = cell.tree.body[-1]
            if isinstance(last, ast.ClassDef) and last.end_lineno == body_span(cell)[1]:
                classes[last.name] = blocks[-1]
            continue
        if cell.method_of not in classes:
            message = f"no cell of {cell.tangle} above ends with class {cell.method_of}"
            raise cell.error(message)
        block = classes[cell.method_of]
        block += [top._replace(text=""), top._replace(text=f"    # -- {marker}")]
        for row in rows:
            block.append(row._replace(text=f"    {row.text}" if row.text else ""))
    result = blocks[0]
    for block in blocks[1:]:
        blank = block[0]._replace(text="")
        result = [*result, blank, blank, *block]
    return result


def _docstring(chapter: Chapter, target: str) -> list[Line]:
    """The module's docstring: its line of the front matter, and where to edit."""
    line = chapter.metadata_lines.get("modules", 1)
    text = _modules(chapter).get(target)
    if text is None and target.startswith("tests/"):
        text = f"The tests of {chapter.path}."
    if text is None:
        message = f"the front matter lacks `modules: {{{target}: What it is.}}`"
        raise LiterateError(chapter.path, line, message)
    if not isinstance(text, str) or not re.fullmatch(r'[^\n"\\]{1,80}', text):
        message = f"the docstring of {target} is not one short line: {text!r}"
        raise LiterateError(chapter.path, line, message)
    rows = (
        f'"""{text.rstrip(".")}.',
        "",
        f"Tangled from {chapter.path}: edit the book,",
        "or edit here and run `./build.sh stitch`.",
        '"""',
    )
    return [Line(row, chapter.path, line) for row in rows]


def _modules(chapter: Chapter) -> dict[str, str]:
    """The front matter's `modules:`, what each file of the chapter is about."""
    modules = chapter.metadata.get("modules") or {}
    if not isinstance(modules, dict):
        message = "`modules:` is a mapping of files to what they are about"
        raise LiterateError(chapter.path, chapter.metadata_lines["modules"], message)
    return modules


# --- the package ------------------------------------------------------------------


def build(book: Sequence[Chapter]) -> dict[str, Module]:
    """Every file that the chapters make, in memory."""
    shelf = index(book)
    for chapter in book:
        check_law(shelf, chapter)
        for target in _modules(chapter):
            if shelf.owner.get(target) is not chapter:
                message = f"no cell of the chapter is tangled into {target}"
                raise LiterateError(
                    chapter.path, chapter.metadata_lines["modules"], message
                )
    modules = {target: _module(shelf, target) for target in shelf.cells}
    try:
        graphlib.TopologicalSorter({t: m.uses for t, m in modules.items()}).prepare()
    except graphlib.CycleError as error:
        cell = shelf.cells[error.args[1][0]][0]
        loop = " -> ".join(map(module_name, reversed(error.args[1])))
        raise cell.error(f"the modules import each other: {loop}") from None
    return _unwritten(modules) | modules


def _unwritten(modules: dict[str, Module]) -> dict[str, Module]:
    """The files of the package that no chapter writes."""
    note = "Written by the literate tool: run `./build.sh tangle`."
    found = re.search(r'^version = "[^"\n]*"', text := read("pyproject.toml"), re.M)
    if found is None:
        raise LiterateError("pyproject.toml", 1, 'no line `version = "..."`')
    at = text.count("\n", 0, found.start()) + 1
    texts = {
        "llm/__init__.py": f'"""The package of The Literate LLM.\n\n{note}\n"""\n\n'
        f"__{found[0].replace(' ', '__ ', 1)}",
        "llm/py.typed": "",
    }
    for target in modules:
        for folder in list(Path(target).parents)[:-2]:
            if target.startswith("llm/"):
                name = f"{folder}/__init__.py"
                texts[name] = f'"""A part of the package.\n\n{note}\n"""'
    if "main" in _defined(modules.get("llm/cli.py")):
        texts["llm/__main__.py"] = (
            f'"""`python -m llm` is the command line.\n\n{note}\n"""\n\n'
            "import sys\n\nfrom llm.cli import main\n\n"
            'if __name__ == "__main__":\n    sys.exit(main())'
        )
    return {
        target: Module(
            target,
            tuple(Line(row, "pyproject.toml", at) for row in text.split("\n") if text),
        )
        for target, text in texts.items()
    }


def _defined(module: Module | None) -> set[str]:
    return set(bindings(ast.parse(module.text))) if module else set()


def upto(book: Sequence[Chapter], number: str) -> list[Chapter]:
    """The chapters up to one, and the modules of the appendices, which any may use."""
    numbers = [chapter.number for chapter in book]
    if number not in numbers:
        raise LiterateError(
            "_toc.yml", 1, f"no chapter {number}{nearest(number, numbers)}"
        )
    last = numbers.index(number)
    shared = {target for c in book if c.appendix for target in _modules(c)}
    later = [_modules_only(c, shared) for c in book[last + 1 :] if c.appendix]
    return [*book[: last + 1], *(chapter for chapter in later if chapter.cells)]


def _modules_only(chapter: Chapter, shared: Collection[str]) -> Chapter:
    """An appendix without its tests and whatever else looks at the chapters.

    It may look at the modules that are shared: those of the appendices.
    """
    cells = [c for c in chapter.cells if (c.tangle or "llm/").startswith("llm/")]
    kept = [
        c
        for c in cells
        if all(u in shared for n in ast.walk(c.tree) for u, _ in llm_uses(n))
    ]
    modules = {t: text for t, text in _modules(chapter).items() if t[:4] == "llm/"}
    metadata = {**chapter.metadata, "modules": modules}
    return replace(chapter, cells=tuple(kept) if modules else (), metadata=metadata)


def made_files() -> Iterator[tuple[str, bool]]:
    """What is in the folders that the tool writes: each file, and is it tangled?"""
    for folder in FOLDERS:
        for path in sorted(Path(folder).rglob("*")):
            if "__pycache__" in path.parts or (path.is_dir() and not path.is_symlink()):
                continue
            made = False
            if path.suffix == ".py" and not path.is_symlink():
                head = path.read_bytes()[:1000].decode(errors="replace")
                made = MADE.search(head) is not None
            yield path.as_posix(), made


def tangle(book: Sequence[Chapter]) -> list[str]:
    """Write what has changed and remove what no chapter makes any more."""
    modules = build(book)
    for target in modules:
        for part in (Path(target), *Path(target).parents):
            if part.is_symlink():
                raise LiterateError(
                    part, 1, "a symbolic link: the tool writes no links"
                )
    changed = []
    for target, module in modules.items():
        note = _keep(target, module.text)
        if write(target, module.text):
            changed.append(f"wrote {target}{note}")
        write(TANGLED / target, module.text)
    for path, made in list(made_files()):
        left_over = Path(path).name.startswith(".") and path.endswith(".tmp")
        if path not in modules and (made or left_over):
            note = _keep(path, "") if made else ""
            Path(path).unlink()
            changed.append(f"removed {path}{note}")
    return changed


def _keep(target: str, new: str) -> str:
    """Save a file that was edited by hand before it is overwritten, and say so."""
    path, last = Path(target), TANGLED / target
    old = read(path) if path.is_file() else ""
    if old in ("", new, read(last) if last.is_file() else "", committed(target)):
        return ""
    write(REPLACED / target, old)
    return f" (it was edited: {REPLACED / target} keeps the edit)"


def committed(target: str) -> str:
    """A file as it is in git's HEAD; empty if it is not there."""
    git = ["git", "show", f"HEAD:./{target}"]
    try:
        done = subprocess.run(git, capture_output=True, check=False)
    except FileNotFoundError:  # no git here
        return ""
    return done.stdout.decode(errors="replace") if done.returncode == 0 else ""


# --- the command ------------------------------------------------------------------


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "tangle",
        help="write llm/ and tests/chapters/ from book/",
        description="Write llm/ and tests/chapters/ from the cells of book/. Writes "
        "only what changed, each file all or nothing, and removes tangled files that "
        "no chapter makes any more. A file that was edited by hand and not stitched "
        f"is overwritten too, but {REPLACED}/ keeps the edit.",
    )
    parser.add_argument(
        "--upto", metavar="NN", help="only the chapters up to this one, as 02"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run `literate tangle`."""
    book = read_book()
    changed = tangle(book if args.upto is None else upto(book, args.upto))
    print("\n".join(changed) or "llm/ and tests/chapters/ are what the book says")
    return 0
