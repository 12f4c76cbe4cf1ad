"""The HTML edition: offline, linked both ways with the package, and accessible."""

import posixpath
from functools import cache
from pathlib import Path

import pytest
from bs4 import BeautifulSoup, Tag
from small_book import built

from literate.html import highlighted, loads


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.getbasetemp()) / "_build/html"


@cache
def page(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text("utf-8"), "html.parser")


def pages(html: Path) -> list[Path]:
    return sorted(p for p in html.rglob("*.html") if "_static" not in p.parts)


@pytest.mark.parametrize(
    "text",
    [
        '<script async src="https://cdn.example/x.js"></script>',
        "<script src='//cdn.example/x.js'></script>",
        '<link rel="stylesheet" href="https://fonts.example/css">',
        '<link href="http://fonts.example/css" rel=preload>',
        '<img alt="a > b" src="http://example.org/a.png">',
        "<style>@import url(https://example.org/a.css);</style>",
        '<style>p { background: url("//example.org/a.png") }</style>',
    ],
)
def test_loads_finds_what_is_fetched_from_elsewhere(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.html").write_text(text)
    assert len(loads(tmp_path)) == 1


def test_loads_lets_links_and_code_pass(tmp_path: Path) -> None:
    text = '<a href="https://x.org"><img src="a.png"></a> &lt;img src="http://x"&gt;'
    canonical = '<link rel="canonical" href="https://example.org/">'
    (tmp_path / "a.html").write_text(text + canonical)
    (tmp_path / "a.css").write_text("/* https://x.org */ p { src: url(a.woff) }")
    (tmp_path / "a.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg"><use href="#a"/></svg>'
    )
    assert loads(tmp_path) == []


def test_nothing_is_loaded_from_elsewhere(html: Path) -> None:
    assert loads(html) == []


def test_every_local_address_leads_somewhere(html: Path) -> None:
    broken = []
    for path in pages(html):
        for node in page(path).select("[href], [src]"):
            address = str(node.get("href") or node.get("src"))
            if ":" in address or address.startswith("//"):
                continue
            name, _, anchor = address.partition("#")
            target = path
            if name:
                name = name.partition("?")[0]
                target = Path(posixpath.normpath(path.parent / name))
            found = target.is_file()
            if found and anchor and target.suffix == ".html":
                found = page(target).find(id=anchor) is not None
            if not found:
                broken.append(f"{path.relative_to(html)}: {address}")
    assert broken == []


def test_formulas_have_mathjax_and_its_fonts(html: Path) -> None:
    scripts = page(html / "book/01-words.html").select("script[src*=mathjax]")
    assert [str(script["src"]) for script in scripts] == [
        "../_static/mathjax/tex-chtml.js"
    ]
    fonts = html / "_static/mathjax/output/chtml/fonts/woff-v2"
    assert (fonts / "MathJax_Main-Regular.woff").is_file()


def test_a_cell_leads_to_its_module_and_back(html: Path) -> None:
    label = page(html / "book/01-words.html").select_one(".cell-file a")
    assert label is not None
    assert label["href"] == "../code/llm/words.py.html#cell-count"
    marker = page(html / "code/llm/words.py.html").find(id="cell-count")
    assert isinstance(marker, Tag)
    assert marker["href"] == "../../book/01-words.html#cell-count"
    test = page(html / "code/tests/chapters/test_words.py.html")
    marker = test.select_one("a.marker")
    assert marker is not None
    assert "appendix-g-solutions.html#cell-test_count" in str(marker["href"])


def test_markers_in_a_module_become_links() -> None:
    text = "# %% book/05-a.md#one\nx = 1\n\n    # -- book/05-a.md#A.two\n"
    code = highlighted(text, {"cell-one": "05-a.html#cell-one"})
    assert '<a class="marker" id="cell-one" href="05-a.html#cell-one"># %% book' in code
    assert 'id="cell-A-two"' in code


def test_buttons_offer_colab_and_the_files(html: Path) -> None:
    bar = page(html / "book/01-words.html").select(".article-header-buttons a")
    addresses = [str(link["href"]) for link in bar]
    assert addresses[0].startswith("https://colab.research.google.com/github/")
    assert addresses[0].endswith("/notebooks/01-words.ipynb")
    assert "../_downloads/notebooks/01-words.ipynb" in addresses
    assert "../_downloads/llm/words.py" in addresses
    assert "../_downloads/the-literate-llm.pdf" in addresses
    for other in ("book/notation.html", "genindex.html", "code/llm/words.py.html"):
        assert "colab" not in str(page(html / other).select(".article-header-buttons"))


def test_the_book_opens_with_its_title(html: Path) -> None:
    assert "book/index.html" in (html / "index.html").read_text("utf-8")
    hero = page(html / "book/index.html").select_one(".hero")
    assert hero is not None
    assert hero.select_one("img[src$='cover.svg']")
    assert page(html / "book/notation.html").select_one(".hero") is None


def test_pages_say_their_language_and_what_pictures_show(html: Path) -> None:
    for path in pages(html):
        if not page(path).find("article"):
            continue
        root = page(path).find("html")
        assert isinstance(root, Tag)
        assert str(root["lang"]).startswith("en")
        for image in page(path).select("article img, .hero img"):
            assert image.get("alt"), f"{path}: {image}"


def test_solutions_are_at_the_back(html: Path) -> None:
    answer = "Twice the count is the answer."
    assert answer not in (html / "book/01-words.html").read_text("utf-8")
    assert answer in (html / "book/appendix-g-solutions.html").read_text("utf-8")
