"""Tokenization: text to integers and back, by byte-pair encoding.

Tangled from book/02-tokenization.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import itertools
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import tiktoken

from llm.bpe import (
    GPT2_PATTERN,
    PATTERN,
    Corpus,
    compile_pattern,
    count_pieces,
    cut_stream,
    either,
    learn_merges,
    merge_bytes,
)
from llm.files import write_json


# %% book/02-tokenization.md#Tokenizer
class Tokenizer:
    """Byte-pair encoding: text to integers and back, to the byte.

    Args:
        vocab: the bytes of each id; ids may be any integers.
        merges: pairs of tokens, in the order in which they were learned.
        special_tokens: written forms; one whose bytes `vocab` lacks gets
            the next free id.
        pattern: cuts a text into pieces that merges don't cross.
    """

    def __init__(
        self,
        vocab: Mapping[int, bytes],
        merges: Iterable[tuple[bytes, bytes]],
        special_tokens: Iterable[str] = (),
        pattern: str = PATTERN,
    ) -> None:
        self.vocab = dict(vocab)
        self.merges = [(left, right) for left, right in merges]
        self.special_tokens = number_special(self.vocab, special_tokens)
        self.pattern = pattern
        self.ranks = rank_tokens(self.merges)
        self._ids = ids_by_rank(self.vocab, self.special_tokens, self.ranks)
        self._in_order = self._ids == list(range(len(self._ids)))
        self._split = compile_pattern(pattern)
        self._core = tiktoken.Encoding(
            "llm",
            pat_str=pattern,
            mergeable_ranks=self.ranks,
            special_tokens={},
        )

    # -- book/02-tokenization.md#Tokenizer.encode_ordinary
    def encode_ordinary(self, text: str) -> list[int]:
        """The tokens of a text in which nothing is special."""
        if len(text) > MANY and long_blank(text):
            pieces = (piece.encode() for piece in self._split(text))
            ranks = [
                self.ranks[token]
                for piece in pieces
                for token in merge_bytes(piece, self.ranks)
            ]
        else:
            ranks = self._core.encode_ordinary(text)
        return ranks if self._in_order else [self._ids[r] for r in ranks]

    # -- book/02-tokenization.md#Tokenizer.decode_bytes
    def decode_bytes(self, ids: Iterable[int]) -> bytes:
        """The bytes of some tokens."""
        try:
            return b"".join([self.vocab[i] for i in ids])
        except KeyError as error:
            raise ValueError(
                f"no token has the id {error.args[0]}"
            ) from None

    def decode(self, ids: Iterable[int], errors: str = "replace") -> str:
        """The text of some tokens; broken characters become U+FFFD."""
        return self.decode_bytes(ids).decode("utf-8", errors=errors)

    # -- book/02-tokenization.md#Tokenizer.allowed
    def allowed(self, names: Collection[str]) -> frozenset[str]:
        """The special tokens that were asked for; `"all"` means all."""
        if names == "all":
            return frozenset(self.special_tokens)
        if (
            isinstance(names, str)
            or set(names) - self.special_tokens.keys()
        ):
            raise ValueError(
                f"allowed_special is {names!r}; the special tokens are "
                f"{sorted(self.special_tokens)}"
            )
        return frozenset(names)

    # -- book/02-tokenization.md#Tokenizer.encode
    def encode(
        self, text: str, allowed_special: Collection[str] = ()
    ) -> list[int]:
        """The tokens of a text, which is read as text and never obeyed.

        Only the special tokens in `allowed_special` (or `"all"`) are special.
        """
        ids: list[int] = []
        special, start = self.allowed(allowed_special), 0
        if special:
            for match in either(special).finditer(text):
                ids += self.encode_ordinary(text[start : match.start()])
                ids.append(self.special_tokens[match[0]])
                start = match.end()
        return ids + self.encode_ordinary(text[start:])

    # -- book/02-tokenization.md#Tokenizer.encode_iterable
    def encode_iterable(
        self,
        texts: Iterable[str],
        allowed_special: Collection[str] = (),
        block: int = 1 << 16,
    ) -> Iterator[int]:
        """The tokens of the texts as if joined, in constant memory."""
        special = self.allowed(allowed_special)
        for part in cut_stream(texts, self._split, special, block):
            if part in special:
                yield self.special_tokens[part]
            else:
                yield from self.encode_ordinary(part)

    def encode_batch(
        self, texts: Iterable[str], allowed_special: Collection[str] = ()
    ) -> list[list[int]]:
        """The tokens of each text, on all cores."""
        special = self.allowed(allowed_special)
        with ThreadPoolExecutor() as pool:
            return list(pool.map(lambda t: self.encode(t, special), texts))

    # -- book/02-tokenization.md#Tokenizer.save
    def save(self, path: str | Path) -> None:
        """Write a file that `load` reads: all of it, or nothing."""
        write_json(
            path,
            {
                "format": "literate-llm tokenizer 1",
                "pattern": self.pattern,
                "special_tokens": list(self.special_tokens),
                "vocab": {
                    i: t.decode("latin-1") for i, t in self.vocab.items()
                },
                "merges": [
                    [left.decode("latin-1"), right.decode("latin-1")]
                    for left, right in self.merges
                ],
            },
        )

    # -- book/02-tokenization.md#Tokenizer.load
    @classmethod
    def load(cls, path: str | Path) -> "Tokenizer":
        """Read a file that `save` has written."""
        text = Path(path).read_text(encoding="utf-8")
        try:
            content = json.loads(text)
            vocab = {
                int(i): token.encode("latin-1")
                for i, token in content["vocab"].items()
            }
            merges = [
                (left.encode("latin-1"), right.encode("latin-1"))
                for left, right in content["merges"]
            ]
            special, pattern = content["special_tokens"], content["pattern"]
            return cls(vocab, merges, special, pattern)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            message = f"{path} is no saved tokenizer: {error}"
            raise ValueError(message) from error

    # -- book/02-tokenization.md#Tokenizer.to_tiktoken
    def to_tiktoken(self, name: str = "literate-llm") -> tiktoken.Encoding:
        """The same tokenizer as tiktoken's `Encoding`."""
        if self._ids[256:] != sorted(self._ids[256:]):
            raise ValueError("tiktoken wants ids in the merges' order")
        return tiktoken.Encoding(
            name,
            pat_str=self.pattern,
            special_tokens=self.special_tokens,
            mergeable_ranks=dict(zip(self.ranks, self._ids, strict=True)),
        )

    # -- book/02-tokenization.md#Tokenizer.from_tiktoken
    @classmethod
    def from_tiktoken(cls, encoding: tiktoken.Encoding) -> "Tokenizer":
        """A tokenizer equal to one of tiktoken's."""
        ranks = encoding._mergeable_ranks
        merges = []
        for token, rank in sorted(ranks.items(), key=lambda item: item[1]):
            if len(token) > 1:
                parts = merge_bytes(token, ranks, below=rank)
                if len(parts) != 2:
                    raise ValueError(f"no two tokens merge into {token!r}")
                merges.append((parts[0], parts[1]))
        vocab = {rank: token for token, rank in ranks.items()}
        special = encoding._special_tokens
        vocab |= {i: name.encode() for name, i in special.items()}
        return cls(vocab, merges, special, encoding._pat_str)

    # -- book/02-tokenization.md#Tokenizer.to_huggingface
    def to_huggingface(self, path: str | Path) -> None:
        """Write the `tokenizer.json` that Hugging Face's library reads."""
        spelled = {token: in_letters(token) for token in self.ranks}
        byte_level = {
            "type": "ByteLevel",
            "add_prefix_space": False,
            "trim_offsets": True,
            "use_regex": False,
        }
        split = {
            "type": "Split",
            "pattern": {"Regex": self.pattern},
            "behavior": "Isolated",
            "invert": False,
        }
        vocab = dict(zip(spelled.values(), self._ids, strict=True))
        model = {
            "type": "BPE",
            "vocab": vocab | self.special_tokens,
            "merges": [
                f"{spelled[a]} {spelled[b]}" for a, b in self.merges
            ],
        }
        flags = ("single_word", "lstrip", "rstrip", "normalized")
        write_json(
            path,
            {
                "version": "1.0",
                "added_tokens": [
                    {"id": i, "content": name, "special": True}
                    | dict.fromkeys(flags, False)
                    for name, i in self.special_tokens.items()
                ],
                "pre_tokenizer": {
                    "type": "Sequence",
                    "pretokenizers": [split, byte_level],
                },
                "decoder": byte_level,
                "model": model,
            },
        )

    # -- book/02-tokenization.md#Tokenizer.from_gpt2
    @classmethod
    def from_gpt2(
        cls,
        vocab_json: str | Path,
        merges_txt: str | Path,
        special_tokens: Iterable[str] = ("<|endoftext|>",),
    ) -> "Tokenizer":
        """Read the two files in which GPT-2's tokenizer was published."""
        number = {
            letter: byte for byte, letter in enumerate(byte_letters())
        }

        def unspell(letters: str) -> bytes:
            return bytes([number[letter] for letter in letters])

        special_tokens = tuple(special_tokens)
        ids = json.loads(Path(vocab_json).read_text(encoding="utf-8"))
        lines = Path(merges_txt).read_text(encoding="utf-8").splitlines()
        pairs = [
            line.split(" ")
            for line in lines
            if line and not line.startswith("#version")
        ]
        vocab = {
            i: token.encode() if token in special_tokens else unspell(token)
            for token, i in ids.items()
        }
        merges = [(unspell(left), unspell(right)) for left, right in pairs]
        return cls(vocab, merges, special_tokens, GPT2_PATTERN)


