"""The tests of book/appendix-a4-the-villages-crawl.md.

Tangled from book/appendix-a4-the-villages-crawl.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import hashlib
import io
import json
import re
import tempfile
import uuid
from base64 import b32encode
from collections import Counter
from contextlib import redirect_stdout
from ipaddress import ip_address
from pathlib import Path

import pytest
from fastwarc.warc import ArchiveIterator
from resiliparse.extract.html2text import extract_plain_text

from llm.village import Village
from llm.village_commands import ROWS, VillageCommand
from llm.village_crawl import FAULTS, SHARES, warc_record, write_crawl
from llm.village_prints import overlap


# %% book/appendix-a4-the-villages-crawl.md#read_answer
def read_answer(crawl, label):
    """The response record of a label, and the bytes of its page."""
    with crawl.open("rb") as file:
        file.seek(label["offset"])
        member = io.BytesIO(file.read(label["length"]))
    for record in ArchiveIterator(member):
        return record, record.reader.read()
    return None, b""


# %% book/appendix-a4-the-villages-crawl.md#small_crawl
def small_crawl(**options):
    """A crawl of 400 pages and its labels."""
    folder, village = Path(tempfile.mkdtemp()), Village(size="hamlet")
    options = {"pages": 400, "evaluation": ["Who has the bell?"]} | options
    crawl, file = write_crawl(folder, village.stories(), **options)
    text = file.read_text(encoding="utf-8")
    return crawl, [json.loads(line) for line in text.splitlines()]


def test_a_crawl_is_the_same_again():
    """Equal seeds write equal bytes, other seeds write others."""
    (one, truth), (two, again) = small_crawl(), small_crawl()
    assert one.read_bytes() == two.read_bytes()
    assert truth == again
    assert small_crawl(seed=1)[0].read_bytes() != one.read_bytes()


def test_records_can_be_read():
    """All but the broken, by their places."""
    crawl, labels = small_crawl(shares=SHARES | {"broken": 100})
    assert len({label["record_id"] for label in labels}) == len(labels)
    assert len({label["url"] for label in labels}) == len(labels)
    assert {label["broken"] for label in labels} == {None, *FAULTS}
    for label in labels:
        if not label["broken"]:
            record, body = read_answer(crawl, label)
            assert label["record_id"] in record.record_id
            assert record.headers["WARC-Target-URI"] == label["url"]
            assert record.http_headers.status_code == label["status"]
            assert record.http_content_type == label["type"]
            length = record.http_headers["Content-Length"]
            assert int(length) == len(body)


# %% book/appendix-a4-the-villages-crawl.md#plain
def plain(body):
    """All text of a page, decoded as it declares."""
    charset = re.search(rb"charset=[\"']?([\w-]+)", body)[1].decode()
    return extract_plain_text(body.decode(charset), main_content=False)


def test_texts_are_on_their_pages():
    """Every word of the text, and every private string."""
    crawl, labels = small_crawl()
    seen = Counter()
    for label in labels:
        readable = label["text"] and label["type"] == "text/html"
        if label["broken"] or not readable:
            continue
        lines = label["text"].split("\n")
        _, body = read_answer(crawl, label)
        assert b'lang="und"' not in body
        found = " ".join(plain(body).split())
        for line in lines:
            assert " ".join(line.split()) in found
        for kind, items in label["pii_strings"].items():
            assert label["pii"][kind] == len(items)
            assert all(item in found for item in items)
            seen[kind] += len(items)
            if kind == "ip":
                assert not any(ip_address(item).is_global for item in items)
        for item in label["contaminated"]:
            assert item in found
            assert not label["keep"]
    assert len(seen) == 3
    kept = [label["text"] for label in labels if label["keep"]]
    assert len(set(kept)) == len(kept)


def test_copies_are_what_they_say():
    """Exact copies are exact, the others as alike as the label says."""
    _, labels = small_crawl()
    texts = {label["record_id"]: label["text"] for label in labels}
    for label in labels:
        text, jaccard = label["text"], label["jaccard"]
        if one := label["duplicate_of"]:
            assert label["kind"] == "duplicate"
            assert text == texts[one]
        if one := label["near_duplicate_of"]:
            assert text != texts[one]
            assert jaccard == overlap([text], [texts[one]])
        if label["keep"]:
            assert not label["duplicate_of"]
            assert jaccard is None


# %% book/appendix-a4-the-villages-crawl.md#test_wrong_wishes_are_named
def test_wrong_wishes_are_named():
    """Stories that end, and kinds that don't exist."""
    folder = Path(tempfile.mkdtemp())
    with pytest.raises(ValueError, match="stories ended"):
        write_crawl(folder, ["A fox ran."] * 3, pages=100)
    with pytest.raises(ValueError, match="no such kinds of page: novel"):
        write_crawl(folder, [], pages=1, shares={"novel": 1})
    with pytest.raises(ValueError, match="the shares sum to 0"):
        write_crawl(folder, [], pages=1, shares={"story": 0})
    assert not list(folder.iterdir()), "nothing half-written"


