"""Stitching: edits in the package reach the book, and nothing is ever lost."""

import os
import re
import shutil
from pathlib import Path

import pytest
from counting import FILES, commit, write_files
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from literate.book import LiterateError, read_book
from literate.stitch import blocks, stitch, where
from literate.tangle import build, tangle

COUNT, RANK = Path("book/01-count.md"), Path("book/02-rank.md")
CODE = ("llm/count.py", "llm/score.py", "llm/rank.py", "tests/chapters/test_count.py")


def replace(path: Path | str, old: str, new: str) -> None:
    text = Path(path).read_text()
    assert text.count(old) == 1, (path, old, text)
    Path(path).write_text(text.replace(old, new))


def everything() -> dict[str, bytes]:
    """Every file of the book and the package."""
    found = [p for f in ("book", "llm", "tests") for p in Path(f).rglob("*")]
    return {str(path): path.read_bytes() for path in found if path.is_file()}


def refused(line: str, message: str) -> None:
    """Stitching is refused at a place, and nothing is written."""
    before = everything()
    with pytest.raises(LiterateError) as caught:
        stitch(read_book())
    assert str(caught.value).startswith(f"{line}: error: "), caught.value
    assert message in caught.value.message
    assert caught.value.message.endswith("; nothing was written")
    assert caught.value.status == 1
    assert everything() == before


@pytest.fixture(params=["git", "tangled"])
def both(tangled: Path, request: pytest.FixtureRequest) -> Path:
    """The tangled book; what was before is known from git, or from the last tangle."""
    if request.param == "git":
        shutil.rmtree("_build")
        commit()
    return tangled


# --- what is carried over ---------------------------------------------------------


def test_nothing_to_do(both: Path) -> None:
    before = everything()
    assert stitch(read_book()) == []
    assert everything() == before


