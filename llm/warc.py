"""Web archives: records in, pages out, and what is broken kept aside.

Tangled from book/03-cleaning-a-crawl.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import contextlib
import importlib
import io
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

# %% book/03-cleaning-a-crawl.md#Member
GZIP = b"\x1f\x8b\x08"
READ_SIZE = 2**13
MAX_RECORD = 2**26


@dataclass(frozen=True)
class Member:
    """One stretch of a WARC file, `[offset, end)`: a record, or wreckage.

    `data` is the record, decompressed. Of wreckage, `error` says what is
    wrong with it, and `data` is empty.
    """

    offset: int
    end: int
    data: bytes = b""
    error: str = ""


# %% book/03-cleaning-a-crawl.md#GZIP_HEADER
GZIP_HEADER = 16 + zlib.MAX_WBITS  # zlib is to expect one


def inflate(file: BinaryIO, offset: int, limit: int) -> tuple[bytes, int]:
    """Decompress the gzip member at `offset`; returns it and its end.

    Raises `ValueError` if it is damaged, unfinished, or longer than
    `limit` bytes.
    """
    file.seek(offset)
    decoder, parts, left = zlib.decompressobj(GZIP_HEADER), [], limit
    while block := file.read(READ_SIZE):
        try:
            part = decoder.decompress(block, left + 1)
        except zlib.error as error:
            raise ValueError(f"damaged: {error}") from None
        parts.append(part)
        left -= len(part)
        if left < 0:
            raise ValueError(f"longer than {limit:,} bytes")
        if decoder.eof:
            end = file.tell() - len(decoder.unused_data)
            return b"".join(parts), end
    raise ValueError("the file ends in the middle of it")


# %% book/03-cleaning-a-crawl.md#next_member
def next_member(file: BinaryIO, start: int) -> int | None:
    """Where the next gzip member with a WARC record begins, if any does."""
    file.seek(start)
    window = b""
    while block := file.read(READ_SIZE):
        window = window[-2 * READ_SIZE :] + block
        at = window.find(GZIP)
        while at >= 0:
            found = file.tell() - len(window) + at
            decoder = zlib.decompressobj(GZIP_HEADER)
            with contextlib.suppress(zlib.error):
                if decoder.decompress(window[at:], 5) == b"WARC/":
                    return found
            at = window.find(GZIP, at + 1)
    return None


# %% book/03-cleaning-a-crawl.md#read_members
def read_members(
    path: str | Path, start: int = 0, limit: int = MAX_RECORD
) -> Iterator[Member]:
    """All of a `.warc.gz` from `start` on, record by record.

    Each byte of the file lies in exactly one of the members. Damage ends
    where the next record begins.
    """
    with Path(path).open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        if next_member(file, 0) is None:
            raise ValueError(
                f"{path} isn't a WARC compressed record by record: "
                "`fastwarc recompress` makes one"
            )
        while start < size:
            try:
                data, end = inflate(file, start, limit)
                yield Member(start, end, data)
            except ValueError as error:
                end = next_member(file, start + 1) or size
                yield Member(start, end, error=str(error))
            start = end


# %% book/03-cleaning-a-crawl.md#RecordError
class RecordError(Exception):
    """A record that can't be read; the text says why."""


class DropError(Exception):
    """A document that a stage refuses; the text says why."""


@dataclass(frozen=True)
class Page:
    """What a server answered, as bytes, and where it came from."""

    id: str
    url: str
    status: int
    type: str
    charset: str | None
    body: bytes


def extra(module: str) -> ModuleType:
    """A module that comes with the extra `data`."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        message = "needs the extra data: pip install 'literate-llm[data]'"
        raise ImportError(f"cleaning {message} ({error})") from None


# %% book/03-cleaning-a-crawl.md#read_record
def read_record(data: bytes) -> Any:
    """The one record in `data`, as fastwarc's, with all of its bytes."""
    fastwarc = extra("fastwarc.warc")
    records = fastwarc.ArchiveIterator(
        io.BytesIO(data), parse_http=False, auto_decode="all"
    )
    try:
        record = next(records)
        promised = int(record.headers["Content-Length"])
        body = data[data.index(b"\r\n\r\n") + 4 :]
        there = len(body.removesuffix(b"\r\n\r\n"))
        if there != promised:
            raise RecordError(f"{promised} bytes promised, {there} there")
        if "WARC-Block-Digest" in record.headers:
            record.freeze()
            if not record.verify_block_digest():
                raise RecordError("the digest doesn't match")
    except StopIteration:
        raise RecordError("no record in it") from None
    except (OSError, KeyError, ValueError) as error:
        raise RecordError(f"no valid record: {error}") from None
    return record


# %% book/03-cleaning-a-crawl.md#read_page
def read_page(data: bytes) -> Page | None:
    """The page in a record; None for records that hold no answer.

    Raises `RecordError` for what can't be read.
    """
    record = read_record(data)
    if record.headers.get("WARC-Type") != "response":
        return None
    try:
        record.parse_http(auto_decode="all")
        body = record.reader.read()
    except OSError as error:
        raise RecordError(f"no valid HTTP: {error}") from None
    if record.http_headers.status_code is None:
        raise RecordError("no HTTP status")
    return Page(
        (record.record_id or "").strip("<>").removeprefix("urn:uuid:"),
        record.headers.get("WARC-Target-URI", ""),
        record.http_headers.status_code,
        record.http_content_type or "",
        record.http_charset,
        body,
    )


# %% book/03-cleaning-a-crawl.md#HTML_TYPES
HTML_TYPES = ("text/html", "application/xhtml+xml")
MAX_MARKUP, MAX_TAGS = 2**21, 20_000


def page_markup(page: Page) -> str:
    """The HTML of a page; raises `DropError` if it is something else."""
    if page.status != 200:
        raise DropError(f"status {page.status}")
    if page.type not in HTML_TYPES:
        raise DropError(f"type {page.type or 'missing'}")
    encoding = extra("resiliparse.parse.encoding")
    known = encoding.map_encoding_to_html5
    charset = page.charset and known(page.charset, fallback_utf8=False)
    charset = charset or encoding.detect_encoding(page.body)
    markup = encoding.bytes_to_str(page.body, charset)
    if len(markup) > MAX_MARKUP or markup.count("<") > MAX_TAGS:
        raise DropError("too large")
    return markup


# %% book/03-cleaning-a-crawl.md#extract
def extract(markup: str) -> str:
    """The main text of a page: a paragraph a line, no menus or banners.

    Raises `DropError` if there is none.
    """
    html2text = extra("resiliparse.extract.html2text")
    text = html2text.extract_plain_text(
        markup, main_content=True, alt_texts=False
    )
    lines = (" ".join(line.split()) for line in text.splitlines())
    if not (text := "\n".join(line for line in lines if line)):
        raise DropError("empty")
    return text
