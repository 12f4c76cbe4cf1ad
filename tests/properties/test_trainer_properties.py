"""What holds for any state, any accumulation and any interruption."""

import json
import math

import numpy as np
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from torch import nn

from llm.checkpoint import load_latest, put_together, save_checkpoint, take_apart
from llm.config import preset
from llm.metrics_log import read_metrics
from llm.model import Transformer
from llm.shards import END_OF_TEXT
from llm.tokenizer import train_bpe
from llm.train_config import TrainConfig
from llm.trainer import Trainer
from llm.validation import Documents

QUICK = settings(
    max_examples=40, deadline=None, suppress_health_check=list(HealthCheck)
)
SLOW = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))

TOKENIZER = train_bpe("ab ab", 257, [END_OF_TEXT])
DTYPES = [torch.float32, torch.float64, torch.bfloat16, torch.int64, torch.uint8]


@st.composite
def tensors(draw):
    dtype = draw(st.sampled_from(DTYPES))
    shape = draw(st.lists(st.integers(0, 3), max_size=3))
    return torch.arange(math.prod(shape)).reshape(shape).to(dtype)


@st.composite
def arrays(draw):
    dtype = draw(st.sampled_from(["uint32", "int64", "float64"]))
    return np.arange(draw(st.integers(0, 5))).astype(dtype)


LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters(exclude_categories=["Cs"])),
    tensors(),
    arrays(),
)
KEYS = st.one_of(st.text(st.sampled_from("ab.0"), max_size=3), st.integers(0, 9))
STATES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(KEYS, inner, max_size=3),
    ),
    max_leaves=8,
)


def same(one, other):
    if type(one) is not type(other):
        return False
    if isinstance(one, torch.Tensor):
        return one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    if isinstance(one, dict):
        return [*one] == [*other] and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float):
        return one == other or (math.isnan(one) and math.isnan(other))
    return one == other


@QUICK
@given(STATES)
def test_any_state_comes_back(state):
    found = {}
    content = json.loads(json.dumps(take_apart(state, found)))
    assert same(put_together(content, found), state)


@QUICK
@given(STATES)
def test_any_state_comes_back_from_the_disk(tmp_path_factory, state):
    folder = tmp_path_factory.mktemp("state")
    save_checkpoint(folder, 3, {"state": state})
    step, found = load_latest(folder)
    assert step == 3
    assert same(found["state"], state)


def test_a_tensor_that_occurs_twice_is_stored_once_and_shared_again():
    shared = torch.ones(3)
    found = {}
    content = take_apart({"a": shared, "b": [shared]}, found)
    assert len(found) == 1
    again = put_together(content, found)
    assert again["a"] is again["b"][0]


def test_names_that_are_spelled_alike_stay_apart(tmp_path):
    number = iter(range(9))
    tensor = lambda: torch.full((2,), float(next(number)))  # noqa: E731
    state = {"a.b": tensor(), "a": {"b": tensor()}, "a.b'": tensor()}
    state |= {7: tensor(), "7": tensor(), "": {"x": tensor()}, "x": tensor()}
    save_checkpoint(tmp_path, 1, state)
    assert same(load_latest(tmp_path)[1], state)


class Counting(Transformer):
    """Counts the tokens that it is given; each costs one nat."""

    def loss(self, ids, targets):
        self.sizes.append(targets.numel())
        return torch.ones(())


@SLOW
@given(
    st.lists(st.text("ab ", max_size=200), min_size=1, max_size=40),
    st.sampled_from([4, 32, 256]),
    st.sampled_from([64, 300]),
)
@example(["a"] * 90 + ["a b" * 200] * 3, 256, 300)
def test_no_batch_of_documents_is_too_large(texts, block_size, tokens):
    """And each target is counted once."""
    documents = Documents(texts, TOKENIZER, block_size)
    sizes = {"n_layers": 1, "n_heads": 2, "d_model": 8, "d_ff": 16, "max_seq_len": 8}
    model = Counting(preset("village", vocab_size=257, **sizes))
    model.sizes = []
    assert documents.nats(model, tokens) == documents.n_targets
    widest = max(len(row) for row, _ in documents.rows)
    assert max(model.sizes) <= max(tokens, widest)


