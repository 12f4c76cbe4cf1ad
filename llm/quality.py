"""What is worth reading: the rules of Gopher and C4, and a classifier.

Tangled from book/03-cleaning-a-crawl.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import itertools
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Int64
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from llm.files import replacing

# %% book/03-cleaning-a-crawl.md#GopherRules
STOP_WORDS = {"the", "be", "to", "of", "and", "that", "have", "with"}


@dataclass(frozen=True)
class GopherRules:
    """The quality rules of Gopher, appendix A.1.1, with its thresholds."""

    min_words: int = 50
    max_words: int = 100_000
    mean_word: tuple[float, float] = (3.0, 10.0)
    max_symbols: float = 0.1
    max_bullets: float = 0.9
    max_ellipses: float = 0.3
    min_alphabetic: float = 0.8
    min_stop_words: int = 2


# %% book/03-cleaning-a-crawl.md#gopher_quality
def gopher_quality(
    text: str, rules: GopherRules = GopherRules()
) -> str | None:
    """The first of Gopher's quality rules that `text` breaks, if any."""
    words, lines = text.split(), text.splitlines()
    if not max(rules.min_words, 1) <= len(words) <= rules.max_words:
        return "number of words"
    low, high = rules.mean_word
    if not low <= sum(map(len, words)) / len(words) <= high:
        return "mean length of words"
    ellipses = text.count("...") + text.count("…")
    if max(text.count("#"), ellipses) > rules.max_symbols * len(words):
        return "symbols"
    bullets = sum(line.startswith(("•", "-", "*")) for line in lines)
    if bullets > rules.max_bullets * len(lines):
        return "bullets"
    trailing = sum(line.endswith(("...", "…")) for line in lines)
    if trailing > rules.max_ellipses * len(lines):
        return "lines that trail off"
    letters = sum(any(map(str.isalpha, word)) for word in words)
    if letters < rules.min_alphabetic * len(words):
        return "words without a letter"
    if len(STOP_WORDS & set(text.lower().split())) < rules.min_stop_words:
        return "stop words"
    return None


# %% book/03-cleaning-a-crawl.md#TOP_GRAMS
TOP_GRAMS = {2: 0.20, 3: 0.18, 4: 0.16}
REPEATED_GRAMS = {5: 0.15, 6: 0.14, 7: 0.13, 8: 0.12, 9: 0.11, 10: 0.10}


def repeated(parts: Sequence[str]) -> tuple[float, int]:
    """The share of parts that came before, and how many characters."""
    total = sum(map(len, parts)) - sum(map(len, set(parts)))
    return 1 - len(set(parts)) / len(parts), total


def gopher_repetition(text: str) -> str | None:
    """The first of Gopher's repetition rules (table A1) that is broken.

    Our extractor puts a paragraph on a line, so that the table's rules
    for lines and for paragraphs are one.
    """
    share, characters = repeated(text.split("\n"))
    if share > 0.30 or characters > 0.20 * len(text):
        return "repeated lines"
    words = text.split()
    for n, limit in TOP_GRAMS.items():
        runs = Counter(zip(*(words[i:] for i in range(n)), strict=False))
        if runs:
            top, count = runs.most_common(1)[0]
            length = len(" ".join(top)) * count
            if count > 1 and length > limit * len(text):
                return f"commonest {n}-gram"
    for n, limit in REPEATED_GRAMS.items():
        characters = repeated_characters(words, n)
        if characters > limit * len(text):
            return f"repeated {n}-grams"
        if characters <= REPEATED_GRAMS[10] * len(text):
            break  # what longer runs repeat, shorter ones repeat too
    return None


# %% book/03-cleaning-a-crawl.md#repeated_characters
def repeated_characters(words: Sequence[str], n: int) -> int:
    """The characters inside runs of n words that occurred before.

    Characters in overlapping runs count once.
    """
    ends = list(itertools.accumulate(map(len, words), initial=0))
    seen: set[tuple[str, ...]] = set()
    total = counted = 0
    for i in range(len(words) - n + 1):
        run = tuple(words[i : i + n])
        if run in seen:
            total += ends[i + n] - ends[max(i, counted)]
            counted = i + n
        else:
            seen.add(run)
    return total


