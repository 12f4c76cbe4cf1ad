"""Reading chapters: what counts as a cell, and every way to get it wrong."""

import os
import subprocess
import sys
from pathlib import Path

import jupytext
import pytest
from hypothesis import given
from hypothesis import strategies as st

from literate.book import LiterateError, read_book, read_chapter, toc, write

FRONT = "---\nfile_format: mystnb\n---\n\n"  # the text below it begins at line 5


def chapter(text: str, front: str = FRONT):
    return read_chapter("book/07-try.md", front + text)


def cell(body: str, fence: str = "```") -> str:
    return f"{fence}{{code-cell}} python\n{body}\n{fence}\n"


def test_a_chapter() -> None:
    text = "# The title\n\nProse.\n\n" + cell("x = 1\n\n\ndef f():\n    return x")
    found = chapter(text)
    assert (found.path, found.name, found.number) == ("book/07-try.md", "07-try", "07")
    assert found.notebook == "notebooks/07-try.ipynb"
    assert found.title == "The title"
    assert found.metadata == {"file_format": "mystnb"}
    (only,) = found.cells
    assert only.line == 10
    assert found.text.split("\n")[only.line - 1] == "x = 1"
    assert only.source == "x = 1\n\n\ndef f():\n    return x"
    assert only.definitions == {"x": 10, "f": 13}
    assert only.tangle is None
    assert only.id == only.notebook_id == "07-1"


@pytest.mark.parametrize(
    "options",
    [
        ":tangle: llm/x.py\n:tags: [nbval-ignore-output]\n\n",
        ":tags: [nbval-ignore-output]\n:tangle: llm/x.py\n\n",
        ":tangle: 'llm/x.py'\n:tags: ['nbval-ignore-output']\n\n",
        "---\ntangle: llm/x.py\ntags: [nbval-ignore-output]\n---\n",
        "---\ntangle: llm/x.py\ntags:\n- nbval-ignore-output\n---\n\n",
    ],
)
def test_both_forms_of_options(options: str) -> None:
    (only,) = chapter(cell(options + "a = 1")).cells
    assert only.tangle == "llm/x.py"
    assert only.tags == ("nbval-ignore-output",)
    assert only.source == "a = 1"
    assert only.line == 6 + options.count("\n")


def test_figure_options() -> None:
    options = (
        "---\nmystnb:\n  figure:\n    name: fig-x\n    caption: |\n      Two\n\n"
        "      paragraphs.\n  image:\n    alt: A line.\n    width: 80%\n"
        "tags: [remove-input]\n---\n"
    )
    (only,) = chapter(cell(options + "a = 1")).cells
    assert only.options["mystnb"]["figure"]["name"] == "fig-x"
    assert only.source == "a = 1"


