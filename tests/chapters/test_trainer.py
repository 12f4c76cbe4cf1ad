"""The tests of book/10-the-training-loop.md.

Tangled from book/10-the-training-loop.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import math
import tempfile
from pathlib import Path

import numpy as np
import torch

from llm.metrics_log import append_row, read_metrics


# %% book/10-the-training-loop.md#check_weigh
def check_weigh(weigh):
    """`weigh(losses, counts)`: the mean loss of all targets."""
    assert weigh([2.0, 4.0], [1, 1]) == 3
    assert weigh([2.0, 4.0], [3, 1]) == 2.5
    assert weigh([2.0, math.nan], [5, 0]) == 2


# %% book/10-the-training-loop.md#check_best_interval
def check_best_interval(best_interval):
    """`best_interval(cost, between)`: seconds between saves."""
    assert math.isclose(best_interval(2.0, 1e6), 2_000)
    assert math.isclose(best_interval(8.0, 1e6), 4_000)
    assert math.isclose(best_interval(8.0, 4e6), 8_000)


# %% book/10-the-training-loop.md#check_find_difference
def check_find_difference(find_difference):
    """`find_difference(one, other)`: a path, or None."""
    def state(x=1.0, rate=0.1, last="c"):
        tensors = {0: {"m": torch.tensor([x, math.nan])}}
        return {"optimizer": {"state": tensors, "groups": [{"lr": rate}]},
                "rng": ("a", np.arange(3), last)}

    assert find_difference(state(), state()) is None
    assert find_difference(state(), state(x=2)) == "optimizer.state.0.m"
    assert (find_difference(state(), state(rate=0.2))
            == "optimizer.groups.0.lr")
    assert find_difference(state(), state(last="d")) == "rng.2"
    assert find_difference({"a": 1}, {"a": 1, "b": None}) == "b"
    assert find_difference({"a": [1, [2]]}, {"a": [1]}) == "a.1"


# %% book/10-the-training-loop.md#check_early_stop
def check_early_stop(early_stop):
    """`early_stop(name, patience)`: a hook that stops in time."""
    class Fake:
        stopping = False

    def stops_after(values, patience):
        fake = Fake()
        with tempfile.TemporaryDirectory() as folder:
            fake.run = Path(folder)
            for number, value in enumerate(values, 1):
                loss = {} if value is None else {"loss": value}
                append_row(fake.run, row := {"step": number, **loss})
                early_stop("loss", patience)(fake, row)  # as if resumed
                if fake.stopping:
                    return number
        return None

    assert stops_after([3, 2, 1, 1, 1], 2) == 5
    assert stops_after([3, 2, 2.5, 1.9, 2, 2], 2) == 6
    assert stops_after([3, None, None, None, 2], 2) is None


# %% book/10-the-training-loop.md#check_batches_of
def check_batches_of(batches_of):
    """`batches_of(loader, batch_size, step, accumulate)`: a list."""
    class Numbers:
        used = 0

        def __next__(self):
            self.used += 4
            return [*range(self.used - 4, self.used)]

        def state_dict(self):
            return {"used": self.used, "seed": 7}

        def load_state_dict(self, state):
            assert state["seed"] == 7
            self.used = state["used"]

    loader = Numbers()
    drawn = [next(loader) for _ in range(6)]
    assert batches_of(loader, 4, 1, 1) == drawn[:1]
    assert batches_of(loader, 4, 2, 2) == drawn[2:4]
    assert batches_of(loader, 4, 3, 2) == drawn[4:]
    assert loader.used == 24


# %% book/10-the-training-loop.md#weigh
def weigh(losses, counts):
    pairs = zip(losses, counts, strict=True)
    return sum(x * n for x, n in pairs if n) / sum(counts)


def test_weigh():
    """The exercise "The mean of all"."""
    check_weigh(weigh)


# %% book/10-the-training-loop.md#best_interval
def best_interval(cost, between):
    return math.sqrt(2 * cost * between)


def test_best_interval():
    """The exercise "How often to save"."""
    check_best_interval(best_interval)


# %% book/10-the-training-loop.md#entries
def entries(leaf):
    """A tensor, array, number or text as an array."""
    if not isinstance(leaf, torch.Tensor):
        return np.asarray(leaf)
    leaf = leaf.detach().cpu()  # NumPy has no bfloat16
    return (leaf.double() if leaf.is_floating_point() else leaf).numpy()


def find_difference(one, other, path=""):
    both = [dict(enumerate(x)) if isinstance(x, list | tuple) else x
            for x in (one, other)]
    nested = [isinstance(each, dict) for each in both]
    if not any(nested):
        a, b = map(entries, both)
        numbers = a.dtype.kind in "fc" and b.dtype.kind in "fc"
        return None if np.array_equal(a, b, equal_nan=numbers) else path
    if not all(nested):
        return path
    for key in {**both[0], **both[1]}:
        place = f"{path}.{key}".lstrip(".")
        if not all(key in each for each in both):
            return place
        found = find_difference(both[0][key], both[1][key], place)
        if found is not None:
            return found
    return None


def test_find_difference():
    """The exercise "Why isn't it exact?"."""
    check_find_difference(find_difference)


# %% book/10-the-training-loop.md#early_stop
def early_stop(name, patience):
    def hook(trainer, row):
        if name in row:
            rows = read_metrics(trainer.run)
            values = [each[name] for each in rows if name in each]
            best = values.index(min(values))
            if len(values) - 1 - best >= patience:
                trainer.stopping = True

    return hook


def test_early_stop():
    """The exercise "Enough is enough"."""
    check_early_stop(early_stop)


# %% book/10-the-training-loop.md#batches_of
def batches_of(loader, batch_size, step, accumulate=1):
    before = loader.state_dict()
    used = (step - 1) * accumulate * batch_size
    loader.load_state_dict({**before, "used": used})
    batches = [next(loader) for _ in range(accumulate)]
    loader.load_state_dict(before)
    return batches


def test_batches_of():
    """The exercise "The culprit"."""
    check_batches_of(batches_of)
