"""A training step of GPT-2's shape: ours beside nanoGPT and transformers.

    git clone https://github.com/karpathy/nanoGPT
    python benchmarks/model.py --nanogpt nanoGPT [--shape gpt2] [--steps 9]

The same shape, the same batch, float32, no dropout, in one process. The programs take
turns, a step each (forward, backward, optimizer), and a ratio is the median of the
turns' ratios; above 1, ours is faster. nanoGPT uses the exact GELU and GPT-2 its
approximation, so each is compared with ours computing the same. Each has the optimizer
of its own training script: nanoGPT's `configure_optimizers`, which on a CPU isn't
fused; AdamW fused for transformers, as its Trainer has it, and for ours. With
`--same-optimizer` all have PyTorch's fused AdamW.
"""

import argparse
import contextlib
import io
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from common import FOLDER, load_module, machine, write_record
from torch import Tensor

from llm.config import preset
from llm.model import Transformer

# vocabulary, layers, heads, width, window; rows and tokens of a batch
SHAPES = {
    "gpt2": ((50_257, 12, 12, 768, 1_024), (4, 256)),
    "characters": ((65, 4, 4, 128, 64), (12, 64)),
}
Step = Callable[[], None]


def fused(parameters: object) -> torch.optim.Optimizer:
    return torch.optim.AdamW(parameters, 1e-3, (0.9, 0.95), fused=True)


def stepper(loss: Callable[[], Tensor], optimizer: torch.optim.Optimizer) -> Step:
    def step() -> None:
        loss().backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return step


def ours(shape: tuple[int, ...], x: Tensor, y: Tensor, activation: str) -> Step:
    V, L, H, D, T = shape
    sizes = {"vocab_size": V, "n_layers": L, "n_heads": H, "d_model": D}
    sizes |= {"d_ff": 4 * D, "max_seq_len": T}
    model = Transformer(preset("gpt2", **sizes, activation=activation))
    return stepper(lambda: model.loss(x, y), fused(model.parameters()))


def nanogpt(
    shape: tuple[int, ...], x: Tensor, y: Tensor, source: Path, same: bool
) -> Step:
    module = load_module(source / "model.py")
    V, L, H, D, T = shape
    sizes = {"vocab_size": V, "n_layer": L, "n_head": H, "n_embd": D, "block_size": T}
    with contextlib.redirect_stdout(io.StringIO()):
        model = module.GPT(module.GPTConfig(**sizes, dropout=0.0, bias=True))
        own = model.configure_optimizers(0.1, 1e-3, (0.9, 0.95), "cpu")
    optimizer = fused(model.parameters()) if same else own
    return stepper(lambda: model(x, y)[1], optimizer)


def transformers(shape: tuple[int, ...], x: Tensor, y: Tensor) -> Step:
    from transformers import GPT2Config, GPT2LMHeadModel

    V, L, H, D, T = shape
    sizes = {"vocab_size": V, "n_layer": L, "n_head": H, "n_embd": D, "n_positions": T}
    dropout = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
    ends = {"bos_token_id": 0, "eos_token_id": 0}
    model = GPT2LMHeadModel(GPT2Config(**sizes, **dropout, **ends, use_cache=False))
    model.train()

    def loss() -> Tensor:
        return F.cross_entropy(model(x).logits.flatten(0, 1), y.flatten())

    return stepper(loss, fused(model.parameters()))


def seconds(step: Step) -> float:
    begun = time.perf_counter()
    step()
    return time.perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nanogpt", type=Path, help="a clone of its repository")
    parser.add_argument("--shape", choices=SHAPES, default="gpt2")
    parser.add_argument("--steps", type=int, default=9)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--same-optimizer", action="store_true")
    parser.add_argument("--out", type=Path, default=FOLDER / "records")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    shape, (rows, length) = SHAPES[options.shape]
    x, y = torch.randint(shape[0], (2, rows, length)).unbind()
    steps = {
        "ours": ours(shape, x, y, "gelu_tanh"),
        "transformers": transformers(shape, x, y),
    }
    if options.nanogpt:
        same = options.same_optimizer
        steps["ours, exact GELU"] = ours(shape, x, y, "gelu")
        steps["nanoGPT"] = nanogpt(shape, x, y, options.nanogpt, same)
    for step in steps.values():
        step()
    turns: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(options.steps):
        for name, step in steps.items():
            turns[name].append(seconds(step))
    results = {}
    for name, times in turns.items():
        mine = turns["ours, exact GELU" if name == "nanoGPT" else "ours"]
        ratios = [t / o for t, o in zip(times, mine, strict=True)]
        speed = rows * length / statistics.median(times)
        ratio = statistics.median(ratios)
        results[name] = {"tokens_per_second": round(speed), "ratio": round(ratio, 2)}
        print(f"{name:17}{speed:10,.0f} tokens/s; ours is {ratio:.2f} x as fast")
    record = {
        "machine": machine("torch", "transformers"),
        "threads": options.threads,
        "batch": [rows, length],
        "same_optimizer": options.same_optimizer,
        "results": results,
    }
    name = f"model-{options.shape}" + "-same-optimizer" * options.same_optimizer
    write_record(name, record, options.out)


if __name__ == "__main__":
    main()
