"""What holds for runs of tokens, wherever they stand and whatever is masked."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llm.attention import causal_mask
from llm.config import ModelConfig
from llm.ngram_embedding import NGramEmbedding

QUICK = settings(max_examples=60, deadline=None)
IDS = st.lists(st.integers(0, 3), min_size=1, max_size=12)


def tables(ngrams: int, rows: int = 2**20, dropout: float = 0.0) -> NGramEmbedding:
    sizes = {"vocab_size": 4, "n_layers": 1, "n_heads": 1, "d_model": 4, "d_ff": 4}
    config = ModelConfig(
        **sizes,
        max_seq_len=16,
        ngrams=ngrams,
        ngram_rows=rows,
        ngram_dropout=dropout,
    )
    torch.manual_seed(0)
    return NGramEmbedding(config)


@QUICK
@given(IDS, st.integers(2, 5))
def test_a_row_is_a_run(ids, ngrams):
    table = tables(ngrams)
    row = torch.tensor([ids])
    numbers = table.numbers(row, table.seen(row, None))[0].tolist()
    known = {}
    for at, found in enumerate(numbers):
        for n, number in enumerate(found, 2):
            if at + 1 < n:
                assert number == 0
                continue
            run = tuple(ids[at + 1 - n : at + 1])
            assert known.setdefault(run, number) == number
    assert len(set(known.values())) == len(known)
    assert 0 not in known.values()


@QUICK
@given(IDS, st.integers(2, 5), st.data())
def test_documents_are_as_if_alone(ids, ngrams, data):
    table = tables(ngrams, rows=7)
    table.tables.weight.data.normal_()
    for share in table.shares:
        share.data.normal_()
    cut = data.draw(st.integers(0, len(ids)))
    row = torch.tensor([ids])
    owners = torch.arange(len(ids)) >= cut
    mask = causal_mask(len(ids)) & (owners[:, None] == owners)
    x = torch.randn(1, len(ids), 4)
    together = table(x, row, mask)
    for part in (slice(0, cut), slice(cut, None)):
        alone = table(x[:, part], row[:, part])
        torch.testing.assert_close(together[:, part], alone)
    torch.testing.assert_close(table(x, row, mask[None]), together)


def test_a_table_says_on_average_what_it_says_after_training():
    table = tables(4, rows=9, dropout=0.4)
    table.tables.weight.data.normal_()
    with torch.no_grad():
        table.tables.weight[0] = 0
        table.shares[0].fill_(0.5)
        row, x = torch.tensor([[1, 2, 1, 2, 3]]), torch.randn(1, 5, 4)
        draws = 20_000
        rows, xs = row.repeat(draws, 1), x.repeat(draws, 1, 1)
        torch.manual_seed(0)
        found = table.train()(xs, rows)
        meant = table.eval()(x, row)
    assert found.std(0).max() > 0.1
    torch.testing.assert_close(found.mean(0, keepdim=True), meant, atol=0.02, rtol=0)


def test_what_is_never_read_in_training_is_never_read():
    table = tables(4, rows=9, dropout=1.0)
    table.tables.weight.data.normal_()
    with torch.no_grad():
        table.tables.weight[0] = 0
    row, x = torch.tensor([[1, 2, 1, 2, 3]]), torch.randn(1, 5, 4)
    assert torch.equal(table.train()(x, row), x)
    assert torch.equal(table.eval()(x, row), x)


def test_a_row_that_is_no_run_never_learns():
    table = tables(3, rows=5)
    row, x = torch.tensor([[1, 2, 3]]), torch.randn(1, 3, 4)
    table(x, row).square().sum().backward()
    grad = table.tables.weight.grad
    assert not grad[0].any()
    assert grad[1:].any()
