"""The HTML edition's part of Sphinx: buttons, source pages, and no network.

The label over a tangled cell leads to a page with the whole module, and each marker
there leads back to its cell. The pages work from a folder on a disk: MathJax is copied
out of an installed package, and a build in which a page would load anything from
another host ends with a warning. Links may lead anywhere.
"""

import re
import shutil
from collections.abc import Iterator, Mapping
from functools import partial
from html import escape
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util import logging

from literate.repository import repository
from literate.sphinx_ext import places
from literate.tangle import FOLDERS, MARKER

LOG = logging.getLogger(__name__)
PDF = "the-literate-llm.pdf"
MATHJAX = ("tex-chtml.js", "a11y", "input/tex/extensions", "output/chtml/fonts")
FONTS = ("Regular", "It", "Semibold")
DOWNLOADS = {
    ".ipynb": ("This chapter as a notebook", "fas fa-code"),
    ".pdf": ("The book as a PDF", "fas fa-file-pdf"),
    ".py": ("", "fab fa-python"),
}
COMMENT = re.compile(r'<span class="c1">(# (?:%%|--) book/[^#\s]+#([\w.-]+))</span>')
INSIDE = r"""(?:[^>"']|"[^"]*"|'[^']*')*?"""  # a tag, up to an attribute
OUTSIDE = r"""\s*["']?\s*((?:https?:)?//[^\s"'>)]+)"""  # an address on another host
LOADS = re.compile(
    rf"""<(?:script|img|iframe|embed|source|audio|video|image|use)\b{INSIDE}
         \s(?:src|srcset|poster|href|xlink:href)\s*={OUTSIDE}
       | <link\b(?!{INSIDE}\srel=["']?(?:canonical|license)){INSIDE}\shref\s*={OUTSIDE}
       | (?:url\(|@import){OUTSIDE}""",
    re.VERBOSE | re.IGNORECASE,
)


def loads(folder: Path) -> list[str]:
    """What the pages, style sheets and images in a folder load from other hosts."""
    return [
        f"{path.relative_to(folder)} loads {next(filter(None, found.groups()))}"
        for path in sorted(folder.rglob("*"))
        if path.suffix in (".html", ".css", ".svg")
        for found in LOADS.finditer(path.read_text("utf-8"))
    ]


def modules(root: Path) -> dict[str, str]:
    """The tangled files, and the page of the book that each comes from."""
    found = {}
    for path in sorted(
        path for folder in FOLDERS for path in (root / folder).glob("*.py")
    ):
        if marker := MARKER.search(path.read_text("utf-8")):
            chapter = marker["chapter"].removesuffix(".md")
            found[path.relative_to(root).as_posix()] = chapter
    return found


def source_pages(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """A page for each tangled file: `code/llm/tokenizer.py.html`."""
    for name, chapter in modules(Path(app.srcdir)).items():
        page = f"code/{name}"
        address = partial(app.builder.get_relative_uri, page)
        cells = {
            cell.anchor.removesuffix(
                "-solution"
            ): f"{address(cell.docname)}#{cell.anchor}"
            for cell in places(app.env)
            if cell.file == name
        }
        title = escape(app.env.titles[chapter].astext())
        code = highlighted(Path(app.srcdir, name).read_text("utf-8"), cells)
        body = (
            f"<h1>{name}</h1>"
            f'<p>The module that <a href="{address(chapter)}">{title}</a> writes. '
            "Each marker leads to the page that explains the code below it.</p>"
            f'<div class="module">{code}</div>'
        )
        yield page, {"title": name, "body": body}, "page.html"


def highlighted(text: str, cells: Mapping[str, str]) -> str:
    """A module as HTML, each marker a link to its cell."""

    def link(marker: re.Match[str]) -> str:
        anchor = "cell-" + re.sub(r"[^A-Za-z0-9_-]", "-", marker[2])
        target = cells.get(anchor, f"#{anchor}")
        return f'<a class="marker" id="{anchor}" href="{target}">{marker[1]}</a>'

    formatter = HtmlFormatter(linenos="inline", lineanchors="line")
    lines = highlight(text, PythonLexer(), formatter)
    return COMMENT.sub(link, lines)


def add_buttons(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object
) -> None:
    """Fill the bar over a page: Colab and the downloads."""
    root, bar = Path(app.srcdir), []
    files = [name for name, chapter in modules(root).items() if chapter == page]
    if pdf(root):
        files.insert(0, PDF)
    notebook = f"notebooks/{Path(page).name}.ipynb"
    if page.startswith("book/") and (root / notebook).is_file():
        files.insert(0, notebook)
        icon = "_static/images/logo_colab.png"
        bar.append(button("Open in Colab", repository().colab(notebook), icon, "colab"))
    downloads = []
    for name in files:
        text, icon = DOWNLOADS[Path(name).suffix]
        url = context["pathto"](f"_downloads/{name}", resource=True)
        downloads.append(button(text or name, url, icon, "file"))
    if downloads:
        group = {"tooltip": "Download", "icon": "fas fa-download", "label": "download"}
        bar.append({"type": "group", "buttons": downloads, **group})
    context |= {"header_buttons": bar, "repository": repository().url}


def button(text: str, url: str, icon: str, label: str) -> dict[str, Any]:
    """A button as the theme's templates want it."""
    return {"type": "link", "text": text, "url": url, "icon": icon, "label": label}


def pdf(root: Path) -> Path | None:
    """The PDF edition, where there is one: this build's, else the committed one."""
    places = [root / "_build/latex" / PDF, root / PDF]
    return next(filter(Path.is_file, places), None)


def finish(app: Sphinx, error: Exception | None) -> None:
    """Add MathJax and the downloads, then look for what a page would fetch."""
    if error or app.builder.name != "html":
        return
    root, out = Path(app.srcdir), Path(app.outdir)
    for name in MATHJAX:
        mathjax = installed("sphinx-mathjax-offline") / "static/mathjax"
        copy(mathjax / name, out / "_static/mathjax" / name)
    for name in (f"SourceSansPro-{style}.ttf" for style in FONTS):
        copy(
            installed("font_source_sans_pro") / "files" / name,
            out / "_static/fonts" / name,
        )
    for path in [*map(root.joinpath, modules(root)), *root.glob("notebooks/*.ipynb")]:
        copy(path, out / "_downloads" / path.relative_to(root))
    if edition := pdf(root):
        copy(edition, out / "_downloads" / PDF)
    for load in loads(out):
        LOG.warning("the HTML edition needs the network: %s", load)


def installed(package: str) -> Path:
    """The folder of an installed package, which isn't imported."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ExtensionError(f"the package {package} is not installed")
    return Path(spec.origin).parent


def copy(source: Path, target: Path) -> None:
    """Copy a file or a folder over what is there."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        shutil.copyfile(source, target)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension; a change of what buttons lead to renews the pages."""
    root = Path(app.srcdir)
    app.add_config_value("literate_buttons", f"{repository()} {pdf(root)}", "html")
    app.connect("html-collect-pages", source_pages)
    app.connect("html-page-context", add_buttons, priority=600)
    app.connect("build-finished", finish)
    app.add_css_file("literate.css")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
