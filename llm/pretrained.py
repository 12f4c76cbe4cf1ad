"""Other people's weights in, ours out, in the hub's format.

Tangled from book/08-other-peoples-weights.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import re
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from llm.config import ModelConfig
from llm.families import (
    FAMILIES,
    Family,
    full_name,
    is_transposed,
    layout,
    read_config,
    unknown_options,
    write_config,
)
from llm.files import write_json
from llm.hub_tokenizer import read_tokenizer
from llm.model import Transformer
from llm.position import Rotary
from llm.tensor_files import (
    FLOATS,
    Stored,
    brief,
    find_tensors,
    read_object,
    write_tensors,
)
from llm.tokenizer import Tokenizer

# %% book/08-other-peoples-weights.md#CONTIGUOUS
CONTIGUOUS = torch.contiguous_format
PRECISIONS = (
    *(torch.float32, torch.bfloat16, torch.float16, torch.float64),
)


def empty_model(config: ModelConfig) -> Transformer:
    """A model whose tensors have shapes but no memory yet."""
    try:
        with torch.device("meta"):
            return Transformer(config)
    except (RuntimeError, ArithmeticError, TypeError):
        raise ValueError(
            "no model can have the sizes that config.json has"
        ) from None


def parameters(model: Transformer) -> dict[str, Tensor]:
    """What a checkpoint holds: a tied head isn't stored a second time."""
    tensors = dict(model.state_dict())
    if model.config.tie_embeddings:
        del tensors["head.weight"]
    return tensors


def expected_shapes(
    config: ModelConfig, family: Family, most: int
) -> dict[str, torch.Size]:
    """The shape of each parameter, if `most` tensors can hold them all."""
    model, block = empty_model(replace(config, n_layers=1)), "blocks.0."
    shapes = {k: v.shape for k, v in parameters(model).items()}
    inside = {k: shapes.pop(k) for k in [*shapes] if k.startswith(block)}
    if config.n_layers * len(layout(inside, family)) > most:
        raise ValueError(
            f"{config.n_layers} layers, as config.json has it, need more "
            f"than the {most} tensors that there are; fetch all again"
        )
    for i in range(config.n_layers):
        for name, shape in inside.items():
            shapes[name.replace("0", str(i), 1)] = shape
    return shapes


# %% book/08-other-peoples-weights.md#match
def match(config: ModelConfig, family: Family, places: Stored) -> None:
    """Compare what a checkpoint holds with what the model needs.

    Raises:
        ValueError: one is missing, superfluous, or of the wrong shape.
    """
    found = {full_name(k, family): place for k, place in places.items()}
    if len(found) < len(places):
        raise ValueError("a tensor occurs twice, with and without prefix")
    shapes = expected_shapes(config, family, len(places))
    wanted = layout(shapes, family)
    if missing := [name for name in wanted if name not in found]:
        raise ValueError(
            f"the weights lack {missing[0]!r}{more(missing)}; fetch them "
            "again"
        )
    known = {*wanted, *(["lm_head.weight"] if config.tie_embeddings else [])}
    extra = [n for n in found if n not in known]
    if extra := [n for n in extra if not re.fullmatch(family.ignored, n)]:
        raise ValueError(
            f"the weights have {brief(extra[0])}{more(extra)}, for which "
            f"{family.architecture} has no place"
        )
    for name, ours in wanted.items():
        path, entry = found[name]
        rows = sum(shapes[n][0] for n in ours)
        shape = (rows, *shapes[ours[0]][1:])
        if is_transposed(name, family):
            shape = shape[::-1]
        if entry.shape != shape or entry.dtype not in FLOATS:
            raise ValueError(
                f"{name!r} in {path.name} is {brief(list(entry.shape))} of "
                f"{entry.dtype}, but config.json asks for floats, "
                f"{list(shape)}"
            )


def more(names: list[str]) -> str:
    """How many names there are besides the first."""
    return f" and {len(names) - 1} more" if len(names) > 1 else ""


# %% book/08-other-peoples-weights.md#read_tensor
def read_tensor(
    file: Any, name: str, dtype: torch.dtype
) -> Tensor:
    """A tensor of an open file, if its numbers are finite as `dtype`."""
    tensor = file.get_tensor(name).to(dtype)
    if tensor.numel() and not torch.stack(tensor.aminmax()).isfinite().all():
        raise ValueError(
            f"{brief(name)} holds NaN, or more than {dtype} can hold"
        )
    return tensor


def load_weights(
    model: Transformer, family: Family, places: Stored, dtype: torch.dtype
) -> None:
    """Give an empty model the tensors of a checkpoint, checked before."""
    shapes = {k: v.shape for k, v in parameters(model).items()}
    wanted, weights = layout(shapes, family), {}
    for path in sorted({path for path, _ in places.values()}):
        with safe_open(path, "pt") as file:
            for stored in file.keys():  # noqa: SIM118
                name = full_name(stored, family)
                if name not in wanted and name != "lm_head.weight":
                    continue
                tensor = read_tensor(file, stored, dtype)
                if is_transposed(name, family):
                    tensor = tensor.T
                ours = wanted.get(name, ["head.weight"])
                rows = [shapes[n][0] for n in ours if n in shapes]
                parts = tensor.split(rows) if rows else (tensor,)
                for part, n in zip(parts, ours, strict=True):
                    weights[n] = part.clone(memory_format=CONTIGUOUS)
    table = weights["embedding.weight"]
    if model.config.tie_embeddings:
        if not torch.equal(weights.get("head.weight", table), table):
            raise ValueError(
                "lm_head.weight differs from the embeddings, although "
                "config.json says that they are tied"
            )
        weights["head.weight"] = table
    model.load_state_dict(weights, assign=True)
    if model.config.tie_embeddings:
        model.head.weight = model.embedding.weight
    if model.rotary is not None:
        c = model.config  # its tables grow when asked, from one position
        model.rotary = Rotary(c.head_dim, 1, c.rope_base, c.rope_scaling)


