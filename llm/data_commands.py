"""The commands of llm data: get, tokenize, show.

Tangled from book/04-batches.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import tyro
from jaxtyping import Int
from torch import Tensor

from llm.corpora import CORPORA, documents, download
from llm.data import Loader, TokenDataset
from llm.shards import tokenize
from llm.tokenizer import Tokenizer


# %% book/04-batches.md#DataGetCommand
@dataclass(frozen=True)
class DataGetCommand:
    """Download a named corpus into your cache folder."""

    name: tyro.conf.Positional[str]
    """tinyshakespeare, tinystories, fineweb-edu, smoltalk, ultrafeedback
    or gsm8k; the village needs no download."""

    def __call__(self) -> None:
        """Fetch it, or find it, and say where it is."""
        if self.name == "village":
            print("the village is built in: use --data village")
            return
        path = download(self.name)
        print(f"{path}: {CORPORA[self.name].about}")


@dataclass(frozen=True)
class DataTokenizeCommand:
    """Encode documents into a folder of token shards."""

    out: Path
    """The folder; run again after a kill, it goes on."""
    tokenizer: Path
    """A tokenizer that `llm tokenizer train` has saved."""
    data: str = "village"
    """village, a corpus's name, or a file or folder of yours."""
    documents: int | None = None
    """At most so many documents."""
    processes: int = os.cpu_count() or 1
    """Processes that encode side by side."""
    shard_size: int = 1 << 24
    """Characters of text per shard, at least."""

    def __call__(self) -> None:
        """Tokenize, and say how much came out."""
        count = tokenize(
            documents(self.data, self.documents),
            self.out,
            Tokenizer.load(self.tokenizer),
            self.shard_size,
            self.processes,
        )
        print(f"{self.out}: {count:,} tokens")


# %% book/04-batches.md#show_rows
def show_rows(
    rows: Int[Tensor, "B T1"], tokenizer: Tokenizer, end: int
) -> Iterator[str]:
    """Each row as text on one line, documents divided by a bar."""
    for number, row in enumerate(rows.tolist()):
        parts: list[list[int]] = [[]]
        for token in row:
            if token == end:
                parts.append([])
            else:
                parts[-1].append(token)
        texts = [tokenizer.decode(part) for part in parts]
        line = " │ ".join(text.replace("\n", "⏎") for text in texts)
        yield f"{number:3} {line}"


@dataclass(frozen=True)
class DataShowCommand:
    """Print a batch as text; │ stands between documents."""

    folder: tyro.conf.Positional[Path]
    """What `llm data tokenize` has written."""
    block_size: int = 64
    """Tokens that a row predicts."""
    batch_size: int = 4
    """Rows."""
    seed: int = 0
    """Decides the order of the rows."""

    def __call__(self) -> None:
        """Print the first batch of a training run with this seed."""
        tokenizer = Tokenizer.load(self.folder / "tokenizer.json")
        dataset = TokenDataset(self.folder, self.block_size, tokenizer)
        loader = Loader(dataset, self.batch_size, self.seed)
        batch = next(loader)
        print(*show_rows(batch, tokenizer, dataset.end), sep="\n")
        print(f"{len(dataset):,} rows of {self.block_size} + 1 tokens")