@pytest.mark.parametrize(
    ("path", "old", "new", "wanted"),
    [
        ("llm/count.py", "text.split())", "text.lower().split())", None),
        ("llm/count.py", "LIMIT = 10", "LIMIT = 11  # ä 漢\nOTHER = 1", None),
        ("llm/count.py", "# %% book/01-count.md#limits\n", None, "# New.\nLIMIT"),
        (
            "llm/count.py",
            '        """How many distinct words?"""\n',
            '        """How many?\n\n        More.\n        """\n',
            '    """How many?\n\n    More.\n    """\n    return len',
        ),
        (
            "llm/count.py",
            "    @property\n    def total",
            "    def more(self):\n        return 1\n\n    # On it.\n    @property\n"
            "    def total",
            "\n\n\n@method_of(Vocab)\ndef more(self):\n    return 1\n\n\n# On it.\n"
            "@method_of(Vocab)\n@property\ndef total",
        ),
        (
            "llm/count.py",
            "        self.counts = Counter(text.split())\n",
            "        self.counts = Counter(text.split())\n\n    def first(self):\n"
            "        return 1\n",
            "\n    def first(self):\n        return 1\n```\n",
        ),
        (
            "llm/score.py",
            "heapq.nlargest(5",
            "heapq.nsmallest(7",
            "import heapq\n\n\ndef",
        ),
        (
            "tests/chapters/test_count.py",
            'Vocab("a b a").size() == 2',
            'Vocab("a b c").size() == 3',
            "\n\n\ntest_size()\ntest_score()\n```",
        ),
        (
            "tests/chapters/test_count.py",
            'score(Vocab("a b")), 1)\n',
            'score(Vocab("a b")), 1)\n\n\ndef test_more():\n    pass\n',
            "def test_more():\n    pass\n\n\ntest_size()",
        ),
        (
            "llm/score.py",
            "shares))\n",
            "shares))\n\n\ndef more():\n    return 1\n",
            "shares))\n\n\ndef more():\n    return 1\n```",
        ),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_edits(
    both: Path, path: str, old: str, new: str | None, wanted: str | None, end: str
) -> None:
    for chapter in Path("book").glob("*.md"):
        chapter.write_bytes(chapter.read_bytes().replace(b"\n", end.encode()))
    replace(path, old, new if new is not None else old + "# New.\n")
    edited = Path(path).read_bytes()
    assert stitch(read_book()) == ["stitched book/01-count.md"]
    assert Path(path).read_bytes() == edited
    text = COUNT.read_bytes().decode()
    assert (wanted or new or "").replace("\n", end) in text
    assert text.count("\n") == text.count(end)
    assert tangle(read_book()) == []
    assert stitch(read_book()) == []


def test_the_rest_of_the_chapter_stays(both: Path) -> None:
    before = COUNT.read_text().split("\n")
    replace("llm/score.py", "heapq.nlargest(5", "heapq.nlargest(9")
    stitch(read_book())
    after = COUNT.read_text().split("\n")
    changed = [
        i
        for i, rows in enumerate(zip(before, after, strict=True))
        if rows[0] != rows[1]
    ]
    assert [after[i].strip()[-34:] for i in changed] == [
        "for share in heapq.nlargest(9, shares))"[-34:]
    ]


def test_several_edits_at_once(both: Path) -> None:
    for path in CODE:
        text = Path(path).read_text()
        Path(path).write_text(re.sub(r"(\n +)(return|assert)", r"\1# note\1\2", text))
    assert stitch(read_book()) == [f"stitched {COUNT}", f"stitched {RANK}"]
    assert COUNT.read_text().count("# note") == 7
    assert tangle(read_book()) == []


def test_edits_of_other_cells_on_both_sides(both: Path) -> None:
    replace(COUNT, "LIMIT = 10", "LIMIT = 12")
    replace(COUNT, "Between two of them", "In between")
    replace("llm/count.py", "text.split()", "text.upper().split()")
    assert stitch(read_book()) == ["stitched book/01-count.md"]
    assert "LIMIT = 10" in Path("llm/count.py").read_text()
    assert tangle(read_book()) == ["wrote llm/count.py"]
    text = Path("llm/count.py").read_text()
    assert "LIMIT = 12" in text
    assert "text.upper()" in text
    assert "In between" in COUNT.read_text()


def test_new_moved_and_removed_cells_in_the_book(both: Path) -> None:
    text = COUNT.read_text()
    new = "```{code-cell} python\n:tangle: llm/count.py\n\nfirst = math.e\n```\n\n"
    text = text.replace("A vocabulary, first", new + "A vocabulary, first")
    removed = text[text.index("Between two of them") : text.index("And a score")]
    text = text.replace(removed, "").replace(
        "    assert limited(Vocab", "    assert (Vocab"
    )
    COUNT.write_text(text)
    replace("llm/count.py", "text.split()", "text.upper().split()")
    assert stitch(read_book()) == ["stitched book/01-count.md"]
    tangle(read_book())
    text = Path("llm/count.py").read_text()
    assert "import math\n" in text
    assert "text.upper()" in text
    assert "LIMIT" not in text


def test_stitch_again_without_a_commit(both: Path) -> None:
    for word in ("upper", "lower", "strip"):
        text = Path("llm/count.py").read_text()
        Path("llm/count.py").write_text(
            re.sub(r"text\.(\w+\(\)\.)?split", f"text.{word}().split", text)
        )
        assert stitch(read_book()) == ["stitched book/01-count.md"]
        assert word in COUNT.read_text()


def test_an_import_goes_into_the_book(both: Path) -> None:
    replace("llm/count.py", "text.split()", "re.findall(r'\\w', text)")
    line = "llm/count.py:18"
    refused(
        line, "'re' is used in llm/count.py and neither defined nor imported; import"
    )
    replace("llm/count.py", "from collections", "import re\nfrom collections")
    refused("llm/count.py:19", "import it in a cell of the chapter")
    replace(COUNT, "import math\n", "import math\nimport re\n")
    assert stitch(read_book()) == ["stitched book/01-count.md"]
    assert tangle(read_book()) == []


# --- what is refused --------------------------------------------------------------


def test_conflict(both: Path) -> None:
    replace(COUNT, "text.split()", "text.lower().split()")
    replace("llm/count.py", "text.split()", "text.upper().split()")
    refused("llm/count.py:12", "conflict: changed here and at book/01-count.md:25")
    replace("llm/count.py", "text.upper()", "text.lower()")
    assert stitch(read_book()) == []


def test_no_common_version(tangled: Path) -> None:
    shutil.rmtree("_build")
    replace("llm/rank.py", "most_common()", "most_common(7)")
    refused("llm/rank.py:10", "conflict: changed here and at book/02-rank.md:18")


C, T = "llm/count.py", "tests/chapters/test_count.py"
CELL = "# %% book/01-count.md#"


@pytest.mark.parametrize(
    ("path", "old", "new", "line", "message"),
    [
        # The header is computed.
        (C, "from coll", "import re\nfrom coll", 9, "computed: `import re` belongs"),
        (C, "Counter\n", "Counter, deque\n", 9, "(as at book/01-count.md:13)"),
        (C, "from collections import Counter\n", "", 9, "imports are computed"),
        (
            C,
            "Counting words",
            "Counts",
            1,
            "`modules:` of the front matter, at book/01",
        ),
        ("llm/__init__.py", "1.2.3", "1.2.4", 6, "the tool, from pyproject.toml:3"),
        ("llm/__init__.py", '3"\n', '3"\nx = 1\n', 7, "this file is written by the"),
        # Markers are the book's.
        (C, "#Vocab\n", "#Vocabb\n", 12, "has no cell book/01-count.md#Vocabb"),
        (C, "01-count.md#Vocab\n", "02-rank.md#Vocab\n", 12, "the book has no cell"),
        (C, CELL + "limits\n", "", 1, "the cell book/01-count.md#limits is gone"),
        (C, "#limits\n", "#Vocab\n", 32, "the marker book/01-count.md#Vocab is here"),
        (C, "    # -- book/01-count.md#Vocab.size\n", "", 1, "#Vocab.size is gone"),
        (C, f"\n\n\n{CELL}lim", f"\n{CELL}lim", 30, "other blank lines than the book"),
        (C, "class V", "def a(): ...\n\n\nclass V", 12, "begins with another name now"),
        # What could not be tangled, at the line of the file where it is.
        (C, "len(self.counts)", "len(self.counts", 23, "SyntaxError: '(' was never"),
        (C, "LIMIT = 10", "LIMIT = lim", 33, "'lim' is used in llm/count.py"),
        (C, "LIMIT = 10\n", "LIMIT = 10\nimport a\n", 34, "imports come first"),
        (C, "LIMIT = 10\n", "import a\n\nLIMIT = 10\n", 33, "imports are computed"),
        (C, "LIMIT = 10\n", "LIMIT = 10\nprint(1)\n", 34, "does not act"),
        (C, "LIMIT = 10", "LIMIT = '''\n```\n'''", None, ""),
        (C, "    def size(", "    x = 1\n\n    def size(", None, "SyntaxError"),
        (C, "sum(self.c", "super().a(self.c", 29, "super() fails"),
        (C, ".values())\n", ".values())\n\n\nx = 1\n", 32, "only methods of it"),
        (
            C,
            "split())\n",
            "split())\n\n\nx = 1\n",
            24,
            "SyntaxError: unexpected indent",
        ),
        (T, "1)\n", "1)\n\n\ntest_score()\n", None, ""),
        # Names that the book uses elsewhere: the place is in the book.
        (C, "class Vocab:", "class Vocabulary:", 0, "defines no 'Vocab'"),
        (C, "def limited(", "def is_limited(", 0, "'limited' is used in tests/"),
        ("llm/score.py", "def score(", "def score_of(", 0, "'score' is used in tests/"),
        ("llm/rank.py", "rank(", "ranks(", 0, "'rank' is used in tests/"),
    ],
)
def test_refusals(
    both: Path, path: str, old: str, new: str, line: int | None, message: str
) -> None:
    replace(path, old, new)
    before = everything()
    with pytest.raises(LiterateError) as caught:
        stitch(read_book())
    assert message in caught.value.message, caught.value
    assert caught.value.status == 1
    if line != 0:  # else the place is in the book
        assert caught.value.path == path
        assert line in (None, caught.value.line)
    rows = Path(caught.value.path).read_text().split("\n")
    assert 1 <= caught.value.line <= len(rows)
    assert everything() == before


def test_two_cells_changed_places(both: Path) -> None:
    text = Path("tests/chapters/test_count.py").read_text()
    header, first = text.split("\n\n\n", 1)
    options = ":tangle: tests/chapters/test_count.py\n\n"
    other = f"```{{code-cell}} python\n{options}def test_x(): ...\n```\n"
    COUNT.write_text(COUNT.read_text() + "\n" + other)
    tangle(read_book())
    shutil.rmtree(".git", ignore_errors=True)
    text = Path("tests/chapters/test_count.py").read_text()
    last = text[text.index("# %% book/01-count.md#test_x") :]
    swapped = f"{header}\n\n\n{last}\n\n{first}"
    Path("tests/chapters/test_count.py").write_text(swapped)
    refused("tests/chapters/test_count.py:1", "cells change their order in the book")


def test_an_edited_file_that_the_book_dropped(both: Path) -> None:
    RANK.write_text(RANK.read_text().replace("llm/rank.py", "llm/ranks.py"))
    assert stitch(read_book()) == []
    replace("llm/rank.py", "most_common()", "most_common(7)")
    refused("llm/rank.py:1", "edited here, and no longer made by the book")


# --- properties -------------------------------------------------------------------


@pytest.fixture(scope="module", params=["git", "tangled"])
def repository(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
):
    """A folder that can be put back into its first state, for hundreds of examples."""
    folder = tmp_path_factory.mktemp("repository")
    here = Path.cwd()
    os.chdir(folder)
    write_files(folder)
    tangle(read_book())
    if request.param == "git":
        commit()
        shutil.rmtree("_build")
    yield {
        p: p.read_bytes()
        for p in folder.rglob("*")
        if p.is_file() and ".git" not in p.parts
    }
    os.chdir(here)


def put_back(repository: dict[Path, bytes]) -> None:
    for folder in ("book", "llm", "tests", "_build"):
        for path in Path(folder).resolve().rglob("*"):
            if path.is_file() and path not in repository:
                path.unlink()
    for path, data in repository.items():
        path.write_bytes(data)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_what_is_stitched_comes_back(
    repository: dict[Path, bytes], data: st.DataObject
) -> None:
    """Tangle, edit any cells of the package, stitch: tangle gives the same bytes."""
    put_back(repository)
    for target in data.draw(st.sets(st.sampled_from(CODE), min_size=1)):
        rows = Path(target).read_text().split("\n")
        first = blocks("\n".join(rows))[1].line
        spots = [i for i, row in enumerate(rows) if i > first and row.strip()]
        for at in sorted(
            data.draw(st.sets(st.sampled_from(spots), max_size=5)), reverse=True
        ):
            indent = rows[at][: len(rows[at]) - len(rows[at].lstrip())]
            kind = data.draw(st.sampled_from(["above", "behind", "code"]))
            inside = indent and "def " not in rows[at] and "@" not in rows[at]
            if "# %%" in rows[at] or "# --" in rows[at]:
                continue
            elif kind == "behind" and "'" not in rows[at] and '"' not in rows[at]:
                rows[at] += f"  # {data.draw(st.text('aä漢🙂 `', max_size=9))}x"
            elif kind == "above" and rows[at - 1].strip():
                rows.insert(at, f"{indent}# a `note`")
            elif kind == "code" and inside and rows[at - 1].strip():
                rows.insert(
                    at, f"{indent}pass" if '"' not in rows[at] else f"{indent}note"
                )
        text = "\n".join(rows)
        Path(target).write_text(text)
        try:
            compile(text, target, "exec")
        except SyntaxError:  # between the lines of an expression, or in a docstring
            path = Path(target).resolve()
            path.write_bytes(repository[path])
    edited = {target: Path(target).read_bytes() for target in CODE}
    try:
        stitch(read_book())
    except LiterateError as error:
        if "'note' is used" in error.message:
            return
        raise
    assert {target: Path(target).read_bytes() for target in CODE} == edited
    assert tangle(read_book()) == []


PLACES = (*CODE, str(COUNT), str(RANK))
LINES = (
    "# note {}",
    "    # note {}",
    "        # note {}",
    "note_{} = 1",
    "def note_{}(): ...",
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.tuples(
            st.sampled_from(PLACES),
            st.floats(0, 0.999),
            st.sampled_from(("insert", "insert", "insert", "delete", "swap")),
            st.sampled_from(LINES),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_no_line_is_ever_lost(repository: dict[Path, bytes], edits: list) -> None:
    """Random edits on both sides: all of them survive, or nothing is written."""
    put_back(repository)
    for number, (place, at, kind, line) in enumerate(edits):
        rows = Path(place).read_text().split("\n")
        spot = int(at * (len(rows) - 1))
        if kind == "insert":
            rows.insert(spot, line.format(number))
        elif kind == "delete":
            del rows[spot]
        else:
            rows[spot : spot + 2] = reversed(rows[spot : spot + 2])
        Path(place).write_text("\n".join(rows))
    before = everything()
    package = {path: before[path] for path in CODE}
    try:
        changed = stitch(read_book())
    except LiterateError:
        assert everything() == before
        return
    after = everything()
    assert {path: after[path] for path in CODE} == package
    for path, data in before.items():
        if path.startswith("book/"):
            notes = set(re.findall(rb"note.\d", data))
            assert notes <= set(re.findall(rb"note.\d", after[path]))
            assert path in " ".join(changed) or after[path] == data
    book = b"".join(data for path, data in after.items() if path.startswith("book/"))
    for data in package.values():
        assert set(re.findall(rb"note.\d", data)) <= set(re.findall(rb"note.\d", book))
    tangle(read_book())
    for path, data in package.items():
        kept = (
            set(Path(path).read_bytes().split(b"\n")) if Path(path).exists() else set()
        )
        lost = set(data.split(b"\n")) - kept
        assert not [row for row in lost if b"note" in row]


# --- where ------------------------------------------------------------------------


def test_where(tangled: Path) -> None:
    book = read_book()
    assert where(book, "llm/count.py", 14) == ("book/01-count.md", 26)
    assert (
        Path("llm/count.py").read_text().split("\n")[13]
        == '    """Words, and how often they occur."""'
    )
    for target in CODE:
        rows = Path(target).read_text().split("\n")
        first = blocks("\n".join(rows))[1].line
        for number, row in enumerate(rows[:-1], 1):
            path, line = where(book, target, number)
            if number > first and row.strip() and "book/" not in row:
                assert (
                    Path(path).read_text().split("\n")[line - 1].strip() == row.strip()
                )
                assert where(book, path, line) == (target, number)
            elif "import" in row and "llm" not in row:
                assert "import" in Path(path).read_text().split("\n")[line - 1]
    assert where(book, "llm/__init__.py", 6) == ("pyproject.toml", 3)


def test_where_in_an_edited_file(tangled: Path) -> None:
    replace("llm/count.py", "from collections", "import re\n\nfrom collections")
    replace("llm/count.py", "LIMIT = 10", "LIMIT = 11\nOTHER = 2")
    rows = Path("llm/count.py").read_text().split("\n")
    at = rows.index("LIMIT = 11") + 1
    book = read_book()
    line = COUNT.read_text().split("\n").index("LIMIT = 10") + 1
    assert where(book, "llm/count.py", at) == ("book/01-count.md", line)
    assert where(book, "llm/count.py", at + 4)[1] == line + 3


@pytest.mark.parametrize(
    ("path", "line", "message"),
    [
        ("llm/count.py", 4000, "no such line"),
        ("llm/count.py", 0, "no such line"),
        ("llm/none.py", 1, "not in the book"),
        ("book/01-count.md", 10, "this line is not tangled"),
        ("book/01-count.md", 4000, "no such line"),
    ],
)
def test_where_is_nothing(tangled: Path, path: str, line: int, message: str) -> None:
    with pytest.raises(
        LiterateError, match=f"{path}:{line}: error: {message}"
    ) as caught:
        where(read_book(), path, line)
    assert caught.value.status == 1


def test_files(tangled: Path) -> None:
    assert set(build(read_book())) == {str(p) for p in map(str, everything())} - set(
        FILES
    )
