"""Write the README's table of measurements from the records.

python benchmarks/readme.py
"""

import json
import statistics
from typing import Any

from common import FOLDER

README = FOLDER.parent / "README.md"
BEGIN, END = "<!-- benchmarks:begin -->\n", "<!-- benchmarks:end -->"


def read(name: str) -> dict[str, Any]:
    return json.loads((FOLDER / "records" / f"{name}.json").read_text())


def where(record: dict[str, Any]) -> str:
    machine = record["machine"]
    return f"{machine['cpu']}, {machine['cores']} cores, {machine['date']}"


def tokenizer() -> list[str]:
    """Training and encoding, and the memory of a stream."""
    record = read("tokenizer")
    rows = [
        f"| {row['what']} | {row['peer']} | **{row['ratio']:.2f}** "
        f"| {row['ours_seconds']:.2f} s | {row['peer_seconds']:.2f} s |"
        for row in record["results"]
    ]
    return [
        "**Byte-pair encoding.** A ratio below 1 means that ours takes less time.",
        "",
        "| what | beside | ratio | ours | theirs |",
        "|---|---|---|---|---|",
        *rows,
        "",
        f"Encoding {record['stream']['megabytes']} MB as a stream took "
        f"{record['stream']['peak_mb']:.0f} MB of memory at its peak. "
        f"{where(record)}; text: {record['text']}, "
        f"{record['distinct_megabytes']:.0f} MB before it repeats. "
        "Again: `python benchmarks/tokenizer.py`.",
    ]


def race() -> list[str]:
    """The loss of a model of letters, in less time and in the same."""
    texts = {"Shakespeare": "tinyshakespeare", "the village": "village"}
    records = {text: read(f"race-{name}") for text, name in texts.items()}
    rows = []
    for text, record in records.items():
        rounds, loss = record["rounds"], record["summary"]
        seconds = {
            kind: statistics.mean(runs[kind]["seconds"] for runs in rounds)
            for kind in ("nanogpt", "short", "equal")
        }
        for kind, what in (("short", "soonest"), ("equal", "in its time")):
            rows.append(
                f"| {text}, {what} | **{loss[kind]:.3f}** in {seconds[kind]:.0f} s "
                f"| {loss['nanogpt']:.3f} in {seconds['nanogpt']:.0f} s |"
            )
    first = records["Shakespeare"]
    return [
        "**Letters.** Loss on the unseen tenth of a megabyte, in nats a letter: "
        "`llm pretrain --recipe race`, beside nanoGPT's recipe for a CPU.",
        "",
        "| text | ours | nanoGPT |",
        "|---|---|---|",
        *rows,
        "",
        f"Means of {len(first['rounds'])} seeds, in turns; seconds of training, "
        f"without what comes before and after. {where(first)}. "
        "Again: `python benchmarks/race.py`; Appendix E has all runs.",
    ]


def step() -> list[str]:
    """A training step of GPT-2's shape."""
    record = read("model-gpt2")
    ratio = {name: row["ratio"] for name, row in record["results"].items()}
    return [
        "**A training step of GPT-2's shape**, tokens per second, beside transformers: "
        f"**{ratio['transformers']:.2f}** times as many; beside nanoGPT: "
        f"**{ratio['nanoGPT']:.2f}**. {where(record)}. "
        "Again: `python benchmarks/model.py`.",
    ]


def table() -> str:
    """All of it, as Markdown."""
    return "\n\n".join("\n".join(part()) for part in (tokenizer, race, step)) + "\n"


def main() -> None:
    before, _, rest = README.read_text().partition(BEGIN)
    README.write_text(before + BEGIN + table() + END + rest.partition(END)[2])


if __name__ == "__main__":
    main()
