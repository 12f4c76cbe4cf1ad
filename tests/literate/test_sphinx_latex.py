"""Print: the LaTeX of the small book, and how code and tables are cut."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from docutils import nodes
from hypothesis import given
from hypothesis import strategies as st
from pygments.lexers import PythonLexer
from small_book import WORLD, run, write_site

from literate.latex_code import break_points, code_lines, columns, escape, swap, wrap
from literate.latex_tables import Column, column_types, height, shares
from literate.sphinx_latex import breakable, hold

LISTING = "\\begin{bookinput}{}%\na\n\\end{bookinput}\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small book, written as LaTeX."""
    folder = tmp_path_factory.mktemp("print")
    write_site(folder)
    build(folder)
    return folder / "_build/latex"


@pytest.fixture(scope="module")
def tex(folder: Path) -> str:
    """What XeLaTeX is given."""
    return (folder / "the-literate-llm.tex").read_text("utf-8")


def build(folder: Path, builder: str = "latex") -> None:
    program = Path(sys.executable).with_name("jupyter-book")
    run(
        [str(program), "build", ".", "-W", "--keep-going", "--builder", builder], folder
    )


def test_parts_and_chapter_numbers(tex: str) -> None:
    order = [
        r"\bookfront", r"\chapter{Preface}", r"\chapter{The key}", r"\bookmain",
        r"\bookpart{I}{Words}", r"\booknumber{0}", r"\chapter{Counting words}",
        r"\bookunnumbered", r"\chapter{Solutions}", r"\chapter{Glossary}",
        r"\printindex",
    ]  # fmt: skip
    places = [tex.index(command) for command in order]
    assert places == sorted(places)


def test_each_page_is_printed_once(tex: str) -> None:
    assert tex.count("Twice the count is the answer") == 1
    assert tex.count("It begins in") == 1
    assert tex.count(r"\chapter{") == 5


def test_code_has_its_file_and_output_its_mark(tex: str) -> None:
    assert r"\begin{bookinput}{llm/words.py}" in tex
    assert r"\begin{bookoutput}{varies by machine}" in tex
    assert r"\PYG{k}{def}\ \PYG{nf}{count}" in tex


def test_definitions_have_labels(tex: str) -> None:
    assert r"\label{\detokenize{book/01-words:llm.words.count}}" in tex
    assert r"\hyperref[\detokenize{book/01-words:llm.words.count}]" in tex


def test_exercises_and_solutions_refer_to_each_other(tex: str) -> None:
    start = tex.index(r"\begin{bookexercise}{1.1}{Count twice}{Five minutes}{exercise:")
    name = tex[start:].split("{exercise:")[1].split("}")[0]
    assert rf"\label{{exercise:{name}}}" in tex
    assert r"\begin{booksolution}{1.1}{Count twice}{exercise:ex-twice}" in tex


def test_the_budget_is_not_printed_twice(tex: str) -> None:
    assert tex.count("Five minutes") == 1


def test_a_figure_takes_its_mark_along(tex: str) -> None:
    assert r"A picture from a cell. Varies by machine.}" in tex
    assert r"\bookvaries" not in tex


def test_what_ends_a_passage_stays_with_its_hairline() -> None:
    code, prose = (nodes.raw("", text) for text in (LISTING, "prose"))
    passage = nodes.section("", prose.deepcopy(), code.deepcopy())
    hold(passage)
    assert passage.astext().endswith("a\n\\bookhold\\end{bookinput}\n")
    passage = nodes.section("", code, prose)
    hold(passage)
    assert "bookhold" not in passage.astext()


@pytest.mark.parametrize(
    ("code", "tex"),
    [
        (".item()", ".item()"),
        ("__init__", r"\_\_init\_\_"),
        ("a.bc", r"a.\penalty1000{}bc"),
        ("one word_of_many_letters", r"one\ word\_|of\_|many\_|letters"),
    ],
)
def test_where_code_in_a_sentence_may_break(code: str, tex: str) -> None:
    found = re.sub(r"\S+", breakable, escape(code))
    assert found == tex.replace("|", r"\penalty100{}")


