"""The race: nanoGPT's recipe for a CPU against `llm pretrain --recipe race`.

    git clone https://github.com/karpathy/nanoGPT
    python benchmarks/race.py --nanogpt nanoGPT tinyshakespeare.txt village

Each seed runs both in turn, on the same file, with the same last tenth kept apart.
nanoGPT trains as its README says for a CPU (4 layers, 128 wide, blocks of 64, batches
of 12, 2,000 steps), without the evaluations on the way. How long that took is then the
measure of ours: a run of a twentieth of it, and one as long. `--minutes` adds one run
of its own length, with the first seed. Times are of training alone, evaluations and
imports left out on both sides; the record has the whole commands' beside them.

All of the last tenth counts, in nats a character. nanoGPT reads it in windows of 64, as
in training, each beginning in the middle of the one before, which is better for it than
end to end; ours does the same with its own windows. `village` is a megabyte of stories.
"""

import argparse
import itertools
import json
import os
import pickle
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from common import FOLDER, load_module, machine, write_record

from llm.cooking import split_texts
from llm.village import Village

RECIPE = [
    *("device=cpu", "compile=False", "eval_interval=2000", "eval_iters=1"),
    *("log_interval=1", "block_size=64", "batch_size=12", "n_layer=4", "n_head=4"),
    *("n_embd=128", "max_iters=2000", "lr_decay_iters=2000", "dropout=0.0"),
]
STEP = re.compile(r"^iter (\d+): .* time ([\d.]+)ms", re.MULTILINE)


def prepare(text: str, folder: Path) -> np.ndarray:
    """What nanoGPT's prepare.py makes of a text; the last tenth as numbers."""
    number = {letter: i for i, letter in enumerate(sorted(set(text)))}
    folder.mkdir(parents=True)
    for name, (part,) in zip(("train", "val"), split_texts([text]), strict=True):
        ids = np.array([number[letter] for letter in part], np.uint16)
        ids.tofile(folder / f"{name}.bin")
    (folder / "meta.pkl").write_bytes(pickle.dumps({"vocab_size": len(number)}))
    return ids


@torch.no_grad()
def nats(model: Any, ids: np.ndarray, block: int = 64) -> float:
    """The mean loss of nanoGPT over all of its validation set."""
    data, step = torch.from_numpy(ids.astype(np.int64)), block // 2
    total = count = 0
    rows = [data[i : i + block + 1] for i in range(0, len(data) - 1, step)]
    for start in range(0, len(rows), 256):
        part = rows[start : start + 256]
        lengths = torch.tensor([len(row) - 1 for row in part])
        padded = torch.stack([F.pad(row, (0, block + 1 - len(row))) for row in part])
        x, y = padded[:, :-1], padded[:, 1:].contiguous()
        logits, _ = model(x, y)
        loss = F.cross_entropy(logits.transpose(1, 2), y, reduction="none")
        places = torch.arange(block).expand_as(y)
        skipped = torch.where(torch.arange(len(part)) + start == 0, 0, step)
        counted = (places >= skipped[:, None]) & (places < lengths[:, None])
        total += loss[counted].sum().item()
        count += int(counted.sum())
    assert count == len(data) - 1
    return total / count


def run_nanogpt(source: Path, text: str, seed: int, folder: Path) -> dict[str, Any]:
    """Train nanoGPT in a folder of its own."""
    ids = prepare(text, folder / "data" / "race")
    for name in ("model.py", "configurator.py", "train.py"):
        code = (source / name).read_text()
        code = code.replace("manual_seed(1337 +", f"manual_seed({1337 + seed} +")
        (folder / name).write_text(code)
    config = (source / "config" / "train_shakespeare_char.py").read_text()
    (folder / "config.py").write_text(config)
    options = [f"--{option}" for option in [*RECIPE, "dataset=race", "out_dir=out"]]
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "train.py", "config.py", *options],
        cwd=folder,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    whole = time.perf_counter() - begun
    steps = {int(step): float(ms) / 1e3 for step, ms in STEP.findall(done.stdout)}
    # The first and the last one have an evaluation in them.
    usual = statistics.median(steps.values())
    evaluated = {0, 2000}
    seconds = sum(usual if n in evaluated else s for n, s in steps.items())
    saved = torch.load(folder / "out" / "ckpt.pt", weights_only=True)
    peer = load_module(folder / "model.py")
    model = peer.GPT(peer.GPTConfig(**saved["model_args"]))
    model.load_state_dict(saved["model"])
    loss = nats(model.eval(), ids)
    return {"seconds": seconds, "whole": whole, "loss": loss, "steps": len(steps) - 1}


