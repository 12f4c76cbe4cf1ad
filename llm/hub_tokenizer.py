"""The tokenizer that lies beside a model on the hub.

Tangled from book/08-other-peoples-weights.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import warnings
from pathlib import Path
from typing import Any

import regex

from llm.bpe import GPT2_PATTERN
from llm.tensor_files import brief, check_length, read_object
from llm.tokenizer import Tokenizer, byte_letters

# %% book/08-other-peoples-weights.md#AFFIXES
AFFIXES = ("continuing_subword_prefix", "end_of_word_suffix")


def find_pattern(content: dict[str, Any]) -> str:
    """The pattern by which a `tokenizer.json` cuts texts into pieces."""
    steps = content["pre_tokenizer"] or {}
    steps = steps.get("pretokenizers", [steps])
    if not steps:
        raise ValueError("it doesn't cut texts")
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
    return check_pattern(split["pattern"]["Regex"])


ALL_SORTS = "".join(map(chr, range(9, 400))) + " a  b\n\n c's 1234 \r\n\t東京"


def check_pattern(pattern: str) -> str:
    """A pattern, if what it cuts out of a long sample is all of it."""
    try:
        pieces = regex.compile(pattern).findall(ALL_SORTS, timeout=1)
    except (regex.error, TimeoutError) as error:
        raise ValueError(f"pattern {brief(pattern)}: {error}") from None
    if not all(pieces) or "".join(pieces) != ALL_SORTS:
        raise ValueError(f"pattern {brief(pattern)} drops parts of texts")
    return pattern


# %% book/08-other-peoples-weights.md#read_ids
def read_ids(
    content: dict[str, Any]
) -> tuple[dict[str, int], dict[str, int]]:
    """The ids of all tokens, and those of the special ones."""
    ids, special = dict(content["model"]["vocab"]), {}
    for token in content["added_tokens"]:
        name = token["content"]
        if any(token.get(k) for k in ("lstrip", "rstrip", "single_word")):
            raise ValueError(f"{brief(name)} swallows blanks or needs them")
        known = ids.setdefault(name, token["id"])
        if name in special or known != token["id"]:
            raise ValueError(f"{brief(name)} has two ids")
        special[name] = token["id"]
    if not all(type(i) is int and i >= 0 for i in ids.values()):
        raise ValueError("an id is no whole number")
    if len({*ids.values()}) < len(ids):
        raise ValueError("two tokens have the same id")
    return ids, special


def parse_tokenizer(content: dict[str, Any]) -> Tokenizer:
    """The tokenizer in a `tokenizer.json`, if it is byte-level BPE."""
    model = content["model"]
    if model.get("type", "BPE") != "BPE" or model.get("byte_fallback"):
        raise ValueError("it isn't byte-level BPE")
    for name in ("dropout", *AFFIXES):
        if model.get(name):
            raise ValueError(f"its {name} is {brief(model[name])}")
    if content.get("normalizer") is not None:
        raise ValueError("it changes the text before cutting it")
    pattern = find_pattern(content)
    number = {letter: byte for byte, letter in enumerate(byte_letters())}

    def unspell(letters: str) -> bytes:
        return bytes(number[letter] for letter in letters)

    ids, special = read_ids(content)
    vocab = {
        i: name.encode() if name in special else unspell(name)
        for name, i in ids.items()
    }
    merges: dict[bytes, tuple[bytes, bytes]] = {}
    for pair in model["merges"]:
        both = pair.split(" ") if isinstance(pair, str) else pair
        if len(both) != 2:
            raise ValueError(f"{brief(pair)} is no merge of two tokens")
        a, b = map(unspell, both)
        merges.setdefault(a + b, (a, b))
    return Tokenizer(vocab, merges.values(), special, pattern)


# %% book/08-other-peoples-weights.md#read_tokenizer
def read_tokenizer(folder: Path, vocab_size: int) -> Tokenizer | None:
    """The tokenizer beside a model; none, and a warning, if unreadable."""
    path, tokenizer = folder / "tokenizer.json", None
    vocab, merges = folder / "vocab.json", folder / "merges.txt"
    try:
        if path.exists():
            tokenizer = parse_tokenizer(content := read_object(path))
            warn_of_extras(path, content)
        elif vocab.exists() and merges.exists():
            path = vocab
            check_length(vocab)
            check_length(merges)
            tokenizer = Tokenizer.from_gpt2(vocab, merges)
        else:
            raise ValueError("there is none")
        if max(tokenizer.vocab) >= vocab_size:
            raise ValueError(f"the model has only {vocab_size} tokens")
    except (ValueError, OSError) as error:
        reason = str(error).removeprefix(f"{path} ")
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        reason = f"it is malformed ({brief(error)})"
    else:
        return tokenizer
    warnings.warn(f"no tokenizer from {path}: {reason}", stacklevel=3)
    return None


def warn_of_extras(path: Path, content: dict[str, Any]) -> None:
    """Tell what transformers does to tokens and our `encode` doesn't."""
    step = content.get("post_processor") or {}
    steps = step.get("processors", [step])
    found = {s.get("type", "ByteLevel") for s in steps} - {"ByteLevel"}
    found |= {name for name in ("truncation", "padding") if content.get(name)}
    if found:
        names = ", ".join(sorted(found))
        warnings.warn(f"{path}: encode leaves out {names}", stacklevel=4)
