"""Stamps: has anything changed since a step of the build was last done?

`fresh` compares the contents of files with what they were when the step began that
`mark` then declared done; so a file that changes while the step runs isn't missed.
"""

import argparse
import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from literate.book import write

FOLDER = Path("_build/stamps")


def digest(paths: Iterable[str]) -> str:
    """One digest for the names and contents of all files at and below some paths."""
    total = hashlib.sha256()
    for path in paths:
        for file in _files(Path(path)):
            content = hashlib.sha256(file.read_bytes()).hexdigest()
            total.update(f"{file.as_posix()}\0{content}\n".encode())
    return total.hexdigest()


def _files(path: Path) -> Iterator[Path]:
    """The files at or below a path, in order; no hidden ones, no caches."""
    if path.is_file():
        yield path
    elif path.is_dir():
        for child in sorted(path.iterdir()):
            if not child.name.startswith((".", "__pycache__", "_build")):
                yield from _files(child)


def fresh(name: str, paths: Iterable[str]) -> bool:
    """Is everything as when the step was last done? If not, note how it is now."""
    now = digest(paths)
    done = FOLDER / name
    if done.is_file() and done.read_text() == now:
        return True
    write(FOLDER / f"{name}.begun", now)
    return False


def mark(name: str, paths: Iterable[str]) -> None:
    """The step is done, with the files as they were when `fresh` looked at them."""
    begun = FOLDER / f"{name}.begun"
    if not begun.is_file():
        write(begun, digest(paths))
    os.replace(begun, FOLDER / name)


def run_fresh(args: argparse.Namespace) -> int:
    """Exit 0 if nothing has changed."""
    return 0 if fresh(args.name, args.paths) else 1


def run_mark(args: argparse.Namespace) -> int:
    """Remember that the step is done."""
    mark(args.name, args.paths)
    return 0


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the two commands to the command line."""
    asked = commands.add_parser(
        "fresh",
        help="exit 0 if nothing below some paths has changed since mark",
        description="Exit 0 if the files at and below the paths are what they were "
        "when the step NAME, marked since, had begun; else exit 1.",
    )
    told = commands.add_parser(
        "mark",
        help="remember the files of a step of the build that is done",
        description="Declare the step NAME done, with the files at and below the paths "
        "as `fresh` found them.",
    )
    for parser, run in ((asked, run_fresh), (told, run_mark)):
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("paths", metavar="PATH", nargs="+")
        parser.set_defaults(run=run)
