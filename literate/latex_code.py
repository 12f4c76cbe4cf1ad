"""Code in print: cut into lines, coloured, wrapped, and told where a page may end.

The commands that it writes (\\bookline, \\booksplit, ...) are set by
book/_latex/literate.sty, whose widths the numbers of columns here must fit.
"""

import ast
import re
import unicodedata
from typing import Any

from docutils import nodes
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.style import Style
from pygments.token import (
    STANDARD_TYPES,
    Comment,
    Error,
    Generic,
    Keyword,
    Name,
    Number,
    Operator,
    String,
    Token,
    _TokenType,
)
from pygments.util import ClassNotFound

CODE_COLUMNS, OUTPUT_COLUMNS = 79, 80
KEEP = 9  # a listing of so many lines is never broken
FEW = 4  # so many of its lines stay at the foot of a page, and three at the top
HEAD = 8  # a shorter head (signature, docstring) stays with its body
LIMIT = 15  # after so many within one statement, any line will do
ESCAPES = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    " ": r"\ ",
    "\t": r"\ \ \ \ ",
}
RTL = re.compile(
    r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]+(?: [\u0590-\u08ff\ufb1d-\ufdff]+)+"
)


class BookStyle(Style):
    """Code in print: ink, one blue, one brown, grey; weight says as much as colour."""

    background_color = "#ffffff"
    styles = {  # noqa: RUF012
        Token: "#1D2733",
        Comment: "italic #6E7378",
        Keyword: "#1F4E79 bold",
        Keyword.Constant: "#1F4E79 nobold",
        Operator.Word: "#1F4E79 bold",
        Name.Function: "#1D2733 bold",
        Name.Class: "#1D2733 bold",
        Name.Decorator: "#8A5A00",
        Name.Namespace: "#1D2733",
        String: "#9A4A12",
        String.Doc: "italic #6B5B4B",
        String.Interpol: "#6B3410",
        String.Escape: "#6B3410",
        Number: "#00695C",
        Generic.Heading: "bold",
        Generic.Error: "#A3260B",
        Name.Exception: "#1D2733",
        Error: "",
    }


# --- lines of code ----------------------------------------------------------------


def escape(text: str) -> str:
    """Text for TeX, character by character; right-to-left words stay in order."""
    plain = RTL.sub(lambda found: f"\1{found[0]}\2", text)
    body = "".join(ESCAPES.get(char, char) for char in plain)
    return body.replace("\1", r"\bookrtl{").replace("\2", "}")


def columns(char: str) -> int:
    """How many columns a character takes."""
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def wrap(text: str, width: int) -> list[str]:
    """A line in pieces of so many columns, cut after a space or comma if it can."""
    pieces, start, used, last = [], 0, 0, 0
    for i, char in enumerate(text):
        used += columns(char)
        if used > width:
            cut = last if last > start else i
            pieces.append(text[start:cut])
            start, used = cut, 2 + sum(map(columns, text[cut : i + 1]))
            last = start
        if char in " ,/" and used > width * 2 // 3:
            last = i + 1
    return [*pieces, text[start:]]


def token_name(kind: _TokenType) -> str:
    """Pygments' short name of a token type, for `\\PYG{...}`."""
    while kind not in STANDARD_TYPES:
        kind = kind.parent
    return STANDARD_TYPES[kind]


def code_lines(text: str, lexer: Lexer | None, width: int) -> list[list[str]]:
    """The rows of a text as lines of TeX; one that is too long gives several."""
    text = text.rstrip("\n").expandtabs(4)
    marks: list[str] = []  # the style of every character
    if lexer:
        tokens = list(lexer.get_tokens(text))
        if "".join(value for _, value in tokens).rstrip("\n") != text:
            tokens = [(Token, text)]
        for kind, value in tokens:
            marks += [token_name(kind)] * len(value)
    marks += [""] * (len(text) - len(marks))
    rows, at = [], 0
    for row in text.split("\n"):
        lines: list[str] = []
        for piece in wrap(row, width):
            styles = marks[at : at + len(piece)]
            lines.append((r"\bookwrap\ " if lines else "") + styled(piece, styles))
            at += len(piece)
        rows.append(lines)
        at += 1
    return rows


def styled(text: str, marks: list[str]) -> str:
    """Runs of equal style, each in its macro."""
    out, start = "", 0
    for i in range(1, len(text) + 1):
        if i == len(text) or marks[i] != marks[start]:
            run = escape(text[start:i])
            bare = not marks[start] or text[start:i].isspace()
            out += run if bare else rf"\PYG{{{marks[start]}}}{{{run}}}"
            start = i
    return out


