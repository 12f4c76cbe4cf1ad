"""A small book with everything that an edition has to show, and its built HTML."""

import base64
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import nbformat
from nbformat import v4

ROOT = Path(__file__).parents[2]
SVG = (
    '<?xml version="1.0"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" '
    '"http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">'
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><metadata/>'
    '<defs><path id="space"/></defs><path d="M0 0h9v9z"/></svg>'
)
CHAPTER = r"""---
file_format: mystnb
kernelspec: {display_name: Python 3, language: python, name: python3}
modules:
  llm/words.py: Counting words
---

(words)=
# Counting words

A {index}`word` is a {term}`token` with a note.[^note] See {ref}`the key <key>`,
{eq}`eq-sum`, {numref}`fig-line`, {ref}`ex-twice` and {py:func}`llm.words.count`.

[^note]: The note says $x < y$ & more.

```{resource-card}
:gpu: Nothing.
:download: Nothing.
```

```{figure} figures/line.svg
:name: fig-line
:alt: A triangle.

A picture from a file.
```

$$
s = \sum_{i<n} x_i
$$ (eq-sum)

```{code-cell} python
:tangle: llm/words.py

def count(text: str) -> int:
    # the spaces, and one
    return text.count(" ") + 1
```

```{code-cell} python
:tags: [nbval-ignore-output]

print(count("a b"), "<script>")
```

```{code-cell} python
---
mystnb:
  figure: {name: fig-cell, caption: A picture from a cell.}
  image: {alt: The same triangle.}
tags: [remove-input, nbval-ignore-output]
---
"hidden input"
```

| left | right |
|:-----|------:|
| one  |     1 |

```{exercise-start} Count twice
:label: ex-twice
```
**Five minutes.** Count everything twice.
```{exercise-end}
```

## Solutions

```{solution-start} ex-twice
```
Twice the count is the answer.

```{code-cell} python
:tangle: tests/chapters/test_words.py

def test_count():
    assert count("a b") == 2
```
```{solution-end}
```
"""
FILES = {
    "_toc.yml": """\
format: jb-book
root: book/index
parts:
  - caption: Front & more
    chapters: [{file: book/notation}]
  - caption: I. Words
    chapters: [{file: book/01-words}]
  - caption: Back
    chapters: [{file: book/appendix-g-solutions}, {file: book/glossary}]
""",
    "book/index.md": "# Preface\n\nIt begins in {ref}`words`, or on "
    "[another site](https://example.org/).\n",
    "book/notation.md": "(key)=\n# The key\n\nLetters.\n",
    "book/01-words.md": CHAPTER,
    "book/appendix-g-solutions.md": "# Solutions\n\n```{solutions}\n```\n",
    "book/glossary.md": "# Glossary\n\n```{glossary}\ntoken\n  What is counted.\n```\n",
    "book/references.bib": "",
    "the-literate-llm.pdf": "%PDF, or so it says",
    "book/figures/line.svg": SVG,
}
BORROWED = (
    *("_config.yml", "pyproject.toml", "book/_latex", "book/_static"),
    *("book/_templates", "book/figures/logo.svg", "book/figures/cover.svg"),
)
WORLD = {**os.environ, "PYTHONPATH": str(ROOT), "SOURCE_DATE_EPOCH": "1700000000"}


def write_site(folder: Path) -> None:
    """The book's sources, tangled, woven, and with outputs as if executed."""
    for name in BORROWED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        copy(ROOT / name, folder / name)
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    for command in ("tangle", "weave"):
        literate(folder, command)
    path = folder / "notebooks/01-words.ipynb"
    notebook = nbformat.read(path, as_version=4)
    _, _, printing, drawing, _ = (c for c in notebook.cells if c.cell_type == "code")
    printing.outputs = [v4.new_output("stream", text="2 <script>\n")]
    drawing.outputs = [v4.new_output("display_data", picture())]
    nbformat.write(notebook, path)


def picture() -> dict[str, str]:
    """A triangle in the forms that a notebook of the book holds."""
    import cairosvg

    data = base64.b64encode(cairosvg.svg2pdf(SVG.encode())).decode()
    return {"image/svg+xml": SVG, "application/pdf": data, "text/plain": "<Figure>"}


def literate(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the tool in a folder; it must succeed."""
    command = [sys.executable, "-m", "literate", *words]
    return run(command, folder)


@cache
def built(base: Path) -> Path:
    """The book's folder, with its HTML as `./build.sh html` renders it."""
    folder = base / "site"
    write_site(folder)
    command = [Path(sys.executable).with_name("jupyter-book"), "build", ".", "-W"]
    run([*map(str, command), "--keep-going"], folder)
    return folder


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder; when it fails, show what it said."""
    done = subprocess.run(
        command, cwd=folder, env=WORLD, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done
