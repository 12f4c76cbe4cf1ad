"""Check: is everything that is made from the book what the book says?"""

import argparse
import difflib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path

from literate import figures
from literate.book import Chapter, LiterateError, read, read_book, write
from literate.imports import module_name
from literate.tangle import Module, build, made_files, upto

# Runs in a snapshot, with the names of its modules.
IMPORT = """
import importlib, pathlib, sys
for name in sys.argv[1:]:
    module = importlib.import_module(name)
    assert pathlib.Path(module.__file__).is_relative_to(pathlib.Path.cwd()), module
"""


def findings(book: Sequence[Chapter]) -> Iterator[LiterateError]:
    """Everything that differs from the book, with the place in the book."""
    from literate import weave  # slow to import: only check needs notebooks

    modules = build(book)
    for target, module in modules.items():
        yield from _difference(target, module)
    for path, made in made_files():
        if path not in modules:
            message = "no chapter makes it any more: run `./build.sh tangle`"
            if not made:
                message = (
                    "not tangled from the book: write it in a chapter, or remove it"
                )
            yield LiterateError(path, 1, message)
    listed = {chapter.path for chapter in book}
    for page in sorted(Path("book").glob("*.md")):
        if page.as_posix() not in listed:
            yield LiterateError(page, 1, "missing from _toc.yml")
    with_cells = {chapter.notebook for chapter in book if chapter.cells}
    for notebook in sorted(Path("notebooks").glob("*.ipynb")):
        if notebook.as_posix() not in with_cells:
            yield LiterateError(notebook, 1, "a notebook without a chapter: remove it")
    for script in figures.stale():
        message = "it has changed since it drew: run `./build.sh`"
        yield LiterateError(script, 1, message)
    yield from weave.findings(book)


def _difference(target: str, module: Module) -> Iterator[LiterateError]:
    if not Path(target).is_file():
        missing = f"{target} is missing: run `./build.sh tangle`"
        yield LiterateError(*module.place(0), missing)
    elif (have := read(target)) != module.text:
        pairs = zip_longest(have.split("\n"), module.text.split("\n"))
        at = next(i for i, (one, other) in enumerate(pairs) if one != other)
        message = (
            f"{target}:{at + 1} is not what the book says: run `./build.sh tangle`"
        )
        yield LiterateError(*module.place(at), f"{message}, or stitch to keep the edit")


def diff(target: str, module: Module) -> str:
    """The changes that tangle would make to a file."""
    have = read(target) if Path(target).is_file() else ""
    rows = have.splitlines(keepends=True), module.text.splitlines(keepends=True)
    return "".join(difflib.unified_diff(*rows, target, f"{target} (as in the book)"))


# --- snapshots --------------------------------------------------------------------


def snapshots(book: Sequence[Chapter]) -> Iterator[LiterateError]:
    """Make the package as it stands after each chapter; import it and run its tests."""
    for chapter in book:
        if not chapter.appendix and any(cell.tangle for cell in chapter.cells):
            start = time.monotonic()
            if output := snapshot(upto(book, chapter.number)):
                print(output)
                message = "with the chapters up to this one the package does not work"
                yield LiterateError(chapter.path, 1, message)
            else:
                took = time.monotonic() - start
                print(
                    f"chapters up to {chapter.number}: work ({took:.1f} s)", flush=True
                )


def snapshot(book: Sequence[Chapter]) -> str:
    """Tangle chapters into a temporary folder and try them; what went wrong, or ''."""
    modules = build(book)
    names = [
        module_name(t).removesuffix(".__init__") for t in modules if t[-3:] == ".py"
    ]
    package = [n for n in names if n[:3] == "llm" and n != "llm.__main__"]
    commands = [["-c", IMPORT, *package]]
    if any(target.startswith("tests/") for target in modules):
        config = str(Path("pyproject.toml").resolve())
        options = ["-q", "-p", "no:cacheprovider", "-c", config, "--rootdir", "."]
        commands.append(["-m", "pytest", *options, "tests/chapters"])
    with tempfile.TemporaryDirectory() as folder:
        for target, module in modules.items():
            write(Path(folder, target), module.text)
        Path(folder, "book").symlink_to(Path("book").resolve())
        for command in commands:
            done = subprocess.run(
                [sys.executable, *command],
                cwd=folder,
                env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            if done.returncode:
                return done.stdout or f"exit status {done.returncode}"
    return ""


# --- the command ------------------------------------------------------------------


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "check",
        help="compare everything that is made from book/ with book/",
        description="Make everything in memory and compare: llm/, tests/chapters/ and "
        "the code in notebooks/. Prints a diff, and for each difference the line of "
        "the chapter. Finds stale and foreign files, and pages missing from _toc.yml.",
    )
    parser.add_argument(
        "--snapshots",
        action="store_true",
        help="for each chapter, tangle only the book up to it into a temporary folder, "
        "import every module and run the chapters' tests there",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run `literate check`."""
    book = read_book()
    for target, module in build(book).items():
        print(diff(target, module), end="")
    found = list(findings(book))
    for finding in found:
        print(finding, file=sys.stderr)
    if args.snapshots:
        for finding in snapshots(book):
            print(finding, file=sys.stderr)
            found.append(finding)
    if not found:
        print("llm/, tests/chapters/ and notebooks/ are what the book says")
    return 1 if found else 0
