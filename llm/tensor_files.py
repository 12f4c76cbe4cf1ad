"""Files of tensors: safetensors headers, shards, and what may be wrong.

Tangled from book/08-other-peoples-weights.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import json
import math
import re
from pathlib import Path
from typing import Any, NamedTuple

from safetensors.torch import save_file
from torch import Tensor

from llm.files import replacing

# %% book/08-other-peoples-weights.md#LONGEST
LONGEST = 100_000_000  # bytes of a header, as in the safetensors library
DTYPE_SIZES = {
    **{"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4},
    **{"I16": 2, "I8": 1, "U8": 1, "BOOL": 1},
}
FLOATS = ("F64", "F32", "F16", "BF16")


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
        and all(type(n) is int and n >= 0 for n in numbers)
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
        raise ValueError(f"its dtype is {dtype!r}, not one of {known}")
    whole = whole_numbers(shape) and whole_numbers(offsets)
    if not whole or len(offsets) != 2:
        raise ValueError("its shape or its offsets are no whole numbers")
    start, end = offsets
    if end - start != math.prod(shape) * DTYPE_SIZES[dtype]:
        raise ValueError(
            f"shape {shape} of {dtype} doesn't fit in the bytes from "
            f"{start} to {end}"
        )
    return Entry(dtype, tuple(shape), start, end)


# %% book/08-other-peoples-weights.md#unique
def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object whose keys don't repeat."""
    if len(found := dict(pairs)) < len(pairs):
        raise ValueError("a name occurs twice")
    return found


def read_header(path: str | Path) -> dict[str, Entry]:
    """The tensors of a safetensors file, of which nothing else is read.

    Raises:
        ValueError: one sentence with the file and what is wrong in it.
    """
    path = Path(path)
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > min(size - 8, LONGEST):
            raise ValueError(
                f"{path} is truncated or no safetensors file: a header of "
                f"{length} bytes in a file of {size}"
            )
        text = file.read(length)
    try:
        header = json.loads(text, object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} has a broken header: {error}") from None
    if not isinstance(header, dict):
        raise ValueError(f"{path} has a broken header: no object")
    header.pop("__metadata__", None)
    return check_header(path, header, size - 8 - length)


# %% book/08-other-peoples-weights.md#check_header
def check_header(
    path: Path, header: dict[str, Any], size: int
) -> dict[str, Entry]:
    """The entries of a header, which must fill `size` bytes exactly."""
    entries = {}
    for name, item in header.items():
        try:
            entries[name] = check_entry(item)
        except ValueError as error:
            raise ValueError(f"{path}, tensor {name!r}: {error}") from None
    end = 0
    for name, entry in sorted(entries.items(), key=lambda e: e[1][2:]):
        if entry.start != end:
            what = "overlaps" if entry.start < end else "skips bytes after"
            raise ValueError(f"{path}, tensor {name!r} {what} another")
        end = entry.end
    if end != size:
        what = "truncated" if size < end else "too long"
        raise ValueError(
            f"{path} is {what}: {size} bytes of tensors instead of {end}; "
            "fetch it again"
        )
    return entries


# %% book/08-other-peoples-weights.md#read_object
def read_object(path: Path) -> dict[str, Any]:
    """The object in a JSON file."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is no JSON: {error}") from None
    if not isinstance(content, dict):
        raise ValueError(f"{path} holds no JSON object")
    return content


Stored = dict[str, tuple[Path, Entry]]  # a tensor's file, and where there


# %% book/08-other-peoples-weights.md#find_tensors
def find_tensors(folder: Path) -> Stored:
    """All tensors of a checkpoint, in one file or in several."""
    index = folder / "model.safetensors.index.json"
    if (single := folder / "model.safetensors").exists():
        return {k: (single, e) for k, e in read_header(single).items()}
    if not index.exists():
        hint = ""
        if [*folder.glob("*.bin"), *folder.glob("*.pt*")]:
            hint = "; pickled weights can run any code and aren't read"
        raise ValueError(f"{folder} has no model.safetensors{hint}")
    shards = read_object(index).get("weight_map")
    if not isinstance(shards, dict):
        raise ValueError(f"{index} has no weight_map")
    headers: dict[str, dict[str, Entry]] = {}
    for name, shard in shards.items():
        if not isinstance(shard, str) or not re.fullmatch(
            r"[\w-][\w.-]*\.safetensors", shard
        ):
            raise ValueError(f"{index} names {shard!r}, no file beside it")
        if shard not in headers:
            if not (folder / shard).exists():
                raise ValueError(f"{index} names {shard}, which is missing")
            headers[shard] = read_header(folder / shard)
        if name not in headers[shard]:
            raise ValueError(f"{folder / shard} lacks {name!r}")
    return {
        name: (folder / shard, entry)
        for shard, header in headers.items()
        for name, entry in header.items()
    }


# %% book/08-other-peoples-weights.md#write_tensors
def write_tensors(path: Path, tensors: dict[str, Tensor]) -> None:
    """Write a safetensors file: all of it, or nothing."""
    with replacing(path) as file:
        save_file(tensors, file.name, metadata={"format": "pt"})
