"""Tangling: what the files look like, the law of imports, and every refusal."""

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from literate.book import LiterateError, read_book, read_chapter
from literate.imports import Import, import_block
from literate.tangle import build, tangle, upto

pytestmark = pytest.mark.usefixtures("tiny")

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"
HEAD = "---\nfile_format: mystnb\nmodules: {}\n---\n"  # the cells below begin at line 5


def cell(body: str, target: str = "") -> str:
    options = f":tangle: {target}\n\n" if target else ""
    return f"```{{code-cell}} python\n{options}{body}\n```\n"


def page(name: str, *cells: str, modules: str | None = None):
    """A chapter of cells; its modules get docstrings unless they are given."""
    text = "".join(cells)
    if modules is None:
        rows = text.split("\n")
        found = [row[9:] for row in rows if row.startswith(":tangle: llm/")]
        modules = "{" + ", ".join(f"{m}: Some code" for m in dict.fromkeys(found)) + "}"
    return read_chapter(f"book/{name}.md", HEAD.format(modules) + text)


def ruff(*arguments: str) -> None:
    command = [sys.executable, "-m", "ruff", *arguments, "--config", str(PYPROJECT)]
    done = subprocess.run([*command, "--no-cache", "."], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


# --- what is written --------------------------------------------------------------


def test_a_tangled_file(tangled: Path) -> None:
    assert (
        Path("llm/count.py").read_text()
        == '''\
"""Counting words.

Tangled from book/01-count.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

from __future__ import annotations

from collections import Counter


# %% book/01-count.md#Vocab
class Vocab:
    """Words, and how often they occur."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.counts = Counter(text.split())

    # -- book/01-count.md#Vocab.size
    def size(self) -> int:
        """How many distinct words?"""
        return len(self.counts)

    @property
    def total(self) -> int:
        """How many words?"""
        # All of them.
        return sum(self.counts.values())


# %% book/01-count.md#limits
LIMIT = 10


def limited(vocab: Vocab) -> bool:
    """Is the vocabulary small?"""
    return vocab.size() < LIMIT
'''
    )
    assert (
        Path("llm/score.py")
        .read_text()
        .startswith('''\
"""Scoring.

Tangled from book/01-count.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

from __future__ import annotations

import heapq
import math

from llm.count import Vocab


# %% book/01-count.md#score
def score(vocab: Vocab) -> float:
''')
    )
    assert (
        Path("tests/chapters/test_count.py").read_text()
        == '''\
"""The tests of book/01-count.md.

Tangled from book/01-count.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

from __future__ import annotations

import math

from llm.count import Vocab, limited
from llm.score import score


# %% book/01-count.md#test_size
def test_size() -> None:
    assert Vocab("a b a").size() == 2
    assert limited(Vocab("a"))


def test_score() -> None:
    assert math.isclose(score(Vocab("a b")), 1)
'''
    )


def test_files_without_a_chapter(tangled: Path) -> None:
    assert '\n__version__ = "1.2.3"\n' in Path("llm/__init__.py").read_text()
    assert Path("llm/py.typed").read_text() == ""
    assert not Path("llm/__main__.py").exists()
    command = page("23-all", cell("def main() -> int:\n    return 0", "llm/cli.py"))
    modules = build([command])
    assert "sys.exit(main())" in modules["llm/__main__.py"].text
    nested = page("02-x", cell("x = 1", "llm/deep/er.py"))
    assert {"llm/__init__.py", "llm/deep/__init__.py"} < set(build([nested]))
    own = page("23-all", cell("__version__ = '7'", "llm/__init__.py"))
    assert "__version__ = '7'" in build([own])["llm/__init__.py"].text


def test_the_package_works_and_is_clean(tangled: Path) -> None:
    ruff("check")
    ruff("format", "--check")
    done = subprocess.run(
        [sys.executable, "-c", "import llm.rank, llm.score; print(llm.__version__)"],
        capture_output=True,
        text=True,
    )
    assert done.stdout == "1.2.3\n", done.stderr


def test_every_line_has_its_place(tiny: Path) -> None:
    """Each line of code is the line of the chapter that it says it is."""
    texts = {chapter.path: chapter.text.split("\n") for chapter in read_book()}
    for module in build(read_book()).values():
        for line in module.lines:
            if line.path in texts and line.text and not line.text.startswith('"""'):
                source = texts[line.path][line.line - 1].strip()
                assert source
                if "import" not in line.text and "book/" not in line.text:
                    assert source == line.text.strip() or source.startswith("modules:")


def test_only_what_changed_is_written(tangled: Path) -> None:
    before = {path: path.stat() for path in tangled.glob("llm/*")}
    assert tangle(read_book()) == []
    assert {path: path.stat() for path in tangled.glob("llm/*")} == before
    chapter = Path("book/02-rank.md")
    chapter.write_text(chapter.read_text().replace("most_common()", "most_common(9)"))
    assert tangle(read_book()) == ["wrote llm/rank.py"]
    Path("llm/.count.py.tmp").write_text("left by a kill")
    Path("llm/own.py").write_text("x = 1")
    chapter.write_text(chapter.read_text().replace("llm/rank.py", "llm/ranks.py"))
    done = ["wrote llm/ranks.py", "removed llm/.count.py.tmp", "removed llm/rank.py"]
    assert tangle(read_book()) == [
        done[0],
        "wrote tests/chapters/test_rank.py",
        *done[1:],
    ]
    assert Path("llm/own.py").exists()


def test_killed_at_any_moment(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whenever the writing stops, files are old or new, and the next run finishes."""
    tangle(read_book())
    old = {path: path.read_text() for path in tiny.glob("llm/*.py")}
    for name in ("01-count", "02-rank"):
        chapter = Path(f"book/{name}.md")
        chapter.write_text(chapter.read_text().replace("words", "terms"))
    new = {Path(t): m.text for t, m in build(read_book()).items()}
    replace = os.replace
    for kill_at in range(8):
        shutil.rmtree("_build")
        for path, text in old.items():
            path.write_text(text)
        calls = iter(range(100))

        def stop(*args: str, kill_at: int = kill_at, calls=calls) -> None:
            if next(calls) == kill_at:
                raise KeyboardInterrupt
            replace(*args)

        monkeypatch.setattr(os, "replace", stop)
        with pytest.raises(KeyboardInterrupt):
            tangle(read_book())
        monkeypatch.setattr(os, "replace", replace)
        for path in old:
            assert path.read_text() in (old[path], new[path.relative_to(tiny)])
        tangle(read_book())
        assert all(path.read_text() == text for path, text in new.items())


def test_an_edit_is_kept_when_it_is_overwritten(tangled: Path) -> None:
    rank = Path("llm/rank.py")
    rank.write_text(rank.read_text() + "\n# mine\n")
    note = " (it was edited: _build/replaced/llm/rank.py keeps the edit)"
    assert tangle(read_book()) == ["wrote llm/rank.py" + note]
    assert Path("_build/replaced/llm/rank.py").read_text().endswith("# mine\n")


def test_no_writing_through_links(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    Path("llm").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(LiterateError, match=r"llm:1: error: a symbolic link"):
        tangle(read_book())
    assert not list((tmp_path / "elsewhere").iterdir())


def test_upto(tiny: Path) -> None:
    names = [chapter.name for chapter in upto(read_book(), "01")]
    assert names == ["index", "01-count", "appendix-a-village"]
    appendix = Path("book/appendix-a-village.md")
    more = cell("from llm.rank import rank") + cell("def test_x(): ...", T)
    appendix.write_text(appendix.read_text() + more)
    tangle(read_book())
    assert "removed llm/rank.py" in tangle(upto(read_book(), "01"))
    with pytest.raises(LiterateError, match=r"_toc.yml:1: error: no chapter 12"):
        upto(read_book(), "12")


def test_crlf_and_unicode(tiny: Path) -> None:
    want = {target: module.text for target, module in build(read_book()).items()}
    for chapter in Path("book").glob("*.md"):
        chapter.write_bytes(chapter.read_bytes().replace(b"\n", b"\r\n"))
    assert {t: module.text for t, module in build(read_book()).items()} == want
    chapter = page("01-x", cell("Größe = 'ä 漢 🙂'  # é", "llm/x.py"))
    assert (
        "\n# %% book/01-x.md#Größe\nGröße = 'ä 漢 🙂'  # é\n"
        in build([chapter])["llm/x.py"].text
    )


# --- imports ----------------------------------------------------------------------


def header(*cells: str, target: str = "llm/x.py") -> list[str]:
    """The imports of a chapter's module."""
    text = build([page("05-x", *cells)])[target].text
    return [row for row in text.split("# %%")[0].split("\n")[5:] if row]


@pytest.mark.parametrize(
    ("imports", "code", "want"),
    [
        ("import math", "x = math.pi", ["import math"]),
        ("import math", "x = 1", []),
        ("import numpy as np", "x = np.pi", ["import numpy as np"]),
        ("import numpy", "x = numpy.pi", ["import numpy"]),
        ("from a import b as c", "x = c", ["from a import b as c"]),
        ("import a.b as c", "x = c", ["import a.b as c"]),
        ("import os, sys", "x = sys.path", ["import sys"]),
        ("from a import b, c, d", "x = (c, b)", ["from a import b, c"]),
        ("import os\nimport os.path", "x = os.path", ["import os", "import os.path"]),
        ("import torch\nimport torch.nn", "x = torch.e", ["import torch"]),
        (
            "import torch\nfrom torch import Tensor",
            "x = torch.e, Tensor",
            ["import torch", "from torch import Tensor"],
        ),
        ("import xml.etree", "x = xml.etree.a", ["import xml.etree"]),
        ("from a import print", "x = print", ["from a import print"]),
        ("import math", "def f(math):\n    return math", []),
        ("import math", "def f():\n    return math.e", ["import math"]),
        ("import math", "class A:\n    x = math.e", ["import math"]),
        (
            "import math",
            "class A:\n    def f(self):\n        return math",
            ["import math"],
        ),
        ("import math", "x = [math for math in ()]", []),
        ("import math", "f = lambda: math", ["import math"]),
        ("from a import b", "def f(x: b) -> None: ...", ["from a import b"]),
        ("from a import b", "def f() -> 'b[int]': ...", ["from a import b"]),
        ("from a import b", "x: 'list[b]' = []", ["from a import b"]),
        ("from a import b", "x: Literal['b'] = 'b'\nLiteral = 1", []),
        ("from a import F", "x: F['T B D'] = 1", ["from a import F"]),
        ("from a import F", "def f(x: F['B']) -> F['...']: ...", ["from a import F"]),
        ("from a import b", "__all__ = ['x']\nx = __name__", []),
        (
            "from __future__ import annotations",
            "x = 1",
            ["from __future__ import annotations"],
        ),
        (
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from a import b",
            "x: 'b' = 1",
            [
                "from typing import TYPE_CHECKING",
                "if TYPE_CHECKING:",
                "    from a import b",
            ],
        ),
    ],
)
def test_minimal_imports(imports: str, code: str, want: list[str]) -> None:
    assert header(cell(imports), cell(code, "llm/x.py")) == want
    if "if " not in imports:
        assert header(cell(f"{imports}\n\n{code}", "llm/x.py")) == want


def test_imports_that_stay_where_they_are() -> None:
    code = "try:\n    import a\nexcept ImportError:\n    a = None\n\n\n"
    code += "def f():\n    import b\n    return a, b"
    assert header(cell(code, "llm/x.py")) == []
    assert code in build([page("05-x", cell(code, "llm/x.py"))])["llm/x.py"].text


def test_between_the_modules_of_a_chapter() -> None:
    cells = [
        cell("def a():\n    return 1", "llm/x.py"),
        cell("def b():\n    return a()", "llm/y.py"),
        cell("def test_b():\n    assert b() == a()", "tests/chapters/test_x.py"),
    ]
    assert header(*cells, target="llm/y.py") == ["from llm.x import a"]
    want = ["from llm.x import a", "from llm.y import b"]
    assert header(*cells, target="tests/chapters/test_x.py") == want


names = st.sampled_from(["a", "B", "CC", "D1", "d2", "d10", "_e", "Ff", "gG", "A", "F"])
modules = st.sampled_from(
    [
        "os",
        "os.path",
        "abc",
        "torch",
        "torch.nn",
        "zlib",
        "Numpy",
        "m2",
        "m10",
        "yaml",
        "llm.a",
        "llm.b2",
        "llm.b10",
        "collections.abc",
        "a_very_long_module_name_indeed",
    ]
)
statements = st.one_of(
    st.builds(Import, modules, st.none(), st.none() | st.just("z"), st.just(1)),
    st.builds(
        Import, modules, names, st.none() | st.just("q"), st.just(1), st.booleans()
    ),
)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(st.lists(statements, min_size=1, max_size=40), min_size=4, max_size=8),
    st.sampled_from(["76", "88"]),
)
def test_sorted_as_ruff_sorts(
    tmp_path: Path, many: list[list[Import]], width: str
) -> None:
    """Ruff's isort finds nothing to do, nor does its formatter, at 76 and at 88."""
    (tmp_path / "llm").mkdir(exist_ok=True)
    for name in ("__init__", "a", "b2", "b10"):
        (tmp_path / f"llm/{name}.py").touch()
    for old in tmp_path.glob("*.py"):
        old.unlink()
    for number, needed in enumerate(many):
        first = Import("typing", "TYPE_CHECKING", None, 1)
        rows = "\n".join(row for row, _ in import_block([first, *needed]))
        (tmp_path / f"file{number}.py").write_text(
            f'"""D."""\n\n{rows}\n\n# %% x\nx = 1\n'
        )
    options = ["--isolated", "--no-cache", "--line-length", width, "-q", "."]
    for command in (["check", "--select", "I001"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, *options],
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "cells",
    [
        ["LIMIT = 1"],
        ["import math\n\nLIMIT = math.e"],
        ["LIMIT = 1", "OTHER = 2", "def f():\n    return LIMIT", "LAST = f"],
        ["class A:\n    x = 1", "@method_of(A)\ndef f(self):\n    return 1", "B = A"],
        ["# Only a comment above.\nX = 1\n# and below", "def f():\n    return 1"],
    ],
)
def test_ruff_likes_every_kind_of_module(tiny: Path, cells: list[str]) -> None:
    for path in Path("book").glob("*.md"):
        path.unlink()
    for target, module in build(
        [page("01-x", *(cell(c, "llm/x.py") for c in cells))]
    ).items():
        Path(target).parent.mkdir(exist_ok=True, parents=True)
        Path(target).write_text(module.text)
    ruff("check", "--ignore", "D")
    ruff("format", "--check")


# --- methods ----------------------------------------------------------------------


def test_methods_keep_their_meaning() -> None:
    methods = '''\
@method_of(A)
@staticmethod
def f(x: int) -> str:
    """One line.

    More: `x`
        indented.
    """
    text = ("a"
            "b")
    return text  # end


# About g.
@method_of(A)
async def g(self) -> None:
    class B:
        pass


    return B'''
    chapter = page(
        "05-x",
        cell('class A:\n    """Doc."""', "llm/x.py"),
        cell(methods, "llm/x.py"),
        cell("b = A", "llm/x.py"),
    )
    text = build([chapter])["llm/x.py"].text
    (found,) = (n for n in ast.parse(text).body if isinstance(n, ast.ClassDef))
    assert [n.name for n in found.body if not isinstance(n, ast.Expr)] == ["f", "g"]
    assert "\n\n    # About g.\n    async def g(self)" in text
    assert "            pass\n\n\n        return B\n\n\n# %%" in text


# --- refusals: each with the chapter's line ---------------------------------------

X = "llm/x.py"
T = "tests/chapters/test_x.py"
CLASS = cell("class A:\n    pass", X)  # takes lines 5 to 10


@pytest.mark.parametrize(
    ("cells", "line", "message"),
    [
        (
            [cell("x = mathh.e", X)],
            8,
            "'mathh' is used in llm/x.py and neither defined",
        ),
        (
            [cell("mathh = 1"), cell("\nx = mathh".strip(), X)],
            11,
            "line 6 is not tangled",
        ),
        ([cell("import math", X)], 8, "nothing to tangle"),
        ([cell("for i in ():\n    pass\nprint(i)", X)], 10, "defines and does not act"),
        ([cell("print(1)", X)], 8, "needs an `:id:`"),
        ([cell('"""Doc."""\nx = 1', X)], 8, "docstring is its line under `modules:`"),
        ([cell("x = 1\nimport math", X)], 9, "imports come first"),
        ([cell("import math; x = math", X)], 8, "a line of its own"),
        ([cell("from math import *")], 6, "import names, not *"),
        ([cell("from . import x")], 6, "a relative import"),
        ([cell("def f():\n    from ..a import x", X)], 9, "a relative import"),
        ([cell("x = 1\nif __name__ == '__main__':\n    x = 2", X)], 9, "define main()"),
        ([cell("x = 1\n# %% book/01-x.md#a", X)], 9, "looks like a marker"),
        ([cell("def f():\n    return f\n\n\nreturn f", X)], 12, "'return' outside"),
        ([cell("def f(a, a):\n    pass", X)], 8, "duplicate argument"),
        (
            [cell("x = 1", X), cell("y = 1\nx = 2", X)],
            14,
            "defined already, at book/05-x.md:8",
        ),
        ([cell("x = 1", X), cell("x = 2", "llm/y.py")], 13, "the id 'x' is taken"),
        (
            [cell("x = 1\ny = 1", X), cell("z = y = 2", "llm/y.py")],
            14,
            "book/05-x.md:9",
        ),
        (
            [cell("_x = 1\ny = 1", X), cell("z = _x = 2", "llm/y.py")],
            14,
            "'_x' is defined",
        ),
        ([cell("x = 1", X), cell("y = 1\nx = 2")], 12, "'x' is tangled at line 8: use"),
        (
            [cell("x = 1", X), cell("from math import e as x")],
            11,
            "'x' is tangled at line",
        ),
        (
            [cell("import math"), cell("from a import math")],
            9,
            "another import at line 6",
        ),
        ([cell("import a as b"), cell("import b")], 9, "another import at line 6"),
        ([cell("from llm.x import y"), cell("y = 1", X)], 6, "the chapter's own"),
        ([cell("import llm.x"), cell("y = 1", X)], 6, "llm.x is the chapter's own"),
        ([cell("from llm import x"), cell("y = 1", X)], 6, "the chapter's own"),
        (
            [cell("from llm.z import y"), cell("y = 1", X)],
            6,
            "no chapter writes llm/z.py",
        ),
        (
            [cell("a = b", X), cell("b = 1\nc = a", "llm/y.py")],
            8,
            "llm.x -> llm.y -> llm.x",
        ),
        (
            [cell("def test_a(): ...\ntest_a()\nx = 1", T)],
            9,
            "calls of tests come last",
        ),
        ([cell("def test_a(): ...\nprint(1)", T)], 9, "defines and does not act"),
        (
            [cell("@method_of(A)\ndef f(self):\n    pass", X)],
            8,
            "no cell of llm/x.py above ends with class A",
        ),
        (
            [
                cell("class A:\n    pass\n\n\nx = 1", X),
                cell("@method_of(A)\ndef f(): ...", X),
            ],
            17,
            "above ends with class A",
        ),
        (
            [CLASS, cell("@method_of(A)\ndef f(): ...", "llm/y.py")],
            14,
            "no cell of llm/y.py above ends with class A",
        ),
        (
            [CLASS, cell("@method_of(A)\ndef f(): ...\nx = 1", X)],
            16,
            "nothing else in it",
        ),
        ([CLASS, cell("@method_of(A)\ndef len(self): ...", X)], 15, "hide another len"),
        (
            [cell("import gc"), CLASS, cell("@method_of(A)\ndef gc(self): ...", X)],
            18,
            "hide another gc",
        ),
        (
            [cell("class A: pass\n# end", X), cell("@method_of(A)\ndef f(): ...", X)],
            14,
            "above ends with class A",
        ),
        ([CLASS, cell("@b\n@method_of(A)\ndef f(): ...", X)], 14, "comes first among"),
        (
            [CLASS, cell("@method_of(\n    A)\ndef f(): ...", X)],
            14,
            "a line of its own",
        ),
        (
            [CLASS, cell("@method_of(A)\ndef f(self):\n    super().f()", X)],
            16,
            "super() fa",
        ),
        (
            [CLASS, cell("@method_of(A)\ndef f(self):\n    self.__a = 1", X)],
            16,
            "__a is ano",
        ),
        (
            [CLASS, cell("@method_of(A)\ndef f(self):\n    return '''a\n    b'''", X)],
            15,
            "a string over several lines",
        ),
    ],
)
def test_refusals(tiny: Path, cells: list[str], line: int, message: str) -> None:
    with pytest.raises(LiterateError) as caught:
        build([page("05-x", *cells)])
    assert message in caught.value.message
    assert (caught.value.path, caught.value.line) == ("book/05-x.md", line)


FIRST = page("01-a", cell("def a(): ...", "llm/a.py"), cell("b = 1"))
HOUSE = page("appendix-a-b", cell("def house(): ...", "llm/house.py"))


@pytest.mark.parametrize(
    ("book", "place", "message"),
    [
        (
            [page("01-z", cell("from llm.a import a")), FIRST],
            "01-z.md:6",
            "a comes later, in",
        ),
        ([page("01-z", cell("import llm.a")), FIRST], "01-z.md:6", "llm.a comes later"),
        (
            [page("01-z", cell("def f():\n    from llm import a", X)), FIRST],
            "01-z.md:9",
            "llm.a comes later, in book/01-a.md",
        ),
        (
            [FIRST, page("02-z", cell("from llm.a import b"))],
            "02-z.md:6",
            "defines no 'b'",
        ),
        (
            [FIRST, page("02-z", cell("from llm.b import b"))],
            "02-z.md:6",
            "no chapter writ",
        ),
        (
            [FIRST, page("02-z", cell("c = a", X))],
            "02-z.md:8",
            "try `from llm.a import a`",
        ),
        (
            [FIRST, page("02-z", cell("a = 1", X))],
            "02-z.md:8",
            "already, at book/01-a.md:8",
        ),
        (
            [FIRST, page("02-z", cell("c = 1", "llm/a.py"))],
            "02-z.md:8",
            "belongs to book/01-",
        ),
        (
            [FIRST, page("appendix-z", cell("from llm.a import a\n\nc = a", X))],
            "appendix-z.md:8",
            "an appendix's module imports from llm only what appendices",
        ),
        (
            [FIRST, page("appendix-z", cell("from llm.a import a"), cell("c = a", X))],
            "appendix-z.md:6",
            "an appendix's module imports from llm only what appendices",
        ),
        (
            [page("01-z", cell("c = 1", X), modules="{}")],
            "01-z.md:3",
            "the front matter lacks",
        ),
        (
            [page("01-z", cell("c = 1", X), modules=f"{{{X}: 'a\\b'}}")],
            "01-z.md:3",
            "is not one short line",
        ),
        (
            [page("01-z", modules="{llm/b.py: B.}")],
            "01-z.md:3",
            "no cell of the chapter is",
        ),
        ([page("01-z", modules="[llm/b.py]")], "01-z.md:3", "`modules:` is"),
    ],
)
def test_the_law(tiny: Path, book: list, place: str, message: str) -> None:
    with pytest.raises(LiterateError) as caught:
        build(book)
    assert message in caught.value.message
    assert f"{caught.value.path}:{caught.value.line}" == f"book/{place}"


def test_what_the_law_allows(tiny: Path) -> None:
    use = "from llm import __version__, a\nimport llm\nfrom llm.a import a as aa\n"
    later = page(
        "02-z", cell(use + "from llm.house import house"), cell("c = aa, house", X)
    )
    early = page(
        "00-y", cell("from llm.house import house"), cell("_p = house", "llm/y.py")
    )
    private = page("03-p", cell("_p = 1\n__all__ = ['_p']", "llm/p.py"))
    other = page("04-p", cell("_p = 1\n__all__ = ['_p']", "llm/q.py"), cell("a = 1"))
    demo = page("appendix-y", cell("from llm.a import a"), cell("d = 1", "llm/w.py"))
    build([early, FIRST, later, private, other, HOUSE, demo])


def test_appendices_may_build_on_appendices(tiny: Path) -> None:
    own = page(
        "appendix-y",
        cell("def street():\n    return house()", "llm/street.py"),
        cell("def town():\n    return street()", "llm/town.py"),
    )
    with pytest.raises(LiterateError, match="neither defined nor imported"):
        build([HOUSE, own])
    other = page(
        "appendix-y",
        cell("from llm.house import house"),
        cell("def street():\n    return house()", "llm/street.py"),
        cell("def town():\n    return street()", "llm/town.py"),
    )
    modules = build([HOUSE, other])
    assert "from llm.house import house" in modules["llm/street.py"].text
    assert "from llm.street import street" in modules["llm/town.py"].text


def test_a_test_may_use_what_it_likes(tiny: Path) -> None:
    checks = cell("def check_f(f):\n    assert f() == 1", T)
    solution = cell(
        "def mine():\n    return 1\n\n\ndef test_f():\n    check_f(mine)\n\n\ntest_f()",
        T,
    )
    stub = cell("def mine():\n    return 2")
    text = build([page("05-x", checks, stub, solution)])[T].text
    assert text.endswith("def test_f():\n    check_f(mine)\n")


def test_speed(tiny: Path) -> None:
    """A chapter of 40 cells takes well under 2 s / 30; most of it is Markdown."""
    import time

    prose = "Some prose about a thing, with *emphasis* and $x^2$.\n" * 8
    body = 'def f{0}(x: int) -> int:\n    """Doc."""\n    return sum(range(x))'
    cells = [
        prose + cell(body.format(i), "llm/x.py" if i % 2 else "") for i in range(40)
    ]
    took = []
    for _ in range(3):
        start = time.process_time()
        build([page("05-x", *cells)])
        took.append(time.process_time() - start)
    assert min(took) < 0.3


@pytest.mark.parametrize("version", ["", "[project]\n"])
def test_no_version(tiny: Path, version: str) -> None:
    Path("pyproject.toml").write_text(version)
    with pytest.raises(LiterateError, match=r"pyproject.toml:1: error: no line `vers"):
        build(read_book())


def wrong(edit: Callable[[str], str]) -> LiterateError:
    path = Path("book/01-count.md")
    path.write_text(edit(path.read_text()))
    with pytest.raises(LiterateError) as caught:
        tangle(read_book())
    return caught.value


def test_nothing_is_written_when_something_is_wrong(tangled: Path) -> None:
    before = {path: path.read_bytes() for path in tangled.rglob("*") if path.is_file()}
    error = wrong(lambda text: text.replace("math.log2", "mathh.log2"))
    assert str(error).startswith(
        "book/01-count.md:86: error: 'mathh' is used in llm/sc"
    )
    after = {path: path.read_bytes() for path in tangled.rglob("*") if path.is_file()}
    assert {path for path in after if after[path] != before.get(path)} == {
        tangled / "book/01-count.md"
    }
