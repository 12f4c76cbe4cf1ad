"""Files that are written whole, or not at all.

Tangled from book/02-tokenization.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


# %% book/02-tokenization.md#replacing
@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file that takes the place of `path` when all is written."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: str | Path, content: object) -> None:
    """Write JSON to `path`, which stays as it is if anything fails."""
    with replacing(Path(path)) as file:
        file.write(json.dumps(content, ensure_ascii=False).encode())
