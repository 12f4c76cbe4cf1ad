"""Where documents come from: the village, named corpora, your files.

Tangled from book/04-batches.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import contextlib
import gzip
import hashlib
import io
import itertools
import json
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from llm.progress import progress
from llm.shards import END_OF_TEXT
from llm.village import Village


# %% book/04-batches.md#KnownCorpus
class KnownCorpus(NamedTuple):
    """A file on the network, pinned to a revision."""

    url: str
    sha256: str  # empty where we don't know it
    about: str


HUB = "https://huggingface.co/datasets"
CORPORA = {
    "tinyshakespeare": KnownCorpus(
        "https://raw.githubusercontent.com/karpathy/char-rnn/"
        "6f9487a6fe5b420b7ca9afb0d7c078e37c1d1b4e"
        "/data/tinyshakespeare/input.txt",
        "86c4e6aa9db7c042ec79f339dcb96d42"
        "b0075e16b8fc2e86bf0ca57e2dc565ed",
        "1 MB, public domain",
    ),
    "tinystories": KnownCorpus(
        f"{HUB}/roneneldan/TinyStories/resolve/"
        "f54c09fd23315a6f9c86f9dc80f725de7d8f9c64/TinyStories-train.txt",
        "c5cf5e22ff13614e830afbe61a99fbcb"
        "e8bcb7dd72252b989fa1117a368d401f",
        "1.9 GB, CDLA-Sharing-1.0",
    ),
    "fineweb-edu": KnownCorpus(
        f"{HUB}/HuggingFaceFW/fineweb-edu/resolve/"
        "87f09149ef4734204d70ed1d046ddc9ca3f2b8f9"
        "/sample/10BT/000_00000.parquet",
        "",
        "2 GB, the first file of the 10-billion-token sample, ODC-By 1.0",
    ),
    "smoltalk": KnownCorpus(
        f"{HUB}/HuggingFaceTB/smoltalk/resolve/"
        "5feaf2fd3ffca7c237fc38d1861bc30365d48ffa"
        "/data/all/train-00000-of-00009.parquet",
        "",
        "conversations, the first of nine files, Apache-2.0",
    ),
    "ultrafeedback": KnownCorpus(
        f"{HUB}/HuggingFaceH4/ultrafeedback_binarized/resolve/"
        "3949bf5f8c17c394422ccfab0c31ea9c20bdeb85"
        "/data/train_prefs-00000-of-00001.parquet",
        "",
        "0.2 GB, preferences, MIT",
    ),
    "gsm8k": KnownCorpus(
        "https://raw.githubusercontent.com/openai/grade-school-math/"
        "3101c7d5072418e28b9008a6636bde82a006892c"
        "/grade_school_math/data/train.jsonl",
        "17f347dc51477c50d4efb83959dbb7c5"
        "6297aba886e5544ee2aaed3024813465",
        "4 MB, sums in words, MIT",
    ),
}


# %% book/04-batches.md#cache_folder
def cache_folder() -> Path:
    """Where this program keeps what it would have to get or make again."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "literate-llm"


def cached(name: str, cache: Path | None = None) -> Path:
    """Where a named corpus lies, or would lie, on this machine."""
    if name not in CORPORA:
        known = ", ".join(["village", *CORPORA])
        raise ValueError(f"no corpus is called {name!r}: {known}")
    cache = cache or cache_folder()
    return cache / name / CORPORA[name].url.rsplit("/", 1)[-1]


def receive(url: str, part: Path) -> None:
    """Append to `part` what it lacks of the file at `url`."""
    have = part.stat().st_size if part.exists() else 0
    headers = {"User-Agent": "literate-llm"}
    if have:
        headers["Range"] = f"bytes={have}-"
    with urlopen(Request(url, headers=headers), timeout=30) as reply:
        if reply.status != 206:
            have = 0  # the server begins again
        total = have + int(reply.headers.get("Content-Length") or 0)
        bar = progress(
            total=total, initial=have, unit="B", unit_scale=True
        )
        with part.open("ab" if have else "wb") as file, bar:
            while block := reply.read(1 << 20):
                file.write(block)
                bar.update(len(block))
    if total > have and part.stat().st_size < total:
        raise OSError("the connection was cut")


