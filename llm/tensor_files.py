"""Files of tensors: safetensors headers, shards, and what may be wrong.

Tangled from book/08-other-peoples-weights.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import json
import math
import re
import reprlib
from pathlib import Path
from typing import Any, NamedTuple

from safetensors.torch import save_file
from torch import Tensor

from llm.files import replacing

# %% book/08-other-peoples-weights.md#LONGEST
LONGEST = 100_000_000  # bytes of JSON, as in the safetensors library
DTYPE_SIZES = {
    **{"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4},
    **{"I16": 2, "I8": 1, "U8": 1, "BOOL": 1},
}
FLOATS = ("F64", "F32", "F16", "BF16")
BRIEF = reprlib.Repr()
BRIEF.maxstring = 80


def brief(value: Any) -> str:
    """What a file says, cut to a length that fits into a sentence."""
    return BRIEF.repr(value)


class Entry(NamedTuple):
    """What a header says of one tensor."""

    dtype: str
    shape: tuple[int, ...]
    start: int  # bytes after the end of the header
    end: int


def whole_numbers(numbers: Any) -> bool:
    """Whether this is a short list of integers, none negative."""
    return (
        isinstance(numbers, list)
        and len(numbers) <= 8
        and all(type(n) is int and n >= 0 for n in numbers)  # True is none
    )


# %% book/08-other-peoples-weights.md#check_entry
def check_entry(item: Any) -> Entry:
    """One entry of a header, if it is well-formed and adds up."""
    keys = ("dtype", "shape", "data_offsets")
    if not isinstance(item, dict) or not item.keys() >= {*keys}:
        raise ValueError(f"its entry has not all of {', '.join(keys)}")
    dtype, shape, offsets = (item[key] for key in keys)
    if not isinstance(dtype, str) or dtype not in DTYPE_SIZES:
        known = ", ".join(DTYPE_SIZES)
        raise ValueError(f"its dtype is {brief(dtype)}, none of {known}")
    whole = whole_numbers(shape) and whole_numbers(offsets)
    if not whole or len(offsets) != 2:
        raise ValueError("its shape or its offsets are no whole numbers")
    start, end = offsets
    if end - start != math.prod(shape) * DTYPE_SIZES[dtype]:
        raise ValueError(
            f"shape {brief(shape)} of {dtype} doesn't fit in the bytes "
            f"from {brief(start)} to {brief(end)}"
        )
    return Entry(dtype, tuple(shape), start, end)


# %% book/08-other-peoples-weights.md#unique
def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object whose keys don't repeat."""
    if len(found := dict(pairs)) < len(pairs):
        raise ValueError("a name occurs twice")
    return found


def parse_object(path: Path, text: bytes) -> dict[str, Any]:
    """The JSON object that stands in a file."""
    try:
        found = json.loads(text.decode(), object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"{path} holds broken JSON: {error}; fetch it again"
        ) from None
    if not isinstance(found, dict):
        raise ValueError(f"{path} holds no JSON object; fetch it again")
    return found


# %% book/08-other-peoples-weights.md#file_size
def file_size(path: Path) -> int:
    """The bytes of a file, if it is one."""
    if not path.is_file():
        raise ValueError(f"{path} is missing, or no plain file")
    return path.stat().st_size


def read_header(path: str | Path) -> dict[str, Entry]:
    """The tensors of a safetensors file, of which nothing else is read.

    Raises:
        ValueError: one sentence with the file and what is wrong in it.
    """
    path = Path(path)
    size = file_size(path)
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > min(size - 8, LONGEST):
            raise ValueError(
                f"{path} is truncated or no safetensors file: a header of "
                f"{length} bytes in a file of {size}; fetch it again"
            )
        header = parse_object(path, file.read(length))
    header.pop("__metadata__", None)
    return check_header(path, header, size - 8 - length)


# %% book/08-other-peoples-weights.md#place
def place(item: tuple[str, Entry]) -> tuple[int, int]:
    """Where a tensor begins and ends: the order in which files hold them."""
    return item[1].start, item[1].end


