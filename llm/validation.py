"""What a run shows: loss over whole documents, samples, curves.

Tangled from book/10-the-training-loop.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from llm.model import Transformer, sample
from llm.shards import END_OF_TEXT
from llm.tokenizer import Tokenizer


# %% book/10-the-training-loop.md#Documents
class Documents:
    """Whole documents, for an evaluation without luck.

    Args:
        texts: of the validation set, all of it.
        block_size: tokens that the model can read; what is longer goes on
            in a new row, with the second half of the last one for context.
    """

    def __init__(
        self, texts: Iterable[str], tokenizer: Tokenizer, block_size: int
    ) -> None:
        self.rows: list[tuple[list[int], int]] = []  # ids, targets to skip
        self.n_bytes = self.n_targets = 0
        end = tokenizer.special_tokens[END_OF_TEXT]
        for text in texts:
            ids = [end, *tokenizer.encode(text), end]
            self.n_bytes += len(text.encode()) + 1  # for its end
            self.n_targets += len(ids) - 1
            done = 0
            while done < len(ids) - 1:
                begin = max(0, done - block_size // 2)
                row = ids[begin : begin + block_size + 1]
                self.rows.append((row, done - begin))
                done = begin + len(row) - 1
        if not self.rows:
            raise ValueError("there are no documents to evaluate on")
        self.rows.sort(key=lambda row: len(row[0]))

    # -- book/10-the-training-loop.md#Documents.batches
    def batches(self, tokens: int) -> Iterator[list[tuple[list[int], int]]]:
        """The rows, the short ones first; the last of a batch is its widest."""
        batch: list[tuple[list[int], int]] = []
        for row in self.rows:
            if batch and (len(batch) + 1) * len(row[0]) > tokens:
                yield batch
                batch = []
            batch.append(row)
        yield batch

    # -- book/10-the-training-loop.md#Documents.nats
    @torch.no_grad()
    def nats(self, model: Transformer, tokens: int = 8_192) -> float:
        """The sum of the model's losses over all documents, in nats.

        Args:
            tokens: in a batch at most, padding and all, or one row.
        """
        total = torch.zeros((), dtype=torch.float64)
        device = model.embedding.weight.device
        for batch in self.batches(tokens):
            width = len(batch[-1][0])
            ids = torch.zeros(len(batch), width, dtype=torch.long)
            targets = torch.full((len(batch), width - 1), -100)
            for i, (row, skip) in enumerate(batch):
                ids[i, : len(row)] = torch.tensor(row)
                stop = len(row) - 1
                targets[i, skip:stop] = ids[i, skip + 1 : stop + 1]
            loss = model.loss(ids[:, :-1].to(device), targets.to(device))
            total += loss.double().cpu() * (targets != -100).sum()
        return total.item()

    def __call__(self, model: Transformer) -> dict[str, float]:
        """Nats per byte and per token: an evaluation for the `Trainer`."""
        nats = self.nats(model)
        return {
            "nats_per_byte": nats / self.n_bytes,
            "nats_per_token": nats / self.n_targets,
        }


# %% book/10-the-training-loop.md#Samples
class Samples:
    """Texts that a model writes, as an evaluation: always the same draw."""

    def __init__(
        self, tokenizer: Tokenizer, count: int = 1, length: int = 200,
        prompt: str = "", temperature: float = 1.0, seed: int = 0,
    ) -> None:
        self.tokenizer, self.count, self.length = tokenizer, count, length
        self.temperature, self.seed = temperature, seed
        self.end = tokenizer.special_tokens[END_OF_TEXT]
        self.prompt = tokenizer.encode(prompt)

    def texts(self, model: Transformer) -> list[str]:
        """Each begins with the prompt and ends where the model ends it."""
        device = model.embedding.weight.device
        start = torch.tensor([[self.end, *self.prompt]], device=device)
        draws = torch.Generator(device).manual_seed(self.seed)
        starts = start.repeat(self.count, 1)
        rows = sample(model, starts, self.length, self.temperature, draws)
        texts = []
        for row in rows[:, 1:].tolist():
            stop = row.index(self.end) if self.end in row else len(row)
            texts.append(self.tokenizer.decode(row[:stop]))
        return texts

    def __call__(self, model: Transformer) -> dict[str, str]:
        """The texts, numbered."""
        return {str(i): text for i, text in enumerate(self.texts(model))}


# %% book/10-the-training-loop.md#draw_curves
def draw_curves(axes: Any, rows: Sequence[dict[str, Any]]) -> None:
    """Draw each number in the rows of metrics.jsonl over the tokens.

    Args:
        axes: an `Axes` of matplotlib.
    """
    names = dict.fromkeys(key for row in rows for key in row)
    hidden = {"step", "tokens", "seconds", "norm", "rate"}
    for name in [key for key in names if key not in hidden]:
        points = [(r.get("tokens"), r[name]) for r in rows if name in r]
        if not all(isinstance(n, int | float) for xy in points for n in xy):
            continue
        x, y = zip(*points, strict=True)
        often = len(x) > 20
        axes.plot(x, y, lw=1, marker="" if often else ".", label=name)
    axes.set(xlabel="tokens", yscale="log")
    axes.legend()


# %% book/10-the-training-loop.md#tensorboard
def tensorboard(run: str | Path) -> Callable[[Any, dict[str, Any]], None]:
    """A hook for the `Trainer` that writes rows for TensorBoard.

    Raises:
        ImportError: TensorBoard isn't installed.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise ImportError(
            "TensorBoard is missing: pip install 'literate-llm[train]'"
        ) from None
    writer = SummaryWriter(str(run))

    def hook(trainer: Any, row: dict[str, Any]) -> None:
        for name, value in row.items():
            if isinstance(value, str):
                writer.add_text(name, value, row["step"])
            elif name != "step":
                writer.add_scalar(name, value, row["step"])
        writer.flush()

    return hook
