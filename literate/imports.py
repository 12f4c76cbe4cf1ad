"""Imports: the law that they run one way, and the header that a tangled file gets.

A module's header is computed. Its free names (what its code uses and does not define)
are looked up in the other modules of the same chapter, then among the chapter's own
imports; what the code does not use stays out. The result is sorted as ruff sorts it.
"""

import ast
import builtins
import re
import symtable
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from literate.book import Cell, Chapter, LiterateError, nearest

WIDTH = 76  # of code in print; the trailing comma keeps longer settings from joining
APPENDIX = (
    "an appendix's module imports from llm only what appendices define, "
    "so that all chapters may use it"
)
KNOWN = {*dir(builtins), "__name__", "__file__", "__doc__", "__spec__", "__package__"}


class Import(NamedTuple):
    """One imported name, and the chapter's line that imports it."""

    module: str
    name: str | None
    alias: str | None
    line: int
    typing: bool = False  # stands under `if TYPE_CHECKING:`

    @property
    def bound(self) -> str:
        """The name that the import binds."""
        return self.alias or self.name or self.module.split(".")[0]


def module_name(target: str) -> str:
    """`llm.attention` for `llm/attention.py`."""
    return target.removesuffix(".py").replace("/", ".")


def llm_uses(node: ast.AST) -> Iterator[tuple[str, str | None]]:
    """What an import statement takes from the package: targets, and a name of each."""
    match node:
        case ast.Import(names):
            for alias in names:
                if alias.name.startswith("llm."):
                    yield f"{alias.name.replace('.', '/')}.py", None
        case ast.ImportFrom("llm", names, 0):
            for alias in names:
                if not alias.name.startswith("__"):
                    yield f"llm/{alias.name}.py", None
        case ast.ImportFrom(str(module), names, 0) if module.startswith("llm."):
            for alias in names:
                yield f"{module.replace('.', '/')}.py", alias.name


# --- the law ----------------------------------------------------------------------


@dataclass(frozen=True)
class Index:
    """Who defines what: every tangled name of the book."""

    order: Mapping[str, int]  # chapter -> position in the book
    owner: Mapping[str, Chapter]  # target -> the chapter that writes it
    cells: Mapping[str, tuple[Cell, ...]]  # target -> its cells
    names: Mapping[str, Mapping[str, Cell]]  # target -> name -> the defining cell

    def own(self, chapter: Chapter) -> dict[str, str]:
        """The names that a chapter adds to the package, and the target of each."""
        mine = [t for t, c in self.owner.items() if c is chapter and t[:4] == "llm/"]
        return {name: target for target in mine for name in self.names[target]}


def index(book: Sequence[Chapter]) -> Index:
    """Collect the tangled cells; refuse two rooms for one name, or one room for two."""
    owner: dict[str, Chapter] = {}
    cells: dict[str, list[Cell]] = {}
    names: dict[str, dict[str, Cell]] = {}
    public: dict[str, Cell] = {}
    for chapter in book:
        local: dict[str, Cell] = {}
        for cell in (c for c in chapter.cells if c.tangle):
            target = cell.tangle or ""
            if owner.setdefault(target, chapter) is not chapter:
                message = f"{target} belongs to {owner[target].path}: use another file"
                raise cell.error(message)
            cells.setdefault(target, []).append(cell)
            mine = names.setdefault(target, {})
            for name, line in cell.definitions.items():
                scopes = [mine] if name.startswith("__") else [mine, local]
                if target.startswith("llm/") and not name.startswith("_"):
                    scopes.append(public)
                for scope in scopes:
                    first = scope.setdefault(name, cell)
                    if first is not cell:
                        place = f"{first.chapter}:{first.definitions[name]}"
                        message = f"{name!r} is defined already, at {place}"
                        raise LiterateError(chapter.path, line, message)
    order = {chapter.path: position for position, chapter in enumerate(book)}
    return Index(order, owner, {t: tuple(c) for t, c in cells.items()}, names)


