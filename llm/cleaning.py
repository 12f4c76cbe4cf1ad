"""The pipeline: a crawl in, documents out, resumable.

Tangled from book/03-cleaning-a-crawl.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int64, UInt64

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
from llm.language_id import LanguageIdentifier
from llm.ledger import (
    Document,
    Ledger,
    begin,
    chunks,
    finish,
    read_documents,
    read_json,
    run_pass,
    store,
)
from llm.quality import (
    GopherRules,
    QualityClassifier,
    c4_lines,
    c4_page,
    gopher_quality,
    gopher_repetition,
)
from llm.scrub import Decontaminator, WordList, scrub
from llm.warc import (
    DropError,
    Member,
    RecordError,
    extract,
    page_markup,
    read_members,
    read_page,
)


# %% book/03-cleaning-a-crawl.md#CleanOptions
@dataclass(frozen=True)
class CleanOptions:
    """What to keep. Rules and MinHash have published defaults."""

    language: str = "en"
    """The language to keep."""
    unknown: float = -8.3
    """Below this mean log-probability a text is in no known language."""
    max_line_copies: int = 10
    """Lines that more documents than this contain are taken out."""
    gopher: GopherRules = field(default_factory=GopherRules)
    """The rules of Gopher."""
    min_line_words: int = 5
    """C4: shorter lines are taken out."""
    min_sentences: int = 3
    """C4: documents with fewer sentences are dropped."""
    block: Path | None = None
    """A file of words; documents with one of them are dropped."""
    quality: Path | None = None
    """A trained quality classifier."""
    min_quality: float = 0.5
    """Documents with a lower quality are dropped."""
    evaluation: Path | None = None
    """A file of evaluation items, one a line."""
    overlap: int = 13
    """Documents that share a run of so many words with one are dropped."""
    minhash: MinHash = field(default_factory=MinHash)
    """The signatures by which near duplicates are found."""


# %% book/03-cleaning-a-crawl.md#stages
Stage = Callable[[str], str]


def stage(test: Callable[[str], str | None]) -> Stage:
    """A stage that passes a text unless `test` names a reason not to."""

    def run(text: str) -> str:
        if reason := test(text):
            raise DropError(reason)
        return text

    return run


def language_stage(options: CleanOptions) -> Stage:
    """Keep one language."""
    identifier = LanguageIdentifier()
    if options.language not in identifier.languages:
        raise ValueError(
            f"no sample of the language {options.language!r}: "
            f"there are {', '.join(identifier.languages)}"
        )

    def test(text: str) -> str | None:
        found = identifier.identify(text, options.unknown)
        return None if found == options.language else found

    return stage(test)


# %% book/03-cleaning-a-crawl.md#text_stages
def text_stages(options: CleanOptions) -> dict[str, Stage]:
    """The stages that look at one text and at nothing else, in order."""
    stages: dict[str, Stage] = {
        "c4 lines": partial(c4_lines, min_words=options.min_line_words),
        "gopher": stage(partial(gopher_quality, rules=options.gopher)),
        "repetition": stage(gopher_repetition),
        "c4": stage(partial(c4_page, min_sentences=options.min_sentences)),
    }
    if options.block is not None:
        blocked = WordList(read_lines(options.block))
        stages["block list"] = stage(blocked.find)
    if options.quality is not None:
        classifier = QualityClassifier.load(options.quality)
        stages["quality"] = stage(
            lambda text: "low quality"
            if classifier.score(text) < options.min_quality
            else None
        )
    if options.evaluation is not None:
        items = read_lines(options.evaluation)
        paper = Decontaminator(items, options.overlap)
        stages["evaluation"] = stage(
            lambda text: "overlap" if paper.overlap(text) else None
        )
    return stages


def read_lines(path: Path) -> list[str]:
    """The lines of a text file in UTF-8."""
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} isn't a text in UTF-8: {error}") from None


# %% book/03-cleaning-a-crawl.md#run_stages
def run_stages(
    document: Document, stages: Mapping[str, Stage], ledger: Ledger
) -> Document | None:
    """Send a document through stages; None if one of them drops it."""
    text = document.text
    for name, run in stages.items():
        before = text
        try:
            text = run(text)
        except DropError as refusal:
            ledger.drop(name, str(refusal), document)
            return None
        ledger.passed(name, text)
        for mark in ("[email]", "[phone]", "[ip]"):
            more = text.count(mark) - before.count(mark)
            ledger.counts[mark] += max(more, 0)
    return replace(document, text=text)


# %% book/03-cleaning-a-crawl.md#open_member
def open_member(
    member: Member, file: str, ledger: Ledger
) -> Document | None:
    """The HTML of a member of a file, if it holds a page."""
    ledger.counts["records"] += 1
    try:
        if member.error:
            raise RecordError(member.error)
        page = read_page(member.data)
    except RecordError as error:
        ledger.counts["broken"] += 1
        row = {"file": file, "offset": member.offset, "end": member.end}
        ledger.broken.append({**row, "reason": str(error)})
        return None
    if page is None:
        ledger.counts["other"] += 1
        return None
    ledger.passed("record", page.body)
    name = page.id or f"{file}:{member.offset}"
    try:
        markup = page_markup(page)
    except DropError as refusal:
        ledger.drop("page", str(refusal), Document(name, page.url, ""))
        return None
    ledger.passed("page", markup)
    return Document(name, page.url, markup)


# %% book/03-cleaning-a-crawl.md#read_pass
def read_pass(
    paths: Sequence[Path], work: Path, language: Stage, size: int
) -> Iterator[int]:
    """Read, extract, keep one language; yields bytes read."""
    stages = {"text": extract, "language": language}
    done = chunks(work, "read")
    index, offset = 0, 0
    if done:
        index, offset = np.load(done[-1] / "next.npy").tolist()
        yield offset + sum(p.stat().st_size for p in paths[:index])
    number = len(done)
    for at in range(index, len(paths)):
        members = read_members(paths[at], offset)
        while chunk := read_chunk(members, paths[at].name, stages, size):
            member, ledger, kept = chunk
            place, next_one = work / f"read-{number:06}", [at, member.end]
            hashes = hash_documents(kept)
            store(place, ledger, kept, next=np.array(next_one), **hashes)
            yield member.end - offset
            offset, number = member.end, number + 1
        offset = 0


# %% book/03-cleaning-a-crawl.md#read_chunk
def read_chunk(
    members: Iterator[Member], file: str, stages: Mapping[str, Stage],
    size: int,
) -> tuple[Member, Ledger, list[Document]] | None:
    """Read up to `size` members; also returns the last, None at the end."""
    ledger, kept, member = Ledger(), [], None
    for member in itertools.islice(members, size):
        page = open_member(member, file, ledger)
        if left := page and run_stages(page, stages, ledger):
            kept.append(left)
    return (member, ledger, kept) if member else None


# %% book/03-cleaning-a-crawl.md#hash_documents
def hash_documents(documents: Sequence[Document]) -> dict[str, np.ndarray]:
    """What finding common lines needs to know of documents."""
    lines = [line_hashes(document.text) for document in documents]
    return {
        "ids": id_array(documents),
        "texts": hash_array(text_hash(d.text) for d in documents),
        "lines": np.concatenate([hash_array([]), *lines]),
        "line_counts": np.array([len(row) for row in lines], np.int64),
    }


def id_array(documents: Iterable[Document]) -> np.ndarray:
    """The documents' ids as an array of bytes."""
    return np.array([document.id.encode() for document in documents], "S")


