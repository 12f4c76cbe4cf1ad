"""`llm pretrain`, `llm sample`: what they refuse, in a sentence, and what they keep."""

import json

import pytest

from llm.cli import main

TEXT = "the sun rose over the village and the cat sat on the wall. " * 400


def refused(capsys, words, *args):
    assert main(["pretrain", *map(str, args)]) == 2
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert words in said
    assert said.startswith("llm: error: ")


@pytest.mark.parametrize(
    ("words", "args"),
    [
        ("no recipe 'rice': hamlet-small, village-base, race", ["--recipe", "rice"]),
        ("omit --minutes", ["--recipe", "village-base", "--minutes", "1"]),
        ("omit --data", ["--recipe", "village-base", "--data", "hamlet"]),
        ("minutes is 0.0", ["--minutes", "0"]),
        ("minutes is nan", ["--recipe", "race", "--minutes", "nan"]),
        ("has no run to go on with", ["--resume"]),
        ("absent.txt", ["--recipe", "race", "--data", "absent.txt"]),
    ],
)
def test_refused(capsys, tmp_path, monkeypatch, words, args):
    monkeypatch.chdir(tmp_path)
    refused(capsys, words, *args)
    assert not (tmp_path / "runs").exists()


def test_a_race_reads_letters(capsys, tmp_path):
    text, out = tmp_path / "sun.txt", tmp_path / "run"
    text.write_text(TEXT)
    options = ["--recipe", "race", "--data", str(text), "--minutes", "0.01"]
    assert main(["pretrain", *options, "--out", str(out)]) == 0
    assert "saved in" in capsys.readouterr().out
    recipe = json.loads((out / "recipe.json").read_text())["recipe"]
    assert recipe["model"]["vocab_size"] == 257
    assert recipe["model"]["ngrams"] == 5
    assert not recipe["masked"]
    result = json.loads((out / "result.json").read_text())
    assert result["validation/nats_per_byte"] < 3  # it has learnt something
    refused(capsys, "add --resume", *options, "--out", out)
    assert main(["sample", str(out), "--length", "20", "--temperature", "0"]) == 0
    assert capsys.readouterr().out.strip()
