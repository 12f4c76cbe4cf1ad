"""The memory of a training step: predicted, metered, and in the allocator's books.

    python benchmarks/memory.py [--time] [--compile]

For each shape, `llm.flops.step_memory` beside the peak that `llm.flops.Meter` counts,
both with and without checkpointed activations. Shapes that this machine can hold are
run, and the allocator's own count (the profiler's) is kept as well; others are only
weighed, on tensors without numbers. With `--time`, a step of the village model takes
turns with one that computes its activations again; with `--compile`, with one whose
blocks `torch.compile` has compiled. Ratios are medians of the turns' ratios.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from common import FOLDER, machine, write_record
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.profiler import ProfilerActivity, profile

from llm.config import ModelConfig, n_parameters, preset
from llm.flops import Meter, checkpoint_activations, step_memory
from llm.model import Transformer

# preset, changes, rows, tokens, small enough to be run
SHAPES = [
    ("village", {}, 8, 128, True),
    ("village", {"vocab_size": 65, "max_seq_len": 256}, 16, 256, True),
    ("gpt2", {"n_layers": 2}, 1, 128, True),
    ("gpt2", {}, 8, 1024, False),
    ("llama", {"n_layers": 4}, 2, 1024, False),
    ("qwen3", {}, 2, 1024, False),
]
Step = Callable[[], None]


def make_step(config: ModelConfig, B: int, T: int) -> tuple[Transformer, Step]:
    model = Transformer(config)
    x, y = torch.randint(config.vocab_size, (2, B, T)).unbind()
    optimizer = torch.optim.AdamW(model.parameters(), 1e-4, fused=True)

    def step() -> None:
        model.loss(x, y).backward()
        optimizer.step()
        optimizer.zero_grad()

    return model, step


def metered(config: ModelConfig, B: int, T: int, checkpointed: bool) -> int:
    with FakeTensorMode():
        model, step = make_step(config, B, T)
        if checkpointed:
            checkpoint_activations(model)
        step()
        with Meter() as meter:
            step()
    return meter.peak


def booked(config: ModelConfig, B: int, T: int, checkpointed: bool) -> int:
    model, step = make_step(config, B, T)
    if checkpointed:
        checkpoint_activations(model)
    step()
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as record:
        step()
    events = record.profiler.kineto_results.events()
    memory = [event for event in events if event.name() == "[memory]"]
    live = peak = 0
    for event in sorted(memory, key=lambda event: event.start_ns()):
        live += event.nbytes()
        peak = max(peak, live)
    return peak


def seconds(step: Step) -> float:
    begun = time.perf_counter()
    step()
    return time.perf_counter() - begun


def in_turns(plain: Step, other: Step, turns: int) -> dict[str, float]:
    first = seconds(other)  # compiles, if it is to be compiled
    seconds(plain)
    pairs = [(seconds(plain), seconds(other)) for _ in range(turns)]
    ratio = statistics.median(b / a for a, b in pairs)
    step = statistics.median(a for a, _ in pairs)
    return {
        "first_seconds": round(first, 1),
        "step_seconds": round(step, 3),
        "ratio": round(ratio, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--time", action="store_true")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--turns", type=int, default=9)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=FOLDER / "records")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    results = []
    for name, changes, B, T, run in SHAPES:
        config = preset(name, **changes)
        stays = 12 * n_parameters(config)
        for checkpointed in (False, True):
            predicted = step_memory(config, B, T, checkpointed=checkpointed).peak
            found = stays + metered(config, B, T, checkpointed)
            row = {"preset": name, **changes, "batch": [B, T]}
            row |= {"checkpointed": checkpointed, "predicted": predicted}
            row |= {"metered": found, "error": round(predicted / found - 1, 4)}
            if run:
                row["booked"] = stays + booked(config, B, T, checkpointed)
            results.append(row)
            how = "again" if checkpointed else "kept"
            print(
                f"{name:8}{B:3} x {T:5,} {how:6}{predicted / 1e6:9.1f} MB predicted, "
                f"{found / 1e6:9.1f} metered ({predicted / found - 1:+.1%})",
                flush=True,
            )
    record = {"machine": machine("torch"), "results": results}
    _, plain = make_step(preset("village"), 8, 128)
    if options.time:
        model, other = make_step(preset("village"), 8, 128)
        checkpoint_activations(model)
        record["checkpointed"] = in_turns(plain, other, options.turns)
        print("activations computed again:", record["checkpointed"])
    if options.compile:
        model, other = make_step(preset("village"), 8, 128)
        for block in model.blocks:
            block.compile()
        record["compiled"] = in_turns(plain, other, options.turns)
        print("blocks compiled:", record["compiled"])
    write_record("memory", record, options.out)


if __name__ == "__main__":
    main()
