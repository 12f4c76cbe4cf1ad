"""Tokenization in spawned processes, killed and run again: the same bytes."""

import os
import signal
import subprocess
import sys
import time
from itertools import islice

import numpy as np
import pytest

from llm.shards import HEAD, HEADER, open_shard, tokenize, write_shard
from llm.tokenizer import train_bpe
from llm.village import Village

STORIES = [story.text for story in islice(Village("hamlet").stories(), 1_500)]
TOKENIZER = train_bpe("\n".join(STORIES[:100]), 400, ["<|endoftext|>"])


def files(folder):
    return {path.name: path.read_bytes() for path in folder.glob("[!.]*")}


def command(folder, *more):
    return [
        *(sys.executable, "-m", "llm", "data", "tokenize"),
        *("--out", folder / "shards", "--tokenizer", folder / "tokenizer.json"),
        *("--data", folder / "stories.txt", "--shard-size", "20000", *more),
    ]


@pytest.fixture
def folder(tmp_path):
    TOKENIZER.save(tmp_path / "tokenizer.json")
    text = "\n<|endoftext|>\n".join(STORIES)
    (tmp_path / "stories.txt").write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.timeout(180)
def test_a_killed_job_goes_on_to_the_same_bytes(folder, tmp_path_factory):
    whole = tmp_path_factory.mktemp("whole")
    total = tokenize(STORIES, whole, TOKENIZER, shard_size=20_000)
    shards = folder / "shards"
    for number_of_shards in (2, 9, 20):
        job = subprocess.Popen(
            command(folder, "--processes", "2"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        while len(list(shards.glob("shard-*"))) < number_of_shards:
            assert job.poll() is None, "it should still be at work"
            time.sleep(0.002)
        os.killpg(job.pid, signal.SIGKILL)
        job.wait()
        assert not (shards / "index.json").exists()
        for path in shards.glob("shard-*"):
            assert path.read_bytes() == (whole / path.name).read_bytes()
    done = subprocess.run(
        command(folder, "--processes", "2"), check=True, capture_output=True, text=True
    )
    assert f"{total:,} tokens" in done.stdout
    assert files(shards) == files(whole)


@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's /proc")
def test_a_large_shard_costs_no_memory(tmp_path):
    """Two gigabytes of tokens; memory counts that the system can't take back."""
    path = tmp_path / "large.bin"
    write_shard(path, np.arange(300), TOKENIZER)
    tokens = 1_000_000_000
    with path.open("r+b") as file:
        fields = list(HEAD.unpack(file.read(HEAD.size)))
        fields[5] = tokens
        file.seek(0)
        file.write(HEAD.pack(*fields))
        file.truncate(HEADER + 2 * tokens)
    assert len(open_shard(path, verify=False).tokens) == tokens
    program = (
        "import re\n"
        "from llm.data import Loader, TokenDataset\n"
        "def kilobytes():\n"
        "    status = open('/proc/self/status').read()\n"
        "    return int(re.search(r'RssAnon:\\s+(\\d+)', status)[1])\n"
        "before = kilobytes()\n"
        f"data = TokenDataset({str(path)!r}, 1024, verify=False)\n"
        "loader = Loader(data, 32)\n"
        "for _ in range(300): next(loader)\n"
        "print(kilobytes() - before)\n"
    )
    grown = int(subprocess.check_output([sys.executable, "-c", program]))
    assert grown < 30_000
