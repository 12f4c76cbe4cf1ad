"""Other people's weights in, ours out, in the hub's format.

Tangled from book/08-other-peoples-weights.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import re
import warnings
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from llm.bpe import GPT2_PATTERN
from llm.config import ModelConfig
from llm.families import (
    FAMILIES,
    Family,
    full_name,
    is_transposed,
    layout,
    read_config,
    their_name,
    write_config,
)
from llm.files import write_json
from llm.model import Transformer
from llm.position import Rotary
from llm.tensor_files import (
    FLOATS,
    Stored,
    find_tensors,
    read_object,
    write_tensors,
)
from llm.tokenizer import Tokenizer, byte_letters


# %% book/08-other-peoples-weights.md#match
def match(model: Transformer, family: Family, places: Stored) -> None:
    """Compare what a checkpoint holds with what the model needs.

    Raises:
        ValueError: one is missing, superfluous, or of the wrong shape.
    """
    found = {full_name(k, family): place for k, place in places.items()}
    if len(found) < len(places):
        raise ValueError("a tensor occurs twice, with and without prefix")
    shapes = {k: v.shape for k, v in parameters(model).items()}
    wanted = layout(shapes, family)
    folder = next(iter(places.values()))[0].parent
    if missing := [name for name in wanted if name not in found]:
        raise ValueError(f"{folder} lacks {missing[0]!r}{more(missing)}")
    tied = {"lm_head.weight"} if model.config.tie_embeddings else set()
    extra = [n for n in found if not n.endswith(family.ignored)]
    if extra := [n for n in extra if n not in {*wanted, *tied}]:
        raise ValueError(
            f"{folder} has {extra[0]!r}{more(extra)}, for which "
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
                f"{path}: {name!r} is {list(entry.shape)} of "
                f"{entry.dtype}, but config.json asks for floats, "
                f"{list(shape)}"
            )


# %% book/08-other-peoples-weights.md#more
def more(names: list[str]) -> str:
    """How many names there are besides the first."""
    return f" and {len(names) - 1} more" if len(names) > 1 else ""


def parameters(model: Transformer) -> dict[str, Tensor]:
    """What a checkpoint holds: a tied head isn't stored a second time."""
    tensors = dict(model.state_dict())
    if model.config.tie_embeddings:
        del tensors["head.weight"]
    return tensors


def empty_model(config: ModelConfig) -> Transformer:
    """A model whose tensors have shapes but no memory yet."""
    try:
        with torch.device("meta"):
            return Transformer(config)
    except (RuntimeError, OverflowError, TypeError):
        raise ValueError("no model can have these sizes") from None


# %% book/08-other-peoples-weights.md#load_weights
def load_weights(
    model: Transformer, family: Family, places: Stored, dtype: torch.dtype
) -> None:
    """Give an empty model the tensors of a checkpoint, checked before."""
    shapes = {k: v.shape for k, v in parameters(model).items()}
    wanted, weights = layout(shapes, family), {}
    for path in {path for path, _ in places.values()}:
        with safe_open(path, "pt") as file:
            for stored in file.keys():  # noqa: SIM118
                name = full_name(stored, family)
                if name not in wanted and name != "lm_head.weight":
                    continue
                tensor = file.get_tensor(stored).to(dtype)
                if is_transposed(name, family):
                    tensor = tensor.T
                ours = wanted.get(name, ["head.weight"])
                rows = [shapes[n][0] for n in ours if n in shapes]
                parts = tensor.split(rows) if rows else (tensor,)
                for part, n in zip(parts, ours, strict=True):
                    weights[n] = part.contiguous()
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
        c = model.config
        T = min(c.max_seq_len, 2_048)  # the tables grow when asked
        model.rotary = Rotary(c.head_dim, T, c.rope_base, c.rope_scaling)


# %% book/08-other-peoples-weights.md#find_folder
def find_folder(source: str | Path) -> Path:
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
                name, allow_patterns=patterns, ignore_patterns=["*/*"]
            )
        )
    except Exception as error:
        reason = str(error).strip().split("\n")[0]
        raise ConnectionError(
            f"{name} is no folder, and the hub doesn't give it: {reason}"
        ) from error


