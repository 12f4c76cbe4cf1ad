"""Watch: when a file of the book is saved, bring up to date what follows from it."""

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

WATCHED = ("*.yml", "book/*.*", "book/figures/*.py", "book/figures/matplotlibrc")
INTERVAL = 0.3  # seconds between two looks
LITERATE = [sys.executable, "-m", "literate"]
STEPS = (
    [*LITERATE, "figures"],
    [*LITERATE, "tangle"],
    [*LITERATE, "execute"],
    ["./build.sh", "html"],
)


def look() -> dict[str, int]:
    """The watched files, and when each was last written."""
    found: dict[str, int] = {}
    for pattern in WATCHED:
        for path in Path().glob(pattern):
            if path.is_file() and not path.name.startswith("."):
                found[path.as_posix()] = path.stat().st_mtime_ns
    return found


def saves(interval: float = INTERVAL) -> Iterator[list[str]]:
    """What was saved, each time that something was and the files have come to rest."""
    seen = look()
    while True:
        time.sleep(interval)
        now = look()
        if now == seen:
            continue
        time.sleep(interval)
        if look() == now:
            changed = {name for name, _ in now.items() ^ seen.items()}
            seen = now
            yield sorted(changed)


def update() -> None:
    """Take every step, up to the first that fails and says why."""
    if all(subprocess.run(step).returncode == 0 for step in STEPS):
        print("-- up to date; watching", flush=True)
    else:
        print("-- watching: save a correction", flush=True)


def run(args: argparse.Namespace) -> int:
    """Update now and after every save, until interrupted."""
    try:
        update()
        for names in saves():
            print(f"-- {', '.join(names)}", flush=True)
            update()
    except KeyboardInterrupt:
        print()
    return 0


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "watch",
        help="tangle, execute and render again whatever is saved",
        description="Bring figures, package, notebooks and the HTML edition up to date "
        "now and whenever a file in book/ is saved; stop with Ctrl-C.",
    )
    parser.set_defaults(run=run)
