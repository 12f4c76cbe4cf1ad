"""The EPUB edition: the HTML edition's pages, cleaned, through pandoc, with MathML.

What Sphinx has resolved (numbers, references, outputs) stays; what belongs to a web
site (buttons, scripts, permalinks) goes. All pages become one document, so that links
between chapters survive when pandoc cuts it up again.
"""

import argparse
import json
import os
import posixpath
import re
import shutil
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

import yaml
from bs4 import BeautifulSoup, Tag

from literate.book import LiterateError, read, toc

EPUB = Path("_build/the-literate-llm.epub")
IDENTIFIER = "urn:uuid:6c1f2a52-8a0e-4b53-9a55-3e1d7c0b42f6"
STYLE = Path("book/_templates/epub.css")
COVER = Path("book/figures/cover.svg")
WEB = "a.headerlink, button, nav, script, style, .genindex-jumpbox, hr.footnotes"
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
KEEP_ID = (  # the elements whose ids pandoc keeps
    *("div", "span", "a", "code", "figure", "table", "aside", "section"),
    *HEADINGS,
)


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `epub` to the command line."""
    parser = commands.add_parser(
        "epub", help="make the EPUB of the built HTML", description=__doc__
    )
    parser.add_argument("--html", type=Path, default=Path("_build/html"), metavar="DIR")
    parser.add_argument("-o", "--output", type=Path, default=EPUB, metavar="FILE")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Make the file and say where it is."""
    make(args.html, args.output)
    print(args.output)
    return 0


def make(html: Path, target: Path) -> None:
    """Write the EPUB made of a folder of built HTML, all or nothing."""
    import pypandoc

    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        (work / "book.html").write_text(document(html, work), "utf-8")
        (work / "metadata.json").write_text(json.dumps(metadata()), "utf-8")
        options = [
            "--mathml",
            "--toc",
            "--toc-depth=3",
            "--split-level=2",
            "--fail-if-warnings",
            f"--css={STYLE}",
            f"--metadata-file={work / 'metadata.json'}",
            f"--resource-path={work}",
        ]
        if COVER.is_file():
            options.append(f"--epub-cover-image={cover(work)}")
        source, made = work / "book.html", work / "book.epub"
        pypandoc.convert_file(
            str(source),
            "epub3",
            format="html+epub_html_exts",
            extra_args=options,
            outputfile=str(made),
        )
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_suffix(".tmp")
        shutil.copyfile(made, unfinished)
        os.replace(unfinished, target)


def metadata() -> dict[str, object]:
    """What a reading system shows about the book, mostly from `_config.yml`."""
    config = yaml.safe_load(read("_config.yml"))
    title, author = config["title"], config["author"]
    subtitle = config["sphinx"]["config"]["literate_subtitle"].replace(r"\\", " ")
    now = int(os.environ.get("SOURCE_DATE_EPOCH", time.time()))
    return {
        "title": [
            {"type": "main", "text": title},
            {"type": "subtitle", "text": subtitle},
        ],
        "creator": [{"role": "author", "text": author}],
        "lang": "en-GB",
        "toc-title": "Contents",
        "identifier": IDENTIFIER,
        "date": time.strftime("%Y-%m-%d", time.gmtime(now)),
        "rights": f"© {config['copyright']} {author}. Text and figures: Creative "
        "Commons Attribution-ShareAlike 4.0 International. Code: MIT.",
    }


def cover(work: Path) -> Path:
    """The cover as a PNG, which every reading system shows."""
    import cairosvg

    picture = work / "cover.png"
    cairosvg.svg2png(url=str(COVER), write_to=str(picture), output_width=1400)
    return picture


# --- one document of all pages ----------------------------------------------------


def document(html: Path, work: Path) -> str:
    """All pages in the order of the book; their images are put into `work`."""
    pages = {name: load(html / f"{name}.html") for name in names(html)}
    tops = {name: top(name, article) for name, article in pages.items()}
    captions, body = parts(), []
    for name, article in pages.items():
        if name in captions:
            body.append(str(element("h1", captions[name])))
        clean(article)
        copy_images(article, html / name, work)
        relink(article, name, tops)
        nest(article)
        body.append(article.decode_contents())
    return f"<html><body>{''.join(body)}</body></html>"


def names(html: Path) -> list[str]:
    """The pages of the EPUB, with the index of terms at the end."""
    pages = [page.removesuffix(".md") for page in toc()]
    return pages + [p for p in ("genindex",) if (html / f"{p}.html").is_file()]


