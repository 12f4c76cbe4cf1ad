"""Checkpoints that survive a kill, a full disk and a flipped bit.

Tangled from book/10-the-training-loop.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import hashlib
import os
import random
import shutil
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from llm.config import ModelConfig
from llm.files import write_json
from llm.model import Transformer
from llm.shards import hash_of
from llm.tensor_files import read_header, read_object, write_tensors
from llm.tokenizer import Tokenizer


# %% book/10-the-training-loop.md#same_memory
def same_memory(one: Tensor, other: Tensor) -> bool:
    """Whether both are the same numbers at the same place."""
    if one.data_ptr() != other.data_ptr():
        return False
    here, there = (
        (t.device, t.dtype, t.shape, t.stride()) for t in (one, other)
    )
    return here == there


def take_apart(
    state: Any, tensors: dict[str, Tensor], path: str = ""
) -> Any:
    """`state` as JSON can hold it; its tensors are added to `tensors`.

    Dictionaries, lists, tuples, numbers, strings, arrays and tensors may be
    nested in any way. A tensor that occurs twice is stored once.
    """
    def inner(key: Any, value: Any) -> Any:
        return take_apart(value, tensors, f"{path}.{key}".lstrip("."))

    match state:
        case Tensor():
            for name, other in tensors.items():
                if same_memory(other, state):
                    return {"tensor": name}
            while path in tensors:  # {"a.b": 1, "a": {"b": 2}}
                path += "'"
            tensors[path] = state
            return {"tensor": path}
        case np.ndarray():
            return {"array": state.tolist(), "dtype": str(state.dtype)}
        case dict():
            return {"items": [[k, inner(k, v)] for k, v in state.items()]}
        case tuple() | list():
            kind = "tuple" if isinstance(state, tuple) else "list"
            return {kind: [inner(i, v) for i, v in enumerate(state)]}
        case None | bool() | int() | float() | str():
            return state
    kind = type(state).__name__
    raise ValueError(f"{path} is a {kind}, which no file holds")


# %% book/10-the-training-loop.md#put_together
def put_together(content: Any, tensors: Mapping[str, Tensor]) -> Any:
    """What `take_apart` was given."""
    match content:
        case {"tensor": str(name)}:
            return tensors[name]
        case {"array": list(numbers), "dtype": str(name)}:
            if (dtype := np.dtype(name)).kind in "biuf":  # numbers
                return np.array(numbers, dtype=dtype)
        case {"items": list(items)}:
            return {key: put_together(v, tensors) for key, v in items}
        case {"list": list(items)}:
            return [put_together(value, tensors) for value in items]
        case {"tuple": list(items)}:
            return tuple(put_together(value, tensors) for value in items)
        case None | bool() | int() | float() | str():
            return content
    raise ValueError("a part of the state is of no known kind")


# %% book/10-the-training-loop.md#rng_state
def rng_state() -> dict[str, Any]:
    """The states of the random number generators of this process."""
    state = {
        "python": random.getstate(),
        "numpy": np.random.get_state(),
        "torch": torch.get_rng_state(),
    }
    if torch.cuda.is_initialized():
        state["cuda"] = torch.cuda.get_rng_state_all()
    return state


def set_rng_state(state: Mapping[str, Any]) -> None:
    """Go on drawing the numbers that followed `rng_state()`."""
    random.setstate(state["python"])
    np.random.set_state(state["numpy"])
    torch.set_rng_state(state["torch"].cpu())
    if "cuda" in state:
        torch.cuda.set_rng_state_all([s.cpu() for s in state["cuda"]])


# %% book/10-the-training-loop.md#TENSORS
TENSORS, REST, MANIFEST = "state.safetensors", "state.json", "manifest.json"


def flush(path: Path) -> None:
    """Ask the disk to keep a file, or the names in a folder."""
    if path.is_dir() and os.name == "nt":
        return  # Windows can't open folders, and needs no flush of names
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def describe(path: Path) -> dict[str, Any]:
    """A file's length and checksum."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"bytes": path.stat().st_size, "sha256": digest}