# %% book/03-cleaning-a-crawl.md#c4
END_MARKS = (".", "!", "?", '"', "”")
POLICIES = (
    "terms of use", "privacy policy", "cookie policy", "uses cookies",
    "use of cookies", "use cookies",
)
SENTENCE = re.compile(r"""(?<![.!?])[.!?]+["”']?(?=\s|$)""")


def c4_lines(text: str, min_words: int = 5) -> str:
    """The lines that C4 keeps: whole sentences, no notices."""
    kept = []
    for line in text.split("\n"):
        lower = line.lower()
        if (
            line.endswith(END_MARKS)
            and not line.endswith("...")
            and len(line.split()) >= min_words
            and "javascript" not in lower
            and not any(policy in lower for policy in POLICIES)
        ):
            kept.append(line)
    return "\n".join(kept)


def c4_page(text: str, min_sentences: int = 3) -> str | None:
    """The first of C4's rules for whole pages that `text` breaks."""
    if "{" in text:
        return "curly bracket"
    if "lorem ipsum" in text.lower():
        return "lorem ipsum"
    if not text or len(SENTENCE.findall(text)) < min_sentences:
        return "number of sentences"
    return None


# %% book/03-cleaning-a-crawl.md#quality_features
FEATURES = 2**16


def quality_features(text: str) -> Int64[np.ndarray, "N"]:
    """The words and pairs of words of a text, hashed into 2**16 buckets."""
    words = re.findall(r"\w+|[^\w\s]", text.lower())
    pairs = [f"{a} {b}" for a, b in itertools.pairwise(words)]
    hashed = [zlib.crc32(gram.encode()) for gram in (*words, *pairs)]
    return np.array(hashed or [0], np.int64) % FEATURES


# %% book/03-cleaning-a-crawl.md#QualityClassifier
@dataclass(frozen=True)
class QualityClassifier:
    """Logistic regression on the mean weight of a text's features."""

    weights: Float32[np.ndarray, "F"]
    bias: float = 0.0

    def score(self, text: str) -> float:
        """The probability that a text is like those called good."""
        z = self.weights[quality_features(text)].mean() + self.bias
        return float(1 / (1 + np.exp(-z)))

    def save(self, path: str | Path) -> None:
        """Write the weights, half a megabyte, as safetensors."""
        bias = np.array([self.bias], np.float32)
        with replacing(Path(path)) as file:
            file.write(save({"weights": self.weights, "bias": bias}))

    @classmethod
    def load(cls, path: str | Path) -> "QualityClassifier":
        """Read a file that `save` has written."""
        try:
            content = load_file(path)
            weights, bias = content["weights"], content["bias"]
        except (KeyError, SafetensorError) as error:
            message = f"{path} is no saved classifier: {error}"
            raise ValueError(message) from None
        if weights.shape != (FEATURES,) or bias.shape != (1,):
            raise ValueError(f"{path}: weights of {weights.shape}")
        return cls(weights.astype(np.float32), float(bias[0]))


# %% book/03-cleaning-a-crawl.md#train_quality
def train_quality(
    good: Iterable[str], bad: Iterable[str], steps: int = 30,
    rate: float = 0.1, decay: float = 1e-6,
) -> QualityClassifier:
    """Fit a classifier to two kinds of texts."""
    import torch
    from torch.nn import functional as F

    kinds = [[quality_features(text) for text in texts]
             for texts in (good, bad)]
    if not all(kinds):
        raise ValueError("train_quality needs texts of both kinds")
    rows = [row for kind in kinds for row in kind]
    ids = torch.from_numpy(np.concatenate(rows))
    sizes = torch.tensor([0, *map(len, rows[:-1])])
    targets = torch.tensor([1.0] * len(kinds[0]) + [0.0] * len(kinds[1]))
    shares = torch.tensor([1 / len(kinds[0])] * len(kinds[0])
                          + [1 / len(kinds[1])] * len(kinds[1]))
    weights = torch.zeros(FEATURES, 1, requires_grad=True)
    bias = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.Adam([weights, bias], lr=rate)
    for _ in range(steps):
        optimizer.zero_grad()
        z = F.embedding_bag(ids, weights, sizes.cumsum(0), mode="mean")
        losses = F.binary_cross_entropy_with_logits(
            z[:, 0] + bias, targets, reduction="none"
        )
        loss = (losses * shares).sum() + decay * weights.square().sum()
        loss.backward()
        optimizer.step()
    return QualityClassifier(weights.detach().numpy()[:, 0], bias.item())
