"""Bad shards, bad files and no network: one sentence each, and nothing is lost."""

import gzip
import hashlib
import http.server
import json
import threading
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow
import pytest
from pyarrow import parquet

from llm import corpora
from llm.corpora import documents, download
from llm.data import Loader, TokenDataset
from llm.files import replacing
from llm.shards import HEAD, HEADER, open_shard, tokenize, write_shard
from llm.tokenizer import train_bpe

TOKENIZER = train_bpe("the cat sat on the mat " * 20, 280, ["<|endoftext|>"])


@pytest.fixture
def shard(tmp_path):
    path = tmp_path / "a.bin"
    write_shard(path, np.arange(200), TOKENIZER)
    return path


def forge(path, position=None, field=None, body=None):
    """Rewrite a shard with another field or body, and a checksum that fits."""
    data = bytearray(path.read_bytes())
    if position is not None:
        fields = list(HEAD.unpack(data[: HEAD.size]))
        fields[position] = field
        data[: HEAD.size] = HEAD.pack(*fields)
    if body is not None:
        data[HEADER:] = body
    data[HEAD.size : HEADER] = hashlib.sha256(
        data[: HEAD.size] + data[HEADER:]
    ).digest()
    path.write_bytes(data)


def test_bad_shards_are_refused_by_name(shard):
    good = shard.read_bytes()
    cases = [
        (lambda: shard.write_bytes(b""), "is empty"),
        (lambda: shard.write_bytes(b"x" * 500), "no token shard"),
        (lambda: forge(shard, 1, 9), "has version 9"),
        (lambda: forge(shard, 2, 3), "3 bytes per token"),
        (lambda: forge(shard, 2, 4), "truncated"),
        (lambda: shard.write_bytes(good[:-7]), "truncated"),
        (lambda: shard.write_bytes(good + b"12"), "too long"),
        (lambda: shard.write_bytes(good[:-1] + b"\x01"), "checksum"),
        (lambda: forge(shard, 3, 150), "has id 199"),
        (lambda: forge(shard, 6, bytes(32)), "another tokenizer"),
    ]
    for spoil, sentence in cases:
        shard.write_bytes(good)
        spoil()
        with pytest.raises(ValueError, match=sentence) as caught:
            open_shard(shard, TOKENIZER)
        assert str(shard) in str(caught.value)
        assert "\n" not in str(caught.value)
    shard.write_bytes(good)
    assert len(open_shard(shard, TOKENIZER).tokens) == 200


def test_a_shard_shorter_than_a_row(shard):
    with pytest.raises(ValueError, match=r"a\.bin has 200 tokens, shorter"):
        TokenDataset(shard, 200)
    assert len(TokenDataset(shard, 199)) == 1


def test_ids_beyond_the_vocabulary_are_not_written(tmp_path):
    with pytest.raises(ValueError, match="ids below"):
        write_shard(tmp_path / "b.bin", [1, 100_000], TOKENIZER)
    assert not list(tmp_path.iterdir())


def test_nothing_is_lost_when_writing_fails(tmp_path):
    path = tmp_path / "c"
    path.write_bytes(b"old")

    def fail():
        with replacing(path) as file:
            file.write(b"new")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        fail()
    assert path.read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_unfinished_and_foreign_folders(tmp_path):
    texts = ["the cat sat on the mat"] * 50
    tokenize(texts, tmp_path, TOKENIZER, 300)
    TokenDataset(tmp_path, 8)
    with pytest.raises(ValueError, match="another tokenizer"):
        tokenize(texts, tmp_path, train_bpe("", 257, ["<|endoftext|>"]))
    with pytest.raises(ValueError, match=r"shard-00000\.bin holds other documents"):
        tokenize(["a dog"] * 50, tmp_path, TOKENIZER, 300)
    with pytest.raises(ValueError, match="is no file"):
        tokenize(documents(tmp_path / "mistyped"), tmp_path, TOKENIZER, 300)
    TokenDataset(tmp_path, 8)
    with pytest.raises(ValueError, match="holds other documents"):
        tokenize(texts[:40], tmp_path, TOKENIZER, 300)
    with pytest.raises(ValueError, match="hasn't finished"):
        TokenDataset(tmp_path, 8)
    with pytest.raises(ValueError, match="no documents"):
        tokenize([], tmp_path / "new", TOKENIZER)


