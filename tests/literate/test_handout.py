"""Handouts: a chapter by itself, offline, without its solutions."""

import shutil
import subprocess
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from small_book import literate, write_site

from literate.book import LiterateError
from literate.handout import Prose, balance, find, make
from literate.html import loads
from literate.repository import Repository

NEEDS_TEX = pytest.mark.skipif(
    not shutil.which("xelatex"), reason="xelatex is not installed"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("handout")
    write_site(folder)
    return folder


@pytest.fixture
def book(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(scope="module")
def page(folder: Path) -> BeautifulSoup:
    literate(folder, "handout", "01", "--format", "html", "-o", "out/words.html")
    text = (folder / "out/words.html").read_text("utf-8")
    return BeautifulSoup(text, "html.parser")


def test_html_needs_no_network(page: BeautifulSoup, folder: Path) -> None:
    assert loads(folder / "out") == []
    pictures = page.select("img")
    assert len(pictures) == 2
    assert all(str(p["src"]).startswith("data:image/svg+xml") for p in pictures)
    assert not page.select("script")


def test_html_has_what_the_chapter_has(page: BeautifulSoup) -> None:
    text = page.get_text()
    assert page.h1
    assert page.h1.get_text() == "Chapter 1: Counting words"
    assert len(page.select("math")) == 2
    for part in ("2 <script>", "llm/words.py", "varies by machine", "(1.1)", "MIT"):
        assert part in text
    for part in ("hidden input", "importlib.metadata", "Twice the count", "Open in"):
        assert part not in text


def test_solutions_on_request(book: Path) -> None:
    made = make(find("1"), "html", solutions=True)
    assert b"Twice the count" in made


@pytest.mark.slow
@NEEDS_TEX
def test_pdf(book: Path) -> None:
    said = literate(book, "handout", "01").stdout.strip()
    assert said == "_build/handout/01-words.pdf"
    assert Path(said).read_bytes().startswith(b"%PDF")
    if shutil.which("pdftotext"):
        done = subprocess.run(
            ["pdftotext", said, "-"], capture_output=True, text=True, check=True
        )
        for part in ("Counting words", "return text.count", "2 <script>", "(1.1)"):
            assert part in done.stdout
        assert "Twice the count" not in done.stdout


@pytest.mark.slow
@NEEDS_TEX
def test_pdf_says_where_latex_stopped(book: Path) -> None:
    path = find("01")
    text = path.read_text("utf-8").replace(r"\\sum", r"\\nonsense")
    Path("broken.ipynb").write_text(text)
    with pytest.raises(
        LiterateError, match="LaTeX stopped: Undefined control sequence"
    ):
        make(Path("broken.ipynb"), "pdf")


@pytest.mark.parametrize("name", ["1", "01", "01-words", "notebooks/01-words.ipynb"])
def test_a_chapter_has_many_names(book: Path, name: str) -> None:
    assert find(name) == Path("notebooks/01-words.ipynb")


def test_an_unknown_chapter_is_one_sentence(book: Path) -> None:
    with pytest.raises(
        LiterateError, match=r"no chapter '7' .*\(there are: 01\)"
    ) as it:
        find("7")
    assert it.value.status == 2


def test_links_to_notebooks_are_full_and_code_stays() -> None:
    site = Repository("https://github.com/some/book", "v1")
    texts = [
        "See [that](02-b.ipynb), [this](https://x.y).",
        "```python\na $b$ \\tag\n```",
    ]
    first, second = Prose("html", site).convert(texts)
    assert 'href="https://github.com/some/book/blob/v1/notebooks/02-b.ipynb"' in first
    assert "<pre><code>a $b$ \\tag" in second
    assert r"\begin{verbatim}" in Prose("latex", site).convert(texts)[1]


def test_wide_tables_share_the_line() -> None:
    def cell(words: int) -> list[object]:
        return [None, None, 1, 1, [{"t": "Str", "c": "x" * words}]]

    columns: list[list[object]] = [["a", None], ["b", None]]
    balance(columns, [None, []], [[None, 0, [], [[None, [cell(20), cell(20)]]]]])
    assert columns == [["a", None], ["b", None]]
    balance(columns, [None, []], [[None, 0, [], [[None, [cell(14), cell(200)]]]]])
    assert columns[0][1] == {"t": "ColWidth", "c": 0.25}
