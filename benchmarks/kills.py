"""Two hundred kills of a training run, and as many exact resumes.

    python benchmarks/kills.py [--kills 200] [--seed 0]

A model of the village's family trains and saves all the time. A copy of the process
does it, gets SIGKILL at a random moment, and the next copy resumes. Before each copy
trains, what it has loaded is compared, to the bit, with the state of a run that nobody
killed at the same step: weights, optimizer, loader, generators, and the log. At the
end so is the last state. A checkpoint that is gone or damaged ends the program.
"""

import argparse
import hashlib
import json
import os
import random
import signal
import sys
import tempfile
import time
import warnings
from itertools import islice
from pathlib import Path

import torch
from common import FOLDER, machine, write_record

from llm.checkpoint import checkpoints, load_latest, take_apart
from llm.config import n_parameters, preset
from llm.data import Loader, TokenDataset
from llm.losses import next_token_loss
from llm.metrics_log import read_metrics
from llm.model import Transformer
from llm.optim import OptimConfig, Schedule, build_optimizer
from llm.shards import END_OF_TEXT, tokenize
from llm.tokenizer import Tokenizer, train_bpe
from llm.train_config import TrainConfig
from llm.trainer import Trainer
from llm.village import Village

CONFIG = preset(
    "village",
    vocab_size=512,
    max_seq_len=64,
    n_layers=2,
    n_heads=2,
    d_model=64,
    d_ff=256,
    embed_shortcut=True,
)


def make(folder: Path, run: str, steps: int, save_every: int) -> Trainer:
    torch.manual_seed(0)
    tokenizer = Tokenizer.load(folder / "tokenizer.json")
    dataset = TokenDataset(folder / "data", 64, tokenizer, verify=False)
    model = Transformer(CONFIG)
    config = TrainConfig(
        steps=steps, log_every=3, save_every=save_every, show_progress=False
    )
    return Trainer(
        *(model, next_token_loss, Loader(dataset, 4)),
        build_optimizer(model, OptimConfig()),
        Schedule(steps=steps),
        config,
        folder / run,
    )


def fingerprint(state: dict[str, object]) -> str:
    """A hash of everything in a state but the clock."""
    tensors: dict[str, torch.Tensor] = {}
    rest = take_apart({k: v for k, v in state.items() if k != "seconds"}, tensors)
    digest = hashlib.sha256(json.dumps(rest).encode())
    for name in sorted(tensors):
        digest.update(name.encode() + tensors[name].contiguous().numpy().tobytes())
    return digest.hexdigest()


def reference(folder: Path, steps: int) -> list[str]:
    """The fingerprint after each step of a run that nobody kills."""
    trainer, prints = make(folder, "whole", steps, 0), []

    def step() -> None:
        prints.append(fingerprint(trainer.state_dict()))
        one_step()

    one_step, trainer.one_step = trainer.one_step, step  # type: ignore[method-assign]
    trainer.train()
    return [*prints, fingerprint(trainer.state_dict())]


def child(folder: Path, steps: int, report: Path) -> None:
    """Resume, say what was loaded, train on, saving after each second step."""
    trainer = make(folder, "killed", steps, 2)
    trainer.resume()
    state = trainer.state_dict()
    with report.open("a") as file:
        file.write(f"{trainer.step} {fingerprint(state)}\n")
    trainer.train()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=FOLDER / "records")
    options = parser.parse_args()
    torch.set_num_threads(1)
    draws, kills, saving, resumed = random.Random(options.seed), 0, 0, set()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        stories = [s.text for s in islice(Village("hamlet").stories(), 600)]
        tokenizer = train_bpe("\n".join(stories[:200]), 512, [END_OF_TEXT])
        tokenizer.save(folder / "tokenizer.json")
        tokenize(stories, folder / "data", tokenizer)
        steps = 20 * options.kills  # enough to be killed so often
        prints = reference(folder, steps)
        report, state = folder / "report", folder / "killed" / "state"
        while kills < options.kills:
            before = report.read_text().count("\n") if report.exists() else 0
            if (pid := os.fork()) == 0:
                status = 1
                try:
                    child(folder, steps, report)
                    status = 0
                finally:
                    os._exit(status)
            while not report.exists() or report.read_text().count("\n") == before:
                time.sleep(0.001)
                if os.waitpid(pid, os.WNOHANG)[0]:
                    sys.exit("a copy has failed to resume")
            time.sleep(draws.random() * 0.4)
            os.kill(pid, signal.SIGKILL)
            if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0:
                sys.exit(f"the run was over after {kills} kills: take more steps")
            kills += 1
            saving += bool([*state.glob(".step-*")])
            at, found = report.read_text().splitlines()[-1].split()
            if int(at) and prints[int(at)] != found:
                sys.exit(f"kill {kills}: the state of step {at} differs")
            resumed.add(int(at))
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # no checkpoint may be damaged
                loaded = load_latest(state)
            if loaded and fingerprint(loaded[1]) != prints[loaded[0]]:
                sys.exit(f"kill {kills}: the checkpoint of step {loaded[0]} differs")
            print(f"\rkill {kills}, step {at}", end="", file=sys.stderr)
        child(folder, steps, report)
        at, found = report.read_text().splitlines()[-1].split()
        assert prints[int(at)] == found
        last = load_latest(state)
        assert last is not None
        assert fingerprint(last[1]) == prints[steps]
        logs = [read_metrics(folder / run) for run in ("whole", "killed")]
        for row in (*logs[0], *logs[1]):
            del row["seconds"]
        assert logs[0] == logs[1]
        size = sum(f.stat().st_size for f in checkpoints(state)[0].iterdir())
    record = {
        "machine": machine("torch", "safetensors"),
        "parameters": n_parameters(CONFIG),
        "checkpoint_bytes": size,
        "kills": kills,
        "of_which_while_saving": saving,
        "exact_resumes": kills + 1,
        "different_steps_resumed_from": len(resumed),
        "steps": steps,
        "lost_checkpoints": 0,
    }
    print(f"\n{json.dumps(record, indent=2)}")
    write_record("kills", record, options.out)


if __name__ == "__main__":
    main()