def test_a_state_of_other_data(shard, tmp_path):
    state = Loader(TokenDataset(shard, 8), 2).state_dict()
    write_shard(tmp_path / "d.bin", np.arange(100), TOKENIZER)
    other = Loader(TokenDataset(tmp_path / "d.bin", 8), 2)
    with pytest.raises(ValueError, match="resume with the same data"):
        other.load_state_dict(state)
    with pytest.raises(ValueError, match="lacks 'used'"):
        other.load_state_dict({})


def test_bad_sources_are_refused_by_name(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "empty.txt").write_text("\n")
    (tmp_path / "bad.jsonl").write_text('{"text": "a"}\n{"text"\n')
    (tmp_path / "odd.jsonl").write_text('{"body": "a"}\n')
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9")
    (tmp_path / "a.doc").write_text("a")
    for name, sentence in {
        "empty.txt": "is empty",
        "bad.jsonl": "line 2",
        "odd.jsonl": "line 1: a record needs",
        "latin.txt": "can't be read as text",
        "a.doc": "known are",
        "nowhere": "is no file",
    }.items():
        with pytest.raises(ValueError, match=sentence) as caught:
            list(documents(tmp_path / name))
        assert name in str(caught.value)
    with pytest.raises(ValueError, match="llm data get gsm8k"):
        list(documents("gsm8k"))


class Ranges(http.server.SimpleHTTPRequestHandler):
    """Serves the end of a file when asked for it."""

    def log_message(self, *args):
        pass

    def do_GET(self):
        data = Path(self.translate_path(self.path)).read_bytes()
        asked = self.headers.get("Range")
        start = int(asked[6:-1]) if asked else 0
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        self.wfile.write(data[start:])


def test_a_text_is_divided_by_whole_lines_only(tmp_path):
    text = "One<|endoftext|> goes on.\n<|endoftext|>\n\nTwo.\n"
    (tmp_path / "a.txt").write_text(text)
    with gzip.open(tmp_path / "b.txt.gz", "wt") as file:
        file.write(text)
    expected = ["One<|endoftext|> goes on.", "Two."]
    assert list(documents(tmp_path / "a.txt")) == expected
    assert list(documents(tmp_path)) == 2 * expected


def test_a_parquet_file_is_read_by_its_columns(tmp_path):
    rows = [{"text": f"Story {i}.", "score": i} for i in range(2_500)]
    parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "stories.parquet")
    found = list(documents(tmp_path / "stories.parquet"))
    assert found == [row["text"] for row in rows]
    talk = [[{"role": "user", "content": "Hello."}]] * 2
    table = pyarrow.table({"messages": talk})
    parquet.write_table(table, tmp_path / "talks.parquet")
    assert list(documents(tmp_path / "talks.parquet")) == ["user: Hello."] * 2
    cut = (tmp_path / "stories.parquet").read_bytes()[:-50]
    (tmp_path / "cut.parquet").write_bytes(cut)
    with pytest.raises(ValueError, match=r"cut\.parquet can't be read"):
        list(documents(tmp_path / "cut.parquet"))


def test_download_resumes_checks_and_says_what_to_do(tmp_path, monkeypatch):
    lines = [
        json.dumps({"question": f"{i} + 1?", "answer": str(i + 1)}) for i in range(99)
    ]
    data = "\n".join(lines).encode()
    (tmp_path / "sums.jsonl").write_bytes(data)
    handler = partial(Ranges, directory=tmp_path)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/sums.jsonl"
        known = corpora.KnownCorpus(url, hashlib.sha256(data).hexdigest(), "sums")
        monkeypatch.setitem(corpora.CORPORA, "sums", known)
        part = tmp_path / "cache/sums/sums.jsonl.part"
        part.parent.mkdir(parents=True)
        part.write_bytes(data[:1000])
        path = download("sums", tmp_path / "cache")
        assert path.read_bytes() == data
        assert not part.exists()
        assert len(list(documents(path))) == 99
        path.unlink()
        part.write_bytes(b"x" * 1000)
        with pytest.raises(ValueError, match="another checksum"):
            download("sums", tmp_path / "cache")
        server.shutdown()
    with pytest.raises(OSError, match="--data village"):
        download("sums", tmp_path / "cache")