# %% book/08-other-peoples-weights.md#from_pretrained
def from_pretrained(
    source: str | Path, dtype: torch.dtype = torch.float32
) -> tuple[Transformer, Tokenizer | None]:
    """A model that others have trained, and its tokenizer if readable.

    Args:
        source: a folder, or a name of the Hugging Face hub.
        dtype: of the weights in memory, whatever they are in the file.

    Raises:
        ValueError: a file that is broken, or asks for what we don't have.
        ConnectionError: the hub can't be reached, or has no such model.
    """
    folder = find_folder(source)
    path = folder / "config.json"
    try:
        family, config = read_config(read_object(path))
        places = find_tensors(folder)
        last = f"blocks.{config.n_layers - 1}.attention_norm.weight"
        name = their_name(last, family)
        if name not in {full_name(stored, family) for stored in places}:
            raise ValueError(f"{folder} lacks {name!r}")
        model = empty_model(config)
        match(model, family, places)
        load_weights(model, family, places, dtype)
    except FileNotFoundError:
        raise ValueError(f"{folder} has no config.json") from None
    except SafetensorError as error:
        raise ValueError(f"{folder}: {error}") from None
    except ValueError as error:
        if str(folder) in str(error):
            raise
        raise ValueError(f"{path}: {error}") from None
    return model, read_tokenizer(folder, config.vocab_size)


# %% book/08-other-peoples-weights.md#find_pattern
def find_pattern(content: dict[str, Any]) -> str:
    """The pattern by which a `tokenizer.json` cuts texts into pieces."""
    steps = content["pre_tokenizer"] or {}
    steps = steps.get("pretokenizers", [steps])
    *splits, last = steps
    if last.get("type") != "ByteLevel" or last.get("add_prefix_space"):
        raise ValueError("it isn't byte-level")
    if not splits and last.get("use_regex", True):
        return GPT2_PATTERN
    if len(splits) != 1 or splits[0]["type"] != "Split":
        raise ValueError("it cuts texts in several steps")
    (split,) = splits
    if split["behavior"] != "Isolated" or split["invert"]:
        raise ValueError("it cuts texts in an unknown way")
    if last.get("use_regex", True):
        raise ValueError("it cuts texts twice")
    return split["pattern"]["Regex"]


# %% book/08-other-peoples-weights.md#parse_tokenizer
def parse_tokenizer(content: dict[str, Any]) -> Tokenizer:
    """The tokenizer in a `tokenizer.json`, if it is byte-level BPE."""
    model = content["model"]
    if model.get("type", "BPE") != "BPE" or model.get("byte_fallback"):
        raise ValueError("it isn't byte-level BPE")
    if content.get("normalizer"):
        raise ValueError("it changes the text before cutting it")
    pattern = find_pattern(content)
    number = {letter: byte for byte, letter in enumerate(byte_letters())}

    def unspell(letters: str) -> bytes:
        return bytes(number[letter] for letter in letters)

    special = {t["content"]: t["id"] for t in content["added_tokens"]}
    vocab = {
        i: unspell(token)
        for token, i in model["vocab"].items()
        if token not in special
    }
    vocab |= {i: name.encode() for name, i in special.items()}
    merges: dict[bytes, tuple[bytes, bytes]] = {}
    for pair in model["merges"]:
        left, right = pair.split(" ") if isinstance(pair, str) else pair
        a, b = unspell(left), unspell(right)
        merges.setdefault(a + b, (a, b))
    return Tokenizer(vocab, merges.values(), special, pattern)


# %% book/08-other-peoples-weights.md#read_tokenizer
def read_tokenizer(folder: Path, vocab_size: int) -> Tokenizer | None:
    """The tokenizer beside a model; none, and a warning, if unreadable."""
    path, tokenizer = folder / "tokenizer.json", None
    vocab, merges = folder / "vocab.json", folder / "merges.txt"
    try:
        if path.exists():
            tokenizer = parse_tokenizer(read_object(path))
        elif vocab.exists() and merges.exists():
            path = vocab
            tokenizer = Tokenizer.from_gpt2(vocab, merges)
        else:
            raise ValueError("there is none")
        if max(tokenizer.vocab) >= vocab_size:
            raise ValueError(f"the model has only {vocab_size} tokens")
    except ValueError as error:
        reason = str(error)
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        reason = f"it is malformed ({error!r})"
    else:
        return tokenizer
    warnings.warn(f"no tokenizer from {path}: {reason}", stacklevel=3)
    return None


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


# %% book/08-other-peoples-weights.md#save_pretrained
def save_pretrained(
    model: Transformer, tokenizer: Tokenizer | None, folder: str | Path
) -> None:
    """Write a folder that `AutoModelForCausalLM` and `AutoTokenizer` load.

    Raises:
        ValueError: transformers has no architecture for the model, or the
            tokenizer has more tokens than the model.
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
    folder.mkdir(parents=True, exist_ok=True)
    tensors = export_weights(model, family)
    write_tensors(folder / "model.safetensors", tensors)
    write_json(folder / "config.json", options)
    if tokenizer is not None:
        tokenizer.to_huggingface(folder / "tokenizer.json")
        settings = {"tokenizer_class": "PreTrainedTokenizerFast"}
        settings |= {"eos_token": end} if end in special else {}
        write_json(folder / "tokenizer_config.json", settings)
