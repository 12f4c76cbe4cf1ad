"""Figures: run the scripts in `book/figures/` whose drawings are older than they are.

A script writes SVGs next to itself. It runs as a copy, in a folder beside its own, so
that a drawing appears all or nothing; each drawing ends with a comment that names the
script and a digest of what it was drawn with.
"""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from literate.book import LiterateError, read, write

FOLDER = Path("book/figures")
STYLE = FOLDER / "matplotlibrc"
# A script runs as `python script.py` would run it, with the book's font at hand.
START = """\
import runpy, sys
from literate.fonts import register
register()
sys.argv = sys.argv[1:]
sys.path[0] = sys.argv[0].rpartition("/")[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
MARK = re.compile(r"<!-- (\S+\.py) (\w+) -->\n\Z")


def scripts() -> list[Path]:
    """The scripts, in order; those whose names begin with _ only help others."""
    return sorted(path for path in FOLDER.glob("*.py") if path.name[0] != "_")


def digest(script: Path) -> str:
    """A digest of what determines a script's drawings."""
    files = [script, *sorted(FOLDER.glob("_*.py")), STYLE]
    texts = [read(path) for path in files if path.is_file()]
    if ".glob(" in texts[0]:  # it looks which pages there are
        texts += sorted(path.name for path in FOLDER.parent.glob("*.md"))
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]


def drawings(script: Path) -> dict[Path, str]:
    """The drawings that a script made, and the digests in them."""
    found = {path: MARK.search(read(path)) for path in FOLDER.glob("*.svg")}
    return {path: m[2] for path, m in found.items() if m and m[1] == script.name}


def stale() -> list[Path]:
    """The scripts that have no drawing, or one that is older than the script."""
    return [path for path in scripts() if {*drawings(path).values()} != {digest(path)}]


def draw(script: Path) -> list[Path]:
    """Run a script; return its drawings, and remove what it no longer draws."""
    mark = f"<!-- {script.name} {digest(script)} -->\n"
    with tempfile.TemporaryDirectory(prefix=".figures-", dir=FOLDER.parent) as folder:
        for path in FOLDER.glob("*.py"):
            shutil.copy(path, folder)
        _run(script, Path(folder))
        made = {FOLDER / path.name: read(path) for path in Path(folder).glob("*.svg")}
    if not made:
        raise LiterateError(script, 1, "it wrote no SVG next to itself")
    for path, text in made.items():
        write(path, f"{text.rstrip()}\n{mark}")
    for path in drawings(script).keys() - made:
        path.unlink()
    return sorted(made)


def _run(script: Path, folder: Path) -> None:
    world = {"MPLBACKEND": "agg", "SOURCE_DATE_EPOCH": "0", "PYTHONHASHSEED": "0"}
    if STYLE.is_file():
        world["MATPLOTLIBRC"] = str(STYLE.resolve())
    command = [sys.executable, "-c", START, str(folder / script.name)]
    done = subprocess.run(
        command, env={**os.environ, **world}, capture_output=True, text=True
    )
    if done.returncode:
        lines = re.findall(rf'{re.escape(script.name)}", line (\d+)', done.stderr)
        reason = (done.stderr.strip().split("\n") or [""])[-1]
        raise LiterateError(script, int(lines[-1]) if lines else 1, reason, 1)


def run(args: argparse.Namespace) -> int:
    """Draw what is stale, or everything."""
    for script in scripts() if args.force else stale():
        print(f"{script}: {', '.join(path.name for path in draw(script))}", flush=True)
    return 0


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "figures",
        help="draw the diagrams whose scripts have changed",
        description="Run the scripts in book/figures/ that have changed, or whose "
        "style file has, since they wrote their SVGs.",
    )
    parser.add_argument("--force", action="store_true", help="also those up to date")
    parser.set_defaults(run=run)
