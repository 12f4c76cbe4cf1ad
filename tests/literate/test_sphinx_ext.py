"""The Sphinx extension: what is read, numbered, moved, linked and marked."""

import ast
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from counting import write_files
from small_book import WORLD, literate, write_site

from literate.sphinx_ext import (
    chapter_label,
    chapter_number,
    definitions,
    duration,
    imports_from_llm,
    split_page,
    used,
)

TWO = """---
file_format: mystnb
kernelspec: {display_name: Python 3, language: python, name: python3}
modules:
  llm/letters.py: Counting letters
---

# Counting letters

{numref}`words` counted words, with {py:func}`llm.words.count`.

## Letters

```{code-cell} python
from llm.words import count

count("a b")
```

```{code-cell} python
:tangle: llm/letters.py

class Letters:
    def count(self, text: str) -> int:
        return len(text)
```
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small book with a chapter 12 and the index of identifiers, as HTML."""
    folder = tmp_path_factory.mktemp("ext")
    write_site(folder)
    toc = folder / "_toc.yml"
    text = toc.read_text().replace(
        "{file: book/01-words}", "{file: book/01-words}, {file: book/12-letters}"
    )
    toc.write_text(
        text.replace("[{file: book/app", "[{file: book/identifiers}, {file: book/app")
    )
    (folder / "book/12-letters.md").write_text(TWO)
    (folder / "book/identifiers.md").write_text(
        "# Identifiers\n\n```{identifiers}\n```\n"
    )
    for command in ("tangle", "weave"):
        literate(folder, command)
    assert jupyter_book(folder).returncode == 0
    return folder / "_build/html/book"


def jupyter_book(folder: Path) -> subprocess.CompletedProcess[str]:
    """Render the book as HTML."""
    program = str(Path(sys.executable).with_name("jupyter-book"))
    return subprocess.run(
        [program, "build", ".", "-W", "--keep-going"],
        cwd=folder,
        env=WORLD,
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def page(site: Path) -> Callable[[str], str]:
    """A page's HTML by its name."""
    return lambda name: (site / f"{name}.html").read_text("utf-8")


def test_chapters_have_the_numbers_of_their_files(page: Callable[[str], str]) -> None:
    assert ">1. </span>Counting words" in page("01-words")
    assert ">12. </span>Counting letters" in page("12-letters")
    assert ">12.1. </span>Letters" in page("12-letters")
    assert ">G. </span>Solutions" in page("appendix-g-solutions")


def test_solutions_move_to_the_back(page: Callable[[str], str]) -> None:
    assert "Twice the count" not in page("01-words")
    solutions = page("appendix-g-solutions")
    assert "Twice the count" in solutions
    assert "Chapter 1: Counting words" in solutions
    assert "G.1" not in solutions
    assert 'href="01-words.html#ex-twice"' in solutions


def test_a_tangled_cell_shows_its_file_and_leads_to_it(
    page: Callable[[str], str],
) -> None:
    assert '<a href="../code/llm/words.py.html#cell-count">llm/words.py</a>' in page(
        "01-words"
    )


def test_functions_are_places_to_link_to(page: Callable[[str], str]) -> None:
    assert 'id="llm.words.count"' in page("01-words")
    assert 'href="01-words.html#llm.words.count"' in page("12-letters")
    assert 'id="llm.letters.Letters.count"' in page("12-letters")


def test_an_output_that_varies_is_marked(page: Callable[[str], str]) -> None:
    assert page("01-words").count("varies by machine") == 2


def test_a_reference_to_a_chapter_says_chapter(page: Callable[[str], str]) -> None:
    assert ">Chapter 1<" in page("12-letters")


def test_the_index_says_where_a_name_is_defined_and_used(
    page: Callable[[str], str],
) -> None:
    text = page("identifiers")
    entry = re.search(r"<li><p><code[^>]*>(?:<[^>]*>)*count<.*?</li>", text, re.DOTALL)
    assert entry
    assert (
        'class="defined reference internal" href="01-words.html#llm.words.count">1<'
        in entry[0]
    )
    assert (
        'class="used reference internal" href="12-letters.html#cell-12-1">12.1<'
        in entry[0]
    )
    assert "Letters.count" in text


def test_a_chapter_that_has_changed_is_named(tmp_path: Path) -> None:
    write_site(tmp_path)
    chapter = tmp_path / "book/01-words.md"
    chapter.write_text(
        chapter.read_text().replace('print(count("a b")', 'print(count("a c")')
    )
    done = jupyter_book(tmp_path)
    assert done.returncode
    line = 1 + chapter.read_text().split("\n").index('print(count("a c"), "<script>")')
    place = f"book/01-words.md:{line}: WARNING: changed since it was executed"
    assert place in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("book/23-the-whole-road", 23),
        ("book/appendix-a2-the-questions", "A2"),
        ("book/appendix-f-how-this-book-builds-itself", "F"),
        ("book/02-tokenization", 2),
        ("book/index", None),
        ("book/notation", None),
    ],
)
def test_chapter_number(name: str, number: object) -> None:
    assert chapter_number(name) == number


def test_chapter_label() -> None:
    assert chapter_label("book/02-tokenization.md") == "Chapter 2"
    assert chapter_label("book/appendix-f-how.md") == "Appendix F"


def test_split_page_keeps_every_line_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cell's line number in the notebook is its line in the chapter."""
    write_files(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("literate.sphinx_ext.read_outputs", lambda chapter: {})
    for path in sorted(Path("book").glob("*.md")):
        text = path.read_text("utf-8")
        _, body, solutions = split_page(path.as_posix(), text)
        lines = text.split("\n")
        for cell, start in [*body, *solutions]:
            rows = cell.source.split("\n")
            assert lines[start : start + len(rows)] == rows
        seen = sum(c.source.count("\n") + 1 for c, _ in [*body, *solutions])
        assert seen <= len(lines)


def test_definitions_are_functions_classes_methods_and_constants() -> None:
    tree = ast.parse(
        "LIMIT = 3\ndef f(): pass\n"
        "class C:\n    def m(self): pass\n    def __init__(self): pass\n"
        "@method_of(C)\ndef n(self): pass\n"
    )
    assert dict(definitions(tree, "llm.a")) == {
        "llm.a.LIMIT": "data",
        "llm.a.f": "function",
        "llm.a.C": "class",
        "llm.a.C.m": "method",
        "llm.a.C.n": "method",
    }


def test_uses_are_resolved_through_imports() -> None:
    tree = ast.parse(
        "from llm.a import f as g\nimport torch\ng(1)\ntorch.load(x)\nt.train_all()"
    )
    names = imports_from_llm(tree)
    assert names == {"g": "llm.a.f"}
    assert set(used(tree, names, {"torch"})) == {"llm.a.f", ".train_all"}


@pytest.mark.parametrize(
    ("seconds", "megabytes", "text"),
    [
        (14.2, 610.0, "Runs in 14 s with 610 MB on two CPU cores."),
        (125.0, 1234.0, "Runs in 2 minutes with 1.2 GB on two CPU cores."),
    ],
)
def test_duration(seconds: float, megabytes: float, text: str) -> None:
    assert duration(seconds, megabytes) == text