# %% book/03-cleaning-a-crawl.md#load_all
def load_all(folders: Sequence[Path], name: str) -> np.ndarray:
    """One array of all chunks, end to end."""
    return np.concatenate([np.load(f / f"{name}.npy") for f in folders])


def common_lines(work: Path, limit: int) -> frozenset[int]:
    """The hashes of the lines in more than `limit` different documents.

    Of equal documents only the first counts, so that a page that was
    copied often doesn't make its own lines common.
    """
    read = chunks(work, "read")
    first = first_of_each(load_all(read, "texts"))
    fresh = first == np.arange(len(first))
    counted = np.repeat(fresh, load_all(read, "line_counts"))
    return frequent(load_all(read, "lines")[counted], limit)


# %% book/03-cleaning-a-crawl.md#find_copies
def find_copies(
    work: Path, bands: int
) -> dict[str, Int64[np.ndarray, "N"]]:
    """The first document equal to each, and the first of its cluster."""
    sifted = chunks(work, "sift")
    texts = load_all(sifted, "texts")

    def keys(band: int) -> UInt64[np.ndarray, "N"]:
        files = [folder / "keys.npy" for folder in sifted]
        rows = [np.load(file, mmap_mode="r")[:, band] for file in files]
        return np.concatenate(rows)

    near = clusters(len(texts), map(keys, range(bands)))
    return {"copies": first_of_each(texts), "near copies": near}


