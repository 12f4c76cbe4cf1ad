"""Checking: every difference between the book and what is made of it is found."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import literate
from literate import figures, weave
from literate.__main__ import COMMANDS, main
from literate.book import LiterateError, read_book
from literate.check import findings, snapshots
from literate.tangle import build, tangle


@pytest.fixture(autouse=True)
def no_notebooks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weaving has tests of its own."""
    monkeypatch.setattr(weave, "findings", lambda book: iter(()))


def found() -> list[str]:
    return [str(finding) for finding in findings(read_book())]


def edit(path: str, old: str, new: str) -> None:
    text = Path(path).read_text()
    assert old in text
    Path(path).write_text(text.replace(old, new))


def test_nothing(tangled: Path) -> None:
    assert found() == []


def test_any_deleted_line_is_found(tangled: Path) -> None:
    """At the line of the chapter where it comes from."""
    for target, module in build(read_book()).items():
        rows = module.text.split("\n")[:-1]
        for number, line in enumerate(module.lines):
            Path(target).write_text(
                "\n".join([*rows[:number], *rows[number + 1 :], ""])
            )
            (finding,) = findings(read_book())
            if rows[number] != (rows[number + 1 : number + 2] or [""])[0]:
                assert (finding.path, finding.line) == (line.path, line.line)
                assert f"{target}:{number + 1} is not what" in finding.message
        Path(target).write_text(module.text)


def test_edits(tangled: Path) -> None:
    edit("llm/count.py", "LIMIT = 10", "LIMIT = 11")
    edit("book/02-rank.md", "most_common()", "most_common(3)")
    edit("tests/chapters/test_rank.py", '["b"', '["c"')
    assert found() == [
        "book/01-count.md:63: error: llm/count.py:33 is not what the book says: run "
        "`./build.sh tangle`, or stitch to keep the edit",
        "book/02-rank.md:20: error: llm/rank.py:13 is not what the book says: run "
        "`./build.sh tangle`, or stitch to keep the edit",
        "book/02-rank.md:31: error: tests/chapters/test_rank.py:13 is not what the "
        "book says: run `./build.sh tangle`, or stitch to keep the edit",
    ]


def test_line_ends_and_added_lines(tangled: Path) -> None:
    path = Path("llm/rank.py")
    text = path.read_bytes()
    for other in (
        text.replace(b"\n", b"\r\n"),
        text + b"\n",
        text[:-1],
        b"",
        text + b"x",
    ):
        path.write_bytes(other)
        assert len(found()) == 1, other
    path.write_bytes(text)
    assert found() == []


def test_files_that_should_not_be_there(tangled: Path) -> None:
    Path("llm/own.py").write_text("x = 1\n")
    Path("llm/data.txt").write_text("x")
    Path("llm/__pycache__").mkdir()
    Path("llm/__pycache__/own.pyc").write_text("x")
    Path("llm/old.py").write_text(Path("llm/rank.py").read_text())
    Path("llm/link.py").symlink_to("rank.py")
    Path("tests/chapters/conftest.py").write_text("x = 1\n")
    foreign = "not tangled from the book: write it in a chapter, or remove it"
    assert found() == [
        f"llm/data.txt:1: error: {foreign}",
        f"llm/link.py:1: error: {foreign}",
        "llm/old.py:1: error: no chapter makes it any more: run `./build.sh tangle`",
        f"llm/own.py:1: error: {foreign}",
        f"tests/chapters/conftest.py:1: error: {foreign}",
    ]


def test_files_that_are_missing(tangled: Path) -> None:
    Path("llm/score.py").unlink()
    Path("llm/__init__.py").unlink()
    Path("llm/py.typed").unlink()
    missing = "is missing: run `./build.sh tangle`"
    assert found() == [
        f"pyproject.toml:3: error: llm/__init__.py {missing}",
        f"llm/py.typed:1: error: llm/py.typed {missing}",
        f"book/01-count.md:5: error: llm/score.py {missing}".replace(":5:", ":3:"),
    ]


def test_pages_and_notebooks_without_a_place(tangled: Path) -> None:
    Path("book/99-lost.md").write_text("# Lost\n")
    Path("notebooks").mkdir()
    Path("notebooks/99-lost.ipynb").write_text("{}")
    assert found() == [
        "book/99-lost.md:1: error: missing from _toc.yml",
        "notebooks/99-lost.ipynb:1: error: a notebook without a chapter: remove it",
    ]


def test_figures_older_than_their_scripts(tangled: Path) -> None:
    Path("book/figures").mkdir()
    script = Path("book/figures/square.py")
    script.write_text("open(__file__[:-2] + 'svg', 'w').write('<svg/>')\n")
    stale = [f"{script}:1: error: it has changed since it drew: run `./build.sh`"]
    assert found() == stale
    figures.draw(script)
    assert found() == []
    script.write_text(script.read_text() + "# more\n")
    assert found() == stale


