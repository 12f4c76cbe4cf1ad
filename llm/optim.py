"""Optimizers and schedules: from a gradient to a step.

Tangled from book/09-optimizers-and-schedules.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.optim.adamw import adamw


# %% book/09-optimizers-and-schedules.md#AdamW
class AdamW(torch.optim.Optimizer):
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019)."""

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
    ):
        defaults = {"lr": lr, "betas": betas, "eps": eps}
        super().__init__(params, {**defaults, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """Change each parameter that has a gradient."""
        with torch.enable_grad():
            loss = closure() if closure else None
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self.change(parameter, parameter.grad, group)
        return loss

    # -- book/09-optimizers-and-schedules.md#AdamW.change
    def change(
        self,
        parameter: Float[Tensor, "*shape"],
        grad: Float[Tensor, "*shape"],
        group: dict[str, Any],
    ) -> None:
        """Update a parameter and its two averages, all in place."""
        state = self.state[parameter]
        if not state:
            state["step"] = 0
            state["exp_avg"] = torch.zeros_like(parameter)
            state["exp_avg_sq"] = torch.zeros_like(parameter)
        mean, square = state["exp_avg"], state["exp_avg_sq"]
        beta1, beta2 = group["betas"]
        state["step"] += 1
        mean.lerp_(grad, 1 - beta1)
        square.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
        rate = group["lr"] / (1 - beta1 ** state["step"])
        unbias = (1 - beta2 ** state["step"]) ** 0.5
        parameter.mul_(1 - group["lr"] * group["weight_decay"])
        spread = (square.sqrt() / unbias).add_(group["eps"])
        parameter.addcdiv_(mean, spread, value=-rate)


# %% book/09-optimizers-and-schedules.md#newton-schulz
QUINTIC = (3.4445, -4.7750, 2.0315)  # Jordan et al., 2024


@torch.no_grad()
def newton_schulz(
    matrices: Float[Tensor, "*stack M N"], steps: int = 5
) -> Float[Tensor, "*stack M N"]:
    """The matrices with singular values made nearly 1: 0.68 to 1.21.

    Those below 0.003 of a matrix's norm may stay smaller. Works in
    bfloat16 on a GPU, and in float32 on a CPU, where that is faster.
    """
    x = matrices.bfloat16() if matrices.is_cuda else matrices.float()
    tall = x.shape[-2] > x.shape[-1]
    x = x.mT if tall else x  # so that the products below are the small ones
    x = x / x.norm(dim=(-2, -1), keepdim=True).clamp(min=1e-7)
    a, b, c = QUINTIC
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + (b * gram + (c * gram) @ gram) @ x
    return (x.mT if tall else x).to(matrices.dtype)


# %% book/09-optimizers-and-schedules.md#ROLES
ROLES = ("hidden", "embedding", "head", "vectors")


def role_of(model: nn.Module, name: str, parameter: Tensor) -> str:
    """Which of ROLES a parameter of the model has."""
    owner = name.rpartition(".")[0]
    if parameter.ndim < 2:
        return "vectors"
    if isinstance(model.get_submodule(owner), nn.Embedding):
        return "embedding"
    # The head is an nn.Linear like any other: its name tells.
    return "head" if owner.endswith("head") else "hidden"


def parameter_groups(model: nn.Module) -> list[dict[str, Any]]:
    """All trainable parameters, each once, in a group for each role.

    A group, {"name": role, "params": [(name, parameter), ...]}, suits any
    of PyTorch's optimizers.
    """
    members: dict[str, list[Any]] = {role: [] for role in ROLES}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            role = role_of(model, name, parameter)
            members[role].append((name, parameter))
    found = {role: pairs for role, pairs in members.items() if pairs}
    if not found:
        raise ValueError("the model has no parameter that may be trained")
    return [{"name": role, "params": found[role]} for role in found]


# %% book/09-optimizers-and-schedules.md#check_owned
def check_owned(model: nn.Module, groups: list[dict[str, Any]]) -> None:
    """Refuse, by name, a parameter that is missing, strange or twice."""
    names = {p: n for n, p in model.named_parameters() if p.requires_grad}
    owner: dict[Tensor, str] = {}
    for group in groups:
        for entry in group["params"]:
            parameter = entry[1] if isinstance(entry, tuple) else entry
            if parameter not in names:
                stranger = "has a parameter that the model doesn't train"
                raise ValueError(f"group {group['name']!r} {stranger}")
            if parameter in owner:
                both = f"{owner[parameter]!r} and {group['name']!r}"
                name = names[parameter]
                raise ValueError(f"{name} is in two groups: {both}")
            owner[parameter] = group["name"]
    for parameter, name in names.items():
        if parameter not in owner:
            raise ValueError(f"{name} is in no group: it would never move")


# %% book/09-optimizers-and-schedules.md#Muon
class Muon(torch.optim.Optimizer):
    """Muon for groups of kind "muon", AdamW for those of kind "adamw"."""

    def __init__(self, groups: list[dict[str, Any]]):
        adam = {"betas": (0.9, 0.95), "eps": 1e-8, "fused": True}
        muon = {"kind": "muon", "momentum": 0.95, "newton_schulz_steps": 5}
        both = {"name": "", "lr": 0.02, "weight_decay": 0.0}
        super().__init__(groups, {**both, **muon, **adam})
        for group in self.param_groups:
            group.setdefault("initial_lr", group["lr"])
            least = min(p.ndim for p in group["params"])
            if group["kind"] == "muon" and least < 2:
                wrong = f"group {group['name']!r} has vectors"
                raise ValueError(f"Muon takes matrices, but {wrong}")

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """Change each parameter that has a gradient."""
        with torch.enable_grad():
            loss = closure() if closure else None
        rules = {"muon": self.step_muon, "adamw": self.step_adamw}
        for group in self.param_groups:
            rules[group["kind"]](group)
        return loss

    # -- book/09-optimizers-and-schedules.md#Muon.step_muon
    def step_muon(self, group: dict[str, Any]) -> None:
        """Step the matrices of a group, one stack for each shape."""
        stacks: dict[Any, list[Tensor]] = {}
        for p in group["params"]:
            if p.grad is not None:
                stacks.setdefault((p.shape, p.dtype), []).append(p)
                if not self.state[p]:
                    self.state[p]["average"] = torch.zeros_like(p)
        beta, rate = group["momentum"], group["lr"]
        for (shape, _), stack in stacks.items():
            averages = [self.state[p]["average"] for p in stack]
            grads = [p.grad for p in stack if p.grad is not None]
            torch._foreach_lerp_(averages, grads, 1 - beta)
            ahead = torch._foreach_lerp(grads, averages, beta)
            steps = group["newton_schulz_steps"]
            moves = newton_schulz(torch.stack(ahead), steps)
            scale = max(1.0, shape[-2] / shape[-1]) ** 0.5
            torch._foreach_mul_(stack, 1 - rate * group["weight_decay"])
            torch._foreach_add_(stack, moves.unbind(), alpha=-rate * scale)

    # -- book/09-optimizers-and-schedules.md#Muon.step_adamw
    def step_adamw(self, group: dict[str, Any]) -> None:
        """Step the parameters of a group with PyTorch's fused AdamW."""
        params = [p for p in group["params"] if p.grad is not None]
        names = ("exp_avg", "exp_avg_sq")
        for p in params:
            if not self.state[p]:
                zeros = {name: torch.zeros_like(p) for name in names}
                count = torch.zeros((), device=p.device)
                self.state[p] = {"step": count, **zeros}
        states = [self.state[p] for p in params]
        means, squares = ([s[name] for s in states] for name in names)
        counts = [s["step"] for s in states]
        grads = [p.grad for p in params if p.grad is not None]
        beta1, beta2 = group["betas"]
        adamw(
            *(params, grads, means, squares, [], counts),
            fused=group["fused"], amsgrad=False, maximize=False,
            beta1=beta1, beta2=beta2, lr=group["lr"],
            weight_decay=group["weight_decay"], eps=group["eps"],
        )


# %% book/09-optimizers-and-schedules.md#PROPORTIONS
PROPORTIONS = {
    "adamw": dict.fromkeys(ROLES, 1.0),
    "muon": {**dict.fromkeys(ROLES, 1.0), "embedding": 5.0},
}


@dataclass(frozen=True, kw_only=True)
class OptimConfig:
    """Which optimizer, and its settings.

    Args:
        lr: the rate of the hidden matrices: for Muon 0.02 to 0.08 in small
            models, the lower the longer the run; for AdamW a third of that
            or less.
        embedding_lr, head_lr, vectors_lr: 0 means PROPORTIONS times lr.
        weight_decay: of hidden matrices and head, and of nothing else.
    Raises:
        ValueError: a setting that can't be meant, with its name.
    """

    optimizer: str = "muon"
    lr: float = 0.03
    embedding_lr: float = 0.0
    head_lr: float = 0.0
    vectors_lr: float = 0.0
    weight_decay: float = 0.0
    momentum: float = 0.95
    betas: tuple[float, float] = (0.9, 0.95)
    eps: float = 1e-8
    newton_schulz_steps: int = 5

    def __post_init__(self) -> None:
        if self.optimizer not in PROPORTIONS:
            known = ", ".join(PROPORTIONS)
            raise ValueError(f"no optimizer {self.optimizer!r}: {known}")
        for name, value in vars(self).items():
            # Not `value < 0`, which would let NaN pass.
            if name.endswith(("lr", "decay", "eps")) and not value >= 0:
                raise ValueError(f"{name} is {value}, not 0 or more")
        for beta in (self.momentum, *self.betas):
            if not 0 <= beta < 1:
                raise ValueError(f"a beta is {beta}, not from 0 to below 1")

    def rate(self, role: str) -> float:
        """The learning rate of a role, before the schedule."""
        given = self.lr if role == "hidden" else vars(self)[f"{role}_lr"]
        return given or self.lr * PROPORTIONS[self.optimizer][role]


# %% book/09-optimizers-and-schedules.md#build_optimizer
def build_optimizer(
    model: nn.Module,
    config: OptimConfig,
    groups: list[dict[str, Any]] | None = None,
) -> torch.optim.Optimizer:
    """An optimizer that owns each trainable parameter of the model once.

    What one of the `groups`, if given, says itself precedes the config. A
    group whose name isn't a role is taken for hidden matrices.
    """
    groups = parameter_groups(model) if groups is None else groups
    check_owned(model, groups)
    names = ("betas", "eps", "momentum", "newton_schulz_steps")
    shared = {name: vars(config)[name] for name in names}
    complete = []
    for group in groups:
        role = group["name"] if group["name"] in ROLES else "hidden"
        muon = config.optimizer == "muon" and role == "hidden"
        own = {"kind": "muon" if muon else "adamw", "lr": config.rate(role)}
        decayed = role in ("hidden", "head")
        own["weight_decay"] = config.weight_decay if decayed else 0.0
        full = {**shared, **own, **group}
        complete.append({"initial_lr": full["lr"], **full})
    if config.optimizer == "muon":
        return Muon(complete)
    return torch.optim.AdamW(complete, fused=True)


# %% book/09-optimizers-and-schedules.md#Schedule
@dataclass(frozen=True, kw_only=True)
class Schedule:
    """What the learning rates are multiplied by at each step of a run."""

    kind: str = "wsd"  # or "cosine", or "constant"
    steps: int  # numbered from 0
    warmup: int = 0  # steps over which the factor rises from 0 to 1
    cooldown: float = 0.5  # of "wsd": the share of steps in which it falls
    floor: float = 0.0  # after the last step, unless it's constant

    def __post_init__(self) -> None:
        if self.kind not in ("cosine", "wsd", "constant"):
            known = "cosine, wsd or constant"
            raise ValueError(f"no schedule {self.kind!r}: {known}")
        if not 0 <= self.warmup <= self.steps or self.steps < 1:
            lengths = f"a warm-up of {self.warmup} in {self.steps} steps"
            raise ValueError(f"{lengths}: it must fit, into at least 1")
        for name in ("cooldown", "floor"):
            if not 0 <= (value := vars(self)[name]) <= 1:
                raise ValueError(f"{name} is {value}, not from 0 to 1")

    def __call__(self, step: int) -> float:
        """The factor for a step; beyond the last one it stays as it is.

        A cooldown that is longer than what the warm-up leaves has begun
        by then, so the factor jumps down to it.
        """
        if step < self.warmup:
            return step / self.warmup
        if self.kind == "constant":
            return 1.0
        if self.kind == "cosine":
            rest = (self.steps - step) / max(1, self.steps - self.warmup)
            high = (1 - math.cos(math.pi * max(0.0, rest))) / 2
        else:
            falling = self.cooldown * self.steps
            rest = (self.steps - step) / falling if falling else 1.0
            high = min(1.0, max(0.0, rest))
        return self.floor + (1 - self.floor) * high


def set_rates(optimizer: torch.optim.Optimizer, factor: float) -> None:
    """Give each group its initial rate times the factor."""
    for group in optimizer.param_groups:
        group["lr"] = group["initial_lr"] * factor


# %% book/09-optimizers-and-schedules.md#clip_by_global_norm
@torch.no_grad()
def clip_by_global_norm(
    parameters: Iterable[Tensor], limit: float
) -> Float[Tensor, ""]:
    """Shorten the gradients so that together they have `limit` as norm.

    Returns the norm before. It's a tensor on the gradients' device, so
    nothing has to wait for it. If it isn't finite, the gradients are of no
    use, and the step should be left out.
    """
    grads = [p.grad for p in parameters if p.grad is not None]
    if not grads:
        return torch.zeros(())
    norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(grads)))
    if limit < math.inf:
        torch._foreach_mul_(grads, (limit / (norm + 1e-6)).clamp(max=1.0))
    return norm
