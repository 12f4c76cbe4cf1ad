"""A run from its recipe: texts, tokenizer, shards, trainer.

Tangled from book/10-the-training-loop.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import dataclasses
import itertools
import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from llm.checkpoint import checkpoints, save_model
from llm.config import ModelConfig
from llm.corpora import documents
from llm.data import Loader, TokenDataset
from llm.files import write_json
from llm.losses import count_targets, document_loss, next_token_loss
from llm.model import Transformer
from llm.optim import OptimConfig, Schedule, build_optimizer
from llm.shards import END_OF_TEXT, source_of, tokenize
from llm.tensor_files import read_object
from llm.tokenizer import Tokenizer, train_bpe
from llm.train_config import TrainConfig
from llm.trainer import Evaluation, Hook, Trainer
from llm.validation import Documents, Samples
from llm.village import Village


# %% book/10-the-training-loop.md#Recipe
@dataclass(frozen=True, kw_only=True)
class Recipe:
    """All that decides what a run makes, but for the machine's rounding.

    Raises:
        ValueError: a number that can't be meant, with its name.
    """

    data: str  # village, hamlet, a corpus's name, a file or a folder
    n_documents: int  # at most; a tenth of them is for validation
    n_validation: int = 400  # in a village so many more instead
    model: ModelConfig
    optim: OptimConfig
    batch_size: int  # rows of model.max_seq_len
    steps: int
    warmup: int = 0
    cooldown: float = 0.7  # share of the steps
    clip: float | None = None
    masked: bool = True  # no token sees into another document
    whole: bool = False  # a row is a document; else rows are cut anywhere
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("n_documents", "n_validation", "batch_size", "steps"):
            if (value := getattr(self, name)) < 1:
                raise ValueError(f"{name} is {value}: at least 1 is needed")
        if not 0 <= self.seed < 2**32:
            raise ValueError(f"seed is {self.seed}, not below 2**32")

    def to_dict(self) -> dict[str, Any]:
        """All fields, ready for JSON."""
        return json.loads(json.dumps(dataclasses.asdict(self)))

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> "Recipe":
        """What `to_dict` gave, after a time in a file."""
        try:
            betas = tuple(fields["optim"]["betas"])
            optim = OptimConfig(**{**fields["optim"], "betas": betas})
            model = ModelConfig.from_dict(fields["model"])
            return cls(**{**fields, "model": model, "optim": optim})
        except (KeyError, TypeError) as error:
            raise ValueError(f"this is no recipe: {error}") from None


# %% book/10-the-training-loop.md#VILLAGES
VILLAGES = ("village", "hamlet")


def split_texts(texts: Sequence[str]) -> tuple[list[str], list[str]]:
    """The first nine tenths and the last, cut within a text if need be."""
    cut, train = sum(map(len, texts)) * 9 // 10, list[str]()
    for number, text in enumerate(texts):
        if cut <= len(text):
            parts = [*train, text[:cut]], [text[cut:], *texts[number + 1 :]]
            return [t for t in parts[0] if t], [t for t in parts[1] if t]
        train.append(text)
        cut -= len(text)
    return train, []


def read_texts(recipe: Recipe) -> tuple[list[str], list[str]]:
    """The texts to train on, and those to evaluate on."""
    if recipe.data not in VILLAGES:
        texts = list(documents(recipe.data, recipe.n_documents))
        train, unseen = split_texts(texts)
        if not train or not unseen:
            raise ValueError(f"{recipe.data} is too short to train on")
        return train, unseen
    train, unseen = (
        [s.text for s in itertools.islice(place.stories(), n)]
        for place, n in (
            (Village(recipe.data), recipe.n_documents),
            (Village(recipe.data, split="validation"), recipe.n_validation),
        )
    )
    return train, unseen


# %% book/10-the-training-loop.md#MADE
MADE = ("data", "state", "tokenizer.json", "config.json",
        "model.safetensors", "metrics.jsonl", "result.json")


def claim(run: Path, recipe: Recipe, texts: Iterable[str]) -> None:
    """Note what a run's folder is made from, or find it as it was.

    Raises:
        ValueError: the folder holds a run of another recipe or other texts,
            or files of no run that this one would overwrite.
    """
    now = {"recipe": recipe.to_dict(), "texts": source_of(texts).hex()}
    note = run / "recipe.json"
    before = read_object(note) if note.exists() else {}
    if before == now:
        return
    foreign = [path for name in MADE if (path := run / name).exists()]
    if foreign and not before:
        raise ValueError(f"{foreign[0]} isn't a run's: name another folder")
    for name, value in before.items():
        if checkpoints(run / "state") and now.get(name) != value:
            raise ValueError(
                f"{run} holds a run of {before['recipe']['data']}, with "
                f"another {name}: name another folder"
            )
    shutil.rmtree(run / "data", ignore_errors=True)
    (run / "tokenizer.json").unlink(missing_ok=True)
    run.mkdir(parents=True, exist_ok=True)
    write_json(note, now)


def make_tokenizer(texts: Sequence[str], vocab_size: int) -> Tokenizer:
    """BPE on the first three megabytes or so."""
    sizes = itertools.accumulate(map(len, texts))
    some = [t for t, n in zip(texts, sizes, strict=True) if n < 3_000_000]
    sample_text = "\n".join(some) if some else texts[0][:3_000_000]
    return train_bpe(sample_text, vocab_size, [END_OF_TEXT])


# %% book/10-the-training-loop.md#WholeDocuments
class WholeDocuments(TokenDataset):
    """Batches of whole documents, a row each, that are about equally long.

    A row begins with the end token and is filled up with it. What doesn't
    fit goes on in a row that begins with the last token of the one before.
    A `Loader` of batch size 1 serves one batch, of `batch_size` rows.
    """

    def __init__(
        self, path: Path, block_size: int, tokenizer: Tokenizer,
        batch_size: int,
    ) -> None:
        super().__init__(path, block_size, tokenizer)
        tokens = np.concatenate([shard.tokens for shard in self.shards])
        ends = np.flatnonzero(tokens == self.end) + 1
        self.parts = [
            np.append(self.end, part)[at : at + block_size + 1]
            for part in np.split(tokens, ends[ends < len(tokens)])
            for at in range(0, len(part), block_size)
        ]
        # Within 32 batches: over all, each would have a length of its own.
        sizes = np.array([len(part) for part in self.parts])
        spans = np.arange(len(sizes)) // (32 * batch_size)
        order = np.lexsort((sizes, spans))
        cuts = range(0, len(order), batch_size)
        self.batches = [order[at : at + batch_size] for at in cuts]

    def __len__(self) -> int:
        return len(self.batches)

    def rows(
        self, indices: Sequence[int] | np.ndarray
    ) -> Int[Tensor, "B T1"]:
        """The rows of one batch, int64, as wide as the longest."""
        (index,) = indices
        parts = [self.parts[i] for i in self.batches[index]]
        rows = torch.full((len(parts), max(map(len, parts))), self.end)
        for row, part in zip(rows, parts, strict=True):
            row[: len(part)] = torch.from_numpy(part.astype(np.int64))
        return rows


# %% book/10-the-training-loop.md#prepare
def prepare(
    recipe: Recipe, run: Path
) -> tuple[TokenDataset, Tokenizer, list[str]]:
    """Rows to train on, the tokenizer, and the validation texts."""
    train, unseen = read_texts(recipe)
    claim(run, recipe, (*train, *unseen))
    folder, saved = run / "data", run / "tokenizer.json"
    if not saved.exists():
        make_tokenizer(train, recipe.model.vocab_size).save(saved)
    tokenizer = Tokenizer.load(saved)
    if not (folder / "index.json").exists():
        tokenize(train, folder, tokenizer)
    rows = folder, recipe.model.max_seq_len, tokenizer
    if recipe.whole:
        return WholeDocuments(*rows, recipe.batch_size), tokenizer, unseen
    return TokenDataset(*rows), tokenizer, unseen


# %% book/10-the-training-loop.md#make_trainer
def make_trainer(
    recipe: Recipe,
    run: str | Path,
    hooks: Sequence[Hook] = (),
    **options: Any,
) -> tuple[Trainer, Tokenizer]:
    """A trainer that is ready to begin, or to be resumed.

    Args:
        hooks: of the `Trainer`.
        options: of `TrainConfig`, for what isn't in the recipe; all but
            `accumulate` leave the result as it is.
    """
    run = Path(run)
    dataset, tokenizer, unseen = prepare(recipe, run)
    torch.manual_seed(recipe.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    # A short text has fewer tokens to offer than the recipe asks for.
    config = dataclasses.replace(
        recipe.model, vocab_size=max(tokenizer.vocab) + 1
    )
    model = Transformer(config).to(device)
    schedule = Schedule(
        kind="wsd", steps=recipe.steps,
        warmup=recipe.warmup, cooldown=recipe.cooldown,
    )
    end = tokenizer.special_tokens[END_OF_TEXT]
    loss_fn = document_loss if recipe.masked else next_token_loss
    rows = 1 if recipe.whole else recipe.batch_size
    settings = TrainConfig(
        steps=recipe.steps, clip=recipe.clip, seed=recipe.seed, **options
    )
    evaluations: dict[str, Evaluation] = {
        "validation": Documents(unseen, tokenizer, config.max_seq_len),
        "sample": Samples(tokenizer, length=100),
    }
    trainer = Trainer(
        model, partial(loss_fn, end=end),
        Loader(dataset, rows, recipe.seed),
        build_optimizer(model, recipe.optim), schedule, settings, run,
        evaluations, hooks, partial(count_targets, end=end),
    )
    return trainer, tokenizer


# %% book/10-the-training-loop.md#cook
def cook(recipe: Recipe, run: str | Path, **options: Any) -> dict[str, Any]:
    """Train by a recipe, or finish what was begun; returns the result.

    The folder then holds recipe.json, config.json, model.safetensors,
    tokenizer.json, metrics.jsonl, result.json and state/. The options are
    those of `make_trainer`.
    """
    run = Path(run)
    trainer, tokenizer = make_trainer(recipe, run, **options)
    trainer.resume()
    results = trainer.train()
    save_model(run, trainer.model, tokenizer)
    result = {**results, "tokens": trainer.tokens}
    result["seconds"] = round(trainer.seconds, 1)
    write_json(run / "result.json", result)
    return result