def test_footnotes_are_in_the_text(tex: str) -> None:
    assert r"with a note.\footnote{The note says" in tex


def test_tables_align_as_markdown_says(tex: str) -> None:
    assert r"\begin{booktable}{lr}" in tex


def test_the_date_is_that_of_the_commit(tex: str) -> None:
    assert "14 November 2023" in tex


def test_fonts_style_and_cover_lie_beside_it(folder: Path) -> None:
    for name in ("literate.sty", "SourceSansPro-Regular.otf", "cover.pdf"):
        assert (folder / name).stat().st_size


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("xelatex"), reason="needs TeX")
def test_the_pdf_is_in_order_and_the_same_anywhere(tmp_path: Path) -> None:
    pdfs = []
    for name in ("one", "another/folder"):
        folder = tmp_path / name
        write_site(folder)
        build(folder, "pdflatex")
        pdf = folder / "_build/latex/the-literate-llm.pdf"
        command = [sys.executable, "-m", "literate.pdfcheck", str(pdf)]
        done = subprocess.run(command, env=WORLD, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        pdfs.append(pdf.read_bytes())
    assert pdfs[0] == pdfs[1]


# --- lines ------------------------------------------------------------------------


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])), st.integers(8, 90))
def test_wrapping_loses_nothing_and_fits(text: str, width: int) -> None:
    pieces = wrap(text, width)
    assert "".join(pieces) == text
    assert all(sum(map(columns, piece)) <= width for piece in pieces)


def test_wrapping_cuts_after_a_space_or_a_comma() -> None:
    assert wrap("[10, 20, 30, 40]", 10) == ["[10, 20, ", "30, 40]"]


def test_wide_and_combining_characters_are_measured() -> None:
    assert [columns(c) for c in "aé漢🙂\u0301"] == [1, 1, 2, 2, 0]


@pytest.mark.parametrize(
    ("text", "tex"),
    [
        ("a_b", r"a\_b"),
        (r"\n {x}", r"\textbackslash{}n\ \{x\}"),
        ("~^&%$#", r"\textasciitilde{}\textasciicircum{}\&\%\$\#"),
        ("שלום", "שלום"),
        ("السلام عليكم!", r"\bookrtl{السلام\ عليكم}!"),
    ],
)
def test_escape(text: str, tex: str) -> None:
    assert escape(text) == tex


def test_code_keeps_its_rows_and_its_words() -> None:
    text = 'def f(x):\n    """Say."""\n\n    return f"{x}" + "a" * 3\n'
    rows = code_lines(text, PythonLexer(), 76)
    assert [len(row) for row in rows] == [1, 1, 1, 1]
    assert rows[0] == [r"\PYG{k}{def}\ \PYG{nf}{f}\PYG{p}{(}\PYG{n}{x}\PYG{p}{):}"]
    assert rows[2] == [""]


def test_a_long_row_is_wrapped_with_a_mark() -> None:
    [row] = code_lines("x" * 100, None, 76)
    assert row == ["x" * 76, r"\bookwrap\ " + "x" * 24]


FUNCTION = """\
def f():
    '''A docstring
    of two lines.
    '''
    a = [
        1,

        2,
    ]

    b = 1
    c = 2
    for d in a:
        print(d)
    return a
"""


def test_a_page_may_end_between_statements_only() -> None:
    rows = FUNCTION.rstrip().split("\n")
    found = break_points(rows, code=True)
    assert found == {8: r"\booksplit"}
    longer = [*rows[:-1], "    e = 4", "    g = 5", *rows[-1:]]
    assert break_points(longer, code=True) == {8: r"\booksplit", 13: r"\bookmaysplit"}


def test_a_head_stays_with_its_body() -> None:
    rows = ["class A:", "    '''Short.'''", "", *[f"    a{n}: int" for n in range(9)]]
    found = break_points(["import x", "", "", *rows], code=True)
    assert {3, 4}.isdisjoint(found)
    long = ["def f():", "    '''Long.", *["    line"] * 8, "    '''", "    a = 1"]
    assert 10 in break_points([*long, *["    b = 2"] * 9], code=True)


