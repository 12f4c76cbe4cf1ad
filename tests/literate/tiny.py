"""A book of two chapters that execute in a moment."""

from pathlib import Path

FRONT = "---\nfile_format: mystnb\n---\n\n"  # the text below it begins at line 5

ONE = (
    FRONT
    + """\
# One {index}`first`

Some prose.

```{resource-card}
:gpu: No GPU.
:download: Nothing.
```

```{code-cell} python
x = 1
print(x)
x + 1
```

```{code-cell} python
---
mystnb:
  figure:
    name: fig-line
    caption: A line, as in {eq}`eq-line`.
tags: [remove-input]
---
import matplotlib.pyplot as plt

plt.plot([1, 2, 4])
None
```

$$
y = x
$$ (eq-line)

```{code-cell} python
:tags: [raises-exception]

1 / 0
```
"""
)

TWO = (
    FRONT
    + """\
# Two

See {numref}`fig-line`, or {cite:t}`knuth1984`.

```{code-cell} python
from llm.words import text

text()
```

```{code-cell} python
class Words:
    pass
```

```{code-cell} python
@method_of(Words)
def count(self):
    return 2


Words().count()
```
"""
)

WORDS = """\
from pathlib import Path

from llm.base import ENCODING


def text():
    return Path("../book/texts/small.txt").read_text(encoding=ENCODING)
"""

FILES = {
    "_toc.yml": "format: jb-book\nroot: book/index\nchapters:\n"
    "- file: book/01-one\n- file: book/02-two\n",
    "_config.yml": "bibtex_bibfiles: [book/references.bib]\n"
    "repository: {url: 'https://github.com/some/book', branch: main}\n",
    "pyproject.toml": '[project]\nname = "literate-llm"\nversion = "0.1.0"\n',
    "constraints.txt": "numpy==2.0\n",
    "book/index.md": "# Index\n",
    "book/01-one.md": ONE,
    "book/02-two.md": TWO,
    "book/references.bib": "@book{knuth1984, author={Knuth, Donald E.}, "
    "title={Literate Programming}, publisher={CSLI}, year={1984}}\n",
    "book/texts/small.txt": "a small text",
    "llm/__init__.py": "",
    "llm/base.py": 'ENCODING = "utf-8"\n',
    "llm/unused.py": "",
    "llm/words.py": WORDS,
    "literate_llm-0.1.0.dist-info/METADATA": "Metadata-Version: 2.1\n"
    "Name: literate-llm\nVersion: 0.1.0\n",
}


def write_book(folder: Path) -> None:
    """Write the book, with its package, as if tangled and installed."""
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def edit(path: str, old: str, new: str) -> None:
    """Change one passage of a file."""
    text = Path(path).read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} in {path}"
    Path(path).write_text(text.replace(old, new), encoding="utf-8")
