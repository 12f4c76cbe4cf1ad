"""Broken records, kills and wrong arguments: counted, kept aside, and never fatal."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time
import uuid
import zlib
from pathlib import Path

import pytest

pytest.importorskip("fastwarc")
pytest.importorskip("resiliparse")

from llm import ledger
from llm.cleaning import CleanOptions, clean
from llm.quality import GopherRules
from llm.warc import (
    DropError,
    RecordError,
    extract,
    page_markup,
    read_members,
    read_page,
)

EASY = GopherRules(1, 10**7, (0.0, 1e7), 1e9, 1.0, 1.0, 0.0, 0)

MARKUP = """<html><head><title>t</title></head><body><nav><a href=/>Home</a></nav>
<main><h1>A day at the mill</h1><p>{}</p></main></body></html>"""
STORY = (
    "On day {0} the miller of the valley had {0} sacks of corn and no wind. "
    "He waited with the baker, and the baker waited with {1} empty baskets. In the end "
    "a boy came and said that the stream was high. So they built a wheel of {2} planks "
    "and set it in the water. It turned all night, and in the morning there was bread."
)


def record(
    number,
    markup=None,
    *,
    length=None,
    status="200 OK",
    kind="text/html",
    type="response",
):
    text = STORY.format(number, number * 7 % 101, number * 13 % 97)
    body = (markup or MARKUP.format(text)).encode()
    body = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n\r\n".encode() + body
    head = (
        f"WARC/1.0\r\nWARC-Type: {type}\r\n"
        f"WARC-Record-ID: <urn:uuid:{uuid.UUID(int=number)}>\r\n"
        f"WARC-Target-URI: https://example.org/{number}\r\n"
        f"WARC-Date: 2026-01-01T00:00:00Z\r\n"
        f"Content-Type: application/http; msgtype=response\r\n"
        f"Content-Length: {len(body) if length is None else length}\r\n\r\n"
    )
    return gzip.compress(head.encode() + body + b"\r\n\r\n", mtime=0)


def flip(data, at=200):
    damaged = bytearray(data)
    damaged[at] ^= 0xFF
    return bytes(damaged)


def changed(data, old, new):
    return gzip.compress(zlib.decompress(data, 31).replace(old, new), mtime=0)


DAMAGE = {
    "cut": lambda data: data[:100],
    "flipped": flip,
    "promises too much": lambda data: record(2, length=99_999),
    "promises too little": lambda data: record(2, length=300),
    "no number": lambda data: record(2, length="many"),
    "no record": lambda data: gzip.compress(b"nothing of the kind"),
    "empty": lambda data: gzip.compress(b""),
    "noise": lambda data: os.urandom(50_000),
    "no HTTP": lambda data: changed(data, b"HTTP/1.1 200 OK", b"no HTTP at all "),
    "two records": lambda data: gzip.compress(
        zlib.decompress(data, 31) + zlib.decompress(record(9), 31)
    ),
}


def rows(path):
    return list(map(json.loads, path.read_text().splitlines()))


def write(path, members):
    path.write_bytes(b"".join(members))
    return path


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
@pytest.mark.parametrize("where", [0, 2, 4])
def test_damage_stays_where_it_is(tmp_path, damage, where):
    members = [record(number) for number in range(5)]
    members[where] = damage(members[where])
    path = write(tmp_path / "crawl.warc.gz", members)
    at, good, bad = 0, [], []
    for member in read_members(path):
        assert member.offset == at
        at = member.end
        try:
            if member.error:
                raise RecordError(member.error)
            good.append(read_page(member.data).url[-1])
        except RecordError as error:
            bad.append((member.offset, str(error)))
    assert at == path.stat().st_size
    assert good == [str(number) for number in range(5) if number != where]
    assert [offset for offset, _ in bad] == [sum(map(len, members[:where]))]
    assert all(reason for _, reason in bad)


def test_a_file_that_ends_in_the_middle(tmp_path):
    whole = b"".join(record(number) for number in range(3))
    path = write(tmp_path / "crawl.warc.gz", [whole[:-20]])
    *first, last = read_members(path)
    assert len(first) == 2
    assert "middle" in last.error


def test_a_record_that_would_fill_the_memory(tmp_path):
    bomb = gzip.compress(b"WARC/1.0\r\n" + bytes(10**7))
    path = write(tmp_path / "crawl.warc.gz", [bomb, record(1)])
    first, second = read_members(path, limit=10**6)
    assert "longer than" in first.error
    assert not second.error


@pytest.mark.parametrize(
    ("keywords", "reason"),
    [({"status": "404 Not Found"}, "status 404"), ({"kind": "image/png"}, "image/png")],
)
def test_answers_that_are_no_pages(keywords, reason):
    page = read_page(zlib.decompress(record(1, **keywords), 31))
    with pytest.raises(DropError, match=reason):
        page_markup(page)


def test_records_that_are_no_answers():
    assert read_page(zlib.decompress(record(1, type="request"), 31)) is None


@pytest.mark.parametrize("content", [b"", b"plain text\n" * 1000, b"WARC/1.0\r\n\r\n"])
def test_files_that_are_no_crawls(tmp_path, content):
    path = write(tmp_path / "crawl.warc.gz", [content])
    with pytest.raises(ValueError, match=r"crawl\.warc\.gz"):
        list(read_members(path))


def test_nothing_is_lost(tmp_path):
    members = [record(number) for number in range(20)]
    members += [damage(record(2)) for damage in DAMAGE.values()]
    members += [
        record(30, status="404 Not Found"),
        record(31, type="request"),
        record(3),
    ]
    path = write(tmp_path / "crawl.warc.gz", members)
    out = tmp_path / "out"
    counts = clean([path], out)["counts"]
    assert counts["broken"] == len(DAMAGE)
    assert counts["other"] == 1
    assert counts["page: dropped"] == 1
    assert counts["copies: dropped"] == 1
    reasons = rows(out / "rejected/reasons.jsonl")
    assert len(reasons) == len(DAMAGE)
    data = path.read_bytes()
    for row in reasons:
        copy = (out / "rejected" / row["copy"]).read_bytes()
        assert copy == data[row["offset"] : row["end"]]
    dropped = rows(out / "dropped.jsonl")
    assert all(row["reason"] and row["stage"] and row["id"] for row in dropped)


SCRIPT = """
import sys
from pathlib import Path
from llm.cleaning import clean
clean([Path(sys.argv[1])], Path(sys.argv[2]), size=20)
"""


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_killed_and_run_again(tmp_path):
    members = [record(number % 350) for number in range(400)]
    members[100] = members[100][:50]
    path = write(tmp_path / "crawl.warc.gz", members)
    clean([path], tmp_path / "whole", size=20)
    whole = contents(tmp_path / "whole")
    out, kills = tmp_path / "killed", 0
    command = [sys.executable, "-c", SCRIPT, str(path), str(out)]
    for delay in (0.05, 0.1, 0.02, 0.15, 0.05, 0.2, 0.1, 0.3, None):
        process = subprocess.Popen(command, cwd=Path(__file__).parents[2])
        if delay is not None:
            chunks = len(list(out.glob("work/*")))
            deadline = time.monotonic() + 20
            while process.poll() is None and time.monotonic() < deadline:
                if len(list(out.glob("work/*"))) > chunks + 1:
                    time.sleep(delay / 10)
                    process.send_signal(signal.SIGKILL)
                    kills += 1
                    break
                time.sleep(0.001)
        process.wait(timeout=60)
    assert kills >= 3
    assert contents(out) == whole


@pytest.mark.parametrize("after", range(0, 80, 7))
def test_stopped_at_any_write(tmp_path, monkeypatch, after):
    path = write(tmp_path / "crawl.warc.gz", [record(n % 50) for n in range(60)])
    clean([path], tmp_path / "whole", size=10)
    out, calls = tmp_path / "out", 0
    write_rows = ledger.write_rows

    def failing(path, rows):
        nonlocal calls
        calls += 1
        if calls > after:
            path.write_bytes(b'{"half a ro')
            raise KeyboardInterrupt
        return write_rows(path, rows)

    monkeypatch.setattr(ledger, "write_rows", failing)
    try:
        clean([path], out, size=10)
    except KeyboardInterrupt:
        assert not (out / "report.json").exists()
    monkeypatch.undo()
    clean([path], out, size=10)
    assert contents(out) == contents(tmp_path / "whole")


def test_the_size_of_chunks_changes_nothing(tmp_path):
    path = write(tmp_path / "crawl.warc.gz", [record(n % 50) for n in range(60)])
    for size in (1, 7, 100):
        clean([path], tmp_path / str(size), size=size)
    assert (
        contents(tmp_path / "1")
        == contents(tmp_path / "7")
        == contents(tmp_path / "100")
    )


def test_a_finished_run_is_not_repeated(tmp_path):
    path = write(tmp_path / "crawl.warc.gz", [record(1), record(2)])
    out = tmp_path / "out"
    report = clean([path], out)
    before = contents(out)
    assert clean([path], out) == report
    assert contents(out) == before
    with pytest.raises(ValueError, match="other inputs or options"):
        clean([path], out, CleanOptions(min_sentences=9))
    assert contents(out) == before


def test_inputs_that_cannot_be(tmp_path):
    path = write(tmp_path / "crawl.warc.gz", [record(1)])
    with pytest.raises(ValueError, match="at least one"):
        clean([], tmp_path / "out")
    with pytest.raises(ValueError, match="twice"):
        clean([path, path], tmp_path / "out")
    with pytest.raises(FileNotFoundError, match="nowhere"):
        clean([tmp_path / "nowhere.warc.gz"], tmp_path / "out")
    with pytest.raises(FileNotFoundError, match="nobody"):
        clean([path], tmp_path / "out", CleanOptions(quality=tmp_path / "nobody"))
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(b"no weights here")
    with pytest.raises(ValueError, match=r"bad\.safetensors"):
        clean([path], tmp_path / "out", CleanOptions(quality=bad))
    assert clean([path], tmp_path / "out2")["counts"]["scrub: documents"] == 1


def test_a_crawl_with_nothing_to_keep(tmp_path):
    path = write(tmp_path / "crawl.warc.gz", [record(1, status="404 Not Found")] * 3)
    counts = clean([path], tmp_path / "out")["counts"]
    assert counts["page: dropped"] == 3
    assert (tmp_path / "out/documents.jsonl").read_bytes() == b""


@pytest.mark.parametrize(
    "charset",
    ["bogus-8", "utf-7", "idna", "punycode", "hex", "undefined", '"', ""],
)
def test_encodings_that_lie(charset):
    kind = f"text/html; charset={charset}"
    page = read_page(zlib.decompress(record(1, kind=kind), 31))
    assert "the baker waited" in extract(page_markup(page))


@pytest.mark.parametrize(
    "markup",
    [
        "",
        "\0",
        "<",
        "<!--" * 10_000,
        "<script>",
        "&#xD800;&#55296;&#0;&#x110000;",
        "<b>" * 40_000 + "x",
        "<p " + " ".join(f"a{i}=b" for i in range(5_000)) + ">",
        "<title>",
        "\ud7ff\ufffe",
        "<main><p>" + "a" * 500_000,
        "<main><p>" + "a." * 200_000,
        "<main><p>" + "." * 200_000 + "x",
        "<main><p>" + "1-" * 200_000,
        "<main><p>" + "a:" * 200_000,
        "<main><p>" + "+1 (" * 100_000,
        "<main><p>" + "the mill. " * 100_000,
    ],
)
def test_pages_that_no_browser_would_like(tmp_path, markup):
    path = write(tmp_path / "crawl.warc.gz", [record(1, markup or " "), record(2)])
    start = time.monotonic()
    counts = clean([path], tmp_path / "out", CleanOptions(gopher=EASY))["counts"]
    assert time.monotonic() - start < 10
    assert counts["scrub: documents"] >= 1


def test_pages_that_would_take_minutes():
    for markup in ("<div>" * 60_000, "<p>" + "x" * 2**21):
        page = read_page(zlib.decompress(record(1, markup), 31))
        with pytest.raises(DropError, match="too large"):
            page_markup(page)


def test_a_language_without_a_sample(tmp_path):
    path = write(tmp_path / "crawl.warc.gz", [record(1)])
    with pytest.raises(ValueError, match="'tlh'"):
        clean([path], tmp_path / "out", CleanOptions(language="tlh"))
    assert not (tmp_path / "out").exists()
