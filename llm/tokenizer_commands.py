"""The commands of llm tokenizer: train, encode, decode, show.

Tangled from book/02-tokenization.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import io
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import tyro

from llm.tokenizer import Tokenizer, train_bpe


# %% book/02-tokenization.md#TrainCommand
@dataclass(frozen=True)
class TrainCommand:
    """Train a tokenizer on text files and save it."""

    files: tyro.conf.Positional[tuple[Path, ...]]
    """Text files in UTF-8."""
    out: Path = Path("tokenizer.json")
    """Where the tokenizer goes."""
    vocab_size: int = 4_096
    """The number of tokens, special ones included."""
    special_tokens: tuple[str, ...] = ("<|endoftext|>",)
    """Tokens that no merge produces and no text can forge."""

    def __call__(self) -> None:
        """Train, save, and say what came out."""
        if not self.files:
            raise ValueError("name at least one text file to train on")
        tokenizer = train_bpe(
            self.files, self.vocab_size, self.special_tokens
        )
        tokenizer.save(self.out)
        print(f"{self.out.name}: {len(tokenizer.vocab):,} tokens")


# %% book/02-tokenization.md#EncodeCommand
@dataclass(frozen=True)
class EncodeCommand:
    """Print the tokens of a text, or of standard input."""

    tokenizer: tyro.conf.Positional[Path]
    """A tokenizer that `llm tokenizer train` has saved."""
    text: tyro.conf.Positional[str | None] = None
    """The text; without it, standard input."""

    def __call__(self) -> None:
        """Encode as the text comes in."""
        tokenizer = Tokenizer.load(self.tokenizer)
        text: Iterable[str] = [self.text or ""]
        if self.text is None:
            text = io.TextIOWrapper(sys.stdin.buffer, "utf-8", newline="")
        for i in tokenizer.encode_iterable(text):
            print(i, end=" ")
        print()


# %% book/02-tokenization.md#DecodeCommand
@dataclass(frozen=True)
class DecodeCommand:
    """Print the text of tokens, given here or on standard input."""

    tokenizer: tyro.conf.Positional[Path]
    """A tokenizer that `llm tokenizer train` has saved."""
    ids: tyro.conf.Positional[tuple[int, ...]] = ()
    """The tokens; without them, standard input."""

    def __call__(self) -> None:
        """Decode; what comes through a pipe goes out as bytes."""
        tokenizer = Tokenizer.load(self.tokenizer)
        if self.ids:
            print(tokenizer.decode(self.ids))
            return
        for line in sys.stdin:
            ids = map(int, line.split())
            sys.stdout.buffer.write(tokenizer.decode_bytes(ids))


# %% book/02-tokenization.md#ShowCommand
@dataclass(frozen=True)
class ShowCommand:
    """Describe a tokenizer, or show how it cuts a text."""

    tokenizer: tyro.conf.Positional[Path]
    """A tokenizer that `llm tokenizer train` has saved."""
    text: str | None = None
    """A text to cut into tokens."""

    def __call__(self) -> None:
        """Print a few lines."""
        tokenizer = Tokenizer.load(self.tokenizer)
        if self.text is not None:
            ids = tokenizer.encode(self.text)
            print("|".join(tokenizer.decode([i]) for i in ids))
            print(f"{len(ids)} tokens, {len(self.text.encode())} bytes")
            return
        longest = sorted(tokenizer.vocab.values(), key=len)[-5:]
        print(
            f"{len(tokenizer.vocab):,} tokens from "
            f"{len(tokenizer.merges):,} merges"
        )
        print("special:", *tokenizer.special_tokens)
        print("pattern:", tokenizer.pattern)
        print("longest:", *longest)