# %% book/02-tokenization.md#number_special
def number_special(
    vocab: dict[int, bytes], names: Iterable[str]
) -> dict[str, int]:
    """The ids of the special tokens; `vocab` gets those that it lacks."""
    if isinstance(names, str):
        raise ValueError(f"special_tokens must be a list, not {names!r}")
    known = {token: i for i, token in vocab.items()}
    numbers = {}
    for name in names:
        if not name or name in numbers:
            raise ValueError(f"special token {name!r} is empty or repeated")
        i = known.get(name.encode(), max(vocab, default=-1) + 1)
        vocab[i] = name.encode()
        numbers[name] = i
    return numbers


def rank_tokens(merges: list[tuple[bytes, bytes]]) -> dict[bytes, int]:
    """Each token's place in history: 256 bytes, then a token per merge."""
    ranks = {bytes([byte]): byte for byte in range(256)}
    for left, right in merges:
        if left not in ranks or right not in ranks or left + right in ranks:
            raise ValueError(
                f"merge {len(ranks) - 256}, {left!r} + {right!r}, joins a "
                "token that isn't made before it, or makes one again"
            )
        ranks[left + right] = len(ranks)
    return ranks


# %% book/02-tokenization.md#ids_by_rank
def ids_by_rank(
    vocab: Mapping[int, bytes],
    special: Mapping[str, int],
    ranks: Mapping[bytes, int],
) -> list[int]:
    """The id of each rank's token."""
    reserved = set(special.values())
    ids = {token: i for i, token in vocab.items() if i not in reserved}
    missing = [token for token in ranks if token not in ids]
    if missing:
        raise ValueError(f"the vocabulary has no token {missing[0]!r}")
    return [ids[token] for token in ranks]


