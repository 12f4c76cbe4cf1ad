"""The pipeline as blocks of datatrove, for many processes or machines.

Tangled from book/03-cleaning-a-crawl.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from llm.cleaning import (
    CleanOptions,
    Stage,
    language_stage,
    open_member,
    text_stages,
)
from llm.dedup import (
    MinHash,
    clusters,
    drop_lines,
    first_of_each,
    frequent,
    hash_array,
    line_hashes,
    text_hash,
)
from llm.files import write_json
from llm.ledger import Ledger, keep_aside, read_json
from llm.scrub import scrub
from llm.warc import DropError, extra, extract, read_members


# %% book/03-cleaning-a-crawl.md#reader_block
def reader_block(paths: Sequence[Path], rejected: Path) -> Any:
    """A step of datatrove's that reads the pages of WARC files."""
    document_type = extra("datatrove.data").Document

    def run(data: Any, rank: int = 0, world_size: int = 1) -> Iterator[Any]:
        for path in paths[rank::world_size]:
            ledger = Ledger()
            for member in read_members(path):
                page = open_member(member, path.name, ledger)
                if page:
                    who = {"url": page.url}
                    yield document_type(page.text, page.id, metadata=who)
            keep_aside([path], ledger.broken, rejected / path.name)

    return run


# %% book/03-cleaning-a-crawl.md#filter_block
def filter_block(label: str, change: Callable[[Any], None]) -> Any:
    """A filter of datatrove's: what `change` refuses is dropped."""
    filters = extra("datatrove.pipeline.filters.base_filter")
    base: Any = filters.BaseFilter

    class ChangeBlock(base):
        name = label

        def filter(self, document: Any) -> bool | tuple[bool, str]:
            try:
                change(document)
            except DropError as refusal:
                return False, str(refusal)
            return True

    return ChangeBlock()


def stage_block(label: str, stage: Stage) -> Any:
    """One of our stages as a filter of datatrove's."""

    def change(document: Any) -> None:
        document.text = stage(document.text)

    return filter_block(label, change)


# %% book/03-cleaning-a-crawl.md#survey_block
def survey_block(
    path: Path, survey: Callable[[Iterator[Any]], dict[str, Any]]
) -> Any:
    """A step that reads all documents and leaves a file."""

    def run(data: Any, rank: int = 0, world_size: int = 1) -> None:
        write_json(path, survey(data))

    return run


@lru_cache
def told(path: Path, what: str) -> frozenset[Any]:
    """What a survey has left for the steps after it."""
    return frozenset(read_json(path)[what])


def skip_block(path: Path) -> Any:
    """A filter that drops the documents that a survey has named."""

    def change(document: Any) -> None:
        if document.id in told(path, "ids"):
            raise DropError(path.stem)

    return filter_block(path.stem, change)


# %% book/03-cleaning-a-crawl.md#survey_lines
def survey_lines(documents: Iterator[Any], limit: int) -> dict[str, Any]:
    """The lines that are common."""
    seen, lines = set(), [hash_array([])]
    for document in documents:
        if (value := text_hash(document.text)) not in seen:
            lines.append(line_hashes(document.text))
        seen.add(value)
    return {"lines": sorted(frequent(np.concatenate(lines), limit))}


def survey_copies(
    documents: Iterator[Any], minhash: MinHash
) -> dict[str, Any]:
    """The documents that are copies of earlier ones, or nearly."""
    ids, texts, keys = [], [], [minhash.keys_of([])]
    for document in documents:
        ids.append(document.id)
        texts.append(text_hash(document.text))
        keys.append(minhash.keys_of([document.text]))
    near = clusters(len(ids), iter(np.concatenate(keys).T))
    own = np.arange(len(ids))
    copied = (first_of_each(hash_array(texts)) != own) | (near != own)
    return {"ids": [ids[i] for i in np.flatnonzero(copied)]}


# %% book/03-cleaning-a-crawl.md#datatrove_pipelines
def datatrove_pipelines(
    paths: Sequence[Path], out: Path, options: CleanOptions
) -> list[list[Any]]:
    """Five pipelines for datatrove's executors, to be run in order.

    The second and the fourth look at all documents, so they are one task
    each; the result lies in `out/documents`.
    """
    reader = extra("datatrove.pipeline.readers").JsonlReader
    writer = extra("datatrove.pipeline.writers").JsonlWriter
    read, sift = str(out / "read"), str(out / "sift")
    lines, copies = out / "lines.json", out / "copies.json"
    first = {"text": extract, "language": language_stage(options)}
    second = {
        "lines": lambda text: drop_lines(text, told(lines, "lines")),
        **text_stages(options),
    }
    common = partial(survey_lines, limit=options.max_line_copies)
    same = partial(survey_copies, minhash=options.minhash)
    return [
        [reader_block(paths, out / "rejected"),
         *itertools.starmap(stage_block, first.items()), writer(read)],
        [reader(read), survey_block(lines, common)],
        [reader(read), *itertools.starmap(stage_block, second.items()),
         writer(sift)],
        [reader(sift), survey_block(copies, same)],
        [reader(sift), skip_block(copies),
         stage_block("scrub", lambda text: scrub(text)[0]),
         writer(str(out / "documents"))],
    ]
