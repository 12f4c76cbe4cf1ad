"""Token shards: the file format, the writer and the reader.

Tangled from book/04-batches.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import hashlib
import itertools
import multiprocessing
import struct
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from llm.files import replacing, write_json
from llm.progress import progress
from llm.tokenizer import Tokenizer

# %% book/04-batches.md#END_OF_TEXT
END_OF_TEXT = "<|endoftext|>"
MAGIC, VERSION = b"LLMSHARD", 1
# magic, version, bytes per token, vocabulary size, end of text, tokens,
# SHA-256 of the tokenizer and of the documents; a checksum comes after.
HEAD = struct.Struct("<8s4IQ32s32s")
HEADER = HEAD.size + 32
DTYPES: dict[int, np.dtype[Any]] = {
    2: np.dtype("<u2"),
    4: np.dtype("<u4"),
}


# %% book/04-batches.md#hash_of
def hash_of(tokenizer: Tokenizer) -> bytes:
    """32 bytes that differ for tokenizers that encode differently."""
    content = (
        sorted(tokenizer.vocab.items()),
        tokenizer.merges,
        sorted(tokenizer.special_tokens.items()),
        tokenizer.pattern,
    )
    return hashlib.sha256(repr(content).encode()).digest()


# %% book/04-batches.md#write_shard
def write_shard(
    path: str | Path,
    ids: Sequence[int] | np.ndarray,
    tokenizer: Tokenizer,
    source: bytes = bytes(32),
) -> None:
    """Write token ids as a shard: all of it, or nothing.

    Args:
        source: the SHA-256 of the documents that the ids encode.

    Raises:
        ValueError: an id is not in the vocabulary, or no id is given.
    """
    vocab_size = max(tokenizer.vocab) + 1
    wide = np.asarray(ids, dtype=np.int64)
    if not len(wide) or wide.min() < 0 or wide.max() >= vocab_size:
        raise ValueError(
            f"{path}: a shard needs ids below {vocab_size}, at least one"
        )
    size = 2 if vocab_size <= 1 << 16 else 4
    end = tokenizer.special_tokens.get(END_OF_TEXT, vocab_size)
    made_by = hash_of(tokenizer)
    head = HEAD.pack(
        MAGIC, VERSION, size, vocab_size, end, len(wide), made_by, source
    )
    body = wide.astype(DTYPES[size]).tobytes()
    with replacing(Path(path)) as file:
        file.write(head + hashlib.sha256(head + body).digest())
        file.write(body)


# %% book/04-batches.md#Shard
class Shard(NamedTuple):
    """An open shard; `tokens` is a view of the file, not a copy."""

    path: Path
    tokens: np.ndarray  # uint16 or uint32, read-only
    vocab_size: int
    end: int  # the id of <|endoftext|>, or vocab_size if there is none
    tokenizer: bytes
    source: bytes
    checksum: bytes


def unpack_head(path: Path, head: bytes, length: int) -> tuple[Any, ...]:
    """The fields of a shard's header, which is refused if it is wrong."""
    if length == 0:
        raise ValueError(f"{path} is empty: tokenize its documents again")
    if head[:8] != MAGIC:
        raise ValueError(
            f"{path} is no token shard (wrong magic number): tokenize "
            "its documents with `llm data tokenize`"
        )
    if length < HEADER:
        raise ValueError(
            f"{path} is truncated: {length} bytes are less than a header; "
            "tokenize again"
        )
    fields = HEAD.unpack(head[: HEAD.size])
    _, version, size, vocab_size, end, count, made_by, source = fields
    if version != VERSION:
        raise ValueError(
            f"{path} has version {version}, this program reads {VERSION}: "
            "tokenize again"
        )
    if size not in DTYPES:
        raise ValueError(
            f"{path} has {size} bytes per token, not 2 or 4: tokenize again"
        )
    expected = HEADER + size * count
    if length != expected:
        what = "truncated" if length < expected else "too long"
        raise ValueError(
            f"{path} is {what}: {length} bytes instead of {expected}; "
            "tokenize again"
        )
    return size, vocab_size, end, count, made_by, source


# %% book/04-batches.md#open_shard
def open_shard(
    path: str | Path,
    tokenizer: Tokenizer | None = None,
    verify: bool = True,
) -> Shard:
    """Open a shard, refusing any that isn't what its header says.

    Args:
        tokenizer: the one that the tokens must come from.
        verify: read the file once, for its checksum and its largest id;
            else trust all but the header.

    Raises:
        ValueError: one sentence with the file, the fault and the remedy.
    """
    path = Path(path)
    with path.open("rb") as file:
        head = file.read(HEADER)
    fields = unpack_head(path, head, path.stat().st_size)
    size, vocab_size, end, count, made_by, source = fields
    if tokenizer is not None and made_by != hash_of(tokenizer):
        raise ValueError(
            f"{path} was made with another tokenizer: load the one beside "
            "it, or tokenize again"
        )
    if not count:
        raise ValueError(f"{path} has no tokens: tokenize again")
    shape = (count,)
    tokens = np.memmap(path, DTYPES[size], "r", offset=HEADER, shape=shape)
    if verify:
        digest = hashlib.sha256(head[: HEAD.size])
        digest.update(tokens.data)
        if digest.digest() != head[HEAD.size :]:
            raise ValueError(
                f"{path} has changed since it was written (checksum): "
                "tokenize again"
            )
        if int(tokens.max()) >= vocab_size:
            raise ValueError(
                f"{path} has id {tokens.max()}, but its vocabulary ends "
                f"at {vocab_size - 1}: tokenize again"
            )
    checksum = head[HEAD.size :]
    return Shard(path, tokens, vocab_size, end, made_by, source, checksum)


