"""The command line: everything the book built, under one name.

Tangled from book/23-the-whole-road.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import os
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import tyro

from llm.cleaning_commands import CleanCommand
from llm.data_commands import (
    DataGetCommand,
    DataShowCommand,
    DataTokenizeCommand,
)
from llm.pretrain_commands import (
    PlotCommand,
    PretrainCommand,
    SampleCommand,
)
from llm.tokenizer_commands import (
    DecodeCommand,
    EncodeCommand,
    ShowCommand,
    TrainCommand,
)
from llm.village_commands import VillageCommand

# %% book/23-the-whole-road.md#commands
COMMANDS: dict[str, Any] = {
    "village": VillageCommand,
    "clean": CleanCommand,
    "tokenizer": {
        "train": TrainCommand,
        "encode": EncodeCommand,
        "decode": DecodeCommand,
        "show": ShowCommand,
    },
    "data": {
        "get": DataGetCommand,
        "tokenize": DataTokenizeCommand,
        "show": DataShowCommand,
    },
    "pretrain": PretrainCommand,
    "sample": SampleCommand,
    "plot": PlotCommand,
}


# %% book/23-the-whole-road.md#overview
def overview(words: Sequence[str], commands: dict[str, Any]) -> str:
    """What may follow `words`, a line each."""
    lines = [f"usage: {' '.join(words)} COMMAND", ""]
    for name, command in commands.items():
        if isinstance(command, dict):
            lines.append(f"  {name:10} {' | '.join(command)}")
        else:
            lines.append(f"  {name:10} {command.__doc__.splitlines()[0]}")
    lines += [
        "",
        "COMMAND --help says more. Everywhere: --version prints the",
    ]
    lines += ["version, --debug shows where an error came from."]
    return "\n".join(lines)


# %% book/23-the-whole-road.md#run
def run(args: Sequence[str]) -> None:
    """Find the command that `args` name, and call it."""
    words, rest, found = ["llm"], list(args), COMMANDS
    while isinstance(found, dict):
        if not rest or rest[0] in ("-h", "--help"):
            print(overview(words, found))
            return
        if rest[0] not in found:
            raise ValueError(
                f"no command {rest[0]!r} in {' '.join(words)}: "
                f"{', '.join(found)}"
            )
        words.append(rest[0])
        found = found[rest.pop(0)]
    command = tyro.cli(found, prog=" ".join(words), args=rest)
    command()


# %% book/23-the-whole-road.md#sentence
def sentence(error: Exception) -> str:
    """The error in one line."""
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return " ".join(str(error).split()) or type(error).__name__


def package_version() -> str:
    """The installed distribution's version."""
    try:
        return version("literate-llm")
    except PackageNotFoundError:
        return "unknown (literate-llm isn't installed)"


# %% book/23-the-whole-road.md#main
def main(args: Sequence[str] | None = None) -> int:
    """The `llm` command; returns the exit status."""
    args = list(sys.argv[1:] if args is None else args)
    if args[:1] == ["--version"]:
        print("llm", package_version())
        return 0
    debug = "--debug" in args
    try:
        run([word for word in args if word != "--debug"])
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output has seen enough, as `head` has.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except KeyboardInterrupt:
        print("llm: interrupted", file=sys.stderr)
        return 130
    except (OSError, ValueError, ImportError) as error:
        if debug:
            raise
        print(f"llm: error: {sentence(error)}", file=sys.stderr)
        return 2
    return 0
