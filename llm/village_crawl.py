"""The crawl: a web archive with labels, of stories.

Tangled from book/appendix-a4-the-villages-crawl.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import hashlib
import html
import json
import re
import struct
import uuid
import zlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import accumulate
from pathlib import Path
from typing import Any

from llm.village_pages import (
    LINKS,
    PERSONAL,
    QUERIES,
    READERS,
    REMARK,
    SERVERS,
    SOFTWARE,
    TEASER,
    WARES,
    Dice,
)
from llm.village_prints import PRINTERS, Press, Sheet
from llm.village_sites import REMARKS, Site, decorated, make_site


# %% book/appendix-a4-the-villages-crawl.md#in_design
def in_design(press: Press, dice: Dice, page: Sheet, site: Site) -> str:
    """The page in HTML, with all that the site puts around it."""
    title, *lines = (
        decorated(dice, line, site.quote) for line in page.lines
    )
    title = re.sub("<[^>]+>", "", title)
    wrap = site.paragraph
    links = len(lines) > 20  # no other kind of page is so long
    if links:
        wrap = '<li><a href="/go">{}</a></li>\n'
    main = "".join([wrap.format(line) for line in lines])
    if links:
        main = f"<ul>{main}</ul>"
    elif site.quote:
        main = main.replace("\n", f'\n<div class="ad">{site.ad}</div>\n', 1)
    others = [dice.pick(press.shelf) for _ in range(4) if press.shelf]
    teasers = "".join([
        TEASER.format(p.url, *(html.escape(s[:90]) for s in p.lines[:2]))
        for p in others
    ])
    comments = "".join([
        REMARK.format(dice.pick(READERS), dice.pick(REMARKS))
        for _ in range(dice.below(5))
    ])
    head, hole, rest = site.page.partition("{main}")
    return (head + hole + rest * (not page.cut)).format(
        title=title, main=main, teasers=teasers, comments=comments,
        lang="en" if page.language == "und" else page.language,
        **site.parts,
    )


# %% book/appendix-a4-the-villages-crawl.md#warc_record
def warc_record(
    kind: str, id: uuid.UUID, fields: dict[str, str], block: bytes
) -> bytes:
    """A record: what it is, a blank line, and so many bytes."""
    named = {"WARC-Type": kind, "WARC-Record-ID": f"<urn:uuid:{id}>"}
    named |= fields | {"Content-Length": str(len(block))}
    head = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return f"WARC/1.1\r\n{head}\r\n".encode() + block + b"\r\n\r\n"


# %% book/appendix-a4-the-villages-crawl.md#gzip_member
def gzip_member(data: bytes) -> bytes:
    """The same as a gzip file without name and date."""
    packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = packer.compress(data) + packer.flush()
    ends = struct.pack("<LL", zlib.crc32(data), len(data) % 2**32)
    return b"\x1f\x8b\x08" + bytes(6) + b"\xff" + packed + ends


# %% book/appendix-a4-the-villages-crawl.md#FAULTS
FAULTS = ("version", "header", "long", "short", "flip", "cut")


def spoiled(how: str, data: bytes) -> bytes:
    """A record with one fault, as a gzip file."""
    if how in ("long", "short"):
        found = re.search(rb"Content-Length: (\d+)", data)
        size = int(found[1]) if found else 0
        wrong = size + 10_000 if how == "long" else size // 2
        data = data.replace(b": %d\r" % size, b": %d\r" % wrong, 1)
    if how == "version":
        data = data.replace(b"WARC/1.1", b"WRAC/1.1", 1)
    if how == "header":
        data = data.replace(b"Content-Length:", b"Content Length", 1)
    packed = bytearray(gzip_member(data))
    half = len(packed) // 2
    if how == "flip":
        packed[half] ^= 255
    return bytes(packed[:half] if how == "cut" else packed)


# %% book/appendix-a4-the-villages-crawl.md#name_page
def name_page(dice: Dice, page: Sheet, seed: int, number: int) -> Site:
    """Choose a site, and give the page its address and its number."""
    if page.site < 0:
        page.site = min(dice.below(64), dice.below(64), dice.below(64))
    site = make_site(page.site)
    digest = hashlib.sha1(f"{seed} {number}".encode()).digest()
    page.id = str(uuid.UUID(bytes=digest[:16], version=5))
    slug = page.lines[0] if page.lines else dice.pick(WARES)
    slug = re.sub("[^a-z0-9]+", "-", slug.lower()).strip("-")
    page.url = f"https://{site.host}/{dice.pick(LINKS).split()[0].lower()}"
    page.url += f"/{number}-{slug}"
    if page.source and page.source.site == page.site:
        page.url = f"{page.source.url}?{dice.pick(QUERIES)}={number}"
    return site


def http_response(
    press: Press, dice: Dice, page: Sheet, site: Site
) -> bytes:
    """What the server answered."""
    body, kind = page.body, page.type
    if body is None and not page.lines:
        body = b""
    if body is None:
        markup = in_design(press, dice, page, site)
        body = markup.encode(site.charset, "xmlcharrefreplace")
    if kind == "text/html" and site.declares:
        kind += f"; charset={site.charset}"
    head = f"HTTP/1.1 {page.status}\r\nServer: {dice.pick(SERVERS)}\r\n"
    if page.status[0] == "3":
        head += f"Location: https://{site.host}/\r\n"
    head += f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


# %% book/appendix-a4-the-villages-crawl.md#label_of
def label_of(page: Sheet, kind: str, broken: str | None) -> dict[str, Any]:
    """What is true about a page, for labels.jsonl."""
    source = page.source.id if page.source else None
    return {
        "url": page.url, "record_id": page.id, "kind": kind,
        "language": page.language, "text": page.text, "keep": page.keep,
        "duplicate_of": source if page.jaccard is None else None,
        "near_duplicate_of": source if page.jaccard is not None else None,
        "jaccard": page.jaccard, "toxic": page.toxic,
        "contaminated": page.contaminated, "broken": broken,
        "status": int(page.status[:3]), "type": page.type,
        "pii": {name: len(page.pii.get(name, ())) for name in PERSONAL},
        "pii_strings": page.pii,
    }


# %% book/appendix-a4-the-villages-crawl.md#START
START, HTTP = datetime(2030, 1, 1), "application/http"


def print_page(
    press: Press, kind: str, number: int, dice: Dice
) -> tuple[list[bytes], dict[str, Any]]:
    """The gzipped request and response of one page, and its label."""
    if "duplicate" in kind and not press.shelf:
        kind = "story"
    if kind == "contaminated" and not press.evaluation:
        kind = "story"
    page = PRINTERS[kind](press, dice)
    site = name_page(dice, page, press.seed, number)
    answer = http_response(press, dice, page, site)
    path = page.url.removeprefix(f"https://{site.host}")
    ask = f"GET {path} HTTP/1.1\r\nHost: {site.host}\r\n\r\n".encode()
    when = START + timedelta(days=press.seed % 999, seconds=7 * number)
    fields = {"WARC-Date": f"{when:%Y-%m-%dT%H:%M:%SZ}"}
    fields |= {"WARC-Target-URI": page.url, "Content-Type": HTTP}
    id = uuid.UUID(page.id)
    request = warc_record("request", uuid.uuid5(id, "ask"), fields, ask)
    if kind == "truncated":
        fields["WARC-Truncated"] = "length"
    response = warc_record("response", id, fields, answer)
    broken = dice.pick(FAULTS) if kind == "broken" else None
    packed = spoiled(broken, response) if broken else gzip_member(response)
    if page.keep:
        press.remember(dice, page)
    return [gzip_member(request), packed], label_of(page, kind, broken)


# %% book/appendix-a4-the-villages-crawl.md#SHARES
SHARES = {  # of a thousand pages, so many are of each kind
    "story": 330, "duplicate": 130, "essay": 110, "near_duplicate": 90,
    "boilerplate": 70, "foreign": 55, "list": 40, "spam": 35, "error": 30,
    "gibberish": 30, "repeated": 20, "non_html": 15, "innocent": 10,
    "contaminated": 10, "nasty": 10, "truncated": 8, "broken": 7,
}


# %% book/appendix-a4-the-villages-crawl.md#print_crawl
def print_crawl(
    press: Press, pages: int, shares: Mapping[str, int]
) -> Iterator[tuple[bytes, bytes, dict[str, Any]]]:
    """The request, the answer and the label of each page, in order.

    A record that describes the crawl comes before the first request.
    """
    fields = {"WARC-Date": f"{START:%Y-%m-%dT%H:%M:%SZ}"}
    fields["Content-Type"] = "application/warc-fields"
    id = uuid.UUID(int=press.seed % 2**128)
    before = gzip_member(warc_record("warcinfo", id, fields, SOFTWARE))
    kinds, sums = list(shares), list(accumulate(shares.values()))
    for number in range(pages):
        dice = Dice(press.seed, number)
        kind = kinds[dice.weighted(sums)]
        (ask, answer), label = print_page(press, kind, number, dice)
        yield before + ask, answer, label
        before = b""


# %% book/appendix-a4-the-villages-crawl.md#write_crawl
def write_crawl(
    folder: str | Path, stories: Iterable[Any], *, pages: int,
    seed: int = 0, evaluation: Iterable[str] = (),
    shares: Mapping[str, int] = SHARES,
) -> tuple[Path, Path]:
    """Write a crawl of `pages` pages, and its labels apart.

    `stories` are texts or have a `text`; `evaluation` are texts that
    some pages will contain; `shares` says how frequent each kind is.
    Returns the paths of crawl-00000.warc.gz and labels.jsonl. Raises
    ValueError if the stories end early, a kind is unknown, or the shares
    sum to nothing. What exists stays as it is until all is written.
    """
    if sum(shares.values()) < 1:
        raise ValueError("the shares sum to 0: give some kind a share")
    if unknown := set(shares) - set(PRINTERS):
        raise ValueError(
            f"no such kinds of page: {', '.join(sorted(unknown))}; "
            f"take some of {', '.join(sorted(PRINTERS))}"
        )
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths = folder / "crawl-00000.warc.gz", folder / "labels.jsonl"
    parts = [path.with_suffix(".part") for path in paths]
    press = Press(stories, evaluation, seed)
    try:
        with parts[0].open("wb") as crawl, parts[1].open("wb") as labels:
            for ask, answer, label in print_crawl(press, pages, shares):
                crawl.write(ask)
                place = {"offset": crawl.tell(), "length": len(answer)}
                crawl.write(answer)
                line = json.dumps(label | place, ensure_ascii=False)
                labels.write(line.encode() + b"\n")
        for part, path in zip(parts, paths, strict=True):
            part.replace(path)
    finally:
        for part in parts:
            part.unlink(missing_ok=True)
    return paths
