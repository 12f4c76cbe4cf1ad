"""Sizes of a model and a run for the time that there is.

Tangled from book/10-the-training-loop.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import math
import time

import torch

from llm.config import ModelConfig, flops_per_token, matrix_sizes, preset
from llm.cooking import VILLAGES, Recipe
from llm.corpora import documents
from llm.model import Transformer
from llm.optim import OptimConfig, build_optimizer
from llm.trainer import next_token_loss


# %% book/10-the-training-loop.md#tokens_per_second
def tokens_per_second(
    config: ModelConfig, batch_size: int, seconds: float = 1.0
) -> float:
    """How fast a model of these sizes trains on this machine."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    with torch.random.fork_rng():
        model = Transformer(config).to(device)
        optimizer = build_optimizer(model, OptimConfig())
        shape = (batch_size, config.max_seq_len + 1)
        rows = torch.randint(config.vocab_size, shape, device=device)
    begun, steps = 0.0, -1  # the first step warms up
    while steps < 1 or time.perf_counter() - begun < seconds:
        if steps == 0:
            begun = time.perf_counter()
        next_token_loss(model, rows).backward()
        optimizer.step()
        optimizer.zero_grad()
        if device == "cuda":
            torch.cuda.synchronize()
        steps += 1
    tokens = steps * batch_size * config.max_seq_len
    return tokens / (time.perf_counter() - begun)


# %% book/10-the-training-loop.md#LADDER
LADDER = (  # layers, width
    *((2, 64), (3, 96), (4, 128), (5, 192), (6, 256), (8, 384)),
    *((10, 512), (12, 768), (16, 1_024)),
)
TOKENS_PER_WEIGHT = 4.0
RATES = OptimConfig(
    lr=0.02, embedding_lr=0.3, head_lr=0.02, momentum=0.9
)
EPOCHS = 8  # more passes over a small corpus only learn it by heart


def size(layers: int, width: int, vocab_size: int, T: int) -> ModelConfig:
    """A model of the village's family."""
    return preset(
        "village",
        vocab_size=vocab_size,
        max_seq_len=T,
        n_layers=layers,
        d_model=width,
        n_heads=width // (32 if width < 256 else 64),
        d_ff=4 * width,
        norm_weight=False,
        embed_shortcut=True,
        value_embeddings=True,
    )


def fit(
    seconds: float, n_tokens: float, vocab_size: int, T: int = 256
) -> tuple[ModelConfig, int, int]:
    """A model, a batch size and a number of steps for a budget.

    Args:
        seconds: to train, on this machine as it is now.
        n_tokens: of the corpus, about.
    """
    middle = size(*LADDER[2], vocab_size, T)
    speed = tokens_per_second(middle, 4) * flops_per_token(middle, T)
    chosen, batch_size = size(*LADDER[0], vocab_size, T), 4
    for layers, width in LADDER[1:]:
        config = size(layers, width, vocab_size, T)
        tokens = seconds * speed / flops_per_token(config, T)
        tokens = min(tokens, EPOCHS * n_tokens)
        weights = layers * sum(matrix_sizes(config))
        if tokens < TOKENS_PER_WEIGHT * weights or n_tokens < weights:
            break
        chosen, batch_size = config, max(4, 8 * width // T)
    tokens = seconds * tokens_per_second(chosen, batch_size)
    tokens = min(tokens, EPOCHS * n_tokens)
    return chosen, batch_size, max(10, int(tokens / (batch_size * T)))


# %% book/10-the-training-loop.md#STORY_BYTES
STORY_BYTES = 600  # bytes of a story of the village, about
MOST = 100_000_000  # characters that a run reads, so as to fit in memory


def plan(data: str, seconds: float, seed: int = 0) -> Recipe:
    """A recipe for any texts and any time; measures for two seconds."""
    if data in VILLAGES:
        vocab_size, total, count = 2_048, MOST, 0
    else:
        total = count = 0
        for text in documents(data):
            total, count = total + len(text), count + 1
            if total > MOST:
                break
        power = round(math.log2(max(1.0, total / 1_000)))
        vocab_size = min(4_096, max(512, 2**power))
    model, rows, steps = fit(seconds, 0.9 * total / 3.5, vocab_size)
    used = steps * rows * model.max_seq_len
    return Recipe(
        data=data,
        n_documents=count or 1 + used * 4 // STORY_BYTES,
        model=model,
        optim=RATES,
        batch_size=rows,
        steps=steps,
        seed=seed,
    )