@pytest.mark.parametrize(
    ("body", "line", "message"),
    [
        (
            ":tangel: llm/x.py\n\nx = 1",
            6,
            "unknown option 'tangel'; did you mean 'tang",
        ),
        (
            ":tangle: llm/x.py\n:xyzzy: 1\n\nx = 1",
            7,
            "unknown option 'xyzzy' (known: ta",
        ),
        ("---\ntags: []\ntangel: llm/x.py\n---\nx = 1", 8, "did you mean 'tangle'?"),
        (
            ":tangle: ../x.py\n\nx = 1",
            6,
            "'../x.py' is neither llm/*.py nor tests/chap",
        ),
        (":tangle: /llm/x.py\n\nx = 1", 6, "is neither"),
        (":tangle: llm/../x.py\n\nx = 1", 6, "is neither"),
        (":tangle: tests/x.py\n\nx = 1", 6, "is neither"),
        (":tangle: llm/x.pyc\n\nx = 1", 6, "is neither"),
        (":tangle:\n\nx = 1", 6, "None is neither"),
        (":tags: remove-cell\n\nx = 1", 6, "tags are a list: [remove-cell]"),
        (":tags: [remove-cel]\n\nx = 1", 6, "unknown tag 'remove-cel'; did you mean"),
        (":tags: [hide-input]\n\nx = 1", 6, "unknown tag 'hide-input'"),
        (
            ":tangle: llm/x.py\n:tags: [remove-cell]\n\nx = 1",
            7,
            "a tangled cell cannot",
        ),
        (
            ":tags: [remove-input]\n:tangle: llm/x.py\n\nx = 1",
            6,
            "a tangled cell cannot",
        ),
        (":id: a b\n\nx = 1", 6, "the id 'a b' is not"),
        (":id: 7\n\nx = 1", 6, "the id 7 is not"),
        (":mystnb: yes\n\nx = 1", 6, "mystnb holds figure and image"),
        ("---\nmystnb:\n  figur: {}\n---\nx = 1", 7, "'figur'; did you mean 'figure'?"),
        ("---\nmystnb:\n  image:\n    with: 1\n---\nx", 7, "did you mean 'width'?"),
        (":tangle: llm/x.py\n:tangle: llm/y.py\n\nx = 1", 7, "'tangle' is given twice"),
        (":tangle: llm/x.py\nx = 1", 7, "one blank line after the options"),
        (":tangle: llm/x.py\n\n\nx = 1", 8, "no blank line before or after"),
        ("x = 1\n", 7, "no blank line before or after"),
        (":tags: [\n\nx = 1", 6, ""),
        (":tangle:llm/x.py\n\nx = 1", 6, "expected `key: value`"),
        ("---\ntangle: [\n---\nx = 1", 7, ""),
        ("---\ntangle: llm/x.py\nx = 1", 6, "the option block is never closed"),
        ("x = 1\n:tangle: llm/x.py", 7, "options come first in a cell"),
        ("x = 1\ny = (2", 7, "SyntaxError: '(' was never closed"),
        ("x = 1\ny = 2 3", 7, "SyntaxError: invalid syntax"),
        ("x = 1\ny = '\\d'", 7, "SyntaxError: invalid escape sequence"),
        ("", 6, "a cell has code"),
    ],
)
def test_what_is_wrong_in_a_cell(body: str, line: int, message: str) -> None:
    with pytest.raises(LiterateError) as caught:
        chapter(cell(body))
    assert (caught.value.path, caught.value.line) == ("book/07-try.md", line)
    assert message in caught.value.message
    assert str(caught.value).startswith(f"book/07-try.md:{line}: error: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("```{code-cell} python\nx = 1\n", 5, "the cell is never closed"),
        ("```{code-cell} python", 5, "the cell is never closed"),
        ("\n```{code-cell}\nx = 1\n```\n", 6, "open a cell with ```{code-cell} python"),
        ("~~~{code-cell} ipython3\nx = 1\n~~~\n", 5, "with ~~~{code-cell} python"),
        ("  ```{code-cell} python\n  x = 1\n  ```\n", 5, "not indented"),
        ("- ```{code-cell} python\n  x = 1\n  ```\n", 5, "never runs: move it out"),
        ("> ```{code-cell} python\n> x = 1\n> ```\n", 5, "never runs: move it out"),
        ("````{note}\nA.\n\n" + cell("x = 1") + "````\n", 8, "never runs"),
        (":::{note}\nA.\n\n" + cell("x = 1") + ":::\n", 8, "never runs"),
        (
            "::::{a}\n````{b}\n:::{c}\n" + cell("x") + ":::\n````\n::::\n",
            8,
            "never runs",
        ),
        (":::{code-cell} python\nx = 1\n:::\n", 5, "never runs"),
        ("```{raw-cell}\nx\n```\n", 5, "a raw cell"),
        ("A page\x0cbreak.\n", 5, "U+000C in the text"),
        ("Words.\n\n" + cell("x = '\u2028'"), 8, "U+2028 in the text"),
        (cell("x = 1\ny = 2") + cell(":id: 07-1\n\nx = 1"), 12, "taken at line 6: add"),
        (
            cell(":tangle: llm/x.py\n\nx = 1") + cell(":tangle: llm/y.py\n\nx = 1"),
            13,
            "the id 'x' is taken at line 8: add `:id: ...`",
        ),
    ],
)
def test_what_is_wrong_in_a_page(text: str, line: int, message: str) -> None:
    with pytest.raises(LiterateError) as caught:
        chapter(text)
    assert caught.value.line == line
    assert message in caught.value.message