class Rows:
    """A loader of rows of a table, some of them at a time."""

    def __init__(self, size):
        self.size, self.used = size, 0
        self.table = torch.randn(4_096, 5, generator=torch.Generator().manual_seed(0))

    def __next__(self):
        rows = self.table[self.used : self.used + self.size]
        self.used += self.size
        return rows

    def state_dict(self):
        return {"used": self.used}

    def load_state_dict(self, state):
        self.used = state["used"]


def make(run, rows=8, accumulate=1, steps=12, **options):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 7), nn.Dropout(options.pop("dropout", 0.0)))
    model.append(nn.Linear(7, 5))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    optimizer.param_groups[0]["initial_lr"] = 0.1
    evaluations = options.pop("evaluations", {})
    config = TrainConfig(
        steps=steps,
        accumulate=accumulate,
        show_progress=False,
        **{"log_every": 1, **options},
    )
    return Trainer(
        *(model, lambda m, x: (m(x) - x).square().mean(), Rows(rows), optimizer),
        *(lambda step: 1.0, config, run),
        evaluations=evaluations,
        count=len,
    )


def weights(trainer):
    return nn.utils.parameters_to_vector(trainer.model.parameters())


@SLOW
@given(st.sampled_from([1, 2, 4, 8]))
def test_accumulation_equals_the_big_batch(tmp_path_factory, parts):
    folder = tmp_path_factory.mktemp("run")
    whole, split = make(folder / "a"), make(folder / "b", 8 // parts, parts)
    whole.train()
    split.train()
    assert torch.allclose(weights(whole), weights(split), atol=1e-5)
    assert whole.tokens == split.tokens


@SLOW
@given(
    st.lists(st.integers(1, 11), min_size=1, max_size=4),
    st.integers(1, 5),
    st.sampled_from([1, 2]),
)
def test_stops_anywhere_change_nothing(tmp_path_factory, stops, log_every, accumulate):
    """Train 12 == train to some step, resume, and so on: weights and log."""
    folder = tmp_path_factory.mktemp("run")
    options = {"log_every": log_every, "accumulate": accumulate, "dropout": 0.5}
    whole = make(folder / "whole", **options)
    whole.train()
    for stop in sorted(stops):
        part = make(folder / "parts", **options)
        part.resume()
        part.run.mkdir(exist_ok=True)
        if part.step == 0:
            torch.manual_seed(0)
        while part.step < stop:
            part.one_step()
            if part.step % log_every == 0:
                part.log()
        part.save()
    last = make(folder / "parts", **options)
    last.resume()
    last.train()
    assert torch.equal(weights(whole), weights(last))
    rows = [read_metrics(folder / name) for name in ("whole", "parts")]
    for row in (*rows[0], *rows[1]):
        del row["seconds"]
    assert rows[0] == rows[1]


def test_the_state_after_a_resume_is_the_one_that_was_saved(tmp_path):
    def falling(step):
        return 1 - step / 12

    first = make(tmp_path, steps=7, log_every=3, dropout=0.5)
    first.schedule = falling
    first.train()
    again = make(tmp_path, log_every=3, dropout=0.5)
    again.schedule = falling
    again.resume()
    states = [one.state_dict() for one in (first, again)]
    assert same(*({**state, "model": dict(state["model"])} for state in states))
    assert states[0]["optimizer"]["param_groups"][0]["lr"] == 0.1 * (1 - 6 / 12)


def test_evaluations_that_draw_numbers_change_nothing(tmp_path):
    def noisy(model):
        assert not model.training
        return {"draw": torch.rand(()).item() + np.random.rand(), "text": "so"}

    plain = make(tmp_path / "a", dropout=0.5)
    watched = make(
        tmp_path / "b", dropout=0.5, evaluations={"noise": noisy}, evaluate_every=1
    )
    plain.train()
    result = watched.train()
    assert torch.equal(weights(plain), weights(watched))
    assert set(result) == {"noise/draw", "noise/text"}
    assert watched.model.training


def test_unequal_micro_batches_are_weighed(tmp_path):
    class Unequal(Rows):
        def __next__(self):
            self.size = 6 if self.used % 8 == 0 else 2
            return super().__next__()

    whole, split = make(tmp_path / "a"), make(tmp_path / "b", accumulate=2)
    split.loader = Unequal(6)
    whole.train()
    split.train()
    assert torch.allclose(weights(whole), weights(split), atol=1e-5)
