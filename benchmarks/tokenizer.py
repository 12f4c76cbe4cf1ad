"""Our tokenizer beside Hugging Face's `tokenizers` and tiktoken, as ratios.

    python benchmarks/tokenizer.py [--text FILE] [--sizes 1 4 100] [--runs 5]

Training: vocabulary 4,096, GPT-2's pattern, from a file. Encoding: a text at once, with
the same vocabulary, in one thread. Streaming: the peak memory of encoding a large file.
Each measurement has a process of its own; ours and the peer's take turns, and a ratio
is the median of the turns' ratios. Below 1, ours takes less time.
"""

import argparse
import json
import re
import resource
import statistics
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from common import FOLDER, in_a_process, machine, medians, write_record

VOCAB_SIZE = 4_096


# --- what is measured, each in a process of its own -------------------------------


def train_ours(path: Path) -> None:
    from llm.bpe import GPT2_PATTERN
    from llm.tokenizer import train_bpe

    train_bpe(path, VOCAB_SIZE, pattern=GPT2_PATTERN)


def train_huggingface(path: Path) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=VOCAB_SIZE,
        show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train([str(path)], trainer)


def encode_with(path: Path, encoder: str) -> Callable[[], object]:
    """A function that encodes the text of a file, ready to be timed."""
    from llm.tokenizer import Tokenizer

    text = path.read_text(encoding="utf-8")
    saved = path.with_suffix(".json")
    ours = Tokenizer.load(saved)
    if encoder == "ours":
        return lambda: ours.encode(text)
    if encoder == "tiktoken":
        encoding = ours.to_tiktoken()
        return lambda: encoding.encode_ordinary(text)
    from tokenizers import Tokenizer as HuggingFace

    exported = path.with_suffix(".huggingface.json")
    ours.to_huggingface(exported)
    theirs = HuggingFace.from_file(str(exported))
    return lambda: theirs.encode(text).ids


def stream(path: Path) -> int:
    """Encode a file without holding it; returns how many tokens it has."""
    from llm.tokenizer import Tokenizer

    tokenizer = Tokenizer.load(path.with_suffix(".json"))

    def chunks() -> Iterator[str]:
        with open(path, encoding="utf-8", newline="") as file:
            while chunk := file.read(1 << 20):
                yield chunk

    return sum(1 for _ in tokenizer.encode_iterable(chunks()))


def measure(task: str, path: Path) -> dict[str, float]:
    """Do one task and say what it took: seconds, and MB at the peak.

    A first turn on a small text is not counted: it compiles patterns and loads code.
    """
    kind, _, who = task.partition("-")
    if kind == "train":
        TRAINERS[who](path.with_suffix(".small"))
        work: Callable[[], object] = partial(TRAINERS[who], path)
    elif kind == "encode":
        work = encode_with(path, who)
        work()
    else:
        work = partial(stream, path)
    start = time.perf_counter()
    work()
    return {"seconds": time.perf_counter() - start, "peak_mb": peak_memory()}


def peak_memory() -> float:
    """The most memory that this process has held, in MB."""
    status = Path("/proc/self/status")
    if status.is_file():  # where getrusage would count the parent's memory, too
        rows = status.read_text().split("\n")
        return next(int(row.split()[1]) / 1024 for row in rows if "VmHWM" in row)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


TRAINERS = {"ours": train_ours, "huggingface": train_huggingface}


# --- the text ---------------------------------------------------------------------


def texts_at_hand() -> Iterator[str]:
    """English paragraphs from the documentation and sources of installed packages."""
    seen: set[str] = set()
    folders = [sysconfig.get_path("purelib"), sysconfig.get_path("stdlib")]
    for folder in map(Path, folders):
        for ending in ("md", "rst", "txt", "py"):
            for file in sorted(folder.rglob(f"*.{ending}")):
                try:
                    text = file.read_text(encoding="utf-8")
                except (UnicodeDecodeError, OSError):
                    continue
                for paragraph in re.split(r"\n\s*\n", text):
                    if paragraph not in seen and is_prose(paragraph):
                        seen.add(paragraph)
                        yield paragraph.strip("\n") + "\n\n"


def is_prose(paragraph: str) -> bool:
    """Is it mostly words in small letters, and not the same ones over and over?"""
    if not 120 < len(paragraph) < 5_000:
        return False
    words = re.findall(r"\b[a-z]{2,}\b", paragraph)
    letters = sum(map(len, words)) + len(words)
    return letters > 0.8 * len(paragraph.strip()) and len(set(words)) > 0.4 * len(words)


