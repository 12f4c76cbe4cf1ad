"""Progress bars that a log file can read as well.

Tangled from book/03-cleaning-a-crawl.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import sys
from typing import Any

from tqdm import tqdm


# %% book/03-cleaning-a-crawl.md#Lines
class Lines:
    """A stream on which each of tqdm's pictures becomes a line."""

    def write(self, text: str) -> None:
        """Print a picture, without what would bring the cursor back."""
        if line := text.strip():
            print(line, file=sys.stderr)

    def flush(self) -> None:
        """Nothing waits here."""


def progress(**options: Any) -> tqdm:
    """tqdm's bar in a terminal; elsewhere a line every ten seconds."""
    if sys.stderr.isatty():
        return tqdm(**options)
    return tqdm(file=Lines(), delay=10, mininterval=10, **options)