# %% book/04-batches.md#portions
def portions(
    documents: Iterable[str], size: int
) -> Iterator[list[str]]:
    """Lists of documents with `size` characters each, or more.

    Only if all documents together have fewer, the one list has fewer.
    """
    held: list[str] = []
    filling: list[str] = []
    length = 0
    for document in documents:
        filling.append(document)
        length += len(document)
        if length >= size:
            if held:
                yield held
            held, filling, length = filling, [], 0
    if held or filling:
        yield held + filling


# %% book/04-batches.md#source_of
def source_of(documents: Iterable[str]) -> bytes:
    """32 bytes that differ for other documents, or other borders."""
    digest = hashlib.sha256()
    for document in documents:
        data = document.encode()
        digest.update(len(data).to_bytes(8, "little") + data)
    return digest.digest()


def tokens_done(path: Path, tokenizer: Tokenizer, source: bytes) -> int:
    """How many tokens of these documents the shard has; 0 if it isn't."""
    if not path.exists():
        return 0
    try:
        shard = open_shard(path, tokenizer)
    except ValueError:
        return 0
    if shard.source != source:
        raise ValueError(
            f"{path} holds other documents: name another folder, or empty it"
        )
    return len(shard.tokens)


# %% book/04-batches.md#tokenize_portion
def tokenize_portion(
    path: Path, saved_tokenizer: Path, documents: list[str]
) -> int:
    """Make one shard, if it isn't there; returns its number of tokens."""
    tokenizer = Tokenizer.load(saved_tokenizer)
    source = source_of(documents)
    if done := tokens_done(path, tokenizer, source):
        return done
    end = tokenizer.special_tokens[END_OF_TEXT]
    parts = []
    for document in documents:
        ids = tokenizer.encode(document)
        parts.append(np.array([*ids, end], dtype=np.uint32))
    write_shard(path, np.concatenate(parts), tokenizer, source)
    return sum(map(len, parts))


# %% book/04-batches.md#run_jobs
def run_jobs(
    jobs: Iterator[tuple[Path, Path, list[str]]],
    processes: int,
    start_method: str,
) -> Iterator[tuple[Path, int]]:
    """Each job's path and number of tokens, in the order of the jobs."""
    if processes < 2:
        for job in jobs:
            yield job[0], tokenize_portion(*job)
        return
    context = multiprocessing.get_context(start_method)
    waiting: deque[tuple[Path, Any]] = deque()
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        try:
            for job in jobs:
                result = pool.submit(tokenize_portion, *job)
                waiting.append((job[0], result))
                if len(waiting) > 2 * processes:
                    path, done = waiting.popleft()
                    yield path, done.result()
            for path, done in waiting:
                yield path, done.result()
        except BrokenProcessPool as error:
            raise OSError(
                "a tokenizing process died (out of memory?): run the same "
                "command again, finished shards are kept"
            ) from error


# %% book/04-batches.md#tokenize
def tokenize(
    documents: Iterable[str],
    folder: str | Path,
    tokenizer: Tokenizer,
    shard_size: int = 1 << 24,
    processes: int = 1,
    start_method: str = "spawn",
) -> int:
    """Encode documents into a folder of shards; returns the tokens written.

    Run again after a kill: it keeps what is finished, and the bytes are
    the same.

    Args:
        shard_size: characters of text per shard, at least.
        start_method: how `multiprocessing` starts a process: "spawn"
            afresh, or "fork" as a copy of this one.

    Raises:
        ValueError: no documents, or the folder holds another job's work.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    index, saved = folder / "index.json", folder / "tokenizer.json"
    if END_OF_TEXT not in tokenizer.special_tokens:
        raise ValueError(f"the tokenizer has no special {END_OF_TEXT}")
    if saved.exists() and hash_of(tokenizer) != hash_of(
        Tokenizer.load(saved)
    ):
        raise ValueError(f"{saved} is another tokenizer: empty {folder}")
    parts = portions(documents, shard_size)
    if (first := next(parts, None)) is None:
        raise ValueError(f"{folder}: there are no documents to tokenize")
    tokens_done(folder / "shard-00000.bin", tokenizer, source_of(first))
    index.unlink(missing_ok=True)
    tokenizer.save(saved)
    jobs = (
        (folder / f"shard-{number:05}.bin", saved, part)
        for number, part in enumerate(itertools.chain([first], parts))
    )
    finished = run_jobs(jobs, processes, start_method)
    done = dict(progress(iterable=finished, unit="shard"))
    if strange := set(folder.glob("shard-*.bin")) - done.keys():
        raise ValueError(f"{min(strange)} is of another job: remove it")
    counts = {path.name: count for path, count in done.items()}
    write_json(index, {"shards": counts})
    return sum(counts.values())
