"""Stamps: what counts as a change."""

from pathlib import Path

import pytest

from literate.__main__ import main

PATHS = ["book", "_toc.yml"]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("book/figures").mkdir(parents=True)
    Path("book/a.md").write_text("a")
    Path("_toc.yml").write_text("root: a")


def fresh(*paths: str) -> bool:
    return main(["fresh", "html", *(paths or PATHS)]) == 0


def mark() -> None:
    assert main(["mark", "html", *PATHS]) == 0


def test_nothing_is_fresh_before_it_is_marked() -> None:
    assert not fresh()
    assert not fresh()
    mark()
    assert fresh()
    assert main(["fresh", "pdf", *PATHS]) == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda: Path("book/a.md").write_text("b"),
        lambda: Path("book/b.md").write_text(""),
        lambda: Path("book/a.md").unlink(),
        lambda: Path("book/a.md").rename("book/c.md"),
        lambda: Path("_toc.yml").unlink(),
        lambda: Path("book/figures/x.svg").write_text("x"),
    ],
)
def test_changes_are_seen(change) -> None:
    mark()
    change()
    assert not fresh()


def test_times_and_caches_are_no_change() -> None:
    mark()
    Path("book/a.md").write_text("a")
    for folder in ("__pycache__", ".ipynb_checkpoints"):
        Path("book", folder).mkdir()
        Path("book", folder, "x").write_text("x")
    assert fresh()


def test_other_paths_are_a_change() -> None:
    mark()
    assert not fresh("book")


def test_a_change_during_the_step_is_not_missed() -> None:
    assert not fresh()
    Path("book/a.md").write_text("saved while the step ran")
    mark()
    assert not fresh()
    mark()
    assert fresh()


def test_a_step_that_was_killed_leaves_nothing_fresh() -> None:
    mark()
    Path("book/a.md").write_text("b")
    assert not fresh()
    assert not fresh()
    Path("book/a.md").write_text("a")
    assert fresh()
