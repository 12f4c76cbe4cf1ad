"""Our loader beside random crops by slices (the method of nanoGPT's `get_batch`).

    python benchmarks/loader.py [--tokens 50000000] [--runs 5]

Both read the same memory-mapped uint16 tokens in one process and one thread and give
int64 tensors; they take turns, and a ratio is the median of the turns' ratios. Above 1,
ours gives more tokens a second.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from common import FOLDER, machine, write_record

from llm.data import Loader, TokenDataset
from llm.shards import write_shard
from llm.tokenizer import train_bpe

SHAPES = ((16, 64), (64, 256), (12, 1_024), (32, 1_024), (8, 4_096))


def crops(tokens: np.ndarray, batch_size: int, block_size: int) -> object:
    starts = torch.randint(len(tokens) - block_size, (batch_size,)).tolist()

    def stack(shift: int) -> torch.Tensor:
        cuts = [tokens[i + shift : i + shift + block_size] for i in starts]
        return torch.stack([torch.from_numpy(cut.astype(np.int64)) for cut in cuts])

    return stack(0), stack(1)


def speed(step: Callable[[], object], tokens: int, seconds: float = 0.3) -> float:
    begun, steps = time.perf_counter(), 0
    while time.perf_counter() - begun < seconds:
        step()
        steps += 1
    return steps * tokens / (time.perf_counter() - begun)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, default=50_000_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--out", type=Path, default=FOLDER / "records")
    options = parser.parse_args()
    torch.set_num_threads(1)
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tokens.bin"
        ids = np.random.default_rng(0).integers(0, 50_000, options.tokens)
        tokenizer = train_bpe("", 257, ["<|endoftext|>"])
        write_shard(path, ids % 257, tokenizer)
        for batch_size, block_size in SHAPES:
            data = TokenDataset(path, block_size, verify=False)
            loader, flat = Loader(data, batch_size), data.shards[0].tokens
            size, turns = batch_size * block_size, []
            for _ in range(options.runs):
                ours = speed(loader.__next__, size)
                slices = speed(partial(crops, flat, batch_size, block_size), size)
                turns.append((ours, slices, ours / slices))
            ours, slices, ratio = map(statistics.median, zip(*turns, strict=True))
            name = f"{batch_size} x {block_size}"
            results[name] = {
                "ours": round(ours),
                "slices": round(slices),
                "ratio": round(ratio, 2),
            }
            print(
                f"{name:12} {ours / 1e6:7.1f} M tokens/s, "
                f"slices {slices / 1e6:7.1f}, ratio {ratio:.2f}"
            )
    write_record(
        "loader",
        {"machine": machine("torch", "numpy"), "tokens_per_second": results},
        options.out,
    )


if __name__ == "__main__":
    main()
