"""Sizes of a model and a run for the time that there is.

Tangled from book/10-the-training-loop.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import dataclasses
import math
import time

import torch

from llm.config import ModelConfig, flops_per_token, matrix_sizes, preset
from llm.cooking import VILLAGES, Recipe
from llm.corpora import documents
from llm.losses import next_token_loss
from llm.model import Transformer
from llm.optim import OptimConfig, build_optimizer, clip_by_global_norm


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

    def step() -> None:
        """Train for one step, and wait for its end."""
        next_token_loss(model, rows).backward()
        clip_by_global_norm(model.parameters(), math.inf)
        optimizer.step()
        optimizer.zero_grad()
        if device == "cuda":
            torch.cuda.synchronize()

    step()  # the first one is slower
    begun, steps = time.perf_counter(), 0
    while steps == 0 or time.perf_counter() - begun < seconds:
        step()
        steps += 1
    tokens = steps * batch_size * config.max_seq_len
    return tokens / (time.perf_counter() - begun)


# %% book/10-the-training-loop.md#LADDER
LADDER = (  # layers, width
    *((1, 32), (1, 64), (2, 64), (3, 96), (4, 128), (5, 192), (6, 256)),
    *((8, 384), (10, 512), (12, 768), (16, 1_024)),
)
TOKENS_PER_WEIGHT = 4.0
RATES = OptimConfig(
    lr=0.03, embedding_lr=0.2, head_lr=0.02, momentum=0.9, betas=(0.5, 0.99)
)
TOKENS_PER_WIDTH = 20  # in a batch, for each number in the stream
EPOCHS = 4  # passes over a corpus, at most


def size(
    layers: int, width: int, vocab_size: int, T: int, ngrams: int = 3
) -> ModelConfig:
    """A model of the village's family."""
    return preset(
        "village", vocab_size=vocab_size, max_seq_len=T, n_layers=layers,
        d_model=width, n_heads=width // (32 if width < 256 else 64),
        d_ff=4 * width, norm_weight=False, embed_shortcut=True,
        value_embeddings=True, ngrams=ngrams,
    )


def rows_for(config: ModelConfig) -> int:
    """How many rows a batch should have."""
    return max(4, TOKENS_PER_WIDTH * config.d_model // config.max_seq_len)


def fit(
    seconds: float, n_tokens: float, vocab_size: int, T: int = 256,
    ngrams: int = 3,
) -> tuple[ModelConfig, int, int]:
    """A model, a batch size and a number of steps for a budget.

    Args:
        seconds: to train, on this machine as it is now.
        n_tokens: of the corpus, about.
    """
    seconds *= 0.9  # what it did for a second, none keeps up for minutes
    sizes = [size(*rung, vocab_size, T, ngrams) for rung in LADDER]
    middle = sizes[3]
    speed = tokens_per_second(middle, rows_for(middle))
    speed *= flops_per_token(middle, T)
    chosen = sizes[0]
    for config in sizes[1:]:
        tokens = seconds * speed / flops_per_token(config, T)
        tokens = min(tokens, EPOCHS * n_tokens)
        weights = config.n_layers * sum(matrix_sizes(config))
        if tokens < TOKENS_PER_WEIGHT * weights or n_tokens < weights:
            break
        chosen = config
    batch_size = rows_for(chosen)
    tokens = seconds * tokens_per_second(chosen, batch_size)
    tokens = min(tokens, EPOCHS * n_tokens)
    return chosen, batch_size, max(10, int(tokens / (batch_size * T)))


# %% book/10-the-training-loop.md#STORY_BYTES
STORY_BYTES, STORY_TOKENS = 600, 150  # with 2,048 tokens, about
MOST = 100_000_000  # characters that a run reads, so as to fit in memory
IN_MEMORY = 50_000_000  # tokens that may be kept as documents there


def measure(data: str) -> tuple[int, int]:
    """How many documents there are, and characters; (0, MOST): no end."""
    if data in VILLAGES:
        return 0, MOST
    total = count = 0
    for text in documents(data):
        total, count = total + len(text), count + 1
        if total > MOST:
            break
    return count, total


def plan(
    data: str, seconds: float, seed: int = 0, letters: bool = False
) -> Recipe:
    """A recipe for any texts and any time; measures for two seconds.

    Args:
        letters: read the bytes as they are, with no tokens made of them.
    """
    count, total = measure(data)
    if letters:  # bytes, and the end
        vocab_size, T, ngrams, per_token = 257, 128, 5, 1.0
    else:  # a token for each thousand characters, about
        power = round(math.log2(max(1.0, total / 1_000)))
        known = min(4_096, max(512, 2**power))
        vocab_size = 2_048 if count == 0 else known
        T, ngrams, per_token = 256, 3, 3.5
    n_tokens = 0.9 * total / per_token
    model, rows, steps = fit(seconds, n_tokens, vocab_size, T, ngrams)
    used, optim = steps * rows * model.max_seq_len, RATES
    if used > n_tokens:  # what is read twice can be learnt by heart
        model = dataclasses.replace(model, ngram_dropout=0.5)
        optim = dataclasses.replace(RATES, weight_decay=0.1)
    whole = count == 0 and not letters and used < IN_MEMORY
    if whole:  # two thirds of the tokens in a batch, found by trial
        rows = max(4, 2 * rows * model.max_seq_len // (3 * STORY_TOKENS))
        steps = used // (rows * STORY_TOKENS)
    return Recipe(
        data=data,
        n_documents=count or (1 + int(1.2 * used * per_token) // STORY_BYTES),
        model=model, optim=optim, batch_size=rows, steps=steps,
        masked=not whole and not letters,  # letters: as others do it
        whole=whole, seed=seed,
    )