# %% book/04-batches.md#download
def download(name: str, cache: Path | None = None) -> Path:
    """Fetch a named corpus unless it is here; returns its path.

    Raises:
        OSError: there is no network; ValueError: the file is not the one
            that we know.
    """
    path = cached(name, cache)
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    try:
        receive(CORPORA[name].url, part)
    except OSError as error:
        complete = isinstance(error, HTTPError) and error.code == 416
        if not complete:
            raise OSError(
                f"{name} can't be downloaded ({error}): try again, or take "
                "the village, which needs no network (--data village)"
            ) from error
    with part.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if CORPORA[name].sha256 not in ("", digest):
        part.unlink()
        raise ValueError(f"{name}: what came has another checksum; removed")
    part.replace(path)
    return path


# %% book/04-batches.md#record_text
def record_text(record: object, place: str) -> str:
    """The text of a record, however its data set calls it."""
    match record:
        case {"text": str(text)}:
            return text
        case {"question": str(question), "answer": str(answer)}:
            return f"{question}\n{answer}"
        case {"messages": [*turns]} | {"chosen": [*turns]}:
            with contextlib.suppress(KeyError, TypeError):
                said = [f"{t['role']}: {t['content']}" for t in turns]
                return "\n\n".join(said)
    raise ValueError(
        f"{place}: a record needs text, question and answer, messages, or "
        "chosen"
    )


def open_text(path: Path) -> io.TextIOWrapper:
    """A text file, packed by gzip or not."""
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8")
    return path.open(encoding="utf-8")


def read_jsonl(path: Path) -> Iterator[str]:
    """The documents of a JSONL file."""
    with open_text(path) as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                place = f"{path}, line {number}"
                try:
                    record = json.loads(line)
                except json.JSONDecodeError as error:
                    raise ValueError(f"{place}: {error}") from None
                yield record_text(record, place)


def read_parquet(path: Path) -> Iterator[str]:
    """The documents of a Parquet file."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise ImportError(
            f"{path} needs pyarrow: pip install 'literate-llm[data]'"
        ) from None
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(1_000):
                for record in batch.to_pylist():
                    yield record_text(record, str(path))
    except pyarrow.ArrowException as error:
        raise ValueError(f"{path} can't be read: {error}") from None


# %% book/04-batches.md#read_text_file
def read_text_file(path: Path) -> Iterator[str]:
    """The documents of a text file, between lines of <|endoftext|>."""
    lines: list[str] = []
    with open_text(path) as file:
        for line in itertools.chain(file, [END_OF_TEXT]):
            if line.strip() != END_OF_TEXT:
                lines.append(line)
                continue
            if text := "".join(lines).strip():
                yield text
            lines = []


SUFFIXES = {".txt": read_text_file, ".md": read_text_file,
            ".jsonl": read_jsonl, ".parquet": read_parquet}


def reader_of(path: Path) -> Callable[[Path], Iterator[str]] | None:
    """What reads such a file; the ending .gz is looked through."""
    packed = path.suffix == ".gz"
    return SUFFIXES.get((path.with_suffix("") if packed else path).suffix)


def read_file(path: Path) -> Iterator[str]:
    """The documents of one file, which is refused if it has none."""
    reader = reader_of(path)
    if reader is None:
        raise ValueError(f"{path}: known are {', '.join(SUFFIXES)} files")
    empty = True
    try:
        for text in reader(path):
            empty = False
            yield text
    except (UnicodeDecodeError, gzip.BadGzipFile, EOFError) as error:
        raise ValueError(f"{path} can't be read as text: {error}") from None
    if empty:
        raise ValueError(f"{path} is empty: there is nothing to train on")


# %% book/04-batches.md#documents
def documents(
    source: str | Path, limit: int | None = None
) -> Iterator[str]:
    """The documents of the village, a named corpus, a file or a folder.

    Args:
        limit: at most so many; the village, which is endless, gives 100,000
            stories without it.

    Raises:
        ValueError, OSError: a sentence that names the file and the remedy.
    """
    path = Path(source)
    found: Iterable[str]
    if source == "village":
        limit = 100_000 if limit is None else limit
        found = (story.text for story in Village().stories())
    elif source in CORPORA:
        path = cached(str(source))
        if not path.exists():
            raise ValueError(
                f"{source} isn't here: run `llm data get {source}`, or "
                "take the village (--data village)"
            )
        found = read_file(path)
    elif path.is_dir():
        files = sorted(filter(reader_of, path.rglob("*")))
        if not files:
            raise ValueError(f"{path} has no {', '.join(SUFFIXES)} files")
        found = itertools.chain.from_iterable(map(read_file, files))
    elif path.exists():
        found = read_file(path)
    else:
        known = ", ".join(["village", *CORPORA])
        raise ValueError(f"{source} is no file and none of {known}")
    yield from itertools.islice(found, limit)
