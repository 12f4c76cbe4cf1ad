"""A language model made of counts.

Tangled from book/01-a-language-model-whole.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor


# %% book/01-a-language-model-whole.md#book-text
def book_text() -> str:
    """This book's own prose, as it was when the copy was frozen.

    Looks for `book/texts/the-literate-llm.txt` in the current folder and
    above it, then among the files of the installed distribution.

    Raises:
        FileNotFoundError: neither place has it.
    """
    name = "the-literate-llm.txt"
    for folder in (Path.cwd(), *Path.cwd().parents):
        path = folder / "book" / "texts" / name
        if path.is_file():
            return path.read_text(encoding="utf-8")
    try:
        shipped = files("literate-llm") or []
    except PackageNotFoundError:
        shipped = []
    for file in shipped:
        if file.name == name:
            return Path(str(file.locate())).read_text(encoding="utf-8")
    raise FileNotFoundError(
        f"{name} is neither in book/texts/ of this folder or one above it,"
        " nor installed: pip install literate-llm, or change the folder"
    )


# %% book/01-a-language-model-whole.md#pick
def pick(
    weights: Float[Tensor, " V"],
    generator: torch.Generator | None = None,
) -> Int[Tensor, " 1"]:
    """Draw an index; each is as likely as its share of the weights."""
    edges = weights.cumsum(0)
    dart = torch.rand(1, generator=generator, dtype=edges.dtype) * edges[-1]
    hit = torch.searchsorted(edges, dart, right=True)
    return hit.clamp(max=len(weights) - 1)


# %% book/01-a-language-model-whole.md#grams
class Grams(NamedTuple):
    """All n-grams of one length; the n-gram at place i has the number i.

    `counts`, `total` and `kinds` end with a 0, so that the number -1, which
    means "never seen", finds a zero there.
    """

    keys: Tensor  # sorted: the context's number * V + the last id
    counts: Tensor  # how often each n-gram was seen
    total: Tensor  # for each context: how many ids came after it
    kinds: Tensor  # for each context: how many different ones


# %% book/01-a-language-model-whole.md#ngram
class NGram:
    """A language model that counts, after Witten and Bell (1991).

    The probability of an id mixes what came after the last `order - 1` ids
    with what came after fewer of them:

        P(x | h) = (N(hx) + m P(x | h')) / (N(h) + m),  m = smoothing * D(h)

    where h' is h without its first id, N counts, D(h) is the number of
    different ids seen after h, and the last resort is uniform.
    """

    def __init__(
        self,
        order: int,
        vocab_size: int,
        smoothing: float = 1.0,
    ) -> None:
        if order < 1 or vocab_size < 1 or smoothing < 0:
            raise ValueError(
                f"order {order} and vocab_size {vocab_size} must be at"
                f" least 1, smoothing {smoothing} at least 0"
            )
        self.order = order
        self.vocab_size = vocab_size
        self.smoothing = smoothing
        self.levels: list[Grams] = []

    # -- book/01-a-language-model-whole.md#ngram-fit
    def fit(self, ids: Int[Tensor, " T"]) -> "NGram":
        """Count every n-gram of `ids`, up to the order. Returns the model.

        Raises:
            ValueError: `ids` is shorter than the order, or holds an id outside
                the vocabulary.
        """
        if len(ids) < self.order:
            raise ValueError(f"{len(ids)} ids for an order of {self.order}")
        if ids.min() < 0 or ids.max() >= self.vocab_size:
            raise ValueError(
                f"ids from {ids.min()} to {ids.max()}, but vocab_size is"
                f" {self.vocab_size}: is it the right tokenizer?"
            )
        self.levels = []
        context = torch.zeros_like(ids, dtype=torch.long)
        n_contexts = 1
        for k in range(self.order):
            keys, place, counts = torch.unique(
                context * self.vocab_size + ids[k:],
                return_inverse=True,
                return_counts=True,
            )
            parent = keys // self.vocab_size
            total = torch.zeros(n_contexts + 1).double()
            total.index_add_(0, parent, counts.double())
            kinds = parent.bincount(minlength=n_contexts + 1).double()
            self.levels.append(Grams(keys, F.pad(counts, (0, 1)), total, kinds))
            context, n_contexts = place[:-1], len(keys)
        return self

    # -- book/01-a-language-model-whole.md#ngram-find-mix
    def find(
        self, level: Grams, context: Int[Tensor, "*c"], ids: Int[Tensor, "*n"]
    ) -> Int[Tensor, "*n"]:
        """The number of the n-gram context + id, or -1 if it was never seen."""
        key = context * self.vocab_size + ids
        place = torch.searchsorted(level.keys, key)
        place = place.clamp(max=len(level.keys) - 1)
        return place.where(level.keys[place] == key, -1)

    def mix(
        self,
        level: Grams,
        context: Int[Tensor, "*c"],
        gram: Int[Tensor, "*n"],
        p: Float[Tensor, "*n"],
    ) -> Float[Tensor, "*n"]:
        """What this level makes of `p`, the opinion of the shorter context."""
        total = level.total[context]
        m = self.smoothing * level.kinds[context]
        mixed = (level.counts[gram] + m * p) / (total + m)
        return mixed.where(total > 0, p)

    # -- book/01-a-language-model-whole.md#ngram-log-probs
    def log_probs(
        self,
        ids: Int[Tensor, "*batch T"],
    ) -> Float[Tensor, "*batch T"]:
        """Log-probability (nats) of each id, given the `order - 1` before it.

        The first ids of a row have fewer ids before them, and use those. What
        the model holds to be impossible (smoothing = 0) gets -inf.
        """
        p = torch.full_like(ids, 1 / self.vocab_size, dtype=torch.double)
        context = torch.zeros_like(ids, dtype=torch.long)
        for level in self.levels:
            gram = self.find(level, context, ids)
            p = self.mix(level, context, gram, p)
            context = F.pad(gram[..., :-1], (1, 0), value=-1)
        return p.log()

    # -- book/01-a-language-model-whole.md#ngram-next-probs
    def next_probs(self, context: Int[Tensor, " T"]) -> Float[Tensor, " V"]:
        """The distribution of the id that comes after `context`."""
        recent = context[max(0, len(context) - self.order + 1) :]
        ids = F.pad(recent, (0, 1))  # the last place stands for what comes next
        every = torch.arange(self.vocab_size)
        p = torch.full_like(every, 1 / self.vocab_size, dtype=torch.double)
        number = torch.zeros_like(ids, dtype=torch.long)
        for level in self.levels:
            last = number[-1:]
            p = self.mix(level, last, self.find(level, last, every), p)
            number = F.pad(self.find(level, number, ids)[:-1], (1, 0), value=-1)
        return p

    # -- book/01-a-language-model-whole.md#ngram-sample
    def sample(
        self,
        n: int,
        context: Int[Tensor, " T"] | None = None,
        generator: torch.Generator | None = None,
    ) -> Int[Tensor, " n"]:
        """Write `n` ids, each drawn from `next_probs` of those before it."""
        if context is None:
            context = torch.zeros(0, dtype=torch.long)
        written = context
        for _ in range(n):
            drawn = pick(self.next_probs(written), generator)
            written = torch.cat([written, drawn])
        return written[len(context) :]
