"""The village's promises at full size.

    python benchmarks/village.py [--stories 100000] [--questions 2520] [--texts 10000]

- Stories are made and read back: each by the reader, which asserts at every choice that
  the possible texts are prefix-free, and each with the same log-probability to the bit.
- Two small worlds are enumerated, with asides and several wordings: the probabilities
  sum to one, and no text comes twice.
- The entropy in bits per byte with its 95 % interval; MB/s made and read on one core.
- Every shortcut's share of right answers against chance, by hops; types and hops.
- The checker on sound stories, and on stories that were damaged.

A promise that doesn't hold ends the run with an error.
"""

import argparse
import contextlib
import math
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import islice
from pathlib import Path

from common import FOLDER, machine, wilson, write_record

from llm.village import Village, entropy, read
from llm.village_checks import check, damage, dice
from llm.village_grammar import Ban, Choice, Enumerator
from llm.village_narrator import Narrator
from llm.village_plots import tell
from llm.village_questions import balanced_questions, chance, shortcuts
from llm.village_world import Size, World

SMALL = Size(1, 3, 2, 1, 1, wordings=1, plots=("rescue",))
WORLDS = {  # and how many of its first choices are fixed
    "three people, one wording of each event": (SMALL, 0),
    "three people, two wordings, one beginning": (replace(SMALL, wordings=2), 12),
}


class Beginning(Enumerator):
    """Takes some choices, and stops where the next one comes."""

    def choose(self, choice: Choice, ban: Ban) -> int:
        if self.depth == len(self.path):
            raise StopIteration
        return super().choose(choice, ban)


def read_back(size: str, start: int, count: int) -> tuple[int, float, float]:
    """Make and read some stories; returns bytes, and seconds of each."""
    making = reading = 0.0
    length = 0
    stories = Village(size, seed=11).stories(start)
    for _ in range(count):
        begun = time.perf_counter()
        story = next(stories)
        made = time.perf_counter()
        found = read(story.text, size)
        reading += time.perf_counter() - made
        making += made - begun
        length += len(story.text.encode()) + 1
        if found.violation is not None or found.log_prob != story.log_prob:
            raise SystemExit(f"not read back: {story.text}")
    return length, making, reading


def tell_all(place: World, first: list[int]) -> Iterator[tuple[str, float]]:
    """All texts of a world after some first choices, and their log-probabilities."""
    chooser = Enumerator()
    chooser.path = [[i] for i in first]
    while True:
        tell(Narrator(place, chooser))
        yield " ".join(chooser.sentences), chooser.log_prob
        if not chooser.advance():
            return


def begin(place: World, fixed: int) -> tuple[list[int], float]:
    """The first choices of a world's first text, and their log-probability."""
    chooser = Enumerator()
    tell(Narrator(place, chooser))
    first = [tried[-1] for tried in chooser.path[:fixed]]
    begun = Beginning()
    begun.path = [[i] for i in first]
    with contextlib.suppress(StopIteration):
        tell(Narrator(place, begun))
    return first, begun.log_prob


def enumerated(size: Size, fixed: int) -> dict[str, float]:
    """How many derivations a world has, and what their probabilities sum to.

    Below a beginning they must sum to the beginning's probability.
    """
    place = World(size)
    first, price = begin(place, fixed)
    texts, shares = set(), []
    for text, log_prob in tell_all(place, first):
        texts.add(text)
        shares.append(math.exp(log_prob - price))
    total = math.fsum(shares)
    if len(texts) < len(shares) or abs(total - 1) > 1e-9:
        raise SystemExit(f"{len(shares)} derivations, {len(texts)} texts, sum {total}")
    return {"derivations": len(shares), "sum": total}


def made_per_second(stories: int) -> float:
    """Megabytes a second that a village makes when nothing is read."""
    begun, length = time.perf_counter(), 0
    for story in islice(Village(seed=3).stories(), stories):
        length += len(story.text.encode()) + 1
    return length / (time.perf_counter() - begun) / 1e6


