"""What each choice in a recipe is worth, one change at a time.

    python benchmarks/tried.py village village-whole tinyshakespeare.txt
                               [--only CHANGE ...]

`village`: the recipe of village-base, cut short; all runs read stories from the same
4,800 and are judged by the same 400. `village-whole`: the recipe in its full length, as
short runs can't tell all. A text: the race's recipe, at two passes over a megabyte,
judged by the last tenth.

A run has one thread, so that as many as there are cores can go at a time; their seconds
say which are slower, and nothing else. One seed, and two more of the recipe itself, to
show how much is luck; of whole runs also two with the sums of two threads, which differ
in rounding. What has a record is kept; --only runs it again.
"""

import argparse
import dataclasses
import json
import math
import multiprocessing
import tempfile
from pathlib import Path
from typing import Any

import torch
from common import FOLDER, machine, write_record

import llm.ngram_embedding
from llm.budget import RATES, rows_for, size
from llm.checkpoint import load_model
from llm.cooking import Recipe, cook, split_texts
from llm.recipes import RECIPES
from llm.validation import Documents
from llm.village import entropy

# What is changed: in the model, in the optimizer, in the rest of the recipe.
Change = tuple[dict[str, Any], dict[str, Any], dict[str, Any]]
CUT = {"batch_size": 5, "whole": False, "masked": True}
VILLAGE: dict[str, Change] = {
    "as it is": ({}, {}, {}),
    "another seed": ({}, {}, {"seed": 1}),
    "a third seed": ({}, {}, {"seed": 2}),
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

WEIGHTS = {"norm_weight": True}
WHOLE: dict[str, Change] = {
    "as it is": ({}, {}, {}),
    "another seed": ({}, {}, {"seed": 1}),
    "two threads": ({}, {}, {"threads": 2}),
    "Muon's rate 0.015": ({}, {"lr": 0.015}, {}),
    "embeddings' rate 0.3": ({}, {"embedding_lr": 0.3}, {}),
    "four heads of 32": ({"n_heads": 4, "n_kv_heads": 4, "head_dim": 32}, {}, {}),
    "rotations of base 1,000,000": ({"rope_base": 1e6}, {}, {}),
    "weights in the norms": (WEIGHTS, {}, {}),
    "weights, another seed": (WEIGHTS, {}, {"seed": 1}),
    "weights, two threads": (WEIGHTS, {}, {"threads": 2}),
    "weights, Muon's rate 0.03": (WEIGHTS, {"lr": 0.03, "vectors_lr": 0.02}, {}),
    "weights, at a rate of 0.01": (WEIGHTS, {"vectors_lr": 0.01}, {}),
    "weights, at a rate of 0.05": (WEIGHTS, {"vectors_lr": 0.05}, {}),
    "weights, cooldown over all steps": (WEIGHTS, {}, {"cooldown": 1.0}),
}

TEXT: dict[str, Change] = {
    "as it is": ({}, {}, {}),
    "another seed": ({}, {}, {"seed": 1}),
    "a third seed": ({}, {}, {"seed": 2}),
    "tables not scaled after training": ({}, {}, {"scaled": False}),
    "no dropout of runs": ({"ngram_dropout": 0.0}, {}, {}),
    "dropout of a quarter": ({"ngram_dropout": 0.25}, {}, {}),
    "dropout of two thirds": ({"ngram_dropout": 2 / 3}, {}, {}),
    "no weight decay": ({}, {"weight_decay": 0.0}, {}),
    "no tables of runs": ({"ngrams": 1, "ngram_dropout": 0.0}, {}, {}),
    "runs of up to three": ({"ngrams": 3}, {}, {}),
    "runs of up to seven": ({"ngrams": 7}, {}, {}),
    "tables of 65,536 rows": ({"ngram_rows": 65_536}, {}, {}),
    "no value embeddings": ({"value_embeddings": False}, {}, {}),
    "AdamW for all": ({}, {"optimizer": "adamw", "lr": 0.005}, {}),
    "batches half as large, twice the steps": ({}, {}, {"batch_size": 7, "times": 2.0}),
    "rows of 256": ({"max_seq_len": 256}, {}, {"batch_size": 7}),
}
CHANGES = {"village": VILLAGE, "village-whole": WHOLE}
GAIN = llm.ngram_embedding.GAIN


def base(data: str) -> Recipe:
    """What is changed."""
    village = RECIPES["village-base"]
    if data == "village-whole":
        return village
    if data == "village":
        model = size(3, 96, vocab_size=2_048, T=256)
        short = {"n_documents": 4_800, "steps": 260, "optim": RATES, "model": model}
        return dataclasses.replace(village, **short)
    model = size(3, 96, vocab_size=257, T=128, ngrams=5)
    return Recipe(
        data=data,
        n_documents=1,
        model=dataclasses.replace(model, ngram_dropout=0.5),
        optim=dataclasses.replace(RATES, weight_decay=0.1),
        batch_size=rows_for(model),
        steps=1_072,
        masked=False,
    )


def run(task: tuple[str, str, int]) -> dict[str, Any]:
    """Train with one change."""
    data, name, steps = task
    changes = CHANGES.get(data, TEXT)
    model, optim, rest = (dict(change) for change in changes[name])
    torch.set_num_threads(rest.pop("threads", 1))
    llm.ngram_embedding.GAIN = model.pop("gain", GAIN)
    recipe = base(data)
    steps, scaled = round(steps * rest.pop("times", 1.0)), rest.pop("scaled", True)
    recipe = dataclasses.replace(
        recipe,
        model=dataclasses.replace(recipe.model, **model),
        optim=dataclasses.replace(recipe.optim, **optim),
        **{"steps": steps, **rest},
    )
    with tempfile.TemporaryDirectory() as folder:
        result = cook(recipe, folder, show_progress=False)
        loss = result["validation/nats_per_byte"]
        if not scaled:
            loss = unscaled(data, Path(folder))
    return {
        "change": name,
        "tokens": result["tokens"],
        "seconds": result["seconds"],
        "nats_per_byte": loss,
    }


def unscaled(data: str, run: Path) -> float:
    """The loss if tables speak as loudly as they did when some were left out."""
    model, tokenizer = load_model(run)
    model.before.dropout = 0.0
    _, unseen = split_texts([Path(data).read_text()])
    return Documents(unseen, tokenizer, model.config.max_seq_len)(model)[
        "nats_per_byte"
    ]


def kept(path: Path, steps: int) -> dict[str, Any]:
    """The rows of a record of as many steps, by their change."""
    record = json.loads(path.read_text()) if path.is_file() else {"steps": steps}
    if record["steps"] != steps:
        raise SystemExit(f"{path} has {record['steps']} steps: name another --out")
    return {row["change"]: row for row in record.get("runs", [])}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="+", help="village, village-whole, or a file")
    parser.add_argument("--only", nargs="+", help="which changes; else all")
    parser.add_argument("--steps", type=int, help="rather than the recipe's")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, default=FOLDER / "records")
    options = parser.parse_args()
    for data in options.data:
        steps = options.steps or base(data).steps
        changes, stem = CHANGES.get(data, TEXT), Path(data).stem
        rows = kept(options.out / f"tried-{stem}.json", steps)
        names = options.only or [name for name in changes if name not in rows]
        record: dict[str, Any] = {"machine": machine("torch"), "text": stem}
        record["steps"] = steps
        if data in CHANGES:
            judged = RECIPES["village-base"].n_validation
            record["entropy"] = math.log(2) * entropy(judged, split="validation")[0]
        with multiprocessing.get_context("spawn").Pool(options.workers) as pool:
            for row in pool.imap(run, [(data, name, steps) for name in names]):
                rows[row["change"]] = row
                print(f"{row['change']:40} {row['nats_per_byte']:.4f}", flush=True)
                record["runs"] = [rows[name] for name in changes if name in rows]
                write_record(f"tried-{stem}", record, options.out)


if __name__ == "__main__":
    main()
