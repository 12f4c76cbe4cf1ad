"""A tiny book with a package: two chapters and an appendix."""

import subprocess
from pathlib import Path

HEAD = "---\nfile_format: mystnb\nmodules:\n{}---\n\n"

INDEX = "# A tiny book\n\nIt counts words.\n"

COUNT = (
    HEAD.format("  llm/count.py: Counting words\n  llm/score.py: Scoring\n")
    + '''\
# Counting

We need a few imports.

```{code-cell} python
from __future__ import annotations

import math
import random
from collections import Counter
```

A vocabulary, first only its constructor.

```{code-cell} python
:tangle: llm/count.py

class Vocab:
    """Words, and how often they occur."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.counts = Counter(text.split())
```

```{code-cell} python
vocab = Vocab("a b a")
assert vocab.counts["a"] == 2
```

Now its size.

```{code-cell} python
:tangle: llm/count.py

@method_of(Vocab)
def size(self) -> int:
    """How many distinct words?"""
    return len(self.counts)


@method_of(Vocab)
@property
def total(self) -> int:
    """How many words?"""
    # All of them.
    return sum(self.counts.values())
```

Between two of them: a constant.

```{code-cell} python
:tangle: llm/count.py
:id: limits

LIMIT = 10


def limited(vocab: Vocab) -> bool:
    """Is the vocabulary small?"""
    return vocab.size() < LIMIT
```

And a score, in its own module.

```{code-cell} python
---
tangle: llm/score.py
---
import heapq


def score(vocab: Vocab) -> float:
    """The entropy in bits.

    It is computed with the logarithm to the base 2.
    """
    shares = [count / vocab.total for count in vocab.counts.values()]
    return -sum(share * math.log2(share) for share in heapq.nlargest(5, shares))
```

```{code-cell} python
:tags: [nbval-ignore-output]

random.random()
```

```{code-cell} python
:tangle: tests/chapters/test_count.py

def test_size() -> None:
    assert Vocab("a b a").size() == 2
    assert limited(Vocab("a"))


def test_score() -> None:
    assert math.isclose(score(Vocab("a b")), 1)


test_size()
test_score()
```
'''
)

RANK = (
    HEAD.format("  llm/rank.py: Ranking words.\n")
    + '''\
# Ranking

```{code-cell} python
import torch.nn.functional as F
from llm.count import Vocab
from llm.village import houses
```

```{code-cell} python
:tangle: llm/rank.py

def rank(vocab: Vocab) -> list[str]:
    """The words, the most frequent first."""
    return [word for word, _ in vocab.counts.most_common()]
```

```{code-cell} python
print(rank(Vocab("a b a")), houses(3))
```

```{code-cell} python
:tangle: tests/chapters/test_rank.py

def test_rank() -> None:
    assert rank(Vocab("a b b")) == ["b", "a"]


test_rank()
```
'''
)

VILLAGE = (
    HEAD.format("  llm/village.py: The village.\n")
    + '''\
# The village

```{code-cell} python
:tangle: llm/village.py

def houses(count: int) -> list[str]:
    """Names of houses."""
    return [f"house {number}" for number in range(count)]
```
'''
)

TOC = """\
format: jb-book
root: book/index
parts:
  - caption: One
    chapters:
      - file: book/01-count
      - file: book/02-rank
  - caption: Appendices
    chapters:
      - file: book/appendix-a-village
"""

FILES = {
    "_toc.yml": TOC,
    "pyproject.toml": '[project]\nname = "tiny"\nversion = "1.2.3"\n',
    "book/index.md": INDEX,
    "book/01-count.md": COUNT,
    "book/02-rank.md": RANK,
    "book/appendix-a-village.md": VILLAGE,
}


def write_files(folder: Path, files: dict[str, str] = FILES) -> None:
    """Write the tiny book into a folder."""
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(text.encode())


def commit() -> None:
    """Commit everything in the current folder."""
    git = [
        "git",
        "-c",
        "user.name=n",
        "-c",
        "user.email=e",
        "-c",
        "core.autocrlf=false",
    ]
    subprocess.run(["git", "init", "-q"], check=True)
    subprocess.run(["git", "add", "-A"], check=True)
    subprocess.run([*git, "commit", "-qm", "m", "--no-verify"], check=True)
