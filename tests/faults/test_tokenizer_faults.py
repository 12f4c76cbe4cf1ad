"""Wrong files, wrong arguments and full disks: one sentence, and nothing is lost."""

import builtins
import errno
import json
import subprocess
import sys
from pathlib import Path

import pytest

from llm.ngram import book_text
from llm.tokenizer import Tokenizer, train_bpe


@pytest.fixture(scope="module")
def tokenizer():
    return train_bpe(book_text()[:20_000], 400, ["<|endoftext|>"])


def llm(*arguments, **keywords):
    return subprocess.run(
        [sys.executable, "-m", "llm", *map(str, arguments)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        **keywords,
    )


def assert_one_sentence(result, *words):
    assert result.returncode == 2, result
    (line,) = result.stderr.strip().splitlines()
    assert line.startswith("llm: error: ")
    for word in words:
        assert word in line


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "",
        lambda text: "[]",
        lambda text: "{}",
        lambda text: "null",
        lambda text: text.replace('"merges"', '"merge"'),
        lambda text: json.dumps(json.loads(text) | {"merges": [["a"]]}),
        lambda text: json.dumps(json.loads(text) | {"merges": [["zz", "yy"]]}),
        lambda text: json.dumps(json.loads(text) | {"vocab": {"x": "y"}}),
        lambda text: json.dumps(json.loads(text) | {"vocab": {}}),
        lambda text: json.dumps(json.loads(text) | {"pattern": "("}),
        lambda text: json.dumps(json.loads(text) | {"pattern": 7}),
        lambda text: json.dumps(json.loads(text) | {"special_tokens": "<|x|>"}),
        lambda text: json.dumps(json.loads(text) | {"special_tokens": [""]}),
        lambda text: json.dumps(json.loads(text) | {"merges": [["\u4e2d", "a"]]}),
    ],
)
def test_a_file_that_was_tampered_with(tokenizer, tmp_path, spoil):
    path = tmp_path / "tokenizer.json"
    tokenizer.save(path)
    path.write_text(spoil(path.read_text()))
    with pytest.raises(ValueError, match=r"tokenizer\.json"):
        Tokenizer.load(path)


def test_files_that_cannot_be_read(tmp_path):
    binary = tmp_path / "binary.txt"
    binary.write_bytes(b"caf\xe9 " * 100)
    out = tmp_path / "out.json"
    missing = tmp_path / "missing.txt"
    train = ("tokenizer", "train", "--out", out)
    assert_one_sentence(llm(*train, missing), "missing.txt")
    assert_one_sentence(llm(*train, tmp_path), str(tmp_path))
    assert_one_sentence(llm(*train, binary), "binary.txt")
    assert_one_sentence(llm("tokenizer", "encode", missing, "text"), "missing.txt")
    assert not out.exists()


def test_a_disk_that_is_full(tokenizer, tmp_path, monkeypatch):
    path = tmp_path / "tokenizer.json"
    tokenizer.save(path)
    before = path.read_bytes()

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        tokenizer.save(path)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["tokenizer.json"]


def test_loading_runs_no_code(tokenizer, tmp_path, monkeypatch):
    path = tmp_path / "tokenizer.json"
    tokenizer.save(path)

    def forbidden(*_, **__):
        raise AssertionError("a file must not run code")

    monkeypatch.setattr(builtins, "eval", forbidden)
    monkeypatch.setattr(builtins, "exec", forbidden)
    assert Tokenizer.load(path).vocab == tokenizer.vocab


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("text", 255), "255"),
        (("text", 257, ["<a>", "<b>"]), "257"),
        (("text", 300, ["<a>", "<a>"]), "<a>"),
        (("text", 300, [""]), "empty"),
        (("text", 300, "<a>"), "<a>"),
        (("text", 300, [], "("), r"\("),
        ((["text", 5], 300), "5"),
    ],
)
def test_wrong_arguments_of_training(arguments, sentence):
    with pytest.raises((ValueError, TypeError), match=sentence):
        train_bpe(*arguments)


def test_wrong_arguments_of_the_tokenizer(tokenizer):
    with pytest.raises(ValueError, match="999999"):
        tokenizer.decode([1, 999_999])
    with pytest.raises(ValueError, match="unknown"):
        tokenizer.encode("text", ["unknown"])
    with pytest.raises(UnicodeDecodeError):
        tokenizer.decode([255], errors="strict")


def test_an_empty_corpus_leaves_the_bytes():
    assert len(train_bpe("", 300).vocab) == 256
    assert train_bpe([], 300).encode("\u00e9") == [195, 169]


def test_the_command_line_trains_encodes_and_decodes(tmp_path):
    corpus = tmp_path / "corpus.txt"
    corpus.write_text(book_text()[:20_000])
    out = tmp_path / "tokenizer.json"
    done = llm("tokenizer", "train", "--vocab-size", 400, "--out", out, corpus)
    assert done.returncode == 0, done.stderr
    encoded = llm("tokenizer", "encode", out, "A model reads numbers.")
    assert encoded.returncode == 0, encoded.stderr
    decoded = llm("tokenizer", "decode", out, *encoded.stdout.split())
    assert decoded.stdout.rstrip("\n") == "A model reads numbers."
    assert llm("tokenizer", "show", out).returncode == 0


def test_unknown_commands_name_the_known():
    assert_one_sentence(llm("tokeniser"), "tokeniser", "tokenizer")
    assert_one_sentence(llm("tokenizer", "trian"), "trian", "train")
    assert "Traceback" in llm("--debug", "tokenizer", "encode", "nowhere", "x").stderr
