"""Weaving: what is in a notebook, what is kept, and what is found to differ."""

import json
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode
from tiny import edit, write_book

from literate.__main__ import main
from literate.book import Chapter, LiterateError, read_book
from literate.plain import survey
from literate.weave import findings, load, save, select, weave


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LITERATE_REPOSITORY", raising=False)
    monkeypatch.chdir(tmp_path)
    write_book(tmp_path)


def woven(name: str, previous: NotebookNode | None = None) -> NotebookNode:
    book = read_book()
    return weave(select(book, [name])[0], survey(book), previous)


def chapter(name: str) -> Chapter:
    return select(read_book(), [name])[0]


def by_id(notebook: NotebookNode) -> dict[str, NotebookNode]:
    return {cell.id: cell for cell in notebook.cells}


def executed(name: str) -> NotebookNode:
    """A notebook with made-up outputs."""
    notebook = woven(name)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for count, cell in enumerate(cells, 1):
        cell.execution_count = count
        if cell.id != "set-up":
            cell.outputs = [nbformat.v4.new_output("stream", text=f"{cell.id}\n")]
    notebook.metadata.literate.update(key={"code": "1"}, seconds=3, peak_mb=99)
    return notebook


def test_a_notebook_is_valid_and_plain() -> None:
    notebook = woven("02")
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    cells = by_id(notebook)
    assert list(cells) == [
        "title",
        "set-up",
        "text-0",
        "02-1",
        "02-2",
        "02-3",
        "text-4",
    ]
    assert cells["title"].source == (
        "# Chapter 2: Two\n\n[Open in Colab](https://colab.research.google.com/github/"
        "some/book/blob/v0.1.0/notebooks/02-two.ipynb) · "
        "[source](https://github.com/some/book/blob/v0.1.0/book/02-two.md)"
    )
    assert cells["text-0"].source == (
        "See [Figure 1.1](01-one.ipynb), or Knuth (1984)."
    )
    assert cells["text-4"].source.startswith("## References\n\n- Donald E. Knuth.")
    assert cells["02-1"].metadata == {"literate": {"source": "book/02-two.md:10"}}


def test_figures_are_named_below_their_cells() -> None:
    cells = by_id(woven("01"))
    assert cells["text-2"].source.startswith(
        "**Figure 1.1.** A line, as in (1.1).\n\n$$\ny = x\n\\tag{1.1}\n$$"
    )
    assert cells["title"].source.startswith("# Chapter 1: One first\n")


def test_hidden_cells_are_folded() -> None:
    cells = by_id(woven("01"))
    for name in ("set-up", "01-2"):
        assert cells[name].metadata.cellView == "form"
        assert cells[name].metadata.jupyter.source_hidden
    assert cells["01-2"].metadata.tags == ["remove-input"]
    assert "cellView" not in cells["01-1"].metadata


def test_tangled_cells_say_where_they_go() -> None:
    edit("book/02-two.md", "python\nclass", "python\n:tangle: llm/two.py\n\nclass")
    place = by_id(woven("02"))["Words"].metadata.literate
    assert place == {"source": "book/02-two.md:18", "tangle": "llm/two.py"}


def test_method_of_comes_only_where_it_is_used() -> None:
    assert "def method_of" not in by_id(woven("01"))["set-up"].source
    space: dict[str, type] = {"version": str}
    source = by_id(woven("02"))["set-up"].source
    exec(source[source.index("def method_of") :], space)
    thing = type("Thing", (), {})
    space["method_of"](thing)(lambda self: 5)
    assert getattr(thing(), "<lambda>")() == 5