def separate(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same, but none lies in another's memory, as parts of it do."""
    apart, seen = dict[str, Tensor](), set[int]()
    for name, tensor in tensors.items():
        tensor = tensor.detach().contiguous()
        place = tensor.untyped_storage().data_ptr()
        apart[name] = tensor.clone() if place in seen else tensor
        seen.add(place)
    return apart


def write_state(folder: Path, step: int, state: Any) -> None:
    """Write a state and its manifest into a new folder, and flush them."""
    folder.mkdir(parents=True)
    tensors: dict[str, Tensor] = {}
    content = take_apart(state, tensors)
    try:
        save_file(separate(tensors), folder / TENSORS)
    except SafetensorError as error:
        raise OSError(f"{folder / TENSORS}: {error}") from None
    write_json(folder / REST, content)
    flush(folder / TENSORS)
    files = {name: describe(folder / name) for name in (TENSORS, REST)}
    write_json(folder / MANIFEST, {"step": step, "files": files})
    flush(folder)


# %% book/10-the-training-loop.md#save_checkpoint
def save_checkpoint(
    folder: str | Path, step: int, state: Any, keep: int = 2
) -> Path:
    """Save a state as `folder`/step-N; of it and older ones keep the last.

    Those of this step and of later ones are removed. A kill at any moment
    leaves those of earlier steps whole, and so does a full disk.

    Raises:
        OSError: it can't be written; nothing of it is left.
    """
    folder = Path(folder)
    path = folder / f"step-{step:08}"
    temporary = folder / f".{path.name}.{os.getpid()}"
    shutil.rmtree(temporary, ignore_errors=True)  # a killed namesake's
    try:
        write_state(temporary, step, state)
        set_aside(folder, step - 1)
        temporary.rename(path)
        flush(folder)
    except OSError as error:
        raise OSError(
            f"step {step} couldn't be saved ({error}): the checkpoints "
            f"before it in {folder} are whole; make room and resume"
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    for old in [*checkpoints(folder)[keep:], *folder.glob(".step-*")]:
        shutil.rmtree(old, ignore_errors=True)
    return path


def checkpoints(folder: Path) -> list[Path]:
    """The folders of a run's checkpoints, the newest first."""
    return sorted(folder.glob("step-" + 8 * "[0-9]"), reverse=True)


def step_of(path: Path) -> int:
    """The step that a checkpoint's folder is named for."""
    return int(path.name.removeprefix("step-"))


def set_aside(folder: Path, step: int) -> None:
    """Hide the checkpoints after a step; the next save removes them."""
    for path in checkpoints(folder):
        if step_of(path) > step:
            aside = folder / f".{path.name}.aside"
            shutil.rmtree(aside, ignore_errors=True)
            path.rename(aside)


# %% book/10-the-training-loop.md#read_state
def read_state(folder: Path) -> tuple[int, Any]:
    """The step and the state in a checkpoint.

    Raises:
        ValueError: a file isn't as it was written.
    """
    try:
        manifest = read_object(folder / MANIFEST)
        for name in (TENSORS, REST):
            found = describe(folder / name)
            if (said := manifest["files"][name])["bytes"] != found["bytes"]:
                raise ValueError(
                    f"{folder / name} is truncated or too long: "
                    f"{found['bytes']} bytes instead of {said['bytes']}"
                )
            if said["sha256"] != found["sha256"]:
                raise ValueError(
                    f"{folder / name} has changed since it was written"
                )
        read_header(folder / TENSORS)
        tensors = load_file(folder / TENSORS)
        content = read_object(folder / REST)
        return int(manifest["step"]), put_together(content, tensors)
    except OSError as error:
        raise ValueError(f"{folder} can't be read: {error}") from None
    except (LookupError, TypeError, ArithmeticError, RecursionError,
            SafetensorError) as error:
        raise ValueError(f"{folder} is damaged ({error!r})") from None


# %% book/10-the-training-loop.md#load_latest
def load_latest(folder: str | Path) -> tuple[int, Any] | None:
    """The newest whole checkpoint; None if there has never been one.

    A damaged one is passed over, with a warning that says why.

    Raises:
        ValueError: there are some, and all are damaged.
    """
    found, reasons = checkpoints(Path(folder)), list[str]()
    for path in found:
        try:
            step, state = read_state(path)
        except ValueError as error:
            reasons.append(str(error))
            continue
        for reason in reasons:
            warnings.warn(f"{reason}; using {path.name}", stacklevel=2)
        return step, state
    if reasons:
        raise ValueError(f"no checkpoint is whole: {'; '.join(reasons)}")
    return None


# %% book/10-the-training-loop.md#tensors_of
def tensors_of(model: Transformer) -> dict[str, Tensor]:
    """The model's tensors by name; a tied head is the embedding's."""
    tensors = dict(model.state_dict())
    if model.config.tie_embeddings:
        del tensors["head.weight"]
    return tensors


def save_model(
    folder: str | Path, model: Transformer, tokenizer: Tokenizer
) -> None:
    """Write config.json, model.safetensors and tokenizer.json."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    weights = tensors_of(model).items()
    write_tensors(
        folder / "model.safetensors",
        {k: v.detach().cpu().contiguous() for k, v in weights},
    )
    tokenizer.save(folder / "tokenizer.json")
    config = {"model_type": "literate", **model.config.to_dict()}
    config["tokenizer"] = hash_of(tokenizer).hex()
    write_json(folder / "config.json", config)


# %% book/10-the-training-loop.md#load_model
def load_model(folder: str | Path) -> tuple[Transformer, Tokenizer]:
    """A model and its tokenizer, as `save_model` wrote them.

    Raises:
        ValueError: a file that is missing or doesn't fit.
    """
    folder = Path(folder)
    path = folder / "config.json"
    if not path.exists():
        raise ValueError(f"{folder} has no config.json: no model is there")
    fields = read_object(path)
    if fields.pop("model_type", None) != "literate":
        raise ValueError(f"{path} isn't ours: use from_pretrained")
    made_with = fields.pop("tokenizer", None)
    try:
        model = Transformer(ModelConfig.from_dict(fields))
    except (ValueError, TypeError, ArithmeticError, RuntimeError) as error:
        raise ValueError(f"{path} describes no model: {error}") from None
    fill(model, folder / "model.safetensors")
    return model.eval(), load_tokenizer(folder, model.config, made_with)


def fill(model: Transformer, path: Path) -> None:
    """Fill a model from a file that must have its names and shapes."""
    found = {k: e.shape for k, e in read_header(path).items()}
    weights = tensors_of(model).items()
    if found != {k: tuple(v.shape) for k, v in weights}:
        raise ValueError(f"{path} doesn't fit the config.json beside it")
    try:
        model.load_state_dict(load_file(path), strict=False)
    except (OSError, RuntimeError, SafetensorError) as error:
        raise ValueError(f"{path} can't be read: {error}") from None


def load_tokenizer(
    folder: Path, config: ModelConfig, made_with: str | None
) -> Tokenizer:
    """The tokenizer beside a model, if it is the model's."""
    path = folder / "tokenizer.json"
    if not path.exists():
        raise ValueError(f"{path} is missing: nobody could read or write")
    tokenizer = Tokenizer.load(path)
    fits = max(tokenizer.vocab) < config.vocab_size
    if not fits or made_with not in (None, hash_of(tokenizer).hex()):
        raise ValueError(f"{path} isn't the tokenizer of the model here")
    return tokenizer


# %% book/10-the-training-loop.md#load_averages
def load_averages(
    optimizer: torch.optim.Optimizer, kind: str, state: Mapping[str, Any]
) -> None:
    """Give an optimizer another's state, but not its settings.

    Raises:
        ValueError: the other is of another kind, or for other parameters.
    """
    groups = optimizer.state_dict()["param_groups"]
    here, there = (
        [(group.get("kind"), len(group["params"])) for group in some]
        for some in (groups, state["param_groups"])
    )
    if (own := type(optimizer).__name__) != kind:
        raise ValueError(f"it is of kind {kind}, not {own}")
    if here != there:
        raise ValueError(f"its groups are {there}, not {here}")
    state = {"state": state["state"], "param_groups": groups}
    optimizer.load_state_dict(state)
