"""Read the book: `_toc.yml`, the chapters, and the code cells in them.

A chapter is a MyST page; a code cell is a top-level fence `{code-cell} python`, the
only kind that a notebook runs. Everything that is found wrong is raised as a
`LiterateError`, which prints as `book/05-attention.md:118: error: ...`. All paths are
relative to the current folder, which is the root of the repository.
"""

import ast
import difflib
import os
import re
import shutil
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.amsmath import amsmath_plugin
from mdit_py_plugins.colon_fence import colon_fence_plugin
from mdit_py_plugins.deflist import deflist_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.front_matter import front_matter_plugin
from mdit_py_plugins.myst_blocks import myst_block_plugin

OPTIONS = ("tangle", "id", "tags", "mystnb")
TAGS = (
    "remove-input",
    "remove-output",
    "remove-cell",
    "nbval-ignore-output",
    "raises-exception",
)
NOT_ON_TANGLED = ("remove-input", "remove-cell", "raises-exception")
MYSTNB = {
    "figure": ("name", "caption", "caption_before", "align", "classes", "alt"),
    "image": ("alt", "width", "height", "scale", "align", "classes"),
}
PYTHON_MAGIC = ("%%time", "%%timeit", "%%capture")  # over code that is still Python
LITERAL = ("code", "code-block", "sourcecode", "parsed-literal", "literalinclude")
TARGET = re.compile(r"llm(/[a-z_][a-z0-9_]*)+\.py|tests/chapters/test_[a-z0-9_]+\.py")
ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")
NEWLINE = re.compile(r"\r\n?|\n")
# What str.splitlines, and so jupytext, takes for a line end, and Markdown does not.
FORBIDDEN = re.compile("[\0\v\f\x1c\x1d\x1e\x85\u2028\u2029\ufeff]")


class LiterateError(Exception):
    """Something is wrong at a line of a file; `status` is the exit status."""

    def __init__(
        self, path: str | Path, line: int, message: str, status: int = 2
    ) -> None:
        super().__init__(path, line, message)
        self.path, self.line, self.message = Path(path).as_posix(), line, message
        self.status = status

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: error: {self.message}"


@dataclass(frozen=True)
class Cell:
    """A code cell. `line` is the chapter's line of the first line of `source`."""

    chapter: str
    line: int
    options: Mapping[str, Any]
    source: str
    id: str
    tree: ast.Module
    definitions: Mapping[str, int]  # names bound at top level, and the chapter's line

    @property
    def tangle(self) -> str | None:
        """The file that the cell goes into, or None for a demonstration."""
        return self.options.get("tangle")

    @property
    def tags(self) -> tuple[str, ...]:
        """The cell's tags."""
        return tuple(self.options.get("tags") or ())

    @property
    def notebook_id(self) -> str:
        """The id in the notebook, where nbformat allows letters, digits, - and _."""
        return re.sub(r"[^A-Za-z0-9_-]", "-", self.id)[:64]

    @property
    def method_of(self) -> str | None:
        """The class whose methods the cell defines with `@method_of(Class)`."""
        return next(filter(None, map(method_class, self.tree.body)), None)

    def at(self, node: ast.AST) -> int:
        """The chapter's line of a node of `tree`."""
        return self.line + getattr(node, "lineno", 1) - 1

    def error(self, message: str, node: ast.AST | None = None) -> LiterateError:
        """An error at the cell's first line, or at a node."""
        return LiterateError(self.chapter, self.at(node or self.tree), message)


@dataclass(frozen=True)
class Chapter:
    """A page of the book; many have no cells."""

    path: str  # book/05-attention.md
    title: str
    text: str
    metadata: Mapping[str, Any]  # the front matter
    metadata_lines: Mapping[str, int]
    cells: tuple[Cell, ...]

    @property
    def name(self) -> str:
        """The file's name without its ending: `05-attention`."""
        return Path(self.path).stem

    @property
    def number(self) -> str:
        """The number in the file's name (`05`), or the whole name without one."""
        return chapter_number(self.path)

    @property
    def appendix(self) -> bool:
        """Is it an appendix? All chapters may use its modules."""
        return self.name.startswith("appendix-")

    @property
    def notebook(self) -> str:
        """Where its notebook is: `notebooks/05-attention.ipynb`."""
        return f"notebooks/{self.name}.ipynb"