@pytest.mark.parametrize(
    ("installed", "shell", "printed", "installs"),
    [
        (True, "google.colab", False, False),
        (False, "google.colab", False, True),
        (False, "ZMQInteractiveShell", True, False),
    ],
)
def test_set_up_installs_only_what_is_missing(
    installed: bool,
    shell: str,
    printed: bool,
    installs: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def version(name: str) -> str:
        if name == "literate-llm" and installed:
            return "0.1.0"
        raise PackageNotFoundError

    monkeypatch.setattr("importlib.metadata.version", version)
    source = by_id(woven("01"))["set-up"].source
    assert source.count("%pip install -q ") == 1
    space: dict[str, Any] = {"get_ipython": lambda: f"<{shell}>"}
    exec(source.replace("%pip install -q ", "pip = "), space)
    what = "literate-llm @ git+https://github.com/some/book@v0.1.0"
    assert space.get("pip") == (what if installs else None)
    advice = f'Install the package: pip install "{what}"\n'
    assert capsys.readouterr().out == (advice if printed else "")


def test_set_up_asks_for_the_extras_of_the_chapter() -> None:
    project = Path("pyproject.toml").read_text()
    extras = '[project.optional-dependencies]\ndata = ["some-crawler>=2", "w[x]"]\n'
    Path("pyproject.toml").write_text(f"{project}\n{extras}")
    edit("book/01-one.md", "file_format: mystnb", "file_format: mystnb\nextras: [data]")
    source = by_id(woven("01"))["set-up"].source
    for name in ("literate-llm", "some-crawler", "w"):
        assert f'    version("{name}")\n' in source
    assert "literate-llm[data] @ git+" in source
    edit("book/01-one.md", "extras: [data]", "extras: [dat]")
    with pytest.raises(LiterateError, match=r"01-one.md:3: .* no extra 'dat'"):
        woven("01")


def test_the_same_chapter_gives_the_same_bytes() -> None:
    save(chapter("01"), woven("01"))
    first = Path("notebooks/01-one.ipynb").read_bytes()
    assert not save(chapter("01"), woven("01"))
    assert Path("notebooks/01-one.ipynb").read_bytes() == first
    assert list(json.loads(first)) == [
        "cells",
        "metadata",
        "nbformat",
        "nbformat_minor",
    ]


def test_prose_changes_and_outputs_stay() -> None:
    old = executed("01")
    edit("book/01-one.md", "Some prose.", "Other prose.\n\nAnd more.")
    new = woven("01", old)
    for name, cell in by_id(new).items():
        if cell.cell_type == "code":
            assert cell.outputs == by_id(old)[name].outputs
            assert cell.execution_count == by_id(old)[name].execution_count
    assert new.metadata.literate.key == {"code": "1"}
    assert new.cells[3].metadata.literate.source == "book/01-one.md:17"
    assert "Runs in 3 s with 99 MB" in new.cells[2].source


def test_outputs_of_changed_code_go_and_leave_the_notebook_stale() -> None:
    old = executed("01")
    edit("book/01-one.md", "x = 1\n", "x = 2\n")
    changed = woven("01", old)
    assert by_id(changed)["01-1"].outputs == []
    assert by_id(changed)["01-3"].outputs == by_id(old)["01-3"].outputs
    assert "key" not in changed.metadata.literate
    edit("book/01-one.md", "x = 2\n", "x = 1\n")
    assert "key" not in woven("01", changed).metadata.literate


def test_what_is_no_notebook_is_woven_anew() -> None:
    save(chapter("01"), woven("01"))
    Path("notebooks/01-one.ipynb").write_text('{"cells": [')
    assert load(chapter("01")) is None


def test_findings_name_the_place() -> None:
    assert [str(finding) for finding in findings(read_book())] == [
        "book/01-one.md:1: error: notebooks/01-one.ipynb is missing: "
        "run `./build.sh notebooks`",
        "book/02-two.md:1: error: notebooks/02-two.ipynb is missing: "
        "run `./build.sh notebooks`",
    ]
    assert main(["weave"]) == 0
    assert list(findings(read_book())) == []
    edit("book/01-one.md", "y = x", "y = 2 x")
    assert [str(finding) for finding in findings(read_book())] == [
        "book/01-one.md:28: error: notebooks/01-one.ipynb differs below: "
        "run `./build.sh notebooks`"
    ]


def test_another_address_is_no_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    main(["weave"])
    monkeypatch.setenv("LITERATE_REPOSITORY", "https://github.com/my/fork")
    assert list(findings(read_book())) == []
    main(["weave"])
    assert "github.com/some" not in Path("notebooks/02-two.ipynb").read_text()


def test_chapters_are_chosen_by_any_name(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("02", "02-two", "book/02-two.md", "notebooks/02-two.ipynb"):
        assert chapter(name).number == "02"
    with pytest.raises(LiterateError, match="no chapter with code is 'index'"):
        chapter("index")
    assert main(["weave", "02"]) == 0
    assert capsys.readouterr().out == "notebooks/02-two.ipynb written\n"
    assert main(["weave", "02"]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", ["a", "A", "appendix-a-village"])
def test_an_appendix_is_selected_by_its_letter(tangled: Path, name: str) -> None:
    found = select(read_book(), [name])
    assert [chapter.path for chapter in found] == ["book/appendix-a-village.md"]