# %% book/08-other-peoples-weights.md#find_folder
def find_folder(source: str | Path, revision: str | None) -> Path:
    """The folder itself, or the one into which the hub's files were put."""
    if (folder := Path(source)).is_dir():
        return folder
    name = str(source)
    if not re.fullmatch(r"\w[\w.-]*(/\w[\w.-]*)?", name):
        raise ValueError(f"{name} is no folder and no name of the hub")
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        raise ValueError(
            f"{name} is no folder; to look for it on the hub, install "
            "literate-llm[hf]"
        ) from None
    patterns = ["*.json", "model*.safetensors", "merges.txt"]
    try:
        return Path(
            snapshot_download(
                name,
                revision=revision,
                allow_patterns=patterns,
                ignore_patterns=["*/*"],
            )
        )
    except Exception as error:
        reason = str(error).strip().split("\n")[0]
        raise ConnectionError(
            f"{name} is no folder, and the hub doesn't give it: {reason}"
        ) from error


# %% book/08-other-peoples-weights.md#from_pretrained
def from_pretrained(
    source: str | Path,
    dtype: torch.dtype = torch.float32,
    revision: str | None = None,
) -> tuple[Transformer, Tokenizer | None]:
    """A model that others have trained, and its tokenizer if readable.

    Args:
        source: a folder, or a name of the Hugging Face hub.
        dtype: of the weights in memory, whatever they are in the file.
        revision: a commit of the hub, whose files never change.

    Raises:
        ValueError: a file that is broken, or asks for what we don't have.
        ConnectionError: the hub can't be reached, or has no such model.
    """
    if dtype not in PRECISIONS:
        raise ValueError(f"dtype is {dtype}, none of {PRECISIONS}")
    folder = find_folder(source, revision)
    try:
        model = read_model(folder, dtype)
    except (OSError, SafetensorError) as error:
        raise ValueError(f"{folder} can't be read: {error}") from None
    return model, read_tokenizer(folder, model.config.vocab_size)


def read_model(folder: Path, dtype: torch.dtype) -> Transformer:
    """The model in a folder."""
    if (folder / "adapter_config.json").exists():
        raise ValueError(f"{folder} has an adapter: merge it first")
    path = folder / "config.json"
    options, places = read_object(path), find_tensors(folder)
    try:
        family, config = read_config(options)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    try:
        match(config, family, places)
        model = empty_model(config)
        load_weights(model, family, places, dtype)
    except ValueError as error:
        raise ValueError(f"{folder}: {error}") from None
    if unknown := unknown_options(options, family):
        warnings.warn(
            f"{path}: ignored {brief(unknown)}, unknown to us", stacklevel=3
        )
    return model


# %% book/08-other-peoples-weights.md#export_weights
def export_weights(
    model: Transformer, family: Family
) -> dict[str, Tensor]:
    """The model's tensors, in another family's names and layout."""
    ours, tensors = parameters(model), {}
    for name, parts in layout(ours, family).items():
        tensor = torch.cat([ours[part].detach().cpu() for part in parts])
        if is_transposed(name, family):
            tensor = tensor.T
        tensors[name] = tensor.contiguous()
    return tensors


# %% book/08-other-peoples-weights.md#OTHERS
OTHERS = ("adapter_config.json", "model.safetensors.index.json")
TOKENIZERS = ("tokenizer.json", "vocab.json", "merges.txt")


def save_pretrained(
    model: Transformer, tokenizer: Tokenizer | None, folder: str | Path
) -> None:
    """Write a folder that `AutoModelForCausalLM` and `AutoTokenizer` load.

    Raises:
        ValueError: transformers has no architecture for the model, the
            tokenizer has more tokens than the model, or the folder has
            older files that would be loaded with the new ones.
    """
    options = write_config(model.config)
    size = model.config.vocab_size
    if tokenizer is not None and max(tokenizer.vocab) >= size:
        raise ValueError(
            f"the tokenizer has id {max(tokenizer.vocab)}, but the model "
            f"ends at {size - 1}"
        )
    end = "<|endoftext|>"
    special = tokenizer.special_tokens if tokenizer else {}
    options |= {"bos_token_id": special.get(end), "pad_token_id": None}
    options["eos_token_id"] = special.get(end)
    dtype = model.embedding.weight.dtype
    options["torch_dtype"] = str(dtype).removeprefix("torch.")
    family = FAMILIES[options["model_type"]]
    folder = Path(folder)
    for name in OTHERS if tokenizer else (*OTHERS, *TOKENIZERS):
        if (folder / name).exists():
            raise ValueError(
                f"{folder} has an older {name}, which would be loaded with "
                "this model: remove it, or choose another folder"
            )
    folder.mkdir(parents=True, exist_ok=True)
    tensors = export_weights(model, family)
    write_tensors(folder / "model.safetensors", tensors)
    write_json(folder / "config.json", options)
    if tokenizer is not None:
        tokenizer.to_huggingface(folder / "tokenizer.json")
        settings = {"tokenizer_class": "PreTrainedTokenizerFast"}
        settings |= {"eos_token": end} if end in special else {}
        write_json(folder / "tokenizer_config.json", settings)
