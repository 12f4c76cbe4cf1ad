"""The EPUB edition: valid, complete, linked, and the same bytes every time."""

import re
import shutil
import subprocess
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest
from bs4 import BeautifulSoup
from small_book import built, literate

from literate.book import LiterateError
from literate.epub import clean, document, load, make, relink

EPUBCHECK = shutil.which("epubcheck")


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = built(tmp_path_factory.getbasetemp())
    literate(folder, "epub")
    return folder


@pytest.fixture(scope="module")
def texts(book: Path) -> dict[str, str]:
    with zipfile.ZipFile(book / "_build/the-literate-llm.epub") as files:
        names = [n for n in files.namelist() if n.endswith((".xhtml", ".opf", ".svg"))]
        return {name: files.read(name).decode() for name in names}


def article(text: str) -> BeautifulSoup:
    return BeautifulSoup(text, "html.parser")


@pytest.mark.slow
@pytest.mark.skipif(not EPUBCHECK, reason="epubcheck is not installed")
def test_epubcheck_finds_nothing(book: Path) -> None:
    assert EPUBCHECK
    jar = Path(EPUBCHECK).read_bytes()[:2] == b"PK"  # as Debian has it
    command = ["java", "-jar", EPUBCHECK] if jar else [EPUBCHECK]
    done = subprocess.run(
        [*command, book / "_build/the-literate-llm.epub"],
        capture_output=True,
        text=True,
    )
    assert "0 fatals / 0 errors / 0 warnings" in done.stdout, done.stdout + done.stderr


def test_same_bytes_again(book: Path) -> None:
    first = (book / "_build/the-literate-llm.epub").read_bytes()
    literate(book, "epub", "-o", "again.epub")
    assert (book / "again.epub").read_bytes() == first


def test_every_file_is_xml(texts: dict[str, str]) -> None:
    for text in texts.values():
        ElementTree.fromstring(text)


def test_metadata(texts: dict[str, str]) -> None:
    package = texts["EPUB/content.opf"]
    for part in ("The Literate LLM</dc:title>", "en-GB</dc:language>", "2023-11-14<"):
        assert part in package
    assert "urn:uuid:" in package
    assert "CC BY-SA" in package or "ShareAlike" in package
    assert 'properties="cover-image"' in package


def test_contents_follow_the_parts(texts: dict[str, str]) -> None:
    lines = article(texts["EPUB/nav.xhtml"]).select("nav[id=toc] a")
    assert [" ".join(line.get_text().split()) for line in lines] == [
        *("Front & more", "Preface", "The key", "I. Words", "1. Counting words"),
        *("Back", "G. Solutions", "Chapter 1: Counting words", "Glossary", "Index"),
    ]


def test_links_inside_the_book_arrive(texts: dict[str, str]) -> None:
    folder = "EPUB/text/"
    pages = {n: article(t) for n, t in texts.items() if n.startswith(folder)}
    seen = 0
    for name, page in pages.items():
        for link in page.select("a[href]"):
            target, _, anchor = str(link["href"]).partition("#")
            if ":" in target:
                continue
            place = pages[folder + target] if target else page
            assert place.find(id=anchor), f"{name}: {link}"
            seen += 1
    assert seen > 5


def test_what_a_chapter_shows(texts: dict[str, str]) -> None:
    chapter = next(t for t in texts.values() if "count everything twice" in t.lower())
    assert len(re.findall("<math ", chapter)) == 2  # one of them in the footnote
    for part in ("(1.1)", "2 &lt;script&gt;", "llm/words.py", "varies by machine"):
        assert part in chapter
    for part in (
        'role="doc-footnote"',
        'alt="The same triangle."',
        "text-align: right",
    ):
        assert part in chapter
    for part in ("hidden input", "<button", "headerlink", "\\(", "Open in Colab<img"):
        assert part not in chapter
    assert "<!DOCTYPE" not in "".join(t for n, t in texts.items() if n.endswith(".svg"))


def test_a_link_out_of_the_book_becomes_text() -> None:
    page = article(
        '<p><a href="../code/llm/a.py.html">a.py</a> <a href="https://x.y">x</a>'
    )
    relink(page, "book/one", {"book/one": "book-one--top"})
    assert page.decode() == '<p>a.py <a href="https://x.y">x</a></p>'


def test_formulas_keep_their_tex() -> None:
    page = article(r'<p><span class="math">\(a &lt; \[b\]\)</span></p>')
    clean(page)
    assert page.decode() == r'<p><script type="math/tex">a < \[b\]</script></p>'


def test_html_must_be_there(book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(book)
    with pytest.raises(LiterateError, match=r"build\.sh html"):
        make(Path("nowhere"), Path("a.epub"))
    Path("bare.html").write_text("<p>no article</p>")
    with pytest.raises(LiterateError, match="article"):
        load(Path("bare.html"))
    assert "<h1>Front &amp; more</h1>" in document(Path("_build/html"), book)