def questioned(n: int) -> dict[str, object]:
    """Shortcuts against chance by hops, on a balanced set of the test village."""
    items = balanced_questions(Village(split="test"), n)
    types = Counter(question.type for _, question in items)
    hops = Counter(question.hops for _, question in items)
    right: Counter[tuple[str, int]] = Counter()
    seen: Counter[tuple[str, int]] = Counter()
    guess: Counter[tuple[str, int]] = Counter()
    for story, question in items:
        for name, said in shortcuts(story, question).items():
            key = name, question.hops
            seen[key] += 1
            right[key] += said == question.answer
            guess[key] += chance(story, question)
    rows = {}
    for (name, hop), count in sorted(seen.items()):
        low, high = wilson(right[name, hop], count, z=1.96)
        rows[f"{name}, {hop} hops"] = {
            "right": right[name, hop] / count,
            "chance": guess[name, hop] / count,
            "interval": [low, high],
            "holds": low <= guess[name, hop] / count <= high,
        }
    missed = [name for name, row in rows.items() if not row["holds"]]
    if len(missed) > 0.05 * len(rows):
        raise SystemExit(f"shortcuts away from chance: {missed}")
    return {
        "questions": n,
        "types": dict(types),
        "hops": dict(hops),
        "shortcuts by hops": len(rows),
        "away from chance": missed,
        "rows": rows,
    }


# Damage that contradicts what the story says elsewhere.
FIRM = ("name", "thing", "place", "pronoun", "missing", "repeat")


def checked(n: int) -> dict[str, float]:
    """How often the checker objects to sound stories, and to damaged ones."""
    stories = list(islice(Village(seed=5).stories(), n))
    wrong = sum(bool(check(story.text)) for story in stories)
    spoiled = [
        (story, damage(story, dice(key), FIRM[key % len(FIRM)]))
        for key, story in enumerate(stories)
    ]
    damaged = [text for story, text in spoiled if text != story.text]
    noticed = sum(bool(check(text)) for text in damaged)
    if wrong:
        raise SystemExit(f"the checker objects to {wrong} sound stories")
    return {
        "sound stories": n,
        "objected to": wrong,
        "damaged stories": len(damaged),
        "noticed": noticed / len(damaged),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stories", type=int, default=100_000)
    parser.add_argument("--questions", type=int, default=2_520)
    parser.add_argument("--texts", type=int, default=10_000)
    parser.add_argument("--out", type=Path, default=FOLDER / "records")
    options = parser.parse_args()
    record: dict[str, object] = {"machine": machine()}
    record["made, MB/s"] = made_per_second(options.stories // 10)
    print(f"made: {record['made, MB/s']:.2f} MB/s on one core")
    half = options.stories // 2
    with ProcessPoolExecutor(2) as pool:
        for size in ("village", "hamlet"):
            parts = list(
                pool.map(read_back, (size, size), (0, half), (half, half), chunksize=1)
            )
            length, _, reading = map(sum, zip(*parts, strict=True))
            rate, width = entropy(options.stories // 5, size, seed=7)
            record[size] = {
                "stories read back": 2 * half,
                "bytes": length,
                "read, MB/s": length / reading / 1e6,
                "bits per byte": rate,
                "half of the 95 % interval": width,
            }
            print(f"{size}: {2 * half:,} stories read back, {length / 1e6:.1f} MB")
            print(f"{size}: {rate:.4f} ± {width:.4f} bits per byte")
    worlds = {name: enumerated(*row) for name, row in WORLDS.items()}
    for name, row in worlds.items():
        print(f"{name}: {row['derivations']:,} derivations, sum {row['sum']:.12f}")
    asked = questioned(options.questions)
    away = asked["away from chance"] or "none"
    print(f"{asked['shortcuts by hops']} shortcuts by hops, away from chance: {away}")
    texts = checked(options.texts)
    print(
        f"checker: {texts['objected to']} of {texts['sound stories']:,} sound stories, "
        f"{texts['noticed']:.1%} of {texts['damaged stories']:,} damaged ones"
    )
    record |= {"worlds": worlds, "questions": asked, "checker": texts}
    print(write_record("village", record, options.out))


if __name__ == "__main__":
    main()
