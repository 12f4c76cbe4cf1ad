"""The command line: `python -m literate COMMAND`.

Each command lives in a module of this package that offers `register(commands)`, which
calls `commands.add_parser(NAME, help=..., description=...)`, adds its arguments, and
sets `parser.set_defaults(run=function)`. The function takes the parsed arguments and
returns the exit status; what goes wrong it raises as a `LiterateError`. Commands run in
the root of the repository. Only the module of the command that was asked for is
imported (all of them for --help), and slow imports belong inside the functions that
need them.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from literate.book import LiterateError

# command -> the module that registers it
COMMANDS = {
    "tangle": "tangle",
    "check": "check",
    "stitch": "stitch",
    "where": "stitch",
    "weave": "weave",
    "execute": "execute",
    "verify": "execute",
    "watch": "watch",
    "figures": "figures",
    "fresh": "stamps",
    "mark": "stamps",
    "handout": "handout",
    "epub": "epub",
}

DESCRIPTION = """\
The book is the program: book/ is the source of truth, and everything else follows.

  book/*.md --tangle--> llm/, tests/chapters/
  book/*.md --weave--> notebooks/*.ipynb --execute--> outputs
  llm/ --stitch--> book/*.md
"""

EPILOG = """\
exit status:
  0  done, or nothing to do
  1  found something: a difference, a conflict, a failure
  2  wrong usage, or a chapter that cannot be read

Errors name the place, as compilers do:
  book/05-attention.md:118: error: 'mathh' is used in llm/attention.py and ...

examples:
  python -m literate tangle                  after editing a chapter
  python -m literate stitch                  after editing llm/
  python -m literate check                   is everything what the book says?
  python -m literate check --snapshots       does the package work after each chapter?
  python -m literate where llm/attention.py:42
"""


def parser(commands: Sequence[str] = tuple(COMMANDS)) -> argparse.ArgumentParser:
    """The parser, with these commands."""
    result = argparse.ArgumentParser(
        prog="python -m literate",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    result.add_argument(
        "-C",
        dest="root",
        metavar="DIR",
        type=Path,
        help="the root of the repository (else the nearest folder upward with a book)",
    )
    result.add_argument(
        "--debug", action="store_true", help="show the traceback of an error"
    )
    subparsers = result.add_subparsers(
        title="commands", dest="command", metavar="COMMAND", required=True
    )
    for name in dict.fromkeys(COMMANDS[command] for command in commands):
        try:
            module = importlib.import_module(f"literate.{name}")
        except ModuleNotFoundError as error:
            if error.name != f"literate.{name}":
                raise
        else:
            module.register(subparsers)
    return result


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status."""
    argv = sys.argv[1:] if argv is None else list(argv)
    asked = [word for word in argv if word in COMMANDS][:1]
    args = parser(asked or tuple(COMMANDS)).parse_args(argv)
    try:
        os.chdir(args.root or find_root())
        return int(args.run(args))
    except LiterateError as error:
        if args.debug:
            raise
        print(error, file=sys.stderr)
        return error.status
    except OSError as error:  # a full disk, a folder without permission
        if args.debug:
            raise
        print(f"{error.filename}: error: {error.strerror}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def find_root() -> Path:
    """The nearest folder upward that holds a book."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "_toc.yml").is_file():
            return folder
    return here


if __name__ == "__main__":
    sys.exit(main())