# %% book/appendix-a4-the-villages-crawl.md#test_the_command_writes_what_it_makes
def test_the_command_writes_what_it_makes():
    folder = Path(tempfile.mkdtemp())
    for kind in ROWS:
        VillageCommand(kind, count=8, out=folder / kind)()
        lines = (folder / kind).read_text(encoding="utf-8").splitlines()
        rows = list(ROWS[kind](Village(), 8))
        assert [json.loads(line) for line in lines] == rows
        assert len(rows) == 8
    with redirect_stdout(io.StringIO()) as said:
        VillageCommand("crawl", count=30, out=folder / "web")()
    assert all(Path(line).is_file() for line in said.getvalue().split())
    names = {path.name for path in (folder / "web").iterdir()}
    assert names == {"crawl-00000.warc.gz", "labels.jsonl"}


# %% book/appendix-a4-the-villages-crawl.md#check_after_edits
def check_after_edits(after_edits):
    """`after_edits(n, k)`, against the measured value."""
    for n in (40, 100, 200):
        old = [f"w{i}" for i in range(n)]
        for k in range((n - 8) // 5):
            new = list(old)
            for j in range(k):
                new[4 + 5 * j] = f"x{j}"
            measured = overlap([" ".join(old)], [" ".join(new)])
            assert abs(after_edits(n, k) - measured) < 1e-4


# %% book/appendix-a4-the-villages-crawl.md#check_dirtier
def check_dirtier(dirtier):
    """`dirtier(shares, part)`: same kinds, other proportions."""
    good = ("story", "essay", "innocent")
    for part in (0.1, 0.5, 0.9):
        new = dirtier(SHARES, part)
        assert set(new) == set(SHARES)
        assert all(isinstance(share, int) for share in new.values())
        kept = sum(new[kind] for kind in good)
        assert abs(kept / sum(new.values()) - part) < 1e-3
        assert abs(new["story"] / new["essay"] - 3) < 0.01
        assert abs(new["list"] / new["spam"] - 40 / 35) < 0.01


# %% book/appendix-a4-the-villages-crawl.md#check_digest
def check_digest(digest):
    """`digest(payload)`, by a known value and by the library."""
    assert digest(b"") == "sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ"
    page = b"<h1>Hello</h1>"
    block = b"HTTP/1.1 200 OK\r\n\r\n" + page
    for claimed, right in ((page, True), (b"<h1>Hullo</h1>", False)):
        fields = {"WARC-Payload-Digest": digest(claimed),
                  "Content-Type": "application/http; msgtype=response"}
        data = warc_record("response", uuid.UUID(int=1), fields, block)
        for record in ArchiveIterator(io.BytesIO(data), parse_http=True):
            assert record.verify_payload_digest() is right


# %% book/appendix-a4-the-villages-crawl.md#after_edits
def after_edits(n, k):
    """Common runs among all runs."""
    return (n - 4 - 5 * k) / (n - 4 + 5 * k)


def test_after_edits():
    """The exercise "Runs of five"."""
    check_after_edits(after_edits)


# %% book/appendix-a4-the-villages-crawl.md#dirtier
def dirtier(shares, part):
    """Scale both groups to what is wanted of them."""
    good = {"story", "essay", "innocent"}
    total = {True: 0, False: 0}
    for kind, share in shares.items():
        total[kind in good] += share
    wanted = {True: 1e6 * part, False: 1e6 * (1 - part)}
    return {
        kind: round(share * wanted[kind in good] / total[kind in good])
        for kind, share in shares.items()
    }


def test_dirtier():
    """The exercise "A dirtier web"."""
    check_dirtier(dirtier)


# %% book/appendix-a4-the-villages-crawl.md#digest
def digest(payload):
    """The value of WARC-Payload-Digest."""
    return f"sha1:{b32encode(hashlib.sha1(payload).digest()).decode()}"


def test_digest():
    """The exercise "A seventh fault"."""
    check_digest(digest)