def check_header(
    path: Path, header: dict[str, Any], size: int
) -> dict[str, Entry]:
    """The entries of a header, which must fill `size` bytes exactly."""
    entries = {}
    for name, item in header.items():
        try:
            entries[name] = check_entry(item)
        except ValueError as error:
            raise ValueError(
                f"{path}, tensor {brief(name)}: {error}"
            ) from None
    end = 0
    for name, entry in sorted(entries.items(), key=place):
        if entry.start != end:
            what = "overlaps another"
            if entry.start > end:
                what = "skips bytes before it"
            raise ValueError(f"{path}, tensor {brief(name)} {what}")
        end = entry.end
    if end != size:
        what = "truncated" if size < end else "too long"
        raise ValueError(
            f"{path} is {what}: {size} bytes of tensors instead of "
            f"{brief(end)}; fetch it again"
        )
    return entries


# %% book/08-other-peoples-weights.md#positive
def positive(name: str, value: Any, below: float = 1e30) -> Any:
    """A number that makes sense as one: no zero, NaN or infinity."""
    if type(value) not in (int, float) or not 0 < value < below:
        raise ValueError(
            f"{name} is {brief(value)}, no positive number below {below:g}"
        )
    return value


def checked_option(name: str, value: Any, kind: Any) -> Any:
    """An option's value, if it has the type that its field needs."""
    if value is None:
        raise ValueError(f"there is no {name}")
    if kind is float:  # the epsilon of a norm
        return float(positive(name, value, below=1.0))
    if type(value) is not kind:  # not isinstance: True is an int
        raise ValueError(f"{name} is {brief(value)}, no {kind.__name__}")
    if kind is int and not 0 < value < 1 << 31:
        raise ValueError(f"{name} is {brief(value)}: out of range")
    return value


# %% book/08-other-peoples-weights.md#check_length
def check_length(path: Path) -> None:
    """Refuse a file of text that is too long to be read whole."""
    if (size := file_size(path)) > LONGEST:
        raise ValueError(f"{path} has {size} bytes: at most {LONGEST}")


def read_object(path: Path) -> dict[str, Any]:
    """The object in a JSON file."""
    check_length(path)
    return parse_object(path, path.read_bytes())


Stored = dict[str, tuple[Path, Entry]]  # a tensor's file, and where there
PLAIN_NAME = re.compile(r"(?a)\w[\w.-]{,200}\.safetensors")


# %% book/08-other-peoples-weights.md#find_tensors
def find_tensors(folder: Path) -> Stored:
    """All tensors of a checkpoint, in one file or in several."""
    index = folder / "model.safetensors.index.json"
    if (single := folder / "model.safetensors").exists():
        return {k: (single, e) for k, e in read_header(single).items()}
    if not index.exists():
        hint = "; fetch it, or convert what there is"
        if [*folder.glob("*.bin"), *folder.glob("*.pt*")]:
            hint = "; pickled weights can run any code and aren't read"
        raise ValueError(f"{folder} has no model.safetensors{hint}")
    shards = read_object(index).get("weight_map")
    if not isinstance(shards, dict):
        raise ValueError(f"{index} has no weight_map")
    for shard in shards.values():
        if not isinstance(shard, str) or not PLAIN_NAME.fullmatch(shard):
            raise ValueError(
                f"{index} names {brief(shard)}, no file beside it"
            )
    places: Stored = {}
    for shard in sorted(set(shards.values())):
        for name, entry in read_header(folder / shard).items():
            if shards.get(name) != shard:
                raise ValueError(
                    f"{folder / shard} has {brief(name)}, which isn't "
                    f"there by {index.name}; fetch both again"
                )
            places[name] = folder / shard, entry
    if lost := shards.keys() - places.keys():
        raise ValueError(
            f"{folder / shards[min(lost)]} lacks {brief(min(lost))}, which "
            f"is there by {index.name}; fetch both again"
        )
    return places


# %% book/08-other-peoples-weights.md#write_tensors
def write_tensors(path: Path, tensors: dict[str, Tensor]) -> None:
    """Write a safetensors file: all of it, or nothing."""
    with replacing(path) as file:
        save_file(tensors, file.name, metadata={"format": "pt"})