def test_front_matter() -> None:
    with pytest.raises(LiterateError, match=r"try.md:1: .*`file_format: mystnb`"):
        chapter(cell("x = 1"), front="")
    with pytest.raises(LiterateError, match=r"try.md:3: error: "):
        chapter("", front="---\na: 1\nb: [\n---\n")
    with pytest.raises(LiterateError, match=r"try.md:3: error: 'a' is given twice"):
        chapter("", front="---\na: 1\na: 2\n---\n")
    assert chapter("Words.\n", front="").cells == ()
    assert chapter("", front="").title == "07-try"


def test_fences_that_only_show_code() -> None:
    shown = cell("x = (") + "and\n"
    page = f"````md\n{shown}````\n\n````{{code-block}} md\n{shown}````\n\n"
    assert (
        chapter(page + f"~~~\n{shown}~~~\n\n    " + shown.replace("\n", "\n    ")).cells
        == ()
    )


def test_tilde_long_and_nested_fences() -> None:
    text = cell("a = '''\n```\n'''", "````") + cell("b = '''\n```\n'''", "~~~")
    assert [c.source for c in chapter(text).cells] == [
        "a = '''\n```\n'''",
        "b = '''\n```\n'''",
    ]


def test_ids() -> None:
    text = (
        cell("a = 1")
        + cell(":tangle: llm/x.py\n\nclass Vocab:\n    pass")
        + cell(":tangle: llm/x.py\n\n@method_of(Vocab)\ndef size(self):\n    return 1")
        + cell(":tangle: llm/x.py\n:id: limits\n\nLIMIT = 1")
        + cell(":tangle: llm/x.py\n\ndef größe():\n    pass")
        + cell("a = 2")
    )
    found = chapter(text).cells
    ids = ["07-1", "Vocab", "Vocab.size", "limits", "größe", "07-6"]
    assert [c.id for c in found] == ids
    ids = ["07-1", "Vocab", "Vocab-size", "limits", "gr--e", "07-6"]
    assert [c.notebook_id for c in found] == ids
    assert [c.method_of for c in found] == [None, None, "Vocab", None, None, None]


def test_demonstrations_may_be_ipython() -> None:
    magic = "%matplotlib inline\n!ls\nif True:\n    %time x = 1"
    cells = chapter(
        cell(magic) + cell("%%bash\nls -l | wc") + cell("%%time\nimport math")
    )
    assert [len(c.tree.body) for c in cells.cells] == [3, 0, 2]
    with pytest.raises(LiterateError, match=":8: error: SyntaxError"):
        chapter(cell(":tangle: llm/x.py\n\n" + magic))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(end: str) -> None:
    text = FRONT + "# Title\n\n" + cell(":tangle: llm/x.py\n\nx = 1\ny = 2") + "End.\n"
    found = read_chapter("book/07-try.md", text.replace("\n", end))
    assert found.cells[0].source == "x = 1\ny = 2"
    assert found.cells[0].line == 10


def test_definitions() -> None:
    source = (
        "import math\nfrom a import b as c\na, (d, *e) = 1, (2, 3)\nf: int = 1\n"
        "for g in a:\n    h = g\nwith x as i:\n    pass\ntry:\n    import j\n"
        "except ImportError:\n    j = None\n[k for k in a]\nlambda l: l\n"
        "class M:\n    n = 1\ndef o(p=1):\n    q = 1\nif (r := 1):\n    pass\n"
        "s.t = 1\nu[0] = 1\n"
    )
    names = chapter(cell(source.rstrip())).cells[0].definitions
    assert "".join(sorted(names)) == "Madefghijor"