def run_ours(text: Path, seconds: float, seed: int, out: Path) -> dict[str, Any]:
    """`llm pretrain --recipe race`, for a time of training."""
    minutes = min(seconds / 30, (seconds + 10) / 55)  # as the command reckons
    command = [sys.executable, "-m", "llm", "pretrain", "--recipe", "race"]
    command += ["--data", str(text), "--minutes", str(minutes)]
    command += ["--seed", str(seed), "--out", str(out)]
    begun = time.perf_counter()
    subprocess.run(
        command,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    whole = time.perf_counter() - begun
    result = json.loads((out / "result.json").read_text())
    recipe = json.loads((out / "recipe.json").read_text())["recipe"]
    _, (unseen,) = split_texts([text.read_text()])
    total = result["validation/nats_per_byte"] * (len(unseen.encode()) + 1)
    return {
        "seconds": result["seconds"],
        "whole": whole,
        "loss": total / len(unseen),
        "layers": recipe["model"]["n_layers"],
        "width": recipe["model"]["d_model"],
        "steps": recipe["steps"],
        "characters": result["tokens"],
    }


def race(source: Path, path: Path, seeds: int, minutes: float) -> dict[str, Any]:
    """All runs on a text, and what comes of them."""
    rounds = []
    for seed in range(seeds):
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            peer = run_nanogpt(source, path.read_text(), seed, folder)
            runs = {"nanogpt": peer}
            lengths = {"short": peer["seconds"] / 20, "equal": peer["seconds"]}
            if minutes and seed == 0:
                lengths["long"] = 60 * minutes
            for name, seconds in lengths.items():
                runs[name] = run_ours(path, seconds, seed, folder / name)
            if "long" in runs:
                command = [sys.executable, "-m", "llm", "sample", str(folder / "long")]
                command += ["--length", "300", "--temperature", "0.8"]
                runs["long"]["sample"] = subprocess.check_output(command, text=True)
        rounds.append(runs)
        print(json.dumps(runs, indent=1), flush=True)
    times = [r["nanogpt"]["seconds"] / r["short"]["seconds"] for r in rounds]
    summary = {
        "nanogpt": statistics.mean(r["nanogpt"]["loss"] for r in rounds),
        "short": statistics.mean(r["short"]["loss"] for r in rounds),
        "equal": statistics.mean(r["equal"]["loss"] for r in rounds),
        "times_shorter": statistics.median(times),
        "nats_lower": statistics.mean(
            r["nanogpt"]["loss"] - r["equal"]["loss"] for r in rounds
        ),
    }
    return {"text": path.stem, "rounds": rounds, "summary": summary}


def village_text(path: Path) -> Path:
    """A megabyte of the village's stories."""
    stories = itertools.islice(Village().stories(), 2_000)
    path.write_text("\n".join(story.text for story in stories))
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("texts", nargs="+", help="files, or village")
    parser.add_argument("--nanogpt", type=Path, required=True, help="a clone of it")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--out", type=Path, default=FOLDER / "records")
    options = parser.parse_args()
    for name in options.texts:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(name)
            if name == "village":
                path = village_text(Path(folder) / "village.txt")
            source = options.nanogpt.resolve()
            record = race(source, path.resolve(), options.seeds, options.minutes)
        record = {"machine": machine("torch"), **record}
        record["threads"] = os.environ.get("OMP_NUM_THREADS", "all")
        print(json.dumps(record["summary"], indent=1))
        write_record(f"race-{path.stem}", record, options.out)


if __name__ == "__main__":
    main()