# %% book/02-tokenization.md#train_bpe
def train_bpe(
    corpus: Corpus,
    vocab_size: int,
    special_tokens: Iterable[str] = (),
    pattern: str = PATTERN,
) -> Tokenizer:
    """Train byte-pair encoding: 256 bytes, merges, then special tokens.

    Args:
        corpus: a text, the path of one, or several of either.
        vocab_size: tokens in all; fewer if no pair is left to merge.
    """
    if isinstance(special_tokens, str):
        message = f"special_tokens must be a list, not {special_tokens!r}"
        raise ValueError(message)
    special_tokens = tuple(special_tokens)
    num_merges = vocab_size - 256 - len(special_tokens)
    if num_merges < 0:
        raise ValueError(
            f"vocab_size is {vocab_size}, but 256 bytes and the special "
            f"tokens need {256 + len(special_tokens)}"
        )
    counts = count_pieces(corpus, special_tokens, pattern)
    merges = learn_merges(counts, num_merges)
    tokens = rank_tokens(merges)
    vocab = {rank: token for token, rank in tokens.items()}
    return Tokenizer(vocab, merges, special_tokens, pattern)


# %% book/02-tokenization.md#MANY
MANY = 10_000


def long_blank(text: str) -> bool:
    """Whether a run of twice `MANY` blanks may be in the text."""
    starts = range(0, len(text), MANY)
    return any(text[i : i + MANY].isspace() for i in starts)


# %% book/02-tokenization.md#byte_letters
def byte_letters() -> list[str]:
    """GPT-2's printable letter for each of the 256 bytes."""
    spare = itertools.count(256)
    return [
        chr(
            byte if 33 <= byte <= 126 or 161 <= byte != 173 else next(spare)
        )
        for byte in range(256)
    ]


def in_letters(token: bytes) -> str:
    """A token as GPT-2's files and `tokenizers` write it."""
    letters = byte_letters()
    return "".join(letters[byte] for byte in token)
