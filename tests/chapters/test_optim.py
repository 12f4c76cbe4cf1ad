"""The tests of book/09-optimizers-and-schedules.md.

Tangled from book/09-optimizers-and-schedules.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import math

import pytest
import torch
from torch import nn

from llm.optim import newton_schulz


# %% book/09-optimizers-and-schedules.md#check_memory
def check_memory(memory):
    """`memory(beta, share)`: whole steps until `share` is left."""
    assert memory(0.5, 0.5) == 1
    assert memory(0.9, 0.5) == 7
    assert memory(0.95, 0.5) == 14
    assert memory(0.999, 0.5) == 693
    assert memory(0.9, 0.01) == 44


# %% book/09-optimizers-and-schedules.md#check_lion_step
def check_lion_step(lion_step):
    """`lion_step(w, g, m, lr, beta1, beta2, decay)`: the new w and m."""
    w, m = torch.tensor([1.0, -2.0, 3.0]), torch.tensor([0.0, 1.0, -1.0])
    g = torch.tensor([5.0, -0.1, 0.0])
    new_w, new_m = lion_step(w, g, m, 0.1, 0.9, 0.99, 0.5)
    assert torch.allclose(new_w, torch.tensor([0.85, -2.0, 2.95]))
    assert torch.allclose(new_m, torch.tensor([0.05, 0.989, -0.99]))


# %% book/09-optimizers-and-schedules.md#check_polar
def check_polar(polar):
    """`polar(matrix)`: U V of its singular value decomposition."""
    torch.manual_seed(0)
    for M, N in ((20, 20), (40, 8), (8, 40)):
        U, S, Vt = torch.linalg.svd(torch.randn(M, N), full_matrices=False)
        S = torch.logspace(0, -2.5, len(S))
        S[-1] = 0.0011 * S.norm()
        result = polar(U * S @ Vt)
        values = torch.linalg.svdvals(result)
        assert (values - 1).abs().max() < 1e-3
        assert torch.allclose(result, U @ Vt, atol=2e-3)


# %% book/09-optimizers-and-schedules.md#check_average
def check_average(average_class):
    """`Average(model, beta)` with `update(model)`, `copy_to(model)`."""
    model, target = nn.Linear(1, 1), nn.Linear(1, 1)
    average = average_class(model, 0.5)
    for value in (4.0, 1.0, 7.0):
        nn.init.constant_(model.weight, value)
        average.update(model)
        if value == 4.0:
            average.copy_to(target)
            assert target.weight.item() == 4.0
    average.copy_to(target)
    assert abs(target.weight.item() - (4 * 1 + 1 * 2 + 7 * 4) / 7) < 1e-6
    assert model.weight.item() == 7.0


# %% book/09-optimizers-and-schedules.md#check_factored
def check_factored(factored):
    """`factored(square)`: the estimate from means of rows and columns."""
    torch.manual_seed(0)
    rows, columns = torch.rand(5, 1), torch.rand(1, 7)
    assert torch.allclose(factored(rows * columns), rows * columns)
    square = torch.rand(5, 7)
    for dim in (0, 1):
        ours = factored(square).mean(dim)
        assert torch.allclose(ours, square.mean(dim), atol=1e-6)


# %% book/09-optimizers-and-schedules.md#check_sweep
def check_sweep(sweep):
    """`sweep(loss, start)`: the best rate, with few calls of `loss`."""
    for goal in (-6, -2, 0, 1, 5):
        asked = []

        def loss(rate, goal=goal, asked=asked):
            asked.append(rate)
            place = math.log2(rate / 0.01)
            return math.nan if place > goal + 2 else abs(place - goal - 0.2)

        assert math.isclose(sweep(loss, 0.01), 0.01 * 2**goal)
        assert len(asked) == len(set(asked))
        assert len(asked) <= abs(goal) + 3
    with pytest.raises(ValueError, match="finite"):
        sweep(lambda rate: math.nan, 0.01)


# %% book/09-optimizers-and-schedules.md#memory
def memory(beta, share):
    return math.ceil(math.log(share) / math.log(beta) - 1e-9)


def test_memory():
    """The exercise "How long does it remember?"."""
    check_memory(memory)


# %% book/09-optimizers-and-schedules.md#lion_step
def lion_step(w, g, m, lr, beta1, beta2, decay):
    move = (beta1 * m + (1 - beta1) * g).sign()
    return w - lr * (move + decay * w), beta2 * m + (1 - beta2) * g


def test_lion_step():
    """The exercise "Signs only"."""
    check_lion_step(lion_step)


# %% book/09-optimizers-and-schedules.md#polar
def polar(matrix):
    x = newton_schulz(matrix)
    for _ in range(5):
        x = 1.5 * x - 0.5 * x @ x.mT @ x
    return x


def test_polar():
    """The exercise "All the way to one"."""
    check_polar(polar)


# %% book/09-optimizers-and-schedules.md#Average
class Average:
    def __init__(self, model, beta):
        self.beta, self.total = beta, 0.0
        self.means = [torch.zeros_like(p) for p in model.parameters()]

    @torch.no_grad()
    def update(self, model):
        self.total += (1 - self.beta) * (1 - self.total)
        torch._foreach_lerp_(self.means, list(model.parameters()),
                             1 - self.beta)

    @torch.no_grad()
    def copy_to(self, model):
        for mean, p in zip(self.means, model.parameters(), strict=True):
            p.copy_(mean / self.total)


def test_average():
    """The exercise "Averages of weights"."""
    check_average(Average)


# %% book/09-optimizers-and-schedules.md#factored
def factored(square):
    rows = square.mean(1, keepdim=True)
    columns = square.mean(0, keepdim=True)
    return rows * columns / square.mean()


def test_factored():
    """The exercise "Less to remember"."""
    check_factored(factored)


# %% book/09-optimizers-and-schedules.md#sweep
def sweep(loss, start):
    known = {}

    def at(power):
        if power not in known:
            value = loss(start * 2.0**power)
            known[power] = value if math.isfinite(value) else math.inf
        return known[power]

    best = 0
    while at(best) == math.inf:
        if (best := best - 1) < -30:
            raise ValueError("no finite loss at any rate")
    while (better := min((best, best - 1, best + 1), key=at)) != best:
        best = better
    return start * 2.0**best


def test_sweep():
    """The exercise "A sweep that knows when to stop"."""
    check_sweep(sweep)
