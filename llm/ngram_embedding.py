"""What the few tokens before say of a token.

Tangled from book/07-the-transformer.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor, nn

from llm.config import ModelConfig

# %% book/07-the-transformer.md#FACTOR
FACTOR, MODULUS = 62_089_921, 2**31 - 1
GAIN = 0.25  # rows learn at the embeddings' rate (chapter 9), a high one


def shifted(
    x: Shaped[Tensor, "B T *rest"], back: int
) -> Shaped[Tensor, "B T *rest"]:
    """What stood `back` places before each; zeros at the beginning."""
    kept = max(0, x.shape[1] - back)
    return torch.cat((x.new_zeros(x[:, kept:].shape), x[:, :kept]), 1)


class NGramEmbedding(nn.Module):
    """What the tokens before add to an embedding, found without attention.

    A row for each run of 2 to `ngrams` tokens from hashed tables (Pagnoni
    et al., 2024), then a share of what each of the tokens before has got.
    """

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.rows, before = config.ngram_rows, config.ngrams - 1
        self.dropout = config.ngram_dropout
        # Row 0 is for a run that isn't there, or isn't to be looked up.
        n_rows = 1 + before * self.rows
        self.tables = nn.Embedding(n_rows, config.d_model, padding_idx=0)
        zeros = (torch.zeros(config.d_model) for _ in range(before))
        self.shares = nn.ParameterList(map(nn.Parameter, zeros))

    def forward(
        self,
        x: Float[Tensor, "B T D"],
        input_ids: Int[Tensor, "B T"],
        mask: Bool[Tensor, "*B T T"] | None = None,
    ) -> Float[Tensor, "B T D"]:
        """The embeddings x of the ids, with what stands before them."""
        seen = self.seen(input_ids, mask)
        numbers = self.numbers(input_ids, seen)
        gain = GAIN
        if not self.training:
            gain *= 1 - self.dropout
        elif self.dropout > 0:
            drawn = torch.rand(numbers.shape, device=numbers.device)
            numbers = numbers.masked_fill(drawn < self.dropout, 0)
        x = x + gain * self.tables(numbers).sum(-2)
        mixed = x
        for back, share in enumerate(self.shares, 1):
            earlier = shifted(x, back) * seen[..., back - 1, None]
            mixed = mixed + share * earlier
        return mixed

    # -- book/07-the-transformer.md#NGramEmbedding.seen
    def seen(
        self,
        input_ids: Int[Tensor, "B T"],
        mask: Bool[Tensor, "*B T T"] | None,
    ) -> Bool[Tensor, "B T N"]:
        """May a token see 1, 2, ..., N tokens back?"""
        ones = torch.ones_like(input_ids, dtype=torch.bool)
        found = []
        for back in range(1, len(self.shares) + 1):
            sees = shifted(ones, back)
            if mask is not None:
                past = mask.diagonal(-back, -2, -1)
                begin = ones.shape[1] - past.shape[-1]
                sees = sees & F.pad(past, (begin, 0))
            found.append(sees)
        return torch.stack(found, -1)

    def numbers(
        self, input_ids: Int[Tensor, "B T"], seen: Bool[Tensor, "B T N"]
    ) -> Int[Tensor, "B T N"]:
        """The rows of the runs of 2, 3, ..., N + 1 tokens that end at each."""
        run, found = input_ids.long(), []
        for back in range(1, len(self.shares) + 1):
            run = (run * FACTOR + shifted(input_ids, back)) % MODULUS
            row = 1 + (back - 1) * self.rows + run % self.rows
            found.append(torch.where(seen[..., back - 1], row, 0))
        return torch.stack(found, -1)
