"""A run's diary, of which a kill can tear the last line only.

Tangled from book/10-the-training-loop.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import json
from pathlib import Path
from typing import Any

from llm.files import replacing

# %% book/10-the-training-loop.md#Record
Record = dict[str, Any]  # one line of metrics.jsonl


def read_metrics(run: str | Path) -> list[Record]:
    """The rows of a run's metrics.jsonl, a torn last one left out.

    Raises:
        ValueError: a line before the last is no row.
    """
    path, rows = Path(run) / "metrics.jsonl", list[Record]()
    lines = path.read_bytes().split(b"\n") if path.exists() else []
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line.decode())
            row["step"] + 0  # it must be a number
            rows.append(row)
        except (ValueError, TypeError, KeyError):
            if number < len(lines):
                message = f"{path}, line {number} is no row of JSON"
                raise ValueError(message) from None
    return rows


def append_row(run: Path, row: Record) -> None:
    """Add a row to metrics.jsonl."""
    line = json.dumps(row, ensure_ascii=False) + "\n"
    with (run / "metrics.jsonl").open("ab") as file:
        file.write(line.encode())


def keep_rows(run: Path, step: int) -> None:
    """Remove what is torn, and the rows after a step."""
    rows = [row for row in read_metrics(run) if row["step"] <= step]
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
    with replacing(run / "metrics.jsonl") as file:
        file.write("".join(lines).encode())
