"""From MyST to plain Markdown: what every construct becomes, and what is refused."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pybtex.database import parse_string
from tiny import FRONT

from literate.book import LiterateError, read_book, read_chapter
from literate.plain import KINDS, Labels, Page, duration, leftovers, survey
from literate.repository import Repository
from literate.works import Works

ROOT = Path(__file__).resolve().parents[2]
BIBLIOGRAPHY = r"""
@article{one, author={Gage, Philip}, title={A {New} Algorithm_x}, journal={C Users},
  year={1994}}
@inproceedings{two, author={Kudo, Taku and Ga{\"u}{\ss}, John}, title={Pieces},
  booktitle={EMNLP}, year={2018}, url={https://example.org/a_b}}
@misc{three, author={Sennrich, Rico and Haddow, Barry and Birch, Alexandra},
  title={Rare Words}, year={2016}}
@misc{many, author={Bahdanau, D. and others}, title={Align}, year={2015}}
@misc{team, author={{The Team}}, title={Report}, year={2020}}
@misc{nobody, title={Anonymous}}
"""
SITE = "https://github.com/some/book"
RAW = f"{SITE}/raw/v0.1.0"
NUMBERED = r"""
(ch-here)=
# The *title*

(sec-here)=
## A section

### Below it

(sec-there)=
## Another

```{figure} figures/a.svg
:name: fig-here
:alt: A picture

What to see.
```

$$ x $$ (eq-here)

~~~{table} Numbers
:name: tab-here

| a | b |
|---|---|
| 1 | 2 |
~~~

```{exercise-start} Try it
:label: ex-here
```
Do it.
```{exercise-end}
```

```{prf:algorithm} Merging
:label: alg-here

1. Merge.
```

(somewhere)=
A paragraph.
"""


def labels() -> Labels:
    works = Works(parse_string(BIBLIOGRAPHY, "bibtex"))
    return Labels(Repository(SITE, "v0.1.0"), works, KINDS)


def plain(text: str, path: str = "book/02-two.md", **pages: str) -> Page:
    """Convert a page of a book with some others (`ch05` is book/05-other.md)."""
    found = labels()
    others = {f"book/{name[2:]}-other.md": other for name, other in pages.items()}
    for name, other in {**others, path: text}.items():
        page = Page(name, other, found, counting=True)
        found.targets |= page.targets
        found.titles[name] = page.title
        if name in others:
            found.notebooks.add(name)
    return Page(path, text, found, {"seconds": 41, "peak_mb": 1200})


def body(text: str, **pages: str) -> str:
    return "\n".join(plain(text, **pages).pieces)


ROLES = {
    "{numref}`fig-here`": "Figure 2.1",
    "{numref}`as in fig. %s <fig-here>`": "as in fig. 2.1",
    "{numref}`plate {number} <fig-here>`": "plate 2.1",
    "{numref}`tab-here`": "Table 2.1",
    "{numref}`sec-there`": "Section 2.2",
    "{numref}`ch-here`": "Chapter 2",
    "{numref}`ex-here`": "Exercise 2.1",
    "{ref}`ex-here`": "Exercise 2.1",
    "{ref}`fig-here`": "Figure 2.1",
    "{ref}`sec-here`": "A section",
    "{ref}`ch-here`": "The *title*",
    "{ref}`this place <somewhere>`": "this place",
    "{eq}`eq-here`": "(2.1)",
    "{prf:ref}`alg-here`": "Algorithm 2.1",
    "{cite}`one`": "(Gage, 1994)",
    "{cite:p}`one,two`": "(Gage, 1994; Kudo and Gaüß, 2018)",
    "{cite:t}`three`": "Sennrich et al. (2016)",
    "{cite:t}`many`": "Bahdanau et al. (2015)",
    "{cite:t}`team`": "The Team (2020)",
    "{cite}`nobody`": "(Anonymous, n.d.)",
    "{term}`token`": "token",
    "{term}`tokens <token>`": "tokens",
    "{index}`token`": "token",
    "{index}`!token`": "token",
    "{index}`tokens <single: token; kinds>`": "tokens",
    "{py:func}`llm.words.text`": "`llm.words.text()`",
    "{py:func}`~llm.words.text`": "`text()`",
    "{py:class}`~llm.words.Words`": "`Words`",
    "{py:meth}`it <llm.words.Words.count>`": "`it()`",
    "{download}`the text <texts/a.txt>`": f"[the text]({RAW}/book/texts/a.txt)",
    "{abbr}`BPE (byte-pair\nencoding)`": "BPE (byte-pair encoding)",
    "{kbd}`Ctrl-C`": "<kbd>Ctrl-C</kbd>",
    "{sub}`2`": "<sub>2</sub>",
    "{math}`x^2`": "$x^2$",
    "{file}`llm/words.py`": "`llm/words.py`",
    "[](#fig-here)": "Figure 2.1",
    "[the *figure*](#fig-here)": "the *figure*",
    "[see {kbd}`x`](#fig-here)": "see <kbd>x</kbd>",
    "[file](../llm/words.py)": f"[file]({SITE}/blob/v0.1.0/llm/words.py)",
    "![alt *x*](figures/a.svg)": f"![alt *x*]({RAW}/book/figures/a.svg)",
    "![alt](/logo.svg)": f"![alt]({RAW}/logo.svg)",
    "![alt](https://a.org/b.png)": "![alt](https://a.org/b.png)",
    "[out](https://a.org/b_c) <https://a.org>": "[out](https://a.org/b_c) <https://a.org>",
}


@pytest.mark.parametrize("source", ROLES)
def test_a_role_or_link_becomes(source: str) -> None:
    around = (
        f"{NUMBERED}\nBefore {source} after, and {source}.\n\n- in\n  > a {source}\n"
    )
    want = ROLES[source]
    tail = body(around).split("A paragraph.\n\n")[1]
    assert tail == f"Before {want} after, and {want}.\n\n- in\n  > a {want}"


def test_pages_are_linked_as_notebooks_or_on_the_site() -> None:
    said = (
        "{numref}`fig-here` {ref}`sec-here` {doc}`05-other` {doc}`five <05-other>` "
        "[x](05-other.md) [y](#eq-here) [](#tab-here)"
    )
    assert body(f"# T\n\n{said}", ch05=NUMBERED) == (
        "[Figure 5.1](05-other.ipynb) [A section](05-other.ipynb) "
        "[The *title*](05-other.ipynb) [five](05-other.ipynb) "
        "[x](05-other.ipynb) [y](05-other.ipynb) [Table 5.1](05-other.ipynb)"
    )
    page = plain("# T\n\n{doc}`02-two` [a](notation.md)").pieces[0]
    assert page == f"T [a]({SITE}/blob/v0.1.0/book/notation.md)"


@pytest.mark.parametrize(
    ("path", "number", "heading"),
    [
        ("book/02-two.md", "2.1", "Chapter 2: T"),
        ("book/23-road.md", "23.1", "Chapter 23: T"),
        ("book/appendix-f-how.md", "F.1", "Appendix F: T"),
        ("book/index.md", "1", "T"),
    ],
)
def test_numbers_begin_with_the_chapter(path: str, number: str, heading: str) -> None:
    page = plain("# T\n\n```{figure} a.svg\nSee.\n```\n", path)
    assert page.pieces[0].endswith(f"\n\n**Figure {number}.** See.")
    assert page.heading == heading


DIRECTIVES = {
    "```{figure} a.svg\n:alt: An a\n\nSee *it*, {kbd}`x`.\n```": (
        f"![An a]({RAW}/book/a.svg)\n\n**Figure 2.1.** See *it*, <kbd>x</kbd>."
    ),
    "```{image} a.svg\n```": f"![]({RAW}/book/a.svg)",
    "```{note}\nOne.\n\nTwo.\n```": "> **Note.** One.\n>\n> Two.",
    "```{tip} One line.\n```": "> **Tip.** One line.",
    ":::{warning}\n{kbd}`x`\n:::": "> **Warning.** <kbd>x</kbd>",
    "```{admonition} Look\n:class: x\n\nHere.\n```": "> **Look**\n>\n> Here.",
    "```{topic} Look\nHere.\n```": "> **Look**\n>\n> Here.",
    "```{sidebar} Look\nHere.\n```": "> **Look**\n>\n> Here.",
    "```{margin}\nAside.\n```": "> Aside.",
    "```{epigraph}\nWords.\n\n-- Somebody\n```": "> Words.\n>\n> -- Somebody",
    "```{dropdown} More\nText.\n```": (
        "<details><summary>More</summary>\n\nText.\n\n</details>"
    ),
    "::::{note}\n:::{tip}\nIn.\n:::\n::::": "> **Note.** > **Tip.** In.",
    "```{math}\n:label: eq-m\nx\n```": "$$\nx\n\\tag{2.1}\n$$",
    "$$\nx\ny\n$$ (eq-a)": "$$\nx\ny\n\\tag{2.1}\n$$",
    "$$\nx\n$$": "$$\nx\n$$",
    "```{table} T\n| a |\n|---|\n| {kbd}`x` |\n```": (
        "**Table 2.1.** T\n\n| a |\n|---|\n| <kbd>x</kbd> |"
    ),
    "```{list-table} T\n:header-rows: 1\n* - a\n  - b\n* - `c|d`\n  - {kbd}`x`\n```": (
        "**Table 2.1.** T\n\n| a | b |\n| --- | --- |\n| `c\\|d` | <kbd>x</kbd> |"
    ),
    "```{list-table}\n* - a\n```": "|  |\n| --- |\n| a |",
    "````{code-block} python\n:caption: Code\n\n```\n````": (
        "**Listing 2.1.** Code\n\n````python\n```\n````"
    ),
    "```{code-block}\n{kbd}`x`\n```": "```\n{kbd}`x`\n```",
    "```{glossary}\nTerm\n  What it {kbd}`is`.\n\nOther\n: That.\n```": (
        "- **Term**:\n  What it <kbd>is</kbd>.\n\n- **Other**:\n  That."
    ),
    "Term\n: What {kbd}`it` is.\n\n  More.": (
        "- **Term**:\n  What <kbd>it</kbd> is.\n\n  More."
    ),
    "```{exercise-start} Try\n:label: ex\n```\nDo.\n```{exercise-end}\n```": (
        "#### Exercise 2.1: Try\n\nDo."
    ),
    "```{exercise} Try\nDo.\n```": "#### Exercise 2.1: Try\n\nDo.",
    "```{prf:definition} Loss\n:label: d\nIt is.\n```": (
        "> **Definition 2.1** (Loss)\n>\n> It is."
    ),
    "```{index} single: a; b\n```": "",
    "```{bibliography}\n```": "",
    "(a)=\n{.big #b}\n% comment\n\nText": "Text",
    "One\n% comment\nTwo": "One\n\nTwo",
    "One\n+++\nTwo": "One\n\nTwo",
    "Note.[^n] And[^m].\n\n[^m]: M {kbd}`x`.\n[^n]: N": (
        "Note.<sup>1</sup> And<sup>2</sup>.\n\n- <sup>2</sup> M <kbd>x</kbd>.\n"
        "- <sup>1</sup> N"
    ),
    "- item\n\n  ```{note}\n  In.\n\n  More.\n  ```\n- next": (
        "- item\n\n  > **Note.** In.\n  >\n  > More.\n\n- next"
    ),
    "> ```{note}\n> In.\n> ```": "> > **Note.** In.",
    "| a | b |\n|---|---|\n| {kbd}`x` | {kbd}`x` |": (
        "| a | b |\n|---|---|\n| <kbd>x</kbd> | <kbd>x</kbd> |"
    ),
    "```{resource-card}\n:gpu: None {kbd}`x`.\n:download: Nothing.\n```": (
        "> **What this chapter needs.** Runs in 41 s with 1.2 GB on two CPU cores. "
        "None <kbd>x</kbd>. Nothing."
    ),
}


@pytest.mark.parametrize("source", DIRECTIVES)
def test_a_block_becomes(source: str) -> None:
    assert body(source) == DIRECTIVES[source]


@pytest.mark.parametrize("source", DIRECTIVES)
def test_nothing_is_left_of_myst(source: str) -> None:
    assert leftovers(body(source)) == []


@pytest.mark.parametrize(
    "source",
    [
        "a {kbd}`x`",
        "- {ref}`x`",
        "```{note}\nx\n```",
        ":::{note}\nx\n:::",
        "(a)=\nx",
        "% x",
        "| a |\n|---|\n| {kbd}`x` |",
        "```{table} {kbd}`x`\nx\n```",
    ],
)
def test_what_is_left_is_found(source: str) -> None:
    assert leftovers(source)


def test_solutions_name_their_exercise() -> None:
    text = body(
        "```{exercise-start} Try\n:label: ex-a\n```\nDo.\n```{exercise-end}\n```\n"
        "## Solutions\n\n```{solution-start} ex-a\n```\nDone.\n```{solution-end}\n```"
    )
    assert text.endswith("## Solutions\n\n#### Solution to Exercise 2.1\n\nDone.")


def test_cells_part_the_text_and_their_figures_are_counted() -> None:
    cell = "```{code-cell} python\nx = '{kbd}`x`'\n```\n"
    drawn = (
        "```{code-cell} python\n---\nmystnb:\n  figure:\n    name: fig-b\n"
        "    caption: |\n      See {numref}`fig-a`.\n---\nplot()\n```\n"
    )
    figure = "```{figure} a.svg\n:name: fig-a\nA.\n```\n"
    page = plain(f"One {{numref}}`fig-b`.\n\n{cell}\n{figure}{drawn}Two.\n{cell}")
    first, second, third, last = page.pieces
    assert first == "One Figure 2.2."
    assert second.endswith("**Figure 2.1.** A.")
    assert third == "**Figure 2.2.** See Figure 2.1.\n\nTwo."
    assert last == ""


def test_unnumbered_things_do_not_count() -> None:
    text = body(
        "```{image} a.svg\n```\n\n```{figure} a.svg\n```\n\n$$ x $$\n\n"
        "```{figure} a.svg\nSee.\n```\n\n$$ y $$ (eq-y)"
    )
    assert "**Figure 2.1.** See." in text
    assert "\\tag{2.1}" in text


def test_references_are_listed_in_order() -> None:
    page = plain("{cite}`three` {cite:t}`one` {cite}`one` {cite}`two`")
    assert page.references().split("\n") == [
        "## References",
        "",
        "- Philip Gage. A New algorithm\\_x. *C Users*, 1994.",
        "- Taku Kudo and John Gaüß. Pieces. In *EMNLP*. 2018. "
        "URL: [https://example.org/a\\_b](https://example.org/a_b).",
        "- Rico Sennrich, Barry Haddow, and Alexandra Birch. Rare words. 2016.",
    ]
    assert plain("None.").references() == ""


NO_DIRECTIVE = "the directive {odd} has no plain form"
BAD = [
    (6, "{numref}`fig-none`", "nothing in the book has the label 'fig-none'"),
    (6, "[](#fig-none)", "nothing in the book has the label 'fig-none'"),
    (6, "{cite}`none`", "the bibliography has no 'none'"),
    (6, "{doc}`none`", "_toc.yml lists no page 'none'"),
    (6, "{ref}`place`", "'place' has no title: write {ref}`text <place>`"),
    (6, "{odd}`x`", "the role {odd} has no plain form"),
    (6, "```{odd}\n```", NO_DIRECTIVE),
    (9, "````{note}\nText\n\n```{odd}\n```\n````", NO_DIRECTIVE),
    (6, ":::odd\n:::", "a colon fence needs a {directive}"),
    (
        6,
        "\\begin{align}\nx\n\\end{align}",
        "write $$ around it, and aligned instead of align",
    ),
    (
        6,
        "[x]: https://a.org",
        "put the address into the link: other cells don't see it",
    ),
    (
        8,
        "| a |\n|---|\n| {kbd}`x` \\| |",
        r"write \| where no role, link or image is beside it",
    ),
    (
        10,
        "(b)=\n\n```{figure} a.svg\n:name: B\nSee.\n```",
        "label 'B' is taken in this page",
    ),
]


@pytest.mark.parametrize(("line", "source", "message"), BAD)
def test_an_error_names_its_line(line: int, source: str, message: str) -> None:
    with pytest.raises(LiterateError) as raised:
        plain(f"# T\n\n(place)=\nWords\n\n{source}")
    assert str(raised.value) == f"book/02-two.md:{line}: error: {message}"


def test_the_right_line_in_every_depth() -> None:
    text = (
        "# T\n\n````{exercise} Try\n:label: ex\n\nDo.\n\n"
        "```{note}\n:class: x\n\nOne.\n\n"
        "- two\n  lines {cite}`one`\n  and {odd}`x`\n```\n````\n"
    )
    with pytest.raises(LiterateError, match=r"^book/02-two.md:15: error: the role"):
        plain(text)


def test_a_label_is_given_once_in_the_book(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("_config.yml").write_text("repository: {url: 'https://github.com/a/b'}\n")
    Path("pyproject.toml").write_text('[project]\nversion = "1.0"\n')
    book = [read_chapter(f"book/0{n}-x.md", "# T\n\n(a)=\n## S\n") for n in (1, 2)]
    with pytest.raises(
        LiterateError, match=r"02-x.md:4: .*'a' is taken at book/01-x.md:4"
    ):
        survey(book)


def test_a_bibliography_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "a.bib"
    path.write_text("@book{one,\n  title = {T},\n  year 1994}\n")
    with pytest.raises(LiterateError, match=r"a.bib:3: error: syntax error"):
        Works.read(path.as_posix())


def test_options_that_cannot_be_read() -> None:
    with pytest.raises(LiterateError, match=r"02-two.md:4: error: .*not allowed"):
        plain("Text\n```{note}\n---\na: b: c\n---\n```")


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1)
SAFE = WORDS.filter(lambda word: not set(word) & set("{`:$%+=[]!<\\#|~^_>()*"))


@given(st.lists(SAFE, min_size=1), st.integers(1, 7))
def test_other_text_stays_byte_for_byte(words: list[str], width: int) -> None:
    lines = [" ".join(words[i : i + width]) for i in range(0, len(words), width)]
    text = "\n".join(f"Words {line} end" for line in lines)
    assert body(text) == text


KEPT = r"""Text with `{kbd}`, ``{kbd}`x` ``, \{kbd}`x`, $a_{i}$, **bold**, a\
break, <b>HTML</b> and a snowman: ☃.

```python
# {kbd}`x` stays, and so does
(target)=
% this
```

    indented {kbd}

<div>
{kbd}
</div>

1. one
   - two
     * three

| a | b |
|:--|--:|
| 1 | `2` |

> quote
> > in quote

***

$$
x_{i} = \text{{kbd}}
$$"""


def test_what_looks_like_myst_and_is_none_stays() -> None:
    assert body(KEPT) == KEPT
    assert leftovers(KEPT) == []


@pytest.mark.parametrize(
    ("seconds", "memory", "said"),
    [
        (0.9, 55, "Runs in 0.9 s with 55 MB on two CPU cores."),
        (89, 999, "Runs in 89 s with 999 MB on two CPU cores."),
        (120, 1500, "Runs in 2 minutes with 1.5 GB on two CPU cores."),
    ],
)
def test_duration(seconds: float, memory: float, said: str) -> None:
    assert duration(seconds, memory) == said


def test_the_notebooks_of_this_book_hold_no_myst(monkeypatch) -> None:
    monkeypatch.chdir(ROOT)
    book = read_book()
    labels = survey(book)
    for chapter in book:
        if chapter.cells:
            page = Page(chapter.path, chapter.text, labels)
            assert len(page.pieces) == len(chapter.cells) + 1
            assert [left for piece in page.pieces for left in leftovers(piece)] == []


def test_a_cell_is_where_the_chapter_has_one() -> None:
    chapter = read_chapter("book/02-two.md", FRONT + "```{code-cell} python\nx\n```\n")
    page = plain(chapter.text)
    assert len(page.pieces) == len(chapter.cells) + 1
