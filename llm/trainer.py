"""The training loop that every later stage reuses.

Tangled from book/10-the-training-loop.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import contextlib
import math
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor, nn

from llm.checkpoint import (
    checkpoints,
    flush,
    load_averages,
    load_latest,
    rng_state,
    save_checkpoint,
    set_aside,
    set_rng_state,
    step_of,
)
from llm.losses import count_targets
from llm.metrics_log import Record, append_row, keep_rows, read_metrics
from llm.optim import clip_by_global_norm, set_rates
from llm.progress import progress
from llm.train_config import TrainConfig, due


# %% book/10-the-training-loop.md#BadLossError
class BadLossError(ValueError):
    """The loss is NaN or infinite, or there is none.

    On a CPU the model is as it was before the step, whose batches have
    gone by. On a GPU it may be spoilt: resume from a checkpoint.
    """


@runtime_checkable  # the tests check annotations while they run
class Stateful(Protocol):
    """An iterator of batches that knows where it stands."""

    def __next__(self) -> Any:
        """The next batch."""

    def state_dict(self) -> dict[str, Any]:
        """Where it stands, ready for JSON."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there."""


Evaluation = Callable[[Any], Mapping[str, float | str]]
Hook = Callable[[Any, Record], None]  # the trainer, and a row of metrics