def break_points(rows: list[str], code: bool) -> dict[int, str]:
    """After which rows a page may end: between statements, best at a blank line."""
    if len(rows) <= KEEP:
        return {}
    starts = statement_starts("\n".join(rows)) if code else None
    found: dict[int, str] = {}
    statement = 0  # where the present one began
    for i in range(FEW - 1 if starts is not None else 2, len(rows) - 3):
        last = len(rows) - 1
        after = next(j for j in range(i + 1, last + 1) if rows[j].strip() or j == last)
        blank = not rows[i + 1].strip()
        if not rows[i].strip():
            continue
        if starts is not None and after not in starts:
            if i - statement > LIMIT:  # a long table, say
                found[i] = r"\bookmaysplit"
            continue
        statement = i
        if code and lonely(rows, i, after):
            continue
        if blank and code:
            found[i] = r"\booksplit"
        elif not code or (starts and (indent(rows[after]) <= 4 or len(rows) > 16)):
            found[i] = r"\bookmaysplit"
    return found


def lonely(rows: list[str], i: int, after: int) -> bool:
    """Would a break leave a comment, or a line or two, away from what they go with?"""
    above = next((j for j in range(i, -1, -1) if not rows[j].strip()), -1)
    below = next((j for j in range(after, len(rows)) if not rows[j].strip()), len(rows))
    if rows[i].lstrip().startswith("#"):
        return True
    if after == i + 1:
        return i - above < 3 or below - after < 2
    head = i - above < 3 and indent(rows[after]) > indent(rows[above + 1])
    return head or (below - after < 2 and indent(rows[after]) > 0)


def statement_starts(text: str) -> set[int] | None:
    """The rows on which statements start, but for the first ones of each body.

    Those are the first after a docstring, too, unless it is a long one.
    """
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return None
    found = set()
    for node in ast.walk(tree):
        for name in ("body", "orelse", "finalbody", "handlers"):
            body = getattr(node, name, None)
            if isinstance(body, list) and body:
                first = int(not isinstance(node, ast.Module))
                if isinstance(node, ast.FunctionDef | ast.ClassDef):
                    end = body[0].end_lineno or body[0].lineno
                    short = end - node.lineno + 1 < HEAD
                    first += ast.get_docstring(node) is not None and short
                for item in body[first:]:
                    if docstring(item):  # of the field above it
                        continue
                    lines = [d.lineno for d in getattr(item, "decorator_list", ())]
                    found.add(min([item.lineno, *lines]) - 1)
    return found


def docstring(item: ast.AST) -> bool:
    """Is it a text that stands alone?"""
    value = item.value if isinstance(item, ast.Expr) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, str)


def indent(row: str) -> int:
    """The columns before the first letter."""
    return len(row) - len(row.lstrip())


def listing(block: nodes.Element, kind: str, label: str = "") -> str:
    """A literal block as an environment of literate.sty: bookinput or bookoutput."""
    text = block.astext().rstrip("\n")
    output = kind == "bookoutput"
    width = OUTPUT_COLUMNS if output else CODE_COLUMNS
    lexer = None
    try:
        language = "" if output else block.get("language", "")
        lexer = get_lexer_by_name(language, stripnl=False) if language else None
    except ClassNotFound:
        pass
    rows = text.split("\n")
    breaks = break_points(rows, not output)
    command = r"\bookoutline" if output else r"\bookline"
    body = []
    for i, lines in enumerate(code_lines(text, lexer, width)):
        if not rows[i].strip():
            body.append(r"\bookoutblank" if output else r"\bookblank")
        else:
            body += [f"{command}{{{line}}}" for line in lines]
        body.append(breaks.get(i, ""))
    content = "\n".join(filter(None, body))
    return f"\n\\begin{{{kind}}}{{{label}}}%\n{content}\n\\end{{{kind}}}\n"


# --- nodes ------------------------------------------------------------------------


def raw(text: str) -> nodes.raw:
    """LaTeX as it is."""
    return nodes.raw("", text, format="latex")


def label(docname: str, target: str) -> str:
    """The label under which Sphinx's writer knows a target."""
    return rf"\detokenize{{{docname}:{target}}}"


def docname_of(node: nodes.Node) -> str:
    """The page that a node of the assembled tree comes from."""
    at: Any = node
    while at is not None:
        if at.get("docname"):  # Sphinx marks sections, and the root
            return str(at["docname"])
        at = at.parent
    return ""


def swap(node: nodes.Node, new: nodes.Node | list[nodes.Node]) -> None:
    """Put other nodes in a node's place, which inherit nothing from it."""
    at = node.parent.index(node)
    node.parent[at : at + 1] = new if isinstance(new, list) else [new]