def chapter_number(path: str) -> str:
    """`05` for `book/05-attention.md`, `glossary` for `book/glossary.md`."""
    stem = Path(path).stem
    found = re.match(r"\d+", stem)
    return found[0] if found else stem


def method_class(node: ast.AST) -> str | None:
    """`Vocab` for a function decorated with `@method_of(Vocab)`."""
    for decorator in getattr(node, "decorator_list", ()):
        match decorator:
            case ast.Call(ast.Name("method_of"), [ast.Name(name)], []):
                return name
    return None


def nearest(word: object, words: Iterable[str]) -> str:
    """Say what may be meant by a misspelt word: `; did you mean 'tangle'?`."""
    words = list(words)
    close = difflib.get_close_matches(str(word), words, 1)
    return f"; did you mean {close[0]!r}?" if close else f" (known: {', '.join(words)})"


def read(path: str | Path) -> str:
    """The text of a file, line ends as they are."""
    try:
        return Path(path).read_bytes().decode()
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise LiterateError(path, line, "not UTF-8") from None
    except OSError as error:
        raise LiterateError(path, 1, error.strerror or str(error)) from None


def write(path: str | Path, text: str) -> bool:
    """Write a file all or nothing, and only if that changes it; was it changed?"""
    path = Path(path)
    if path.is_file() and path.read_bytes() == text.encode():
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        temporary.write_bytes(text.encode())
        if path.exists():
            shutil.copymode(path, temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return True


def load_yaml(path: str, line: int, text: str) -> tuple[dict[str, Any], dict[str, int]]:
    """A YAML mapping that starts at a line of a file, and the line of each key."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
    try:
        node = loader.get_single_node()
        data = loader.construct_document(node) if node else {}
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        at = min(mark.line, text.rstrip().count("\n")) if mark else 0
        problem = getattr(error, "problem", None) or error
        raise LiterateError(path, line + at, f"{problem}") from None
    if not isinstance(data, dict):
        raise LiterateError(path, line, "expected `key: value`")
    lines: dict[str, int] = {}
    for key, _ in node.value if node else ():
        at = line + key.start_mark.line
        if key.value in lines:
            raise LiterateError(path, at, f"{key.value!r} is given twice")
        lines[key.value] = at
    return data, lines


# --- the table of contents --------------------------------------------------------


def toc() -> list[str]:
    """The pages in the order of `_toc.yml`, as paths: `book/index.md`, ..."""
    text = read("_toc.yml")
    pages: list[str] = []
    for entry in _entries(load_yaml("_toc.yml", 1, text)[0]):
        page = f"{entry.removesuffix('.md')}.md"
        lines = [i for i, row in enumerate(text.split("\n"), 1) if entry in row.split()]
        line = lines[pages.count(page)] if len(lines) > pages.count(page) else 1
        if page in pages:
            raise LiterateError("_toc.yml", line, f"{entry} is listed twice")
        if Path(page).parent != Path("book"):
            raise LiterateError("_toc.yml", line, f"{entry} is not a page in book/")
        if not Path(page).is_file():
            raise LiterateError("_toc.yml", line, f"{page} does not exist")
        pages.append(page)
    return pages


def _entries(node: Any) -> Iterator[str]:
    if not isinstance(node, dict):
        raise LiterateError("_toc.yml", 1, f"expected `file: book/...`, not {node!r}")
    for key in ("root", "file"):
        if key in node:
            yield str(node[key])
    for key in ("parts", "chapters", "sections"):
        for child in node.get(key) or ():
            yield from _entries(child)


def read_book() -> tuple[Chapter, ...]:
    """Every page of the book, in the order of `_toc.yml`."""
    return tuple(read_chapter(page) for page in toc())


# --- a chapter --------------------------------------------------------------------


@cache
def _markdown() -> MarkdownIt:
    """The block parser of myst-nb (inline markup is none of our business)."""
    parser = MarkdownIt("commonmark").enable("table")
    for plugin in (front_matter_plugin, myst_block_plugin, footnote_plugin):
        parser.use(plugin)
    for plugin in (
        colon_fence_plugin,
        deflist_plugin,
        dollarmath_plugin,
        amsmath_plugin,
    ):
        parser.use(plugin)
    return parser.disable(["inline", "footnote_tail"])


def read_chapter(path: str | Path, text: str | None = None) -> Chapter:
    """Parse a page; `text` stands in for what is on disk."""
    path = Path(path).as_posix()
    text = read(path) if text is None else text
    lines = NEWLINE.split(text)
    for number, row in enumerate(lines, 1):
        if found := FORBIDDEN.search(row):
            name = f"U+{ord(found[0]):04X}"
            raise LiterateError(
                path, number, f"{name} in the text: write it as an escape"
            )
    tokens = _markdown().parse(text)
    metadata: dict[str, Any] = {}
    metadata_lines: dict[str, int] = {}
    if tokens and tokens[0].type == "front_matter":
        metadata, metadata_lines = load_yaml(path, 2, tokens[0].content)
    fences = list(_fences(path, 0, tokens))
    if fences and metadata.get("file_format") != "mystnb":
        raise LiterateError(path, 1, "a page with cells needs `file_format: mystnb`")
    cells = tuple(
        _read_cell(path, lines, fence, ordinal)
        for ordinal, fence in enumerate(fences, 1)
    )
    _check_ids(cells)
    title = next(
        (tokens[i + 1].content for i, t in enumerate(tokens) if t.tag == "h1"),
        Path(path).stem,
    )
    return Chapter(path, title, text, metadata, metadata_lines, cells)


def _fences(path: str, offset: int, tokens: list[Token]) -> Iterator[Token]:
    """The fences that run; a code cell inside something else never would: an error."""
    for token in tokens:
        if token.type not in ("fence", "colon_fence") or not token.map:
            continue
        info = token.info.strip()
        line = offset + token.map[0] + 1
        if info.startswith("{raw-cell}"):
            raise LiterateError(path, line, "a raw cell: the book has none")
        if info.startswith("{code-cell}"):
            if offset or token.level or token.type == "colon_fence":
                message = "a code cell inside something else never runs: move it out"
                raise LiterateError(path, line, message)
            yield token
        elif token.type == "colon_fence" or (
            info.startswith("{") and info[1:].split("}")[0] not in LITERAL
        ):
            yield from _fences(path, line, _markdown().parse(token.content))


def _read_cell(path: str, lines: list[str], fence: Token, ordinal: int) -> Cell:
    start, end = fence.map or (0, 0)
    if fence.info.split() != ["{code-cell}", "python"] or lines[start][0] not in "`~":
        message = f"open a cell with {fence.markup}{{code-cell}} python, not indented"
        raise LiterateError(path, start + 1, message)
    if end - start < 2 or not re.fullmatch(
        rf" {{0,3}}{fence.markup[0]}{{{len(fence.markup)},}}\s*", lines[end - 1]
    ):
        raise LiterateError(path, start + 1, "the cell is never closed")
    body = lines[start + 1 : end - 1]
    options, skip = _read_options(path, start + 2, body)
    source, line = body[skip:], start + 2 + skip
    if not (source and source[0].strip() and source[-1].strip()):
        at = start + 2 if not source else line + len(source) - 1 if source[0] else line
        message = "a cell has code, with no blank line before or after it"
        raise LiterateError(path, at, message)
    tree = _parse(path, line, source, "tangle" in options)
    found = {name: line + at - 1 for name, at in bindings(tree).items()}
    cell_id = str(options.get("id") or f"{chapter_number(path)}-{ordinal}")
    if "tangle" in options and "id" not in options:
        method = next((n for n in tree.body if method_class(n)), None)
        if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef):
            cell_id = f"{method_class(method)}.{method.name}"
        elif found:
            cell_id = next(iter(found))
    return Cell(path, line, options, "\n".join(source), cell_id, tree, found)


def _read_options(path: str, line: int, body: list[str]) -> tuple[dict[str, Any], int]:
    """The options at the top of a cell, and how many lines they and a blank take."""
    if body and body[0].startswith("---"):
        end = next((i for i, row in enumerate(body) if i and row.startswith("---")), 0)
        if not end:
            raise LiterateError(path, line, "the option block is never closed by ---")
        options, lines = load_yaml(path, line + 1, "\n".join(body[1:end]))
        count = end + 1
    else:
        rows = [row.lstrip().startswith(":") for row in body]
        count = [*rows, False].index(False)
        colons = "\n".join(row.lstrip()[1:] for row in body[:count])
        options, lines = load_yaml(path, line, colons)
        if count and body[count : count + 1] != [""]:
            raise LiterateError(path, line + count, "one blank line after the options")
    for key in options:
        _check_option(path, lines[key], key, options)
    return options, count + (body[count : count + 1] == [""])


def _check_option(path: str, line: int, key: str, options: dict[str, Any]) -> None:
    value = options[key]
    problem = ""
    if key not in OPTIONS:
        problem = f"unknown option {key!r}{nearest(key, OPTIONS)}"
    elif key == "tangle" and not TARGET.fullmatch(str(value)):
        problem = f"{value!r} is neither llm/*.py nor tests/chapters/test_*.py"
    elif key == "id" and not (isinstance(value, str) and ID.fullmatch(value)):
        problem = f"the id {value!r} is not 1 to 64 letters, digits, '.', '-' or '_'"
    elif key == "tags":
        tags = value if isinstance(value, list) else [value]
        bad = [tag for tag in tags if tag not in TAGS]
        hidden = [tag for tag in tags if tag in NOT_ON_TANGLED and "tangle" in options]
        if not isinstance(value, list):
            problem = f"tags are a list: [{value}]"
        elif bad:
            problem = f"unknown tag {bad[0]!r}{nearest(bad[0], TAGS)}"
        elif hidden:
            problem = f"a tangled cell cannot have the tag {hidden[0]!r}"
    elif key == "mystnb":
        problem = _mystnb_problem(value)
    if problem:
        raise LiterateError(path, line, problem)


def _mystnb_problem(value: Any) -> str:
    if not isinstance(value, dict):
        return "mystnb holds figure and image"
    for part, settings in value.items():
        if part not in MYSTNB:
            return f"unknown mystnb option {part!r}{nearest(part, MYSTNB)}"
        for name in settings if isinstance(settings, dict) else ():
            if name not in MYSTNB[part]:
                return f"unknown {part} option {name!r}{nearest(name, MYSTNB[part])}"
    return ""


def _parse(path: str, line: int, source: list[str], tangled: bool) -> ast.Module:
    """The syntax tree of a cell; demonstrations may have IPython's % and ! lines."""
    if source[0].startswith("%%") and source[0].split()[0] not in PYTHON_MAGIC:
        source = [f"# {row}" for row in source]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # an invalid escape in a string
            return ast.parse("\n".join(source))
    except SyntaxError as error:
        plain = [re.sub(r"^(\s*)[%!].*", r"\1pass", row) for row in source]
        if plain != source and not tangled:
            return _parse(path, line, plain, tangled)
        at = min(error.lineno or 1, len(source))
        message = f"SyntaxError: {error.msg}"
        if re.match(r"\s*:[\w-]+:", source[at - 1]):
            message = "options come first in a cell"
        raise LiterateError(path, line + at - 1, message) from None


def bindings(tree: ast.AST) -> dict[str, int]:
    """The names that code binds in its own scope, and where first.

    Imports at top level are not among them: they move to the module's header.
    """
    found: dict[str, int] = {}
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                if not method_class(node):
                    found.setdefault(node.name, node.lineno)
            case ast.Name(name, ast.Store()):
                found.setdefault(name, node.lineno)
            case ast.Import() | ast.ImportFrom():
                if not isinstance(tree, ast.Module):
                    for alias in node.names:
                        name = alias.asname or alias.name.split(".")[0]
                        found.setdefault(name, node.lineno)
            case ast.Lambda() | ast.ListComp() | ast.SetComp() | ast.DictComp():
                pass
            case ast.GeneratorExp():
                pass
            case _:
                for name, line in bindings(node).items():
                    found.setdefault(name, line)
    return found


def _check_ids(cells: tuple[Cell, ...]) -> None:
    seen: dict[str, Cell] = {}
    for cell in cells:
        first = seen.setdefault(cell.notebook_id, cell)
        if first is not cell:
            message = (
                f"the id {cell.id!r} is taken at line {first.line}: add `:id: ...`"
            )
            raise cell.error(message)