def make_text(source: Path | None, megabytes: int, target: Path) -> float:
    """Write the first megabytes of a text to a file; returns how many it had.

    A text that is shorter is repeated.
    """
    size = megabytes * 1_000_000
    pieces: Iterator[str] = (
        iter([source.read_text(encoding="utf-8")]) if source else texts_at_hand()
    )
    data = bytearray()
    for piece in pieces:
        data += piece.encode()
        if len(data) >= size:
            break
    had = min(len(data), size) / 1e6
    while len(data) < size:
        data += data[: size - len(data)]
    target.write_text(data[:size].decode("utf-8", "ignore"), encoding="utf-8")
    return had


# --- side by side -----------------------------------------------------------------


def compare(kind: str, peer: str, path: Path, runs: int) -> dict[str, float]:
    """Ours and a peer in turn: medians of both, and of the ratio."""
    ours: list[dict[str, float]] = []
    theirs: list[dict[str, float]] = []
    for _ in range(runs):
        theirs.append(in_a_process(__file__, "--measure", f"{kind}-{peer}", path))
        ours.append(in_a_process(__file__, "--measure", f"{kind}-ours", path))
    turns = zip(ours, theirs, strict=True)
    return {
        "ours_seconds": medians(ours)["seconds"],
        "peer_seconds": medians(theirs)["seconds"],
        "ratio": statistics.median(a["seconds"] / b["seconds"] for a, b in turns),
        "ours_peak_mb": medians(ours)["peak_mb"],
        "peer_peak_mb": medians(theirs)["peak_mb"],
        "runs": runs,
    }


def prepare(folder: Path, source: Path | None, megabytes: int) -> tuple[Path, float]:
    """A text of some megabytes, and next to it the tokenizer that encodes it.

    Also returns how many megabytes there were before the text had to be repeated.
    """
    from llm.bpe import GPT2_PATTERN
    from llm.tokenizer import train_bpe

    path = folder / f"{megabytes}.txt"
    had = make_text(source, megabytes, path)
    first = path.read_text(encoding="utf-8")[:1_000_000]
    tokenizer = train_bpe(first, VOCAB_SIZE, pattern=GPT2_PATTERN)
    tokenizer.save(path.with_suffix(".json"))
    path.with_suffix(".small").write_text(first[:10_000], encoding="utf-8")
    return path, had


def show(name: str, row: dict[str, float]) -> None:
    print(
        f"{name:44} ours {row['ours_seconds']:8.3f} s"
        f"   peer {row['peer_seconds']:8.3f} s   ratio {row['ratio']:.2f}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--text", type=Path, help="a text file (default: what is here)")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 4, 100])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--stream", type=int, default=1_000, metavar="MB")
    parser.add_argument("--out", type=Path, default=FOLDER / "records")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure:
        print(json.dumps(measure(args.measure[0], Path(args.measure[1]))))
        return
    results = []
    with tempfile.TemporaryDirectory() as name:
        for megabytes in args.sizes:
            path, had = prepare(Path(name), args.text, megabytes)
            jobs = [("train", "huggingface", "tokenizers (Rust)")]
            if megabytes == min(args.sizes, key=lambda size: abs(size - 4)):
                jobs += [("encode", "tiktoken", "tiktoken, same ranks")]
                jobs += [("encode", "huggingface", "tokenizers, same vocabulary")]
            for kind, peer, title in jobs:
                runs = args.runs if megabytes < 50 else min(args.runs, 3)
                row = compare(kind, peer, path, runs)
                verb = {"train": "training on", "encode": "encoding"}[kind]
                what = f"{verb} {megabytes} MB"
                show(f"{what}, beside {title}", row)
                results.append({"what": what, "peer": title, **row})
        path, _ = prepare(Path(name), args.text, args.stream)
        streamed = in_a_process(__file__, "--measure", "stream", path)
        print(f"streaming {args.stream} MB: {streamed['peak_mb']:.0f} MB at the peak")
    record = {
        "benchmark": "tokenizer",
        "machine": machine("literate-llm", "tokenizers", "tiktoken", "regex", "numpy"),
        "text": args.text.name
        if args.text
        else "English paragraphs of installed packages",
        "distinct_megabytes": round(had, 1),
        "vocab_size": VOCAB_SIZE,
        "results": results,
        "stream": {"megabytes": args.stream, **streamed},
    }
    print("written:", write_record("tokenizer", record, args.out))


if __name__ == "__main__":
    main()