def test_notebooks(tangled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def one(_: object) -> Iterator[LiterateError]:
        yield LiterateError("book/01-count.md", 9, "differs")

    monkeypatch.setattr(weave, "findings", one)
    assert found() == ["book/01-count.md:9: error: differs"]


# --- snapshots --------------------------------------------------------------------


def test_snapshots(tangled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit("tests/chapters/test_count.py", "== 2", "== 3")  # they don't look at the disk
    assert list(snapshots(read_book())) == []
    out = capsys.readouterr().out
    assert "chapters up to 01: work (" in out
    assert "chapters up to 02: work (" in out


@pytest.mark.parametrize(
    ("path", "old", "new", "chapter", "output"),
    [
        ("book/02-rank.md", "LIMIT", "", "book/02-rank.md", "ZeroDivisionError"),
        ("book/02-rank.md", '["b", "a"]', '["a", "b"]', "book/02-rank.md", "1 failed"),
    ],
)
def test_a_snapshot_that_fails(
    tangled: Path,
    capsys: pytest.CaptureFixture[str],
    path: str,
    old: str,
    new: str,
    chapter: str,
    output: str,
) -> None:
    if old == "LIMIT":
        old, new = "def rank", "ratio = 1 / 0\n\n\ndef rank"
    edit(path, old, new)
    (finding,) = snapshots(read_book())
    assert str(finding).startswith(f"{chapter}:1: error: with the chapters up to this")
    assert output in capsys.readouterr().out


# --- the command line -------------------------------------------------------------


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "literate", *arguments]
    env = {**os.environ, "PYTHONPATH": str(Path(literate.__file__).parents[1])}
    return subprocess.run(command, capture_output=True, text=True, env=env)


def test_commands(tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tangle"]) == 0
    assert "wrote llm/count.py\n" in capsys.readouterr().out
    assert main(["tangle"]) == 0
    assert (
        capsys.readouterr().out == "llm/ and tests/chapters/ are what the book says\n"
    )
    assert main(["check"]) == 0
    assert "are what the book says" in capsys.readouterr().out
    assert main(["where", "llm/count.py:33"]) == 0
    assert capsys.readouterr().out == "book/01-count.md:63\n"
    assert main(["where", "./book/01-count.md:63"]) == 0
    assert capsys.readouterr().out == "llm/count.py:33\n"
    assert main(["where", "llm/count.py:330"]) == 1
    assert capsys.readouterr().err == "llm/count.py:330: error: no such line\n"
    edit("llm/count.py", "LIMIT = 10", "LIMIT = 11")
    assert main(["check"]) == 1
    out, err = capsys.readouterr()
    assert "\n-LIMIT = 11\n+LIMIT = 10\n" in out
    assert err.startswith("book/01-count.md:63: error: llm/count.py:33 is not what")
    assert main(["stitch"]) == 0
    assert capsys.readouterr().out == "stitched book/01-count.md\n"
    assert main(["stitch"]) == 0
    assert capsys.readouterr().out == "no edits to stitch\n"
    assert main(["check", "--snapshots"]) == 0
    assert main(["tangle", "--upto", "01"]) == 0
    assert "removed llm/rank.py\n" in capsys.readouterr().out


def test_exit_statuses(tangled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit("llm/count.py", "import Counter", "import Counter, deque")
    assert main(["stitch"]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    edit("book/02-rank.md", "houses(3))", "houses(3)")
    for command in (["tangle"], ["check"], ["stitch"], ["where", "llm/rank.py:1"]):
        assert main(command) == 2
        err = capsys.readouterr().err
        assert err == "book/02-rank.md:24: error: SyntaxError: '(' was never closed\n"
    with pytest.raises(LiterateError):
        main(["--debug", "tangle"])
    assert main(["tangle", "--upto", "77"]) == 2


@pytest.mark.parametrize(
    "arguments", [["tangel"], [], ["tangle", "--up"], ["where", "x"], ["where", "x:y"]]
)
def test_usage(
    tangled: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: python -m literate" in capsys.readouterr().err


def test_any_folder(tangled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tangled / "llm/rank.py").unlink()
    monkeypatch.chdir(tangled / "book")
    assert main(["check"]) == 1
    monkeypatch.chdir("/")
    assert main(["-C", str(tangled), "tangle"]) == 0
    assert (tangled / "llm/rank.py").is_file()
    monkeypatch.chdir("/")
    assert main(["check"]) == 2  # there is no book here


def test_a_full_disk(
    tiny: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "llm/count.py")

    monkeypatch.setattr(os, "replace", full)
    assert main(["tangle"]) == 2
    assert capsys.readouterr().err == "llm/count.py: error: No space left on device\n"


def test_help(tangled: Path) -> None:
    done = run("--help")
    assert done.returncode == 0
    for part in ("usage: python -m literate", "exit status:", "examples:", *COMMANDS):
        assert part in done.stdout
    for command in COMMANDS:
        done = run(command, "--help")
        assert done.returncode == 0, done.stderr
        assert f"usage: python -m literate {command}" in done.stdout


def test_the_process(tangled: Path) -> None:
    edit("llm/count.py", "LIMIT = 10", "LIMIT = 11")
    done = run("stitch")
    assert (done.returncode, done.stdout) == (0, "stitched book/01-count.md\n")
    assert tangle(read_book()) == []