blocks = st.lists(
    st.sampled_from(
        [
            "Some words.\n",
            "# Heading\n",
            "- a list\n\n  more of it\n",
            "> quoted\n",
            "$$\na = b\n$$\n",
            "(label)=\n",
            "+++\n",
            "Term\n: what it means\n",
            "````md\n" + cell("shown = 1") + "````\n",
            "~~~python\nshown = 2\n~~~\n",
            "```{figure} a.svg\n:name: fig\n\nCaption\n```\n",
            ":::{note}\nwords\n:::\n",
            "    indented\n",
            "<div>\n",
            "[^1]: a note\n",
            "| a | b |\n|---|---|\n| 1 | 2 |\n",
            cell("x = 1"),
            cell("x = 1\n\n\ny = '''\n# no heading\n'''"),
            cell(":tags: [remove-input]\n\nx = 1"),
            cell(
                "---\ntags: [remove-cell]\nmystnb:\n  image: {alt: Words}\n---\nx = 1"
            ),
            cell("s = '''\n```\n'''", "````"),
            cell("t = 1", "~~~~"),
            cell("u = 'ä 漢 🙂'"),
        ]
    ),
    max_size=12,
)


@given(blocks, st.sampled_from(["\n", ""]))
def test_the_same_cells_as_jupytext(parts: list[str], between: str) -> None:
    text = FRONT + between.join(parts)
    notebook = jupytext.reads(text, fmt="md:myst")
    theirs = [
        (c.source, dict(c.metadata)) for c in notebook.cells if c.cell_type == "code"
    ]
    ours = read_chapter("book/07-try.md", text).cells
    assert [(c.source, dict(c.options)) for c in ours] == theirs
    lines = text.split("\n")
    for c in ours:
        count = len(c.source.split("\n"))
        assert lines[c.line - 1 : c.line - 1 + count] == c.source.split("\n")


# --- the table of contents --------------------------------------------------------


def test_toc(tiny: Path) -> None:
    pages = ["index", "01-count", "02-rank", "appendix-a-village"]
    assert toc() == [f"book/{page}.md" for page in pages]
    assert [c.name for c in read_book()] == pages
    assert [c.appendix for c in read_book()] == [False, False, False, True]
    assert [len(c.cells) for c in read_book()] == [0, 8, 4, 1]
    Path("_toc.yml").write_text(
        "root: book/index\nchapters:\n- file: book/02-rank.md\n"
    )
    assert toc() == ["book/index.md", "book/02-rank.md"]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("root: book/index\nchapters:\n- file: book/09-none\n", 3, "does not exist"),
        ("root: book/index\nchapters:\n- file: README\n", 3, "not a page in book/"),
        ("root: book/index\nchapters:\n- file: ../book/index\n", 3, "not a page in"),
        ("root: book/index\nchapters:\n- file: book/index\n", 3, "listed twice"),
        ("root: book/index\nchapters: [\n", 2, ""),
        ("- root\n", 1, "expected `key: value`"),
        ("root: book/index\nparts: [x]\n", 1, "expected `file: book/...`, not 'x'"),
    ],
)
def test_wrong_toc(tiny: Path, text: str, line: int, message: str) -> None:
    Path("_toc.yml").write_text(text)
    with pytest.raises(LiterateError) as caught:
        toc()
    assert (caught.value.path, caught.value.line) == ("_toc.yml", line)
    assert message in caught.value.message


def test_no_book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(LiterateError, match=r"_toc.yml:1: error: No such file"):
        toc()


def test_not_utf8(tiny: Path) -> None:
    Path("book/index.md").write_bytes(b"# Title\n\nw\xf6rds\n")
    with pytest.raises(LiterateError, match=r"book/index.md:3: error: not UTF-8"):
        read_book()


# --- writing ----------------------------------------------------------------------


def test_write(tmp_path: Path) -> None:
    path = tmp_path / "deep/er/file.txt"
    assert write(path, "ä\r\n")
    assert path.read_bytes() == "ä\r\n".encode()
    os.chmod(path, 0o755)
    before = path.stat()
    assert not write(path, "ä\r\n")
    assert path.stat() == before
    assert write(path, "b")
    assert path.stat().st_mode == before.st_mode
    assert [p.name for p in path.parent.iterdir()] == ["file.txt"]


def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file.txt"
    write(path, "old")

    def fail(*_: object) -> None:
        raise OSError("killed")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="killed"):
        write(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_light_imports() -> None:
    """The tool needs no torch, and the commands that run often need no notebook."""
    code = (
        "import sys, literate.tangle, literate.check, literate.stitch\n"
        "print({'torch', 'nbformat', 'jupytext', 'llm'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "set()\n", done