def test_no_line_is_left_alone() -> None:
    body = [f"    print({n})" for n in range(9)]
    start = ["a = 1", "b = 2", "c = 3", "", ""]
    one = [*start, "n = 0", "for i in x:", *body]
    assert sorted(break_points(one, code=True)) == list(range(7, 13))
    comment = [*start, "# What follows", "# is explained.", "d = 4", *one]
    assert {5, 6}.isdisjoint(break_points(comment, code=True))
    head = [*start, "class A:", "    a = 1", "", *FUNCTION.splitlines(), *one]
    nested = [*head[:8], *(f"    {row}" for row in head[8:])]
    assert 6 in break_points(head, code=True)
    assert 6 not in break_points(nested, code=True)
    told = [row for n in "abcde" for row in (f"    {n}: int", f"    'Of {n}.'")]
    found = break_points(["class A:", *told, "    f: int", "    g: int"], code=True)
    assert sorted(found) == [4, 6, 8]
    last = [*start, "def f():", "    a = 1", "    b = 2", "", "    return b", "", *one]
    assert 7 not in break_points(last, code=True)


def test_short_code_stays_whole() -> None:
    assert break_points(["a = 1"] * 9, code=True) == {}


def test_output_may_be_cut_anywhere_but_at_its_ends() -> None:
    found = break_points([f"{n}" for n in range(12)], code=False)
    assert sorted(found) == list(range(2, 9))


def test_what_is_no_python_is_cut_at_blank_lines() -> None:
    rows = ["$ make", "a", "b", "", *"cdefgh"]
    assert break_points(rows, code=True) == {2: r"\booksplit"}


# --- tables -----------------------------------------------------------------------


def test_a_narrow_table_has_natural_columns() -> None:
    columns = [Column("l", 0, ["a name", "another"]), Column("r", 0, ["12"])]
    widths = shares(columns, False)
    assert column_types(columns, widths) == "lr"
    assert height([Column("l", 0, ["a", "b", "c"])], [None]) == 3


def test_long_columns_share_what_is_left() -> None:
    columns = [Column("l", 0, [text]) for text in ("short", "word " * 40, "word " * 12)]
    widths = shares(columns, False)
    assert widths[0] is None
    assert widths[1] is not None
    assert widths[2] is not None
    assert widths[1] > widths[2]
    assert sum(filter(None, widths)) < 1
    assert column_types(columns, widths).count("RaggedRight") == 2
    assert height(columns, widths) >= 4


def test_a_long_word_takes_no_more_than_it_needs() -> None:
    texts = ("word " * 12, "word " * 12, "long" * 6 + " word" * 7)
    widths = shares([Column("l", 0, [text]) for text in texts], False)
    assert all(width and 0.29 < width < 0.36 for width in widths)


def test_given_widths_are_kept() -> None:
    columns = [Column("l", 25, ["a"]), Column("r", 75, ["b"])]
    kinds = column_types(columns, shares(columns, True))
    assert r"0.2500\linewidth" in kinds
    assert r"RaggedLeft\arraybackslash}p{\dimexpr 0.7500\linewidth" in kinds


def test_swap_passes_nothing_on() -> None:
    old = nodes.container("", nodes.Text("a"), ids=["x"], classes=["cell"])
    parent = nodes.section("", old)
    swap(old, [nodes.paragraph("", "b"), nodes.paragraph("", "c")])
    assert [n.astext() for n in parent] == ["b", "c"]
    assert all(not n["ids"] and n.parent is parent for n in parent.children)  # type: ignore[index]


def test_a_long_statement_may_be_cut_anywhere_after_a_while() -> None:
    rows = ["text = '''", *["x"] * 20, "", *["y"] * 20, "'''"]
    places = [i for i in range(16, 40) if i != 21]
    assert break_points(rows, code=True) == dict.fromkeys(places, r"\bookmaysplit")