# %% book/03-cleaning-a-crawl.md#sift_pass
def sift_pass(
    work: Path, source: str, target: str,
    copies: Mapping[str, Int64[np.ndarray, "N"]],
    stages: Mapping[str, Stage], minhash: MinHash,
) -> Iterator[int]:
    """Drop copies, send the rest through stages; yields documents read.

    An array of `copies` has the number of the document that each one is
    a copy of, its own if it is none.
    """
    ids, start = load_all(chunks(work, source), "ids"), 0
    done = len(chunks(work, target))
    for number, folder in enumerate(chunks(work, source)):
        count = len(np.load(folder / "ids.npy"))
        if number >= done:
            ledger, kept = Ledger(), []
            for i, document in enumerate(read_documents(folder), start):
                for name, first in copies.items():
                    if first[i] != i:
                        same = f"{name} of {ids[first[i]].decode()}"
                        ledger.drop(name, same, document)
                        break
                    ledger.passed(name, document.text)
                else:
                    if left := run_stages(document, stages, ledger):
                        kept.append(left)
            arrays = sign_documents(kept, minhash)
            store(work / f"{target}-{number:06}", ledger, kept, **arrays)
        start += count
        yield count


def sign_documents(
    documents: Sequence[Document], minhash: MinHash
) -> dict[str, np.ndarray]:
    """What finding copies needs to know of documents."""
    texts = [document.text for document in documents]
    return {
        "ids": id_array(documents),
        "texts": hash_array(map(text_hash, texts)),
        "keys": minhash.keys_of(texts),
    }


# %% book/03-cleaning-a-crawl.md#clean
def clean(
    paths: Sequence[Path], out: Path,
    options: CleanOptions = CleanOptions(), shown: bool = False,
    size: int = 1_000,
) -> dict[str, Any]:
    """Clean crawls: WARC files in, `out/documents.jsonl` and more out.

    Killed at any moment and called again, it goes on where it was, and
    writes the same bytes. `size` is the number of records in a chunk;
    `shown` says how far it is.
    Returns the report, which is also in `out/report.json`.
    """
    language, after = language_stage(options), text_stages(options)
    work = begin(out, paths, asdict(options))
    if work is None:
        return read_json(out / "report.json")
    show = partial(run_pass, shown=shown)
    total = sum(path.stat().st_size for path in paths)
    show("reading", "B", total, read_pass(paths, work, language, size))

    common = common_lines(work, options.max_line_copies)
    lines: Stage = partial(drop_lines, common=common)
    stages = {"lines": lines, **after}
    sift = partial(sift_pass, work, minhash=options.minhash)
    total = len(load_all(chunks(work, "read"), "ids"))
    steps = sift("read", "sift", {}, stages)
    show("sifting", " documents", total, steps)

    copies = find_copies(work, options.minhash.bands)
    last: dict[str, Stage] = {"scrub": lambda text: scrub(text)[0]}
    steps = sift("sift", "last", copies, last)
    show("comparing", " documents", len(copies["copies"]), steps)
    return finish(paths, out, work)