def parts() -> dict[str, str]:
    """The captions of the parts by the page before which they go."""
    table = yaml.safe_load(read("_toc.yml"))
    first, *rest = table["parts"]
    return {table["root"]: first["caption"]} | {
        part["chapters"][0]["file"]: part["caption"] for part in rest
    }


def load(path: Path) -> Tag:
    """The part of a built page that is the book."""
    if not path.is_file():
        raise LiterateError(path, 1, "not there: run ./build.sh html first")
    article = BeautifulSoup(read(path), "html.parser").find("article")
    if not isinstance(article, Tag):
        raise LiterateError(path, 1, "no <article>: build the HTML edition again")
    return article


def clean(article: Tag) -> None:
    """Drop what is for the web, and write the rest so that pandoc keeps it."""
    for node in article.select(WEB):
        node.decompose()
    for node in article.select(".math"):
        formulas(node)
    for block in article.select("div[class*=highlight-] pre"):
        python = block.find_parent(class_=re.compile("highlight-i?python3?$"))
        block["class"] = "python" if python else ""
    for code in article.select("code[class]"):
        code.string = code.get_text()
        del code["class"]
    for line in article.select("p[class]"):
        line.name = "div"
    for cell in article.select(".text-right"):
        cell["style"] = "text-align: right"
    for mark in article.select(".footnote-reference"):
        mark["epub:type"] = "noteref"
    for note in article.select("aside.footnote"):
        note["epub:type"] = "footnote"
        for label in note.select(".label"):
            label.decompose()
    for table in article.select(".genindextable"):
        letter = table.find_previous(HEADINGS)
        for node in [table, *table.find_all(("tr", "td"))]:
            node.unwrap()
        if isinstance(letter, Tag):
            letter.name = "p"


def formulas(node: Tag) -> None:
    """A formula as a script of TeX, which pandoc turns into MathML."""
    number = node.select_one(".eqno")
    if number:
        number.extract()
    tex = re.sub(r"^\s*\\[\[(]|\\[\])]\s*$", "", node.get_text()).strip()
    if node.name == "span":
        node.replace_with(element("script", tex, type="math/tex"))
        return
    node.clear()
    if number:
        node.append(number)
    node.append(element("script", tex, type="math/tex; mode=display"))


def copy_images(article: Tag, page: Path, work: Path) -> None:
    """Copy the images, without what EPUB doesn't allow in an SVG."""
    for image in article.find_all("img"):
        source = (page.parent / str(image["src"])).resolve()
        image["src"] = source.name
        if source.suffix == ".svg":
            drop = r"<!DOCTYPE.*?>|<metadata>.*?</metadata>"
            text = re.sub(drop, "", read(source), flags=re.DOTALL)
            text = re.sub(r"<path(?![^>]*\sd=)", '<path d=""', text)  # a space's shape
            (work / source.name).write_text(text, "utf-8")
        else:
            shutil.copyfile(source, work / source.name)


def relink(article: Tag, page: str, tops: dict[str, str]) -> None:
    """Make ids and links unique in the book; a link to a page outside becomes text."""
    for node in article.find_all(id=True):
        node["id"] = name = unique(page, str(node["id"]))
        if node.name not in KEEP_ID:
            node.insert(0, element("span", id=name))
            del node["id"]
    for anchor in article.find_all("a", href=True):
        url = urlsplit(str(anchor["href"]))
        target = posixpath.normpath(posixpath.join(posixpath.dirname(page), url.path))
        name = target.removesuffix(".html") if url.path else page
        if url.scheme:
            continue
        if name in tops:
            place = unique(name, url.fragment) if url.fragment else tops[name]
            anchor["href"] = f"#{place}"
        else:
            anchor.unwrap()


def top(page: str, article: Tag) -> str:
    """The id in the book of a page's title."""
    named = article.find(id=True)
    return unique(page, str(named["id"]) if isinstance(named, Tag) else "")


def unique(page: str, name: str) -> str:
    """The id in the book of an id in a page."""
    return f"{page.replace('/', '-')}--{name}"


def nest(article: Tag) -> None:
    """Sections become their headings, which stand one level below their part's."""
    for section in article.find_all("section"):
        heading = section.find(HEADINGS, recursive=False)
        if isinstance(heading, Tag) and section.get("id"):
            heading["id"] = section["id"]
        section.unwrap()
    for heading in article.find_all(HEADINGS):
        heading.name = f"h{int(heading.name[1]) + 1}"


def element(name: str, text: str = "", **attributes: str) -> Tag:
    """A new element."""
    made = BeautifulSoup("", "html.parser").new_tag(name, attrs=attributes)
    made.string = text
    return made
