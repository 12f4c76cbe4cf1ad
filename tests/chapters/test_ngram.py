"""The tests of book/01-a-language-model-whole.md.

Tangled from book/01-a-language-model-whole.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import bisect
import itertools
import math
import re
from fractions import Fraction

import torch

from llm.ngram import NGram


# %% book/01-a-language-model-whole.md#test_every_distribution_sums_to_one
def test_every_distribution_sums_to_one():
    draw = torch.Generator().manual_seed(0)
    ids = torch.randint(5, (200,), generator=draw)
    for smoothing in (0.0, 0.3, 1.0, 8.0):
        model = NGram(4, 5, smoothing).fit(ids)
        for context in (ids[:0], ids[:1], ids[:9], torch.tensor([4, 4, 4])):
            p = model.next_probs(context)
            assert abs(p.sum() - 1) < 1e-12
            for x in range(5):
                row = torch.cat([context, torch.tensor([x])])
                assert torch.isclose(model.log_probs(row)[-1].exp(), p[x])


# %% book/01-a-language-model-whole.md#check_guess_author
def check_guess_author(guess_author):
    draw = torch.Generator().manual_seed(0)
    steady = torch.arange(300) % 5
    random = torch.randint(5, (300,), generator=draw)
    models = {"steady": NGram(3, 5).fit(steady),
              "random": NGram(3, 5).fit(random)}
    assert guess_author(models, torch.tensor([2, 3, 4, 0, 1])) == "steady"
    assert guess_author(models, torch.tensor([2, 2, 0, 4, 3])) == "random"


# %% book/01-a-language-model-whole.md#check_word_ids
def check_word_ids(word_ids):
    train, valid, size = word_ids("to be or not to be", "to be, or to see")
    assert train == [1, 2, 3, 2, 4, 2, 5, 2, 1, 2, 3]
    assert valid[:3] == [1, 2, 3]
    assert valid[3] == 0, "the comma is new"
    assert valid[-1] == 0, "`see` is new"
    assert size == 6


# %% book/01-a-language-model-whole.md#check_discounting
def check_discounting(discounting):
    ids = torch.tensor([0, 1, 0, 1, 0, 2])
    model = discounting(order=2, vocab_size=4, smoothing=0.5).fit(ids)
    one = (3 - 0.5 + 0.5 * 3 / 4) / 6, (2 - 0.5 + 0.5 * 3 / 4) / 6
    after_0 = (2 - 0.5 + 0.5 * 2 * one[1]) / 3
    found = model.log_probs(torch.tensor([0, 1])).exp().tolist()
    assert math.isclose(found[0], one[0])
    assert math.isclose(found[1], after_0)
    for context in (ids[:0], ids[:1], torch.tensor([3])):
        assert abs(model.next_probs(context).sum() - 1) < 1e-12


# %% book/01-a-language-model-whole.md#check_coder
def check_coder(compress, expand):
    draw = torch.Generator().manual_seed(0)
    source = torch.randint(4, (400,), generator=draw).cummax(0).values
    source = torch.cat([source, torch.arange(400) % 4])
    model = NGram(3, 4).fit(source)
    for ids in (source[:60], source[390:450], torch.tensor([3, 0, 2])):
        bits = compress(ids, model)
        assert torch.equal(expand(bits, len(ids), model), ids)
        surprise = -model.log_probs(ids).sum().item() / math.log(2)
        assert len(bits) <= surprise + 2


# %% book/01-a-language-model-whole.md#guess_author
def guess_author(models, ids):
    return max(models, key=lambda name: models[name].log_probs(ids).sum())


def test_guess_author():
    check_guess_author(guess_author)


# %% book/01-a-language-model-whole.md#word_ids
def word_ids(train, valid):
    train_words = re.findall(r"\w+|\W", train)
    valid_words = re.findall(r"\w+|\W", valid)
    words = dict.fromkeys(train_words)
    place = {word: i for i, word in enumerate(words, 1)}
    train_ids = [place[word] for word in train_words]
    valid_ids = [place.get(word, 0) for word in valid_words]
    return train_ids, valid_ids, len(place) + 1


def test_word_ids():
    check_word_ids(word_ids)


# %% book/01-a-language-model-whole.md#Discounting
class Discounting(NGram):
    def mix(self, level, context, gram, p):
        total, kinds = level.total[context], level.kinds[context]
        kept = (level.counts[gram] - self.smoothing).clamp(min=0)
        mixed = (kept + self.smoothing * kinds * p) / total
        return mixed.where(total > 0, p)


def test_discounting():
    check_discounting(Discounting)


# %% book/01-a-language-model-whole.md#cuts
def cuts(model, context):
    """Where the interval is cut: fractions from 0 to 1."""
    parts = (model.next_probs(context) * 2**40).long().add(1).tolist()
    edges = [0, *itertools.accumulate(parts)]
    return [Fraction(edge, edges[-1]) for edge in edges]


def compress(ids, model):
    low, width = Fraction(0), Fraction(1)
    for t in range(len(ids)):
        edges = cuts(model, ids[:t])
        x = int(ids[t])
        low += width * edges[x]
        width *= edges[x + 1] - edges[x]
    n_bits = 0
    while Fraction(1, 2**n_bits) > width:
        n_bits += 1
    return format(math.ceil(low * 2**n_bits), f"0{n_bits}b")


# %% book/01-a-language-model-whole.md#expand
def expand(bits, n, model):
    point = Fraction(int(bits, 2), 2 ** len(bits))
    ids = torch.zeros(0, dtype=torch.long)
    for _ in range(n):
        edges = cuts(model, ids)
        x = bisect.bisect_right(edges, point) - 1
        point = (point - edges[x]) / (edges[x + 1] - edges[x])
        ids = torch.cat([ids, torch.tensor([x])])
    return ids


def test_coder():
    check_coder(compress, expand)
