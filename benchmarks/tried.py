"""What each choice in the recipe of the village's model is worth, one change at a time.

    python benchmarks/tried.py [CHANGE ...] [--steps 260] [--workers 2]

All runs read stories from the same 4,800 and are judged by the same 400. A run has one
thread, so that as many as there are cores can go at a time; their seconds say which are
slower, and nothing else. One seed, and another one of the recipe itself, to show how
much is luck.
"""

import argparse
import dataclasses
import math
import multiprocessing
import tempfile
from pathlib import Path
from typing import Any

import torch
from common import FOLDER, machine, write_record

import llm.ngram_embedding
from llm.cooking import cook
from llm.recipes import RECIPES
from llm.village import entropy

# What is changed: in the model, in the optimizer, in the rest of the recipe.
Change = tuple[dict[str, Any], dict[str, Any], dict[str, Any]]
CUT = {"batch_size": 5, "whole": False, "masked": True}
CHANGES: dict[str, Change] = {
    "as it is": ({}, {}, {}),
    "another seed": ({}, {}, {"seed": 1}),
    "no value embeddings": ({"value_embeddings": False}, {}, {}),
    "no tables of runs": ({"ngrams": 1}, {}, {}),
    "tables of pairs only": ({"ngrams": 2}, {}, {}),
    "tables of 4,096 rows": ({"ngram_rows": 4_096}, {}, {}),
    "tables at the embeddings' rate": ({"gain": 1.0}, {}, {}),
    "weights in the norms": ({"norm_weight": True}, {}, {}),
    "no shortcut from the embeddings": ({"embed_shortcut": False}, {}, {}),
    "tied head": ({"tie_embeddings": True}, {}, {}),
    "six heads of 16": ({"n_heads": 6, "n_kv_heads": 6, "head_dim": 16}, {}, {}),
    "four layers, MLPs half as wide": ({"n_layers": 4, "d_ff": 192}, {}, {}),
    "64 wide": ({"d_model": 64, "n_heads": 2, "n_kv_heads": 2, "d_ff": 256}, {}, {}),
    "128 wide": ({"d_model": 128, "n_heads": 4, "n_kv_heads": 4, "d_ff": 512}, {}, {}),
    "AdamW for all": ({}, {"optimizer": "adamw", "lr": 0.005}, {}),
    "Muon's rate 0.015": ({}, {"lr": 0.015}, {}),
    "Muon's rate 0.06": ({}, {"lr": 0.06}, {}),
    "three Newton-Schulz steps": ({}, {"newton_schulz_steps": 3}, {}),
    "embeddings' rate 0.05": ({}, {"embedding_lr": 0.05}, {}),
    "AdamW's betas 0.9 and 0.99": ({}, {"betas": (0.9, 0.99)}, {}),
    "batches of 4, twice the steps": ({}, {}, {"batch_size": 4, "times": 2.0}),
    "batches of 16, half the steps": ({}, {}, {"batch_size": 16, "times": 0.5}),
    "rows cut anywhere": ({}, {}, CUT),
    "cooldown over all steps": ({}, {}, {"cooldown": 1.0}),
}


def run(task: tuple[str, int]) -> dict[str, Any]:
    """Train with one change."""
    name, steps = task
    torch.set_num_threads(1)
    model, optim, rest = (dict(change) for change in CHANGES[name])
    llm.ngram_embedding.GAIN = model.pop("gain", 0.25)
    base = RECIPES["village-base"]
    steps = round(steps * rest.pop("times", 1.0))
    recipe = dataclasses.replace(
        base,
        model=dataclasses.replace(base.model, **model),
        optim=dataclasses.replace(base.optim, **optim),
        n_documents=4_800,
        **{"steps": steps, **rest},
    )
    with tempfile.TemporaryDirectory() as folder:
        result = cook(recipe, folder, show_progress=False)
    return {
        "change": name,
        "tokens": result["tokens"],
        "seconds": result["seconds"],
        "nats_per_byte": result["validation/nats_per_byte"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("changes", nargs="*", help="which; all if none is named")
    parser.add_argument("--steps", type=int, default=260)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, default=FOLDER / "records")
    options = parser.parse_args()
    judged = RECIPES["village-base"].n_validation
    floor = math.log(2) * entropy(judged, split="validation")[0]
    tasks = [(name, options.steps) for name in options.changes or CHANGES]
    rows = []
    with multiprocessing.get_context("spawn").Pool(options.workers) as pool:
        for row in pool.imap(run, tasks):
            row["above_entropy"] = row["nats_per_byte"] / floor - 1
            rows.append(row)
            print(f"{row['change']:36} {row['above_entropy']:6.1%}", flush=True)
    record = {"machine": machine("torch"), "entropy": floor, "runs": rows}
    write_record("tried", record, options.out)


if __name__ == "__main__":
    main()
