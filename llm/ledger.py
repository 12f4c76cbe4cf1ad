"""The books of a cleaning run: documents, counts, chunks on disk.

Tangled from book/03-cleaning-a-crawl.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from llm.files import write_json
from llm.progress import progress


# %% book/03-cleaning-a-crawl.md#Ledger
@dataclass(frozen=True)
class Document:
    """A page's text on its way through the stages."""

    id: str
    url: str
    text: str


class Ledger:
    """What came in, what was dropped where and why, what is broken.

    `counts` has a number for each kind of event, by name.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.dropped: list[dict[str, str]] = []
        self.broken: list[dict[str, Any]] = []

    def passed(self, stage: str, text: str | bytes) -> None:
        """A document has come out of a stage."""
        size = len(text if isinstance(text, bytes) else text.encode())
        self.counts[f"{stage}: documents"] += 1
        self.counts[f"{stage}: bytes"] += size

    def drop(self, stage: str, reason: str, document: Document) -> None:
        """A document ends here."""
        self.counts[f"{stage}: dropped"] += 1
        who = {"id": document.id, "url": document.url}
        self.dropped.append({**who, "stage": stage, "reason": reason})


# %% book/03-cleaning-a-crawl.md#store
def store(
    folder: Path, ledger: Ledger, documents: Iterable[Document],
    **arrays: np.ndarray,
) -> None:
    """Write a chunk as a folder, which is there whole or not at all."""
    temporary = folder.with_name(f".{folder.name}")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    write_rows(temporary / "documents.jsonl", map(asdict, documents))
    write_rows(temporary / "dropped.jsonl", ledger.dropped)
    write_rows(temporary / "broken.jsonl", ledger.broken)
    write_rows(temporary / "counts.jsonl", [ledger.counts])
    for name, values in arrays.items():
        np.save(temporary / f"{name}.npy", values)
    temporary.rename(folder)


def write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write JSON, a row a line."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
        file.flush()
        os.fsync(file.fileno())


# %% book/03-cleaning-a-crawl.md#chunks
def chunks(work: Path, name: str) -> list[Path]:
    """The finished chunks of a pass, in order."""
    return sorted(work.glob(f"{name}-*"))


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Read what `write_rows` has written, a row at a time."""
    with path.open(encoding="utf-8", newline="\n") as file:
        yield from map(json.loads, file)


def read_documents(folder: Path) -> Iterator[Document]:
    """The documents of a chunk."""
    for row in read_rows(folder / "documents.jsonl"):
        yield Document(**row)


# %% book/03-cleaning-a-crawl.md#begin
def begin(
    out: Path, paths: Sequence[Path], options: Mapping[str, Any]
) -> Path | None:
    """The folder for a run's chunks; None if the run is complete."""
    if not paths or len({path.name for path in paths}) < len(paths):
        raise ValueError("name at least one WARC file, and none twice")
    settings = {
        name: hashlib.blake2b(value.read_bytes()).hexdigest()
        if isinstance(value, Path)
        else value
        for name, value in options.items()
    }
    inputs = [[path.name, path.stat().st_size] for path in paths]
    run = json.loads(json.dumps({"inputs": inputs, "options": settings}))
    work, report = out / "work", out / "report.json"
    for told in filter(Path.exists, (report, work / "run.json")):
        before = read_json(told)
        if run != {key: before.get(key) for key in run}:
            raise ValueError(
                f"{out} holds a run with other inputs or options: name "
                "another folder, or delete it"
            )
    if report.exists():
        shutil.rmtree(work, ignore_errors=True)
        return None
    work.mkdir(parents=True, exist_ok=True)
    write_json(work / "run.json", run)
    return work


def read_json(path: Path) -> dict[str, Any]:
    """What `write_json` has written."""
    return json.loads(path.read_text(encoding="utf-8"))


# %% book/03-cleaning-a-crawl.md#finish
PASSES = ("read", "sift", "last")


def finish(
    paths: Sequence[Path], out: Path, work: Path
) -> dict[str, Any]:
    """Put the results in their places, the report last of all."""
    passes = [chunks(work, name) for name in PASSES]
    folders = [folder for folders in passes for folder in folders]

    def rows(
        folders: Iterable[Path], name: str
    ) -> Iterator[dict[str, Any]]:
        for folder in folders:
            yield from read_rows(folder / f"{name}.jsonl")

    counts: Counter[str] = Counter()
    for row in rows(folders, "counts"):
        counts.update(row)
    check_balance(counts)
    keep_aside(paths, rows(folders, "broken"), out / "rejected")
    for name, source in (("documents", passes[2]), ("dropped", folders)):
        write_rows(work / name, rows(source, name))
        (work / name).replace(out / f"{name}.jsonl")
    run = read_json(work / "run.json")
    report = {**run, "counts": dict(sorted(counts.items()))}
    write_json(out / "report.json", report)
    shutil.rmtree(work)
    return report


# %% book/03-cleaning-a-crawl.md#check_balance
def check_balance(counts: Mapping[str, int]) -> None:
    """Each record must have ended in exactly one place."""
    ends = counts["broken"] + counts["other"] + counts["scrub: documents"]
    ends += sum(n for name, n in counts.items() if "dropped" in name)
    if ends != counts["records"]:
        raise RuntimeError(
            f"{counts['records']} records came in, {ends} went out"
        )


# %% book/03-cleaning-a-crawl.md#keep_aside
def keep_aside(
    paths: Sequence[Path], broken: Iterable[dict[str, Any]], folder: Path
) -> None:
    """Copy the bytes of broken records, and say why they are broken."""
    folder.mkdir(parents=True, exist_ok=True)
    places, rows = {path.name: path for path in paths}, []
    for row in broken:
        copy = f"{row['file']}-{row['offset']}.bin"
        with places[row["file"]].open("rb") as file:
            file.seek(row["offset"])
            data = file.read(row["end"] - row["offset"])
        (folder / copy).write_bytes(data)
        rows.append({**row, "copy": copy})
    write_rows(folder / "reasons.jsonl", rows)


# %% book/03-cleaning-a-crawl.md#run_pass
def run_pass(
    what: str, unit: str, total: int, steps: Iterable[int], shown: bool
) -> None:
    """Run a pass, with a bar if it is to be shown."""
    with progress(
        total=total, desc=what, unit=unit, unit_scale=True,
        disable=not shown,
    ) as bar:
        for step in steps:
            bar.update(step)


# %% book/03-cleaning-a-crawl.md#STAGES
STAGES = (
    "record", "page", "text", "language", "lines", "c4 lines", "gopher",
    "repetition", "c4", "block list", "quality", "evaluation", "copies",
    "near copies", "scrub",
)


def funnel(report: Mapping[str, Any]) -> list[tuple[str, int, int]]:
    """The documents and bytes that came out of each stage, in order."""
    counts = report["counts"]
    return [
        (name, counts[f"{name}: documents"], counts[f"{name}: bytes"])
        for name in STAGES
        if f"{name}: documents" in counts
    ]