# %% book/10-the-training-loop.md#Trainer
class Trainer:
    """Train a model; never lose more than the steps since the last save.

    Args:
        loss_fn: (model, batch) to the mean loss over the batch's targets.
        loader: endless batches; its state is saved with the model's.
        schedule: step to the factor of all learning rates.
        run: the folder of metrics.jsonl and state/.
        evaluations: by name, each from the model to numbers (or texts).
        hooks: called with the trainer and each row of metrics.
        count: of a batch's targets; micro-batches are weighed by it.
    """

    def __init__(
        self,
        model: nn.Module,
        loss_fn: Callable[[Any, Any], Tensor],
        loader: Stateful,
        optimizer: torch.optim.Optimizer,
        schedule: Callable[[int], float],
        config: TrainConfig,
        run: str | Path,
        evaluations: Mapping[str, Evaluation] | None = None,
        hooks: Sequence[Hook] = (),
        count: Callable[[Any], int] = count_targets,
    ) -> None:
        self.model: Any = model
        self.loss_fn, self.loader = loss_fn, loader
        self.optimizer, self.schedule = optimizer, schedule
        self.config, self.run, self.count = config, Path(run), count
        self.evaluations, self.hooks = evaluations or {}, hooks
        self.device = next(model.parameters()).device
        self.step = self.tokens = 0
        self.seconds = 0.0
        self.losses: list[Tensor] = []  # since the last row of metrics
        self.norms: list[Tensor] = []
        self.stopping = False  # a hook may set it: save, and return

    # -- book/10-the-training-loop.md#Trainer.one_step
    def one_step(self) -> None:
        """One step of the optimizer, on `accumulate` micro-batches.

        Raises:
            BadLossError: a loss isn't finite, or no batch has a target.
        """
        draws = range(self.config.accumulate)
        batches = [next(self.loader) for _ in draws]
        counts = [self.count(batch) for batch in batches]
        if not (total := sum(counts)):
            raise BadLossError(f"step {self.step + 1}: no batch has a target")
        loss = torch.zeros((), device=self.device)
        for batch, count in zip(batches, counts, strict=True):
            if count:  # else its mean is no number
                part = self.loss_fn(self.model, batch) * (count / total)
                part.backward()
                loss += part.detach()
        limit = math.inf if self.config.clip is None else self.config.clip
        norm = clip_by_global_norm(self.model.parameters(), limit)
        self.losses.append(loss)
        self.norms.append(norm)
        if self.device.type == "cpu":
            self.guard()
        set_rates(self.optimizer, self.schedule(self.step))
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1
        self.tokens += total

    # -- book/10-the-training-loop.md#Trainer.guard
    def guard(self) -> None:
        """Stop if a loss or a gradient since the last row isn't finite."""
        at_once = self.device.type == "cpu"  # and only the last is new
        since = -1 if at_once else 0
        recent = [*self.losses[since:], *self.norms[since:]]
        values = [value.float() for value in recent]
        if not values or bool(torch.stack(values).isfinite().all()):
            return
        what = f"by step {self.step}: a loss or a gradient is not finite"
        if at_once:
            loss, norm = self.losses.pop(), self.norms.pop()
            self.optimizer.zero_grad(set_to_none=True)
            what = f"loss {loss:.4g}, gradient's norm {norm:.4g}"
            what = f"step {self.step + 1}: {what}"
        found = checkpoints(self.run / "state")
        last = f"{found[0].name} is good" if found else "nothing was saved yet"
        raise BadLossError(
            f"{what}. Stopped; {last}. Resume with a lower "
            "learning rate or with clipping, or look at this step's batch"
        )

    # -- book/10-the-training-loop.md#Trainer.state_dict
    def state_dict(self) -> dict[str, Any]:
        """All that the next step depends on, and the log."""
        return {
            "step": self.step,
            "tokens": self.tokens,
            "seconds": self.seconds,
            "losses": [loss.item() for loss in self.losses],
            "norms": [norm.item() for norm in self.norms],
            "model": self.model.state_dict(),
            "kind": type(self.optimizer).__name__,
            "optimizer": self.optimizer.state_dict(),
            "loader": self.loader.state_dict(),
            "rng": rng_state(),
        }

    # -- book/10-the-training-loop.md#Trainer.load_state_dict
    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue where `state_dict` was called, with the settings of now.

        Raises:
            ValueError: the state is of another model, optimizer or loader;
                this trainer is then of no more use.
        """
        part = "model"
        try:
            self.model.load_state_dict(state[part])
            part = "optimizer"
            load_averages(self.optimizer, state["kind"], state[part])
            part = "loader"
            self.loader.load_state_dict(state[part])
            part = "trainer"
            set_rng_state(state["rng"])
            self.step, self.tokens = int(state["step"]), int(state["tokens"])
            self.seconds = float(state["seconds"])
            numbers = partial(torch.tensor, device=self.device)
            self.losses = [numbers(float(n)) for n in state["losses"]]
            self.norms = [numbers(float(n)) for n in state["norms"]]
            if self.step > 0:  # as that step left the optimizer
                set_rates(self.optimizer, self.schedule(self.step - 1))
        except (ArithmeticError, AttributeError, LookupError, RuntimeError,
                TypeError, ValueError) as error:
            lines = str(error).splitlines() or [repr(error)]
            reason = lines[:2][-1].strip()  # PyTorch's first line says nothing
            raise ValueError(
                f"{self.run} holds the state of another {part}: name another "
                f"folder ({reason})"
            ) from None

    # -- book/10-the-training-loop.md#Trainer.save
    def save(self) -> Path:
        """Save a checkpoint; refuse to save what isn't finite."""
        self.guard()
        if (diary := self.run / "metrics.jsonl").exists():
            flush(diary)  # its rows are older than the checkpoint
        folder, keep = self.run / "state", self.config.keep
        return save_checkpoint(folder, self.step, self.state_dict(), keep)

    def resume(self) -> bool:
        """Load the newest whole checkpoint; false if there is none.

        What is later, rows of metrics and damaged checkpoints, is removed:
        those steps will be made again.
        """
        self.run.mkdir(parents=True, exist_ok=True)
        if found := load_latest(self.run / "state"):
            self.load_state_dict(found[1])
            set_aside(self.run / "state", self.step)
        keep_rows(self.run, self.step if found else -1)
        return found is not None

    def check_folder(self) -> None:
        """Refuse to write among the rows and checkpoints of another run."""
        steps = [row["step"] for row in read_metrics(self.run)]
        steps += map(step_of, checkpoints(self.run / "state"))
        if (most := max(steps, default=0)) > self.step:
            raise ValueError(
                f"{self.run} has a run of {most} steps: resume() it, or name "
                "another folder"
            )
        if self.step > self.config.steps:
            raise ValueError(f"{self.run} has {self.step} steps already, more "
                             f"than the {self.config.steps} asked for")
        keep_rows(self.run, self.step)

    def write_row(self, row: Record) -> None:
        """Append a row to metrics.jsonl, and show it to the hooks."""
        row = {"step": self.step, "tokens": self.tokens, **row}
        row["seconds"] = round(self.seconds, 3)
        append_row(self.run, row)
        for hook in self.hooks:
            hook(self, row)

    # -- book/10-the-training-loop.md#Trainer.log
    def log(self) -> Record:
        """Write a row with the mean loss since the last one."""
        self.guard()
        loss = torch.stack(self.losses).double().mean().item()
        norm = torch.stack(self.norms).max().item()
        rate = self.schedule(self.step - 1)
        row = {"loss": loss, "norm": norm, "rate": rate}
        self.losses.clear()
        self.norms.clear()
        self.write_row(row)
        return row

    @torch.no_grad()
    def evaluate(self) -> dict[str, float | str]:
        """All evaluations, as one row; training doesn't notice."""
        generators, results = rng_state(), dict[str, float | str]()
        self.model.eval()
        try:
            for name, evaluation in self.evaluations.items():
                for key, value in evaluation(self.model).items():
                    results[f"{name}/{key}"] = value
        finally:
            self.model.train()
            set_rng_state(generators)
        if results:
            self.write_row(results)
        return results

    def last_evaluation(self) -> dict[str, float | str]:
        """What the diary has of this step's evaluations."""
        names = tuple(f"{name}/" for name in self.evaluations)
        for row in reversed(read_metrics(self.run)):
            found = {k: v for k, v in row.items() if k.startswith(names)}
            if found and row["step"] == self.step:
                return found
        return self.evaluate()

    # -- book/10-the-training-loop.md#Trainer.stoppable
    @contextlib.contextmanager
    def stoppable(self) -> Iterator[None]:
        """Let the first SIGINT or SIGTERM only set two flags."""
        self.stopping = self.interrupted = False
        before: dict[signal.Signals, Any] = {}
        main = threading.current_thread() is threading.main_thread()

        def stop(number: int, frame: Any) -> None:
            self.stopping = self.interrupted = True
            signal.signal(number, before[signal.Signals(number)])

        for number in (signal.SIGINT, signal.SIGTERM) if main else ():
            before[number] = signal.signal(number, stop)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    # -- book/10-the-training-loop.md#Trainer.train
    def train(self) -> dict[str, float | str]:
        """Train to the last step, from wherever this trainer stands.

        Returns:
            The last evaluation.

        Raises:
            ValueError: the folder has a later run, which wasn't resumed.
            BadLossError: a loss wasn't finite; checkpoints hold what was.
            KeyboardInterrupt: it was asked to stop, and has saved.
        """
        config = self.config
        self.run.mkdir(parents=True, exist_ok=True)
        self.check_folder()
        if self.step == 0:
            random.seed(config.seed)
            np.random.seed(config.seed)
            torch.manual_seed(config.seed)
        bar = progress(
            total=config.steps, initial=self.step, unit="step",
            disable=not config.show_progress,
        )
        begun = time.perf_counter() - self.seconds
        self.model.train()
        with self.stoppable(), bar:
            while self.step < config.steps:
                self.one_step()
                self.seconds = time.perf_counter() - begun
                bar.update()
                last = self.step == config.steps
                if last or self.step % config.log_every == 0:
                    shown = {"loss": f"{self.log()['loss']:.3f}"}
                    shown["tok/s"] = f"{self.tokens / self.seconds:,.0f}"
                    bar.set_postfix(shown, refresh=False)
                if last or due(self.step, config.evaluate_every):
                    paused = time.perf_counter()
                    self.evaluate()
                    begun += time.perf_counter() - paused
                save = due(self.step, config.save_every)
                if save or last or self.stopping:
                    self.save()
                if self.stopping and not last:
                    break
        if self.interrupted and self.step < config.steps:
            self.say_how_to_resume()
            raise KeyboardInterrupt
        return self.last_evaluation()

    def say_how_to_resume(self) -> None:
        """One line on standard error."""
        at = f"{self.step} of {self.config.steps}"
        message = f"\nstopped after step {at}; all is saved in '{self.run}', "
        print(message + "to be resumed", file=sys.stderr)