def check_law(shelf: Index, chapter: Chapter) -> None:
    """Hold a chapter's cells to the rules about imports and names."""
    pool = import_pool(chapter)
    for cell in chapter.cells:
        for node in ast.walk(cell.tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                _check_import(shelf, chapter, cell, node)
        _check_names(shelf, chapter, cell, pool)
    for bound, found in pool.items():
        for one in found:
            dotted = not any((*one[1:3], *found[0][1:3]))  # `import a.b` binds a
            if one[:3] != found[0][:3] and not dotted:
                message = f"{bound!r} is another import at line {found[0].line}"
                raise LiterateError(chapter.path, one.line, message)


def _check_names(
    shelf: Index, chapter: Chapter, cell: Cell, pool: Mapping[str, list[Import]]
) -> None:
    """In a notebook, a tangled name means what it means in the package."""
    own = shelf.own(chapter)
    taken = dict(cell.definitions) if cell.tangle is None else {}
    for one in top_imports(cell):
        taken[one.bound] = one.line
    for name, line in taken.items():
        if name in own:
            first = shelf.names[own[name]][name].definitions[name]
            message = f"{name!r} is tangled at line {first}: use another name here"
            raise LiterateError(cell.chapter, line, message)
    for node in cell.tree.body if cell.method_of else ():
        name = getattr(node, "name", "")
        if name in own or name in pool or hasattr(builtins, name):
            message = f"in a notebook the method {name} would hide another {name}: "
            raise cell.error(message + "define it in the class's cell", node)


def _check_import(
    shelf: Index, chapter: Chapter, cell: Cell, node: ast.Import | ast.ImportFrom
) -> None:
    if isinstance(node, ast.ImportFrom):
        if node.level:
            raise cell.error("a relative import fails in a notebook", node)
        if node.names[0].name == "*":
            raise cell.error("import names, not *", node)
    for target, name in llm_uses(node):
        source = shelf.owner.get(target)
        shipped = chapter.appendix and (cell.tangle or "").startswith("llm/")
        if shipped and (source is None or not source.appendix):
            raise cell.error(APPENDIX, node)
        if source is None:
            close = nearest(target, [t for t in shelf.owner if t.startswith("llm/")])
            raise cell.error(f"no chapter writes {target}{close}", node)
        what = name or module_name(target)
        if source is chapter:
            message = f"{what} is the chapter's own: it is there without an import"
            raise cell.error(message, node)
        if shelf.order[source.path] > shelf.order[chapter.path] and not source.appendix:
            message = f"{what} comes later, in {source.path}: imports run one way"
            raise cell.error(message, node)
        if name and name not in shelf.names[target]:
            close = nearest(name, shelf.names[target])
            raise cell.error(f"{target} defines no {name!r}{close}", node)


# --- the names that a module needs ------------------------------------------------


def top_imports(cell: Cell) -> Iterator[Import]:
    """What a cell imports at top level (also under `if TYPE_CHECKING:`, in a demo)."""
    for node in cell.tree.body:
        match node:
            case ast.If(ast.Name("TYPE_CHECKING"), inner) if not cell.tangle:
                for child in inner:
                    yield from _aliases(cell, child, typing=True)
            case _:
                yield from _aliases(cell, node)


def _aliases(cell: Cell, node: ast.stmt, typing: bool = False) -> Iterator[Import]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield Import(alias.name, None, alias.asname, cell.at(node), typing)
    elif isinstance(node, ast.ImportFrom):
        for alias in node.names:
            module = node.module or ""
            yield Import(module, alias.name, alias.asname, cell.at(node), typing)


def import_pool(chapter: Chapter) -> dict[str, list[Import]]:
    """What a chapter imports, by the name that it binds."""
    pool: dict[str, list[Import]] = {}
    for cell in chapter.cells:
        for found in top_imports(cell):
            pool.setdefault(found.bound, []).append(found)
    return pool


def free_names(source: str, target: str) -> tuple[set[str], set[str]]:
    """The names that code uses and does not bind; and those in quoted annotations."""
    table = symtable.symtable(source, target, "exec")
    bound = {s.get_name() for s in table.get_symbols() if s.is_assigned()}
    bound |= {s.get_name() for s in table.get_symbols() if s.is_imported()}
    used: set[str] = set()
    tables = [table]
    while tables:
        scope = tables.pop()
        tables += scope.get_children()
        for symbol in scope.get_symbols():
            if symbol.is_referenced() and (scope is table or symbol.is_global()):
                used.add(symbol.get_name())
    return used - bound, _quoted_names(ast.parse(source)) - bound


def _quoted_names(tree: ast.AST) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        for field in ("annotation", "returns"):
            if (annotation := getattr(node, field, None)) is not None:
                names.update(_annotation_names(annotation))
    return names


def _annotation_names(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Constant(str(text)):
            try:
                tree = ast.parse(text.strip(), mode="eval")
            except SyntaxError:  # a shape: Float[Tensor, "B T D"]
                return
            yield from (n.id for n in ast.walk(tree) if isinstance(n, ast.Name))
        case ast.Subscript(ast.Name("Literal")):
            pass
        case _:
            for child in ast.iter_child_nodes(node):
                yield from _annotation_names(child)


def needed_imports(shelf: Index, target: str, source: str) -> list[Import]:
    """The imports that a module's code needs, out of its chapter's."""
    chapter = shelf.owner[target]
    pool = import_pool(chapter)
    own = {n: t for n, t in shelf.own(chapter).items() if t != target}
    hard, quoted = free_names(source, target)
    needed = [one for one in pool.get("annotations", ()) if one.module == "__future__"]
    for name in sorted(hard | quoted):
        if name in own:
            line = _first_use(shelf, target, name)
            needed.append(Import(module_name(own[name]), name, None, line))
        elif name in pool:
            needed += _dotted(pool[name], source)
        elif name in hard - KNOWN:
            line = _first_use(shelf, target, name)
            message = f"{name!r} is used in {target} and neither defined nor imported"
            raise LiterateError(
                chapter.path, line, message + _advice(shelf, name, chapter)
            )
    if any(one.typing for one in needed):
        first = next(one.line for one in needed if one.typing)
        needed.append(Import("typing", "TYPE_CHECKING", None, first))
    for one in needed:
        if chapter.appendix and target[:4] == "llm/" and one.module.startswith("llm."):
            origin = shelf.owner.get(f"{one.module.replace('.', '/')}.py")
            if origin is None or not origin.appendix:
                raise LiterateError(chapter.path, one.line, APPENDIX)
    return needed


def _dotted(found: list[Import], source: str) -> list[Import]:
    """Of `import a`, `import a.b` and `import a.c`, those that the code spells out."""
    if found[0].name or found[0].alias or len(found) == 1:
        return found[:1]
    used = [one for one in found if re.search(rf"\b{re.escape(one.module)}\b", source)]
    return list({one.module: one for one in reversed(used)}.values())


def _first_use(shelf: Index, target: str, name: str) -> int:
    """The chapter's line that uses a name first."""
    for cell in shelf.cells[target]:
        for number, row in enumerate(cell.source.split("\n")):
            if re.search(rf"\b{re.escape(name)}\b", row):
                return cell.line + number
    return shelf.cells[target][0].line


def _advice(shelf: Index, name: str, chapter: Chapter) -> str:
    """Where the chapter may get a missing name from."""
    for cell in chapter.cells:
        if name in cell.definitions:
            return f"; line {cell.definitions[name]} is not tangled"
    for target, names in shelf.names.items():
        if name in names and target.startswith("llm/"):
            return f"; try `from {module_name(target)} import {name}`"
    return "; import it in a cell of the chapter"


# --- the header -------------------------------------------------------------------


def import_block(needed: Iterable[Import]) -> list[tuple[str, int]]:
    """Import statements as ruff sorts and wraps them, each row with its line."""
    needed = list(needed)
    rows = _sections([one for one in needed if not one.typing], "")
    typed = [one for one in needed if one.typing]
    if typed:
        rows += [("", typed[0].line), ("if TYPE_CHECKING:", typed[0].line)]
        rows += _sections(typed, "    ")
    return rows


def _sections(needed: list[Import], indent: str) -> list[tuple[str, int]]:
    rows: list[tuple[str, int]] = []
    for _, section in groupby(
        sorted(needed, key=_order), key=lambda one: _order(one)[:1]
    ):
        if rows:
            rows.append(("", rows[-1][1]))
        statements: dict[tuple[str, bool, str | None, str | None], list[Import]] = {}
        for one in section:
            bare = one.name is None  # `import torch` is not `from torch import Tensor`
            together = (one.module, bare, one.alias and one.name, one.alias)
            statements.setdefault(together, []).append(one)
        for group in statements.values():
            rows += [
                (indent + text, group[0].line) for text in _statement(group, indent)
            ]
    return rows


def _statement(group: list[Import], indent: str) -> list[str]:
    """One import statement, over several lines if it is too long."""
    first = group[0]
    rest = f" as {first.alias}" if first.alias else ""
    if first.name is None:
        return [f"import {first.module}{rest}"]
    names = list(dict.fromkeys(f"{one.name}{rest}" for one in group))
    flat = f"from {first.module} import {', '.join(names)}"
    if len(indent + flat) <= WIDTH:
        return [flat]
    return [f"from {first.module} import (", *(f"    {name}," for name in names), ")"]


def _order(one: Import) -> tuple[object, ...]:
    """Ruff's order: by section, `import` before `from`, module, kind of name, name."""
    top = one.module.split(".")[0]
    section = 0 if top == "__future__" else 1 if top in sys.stdlib_module_names else 2
    name = one.name or ""
    kind = 0 if len(name) > 1 and name.isupper() else 1 if name[:1].isupper() else 2
    return (
        3 if top == "llm" else section,
        one.name is not None,
        _natural(one.module),
        (kind, _natural(name)) if name else (),
        one.alias or "",
    )


def _natural(text: str) -> tuple[object, ...]:
    """A sort key under which m2 comes before m10, and case matters last."""
    parts = re.split(r"(\d+)", text.lower())
    return (*((int(p), "") if p.isdigit() else (-1, p) for p in parts), (-2, text))
