"""The command llm village.

Tangled from book/appendix-a4-the-villages-crawl.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from llm.village import Village
from llm.village_crawl import write_crawl
from llm.village_poems import poems
from llm.village_questions import balanced_questions
from llm.village_tasks import instructions, preferences

# %% book/appendix-a4-the-villages-crawl.md#Row
Row = dict[str, Any]


def story_rows(village: Village, count: int) -> Iterator[Row]:
    """Stories."""
    for story in islice(village.stories(), count):
        yield {"text": story.text}


def question_rows(village: Village, count: int) -> Iterator[Row]:
    """Stories with a question, its solution in steps, and its answer."""
    for story, q in balanced_questions(village, count, village.seed):
        yield {"text": story.text, "question": q.text, "steps": q.steps,
               "answer": q.answer, "type": q.type, "hops": q.hops}


def instruction_rows(village: Village, count: int) -> Iterator[Row]:
    """Instructions, with an answer that keeps them and one that doesn't."""
    for each in islice(instructions(village), count):
        yield {"prompt": each.text, "good": each.good, "bad": each.bad}


def poem_rows(village: Village, count: int) -> Iterator[Row]:
    """Poems."""
    for poem in islice(poems(village), count):
        yield {"text": poem.text}


def preference_rows(village: Village, count: int) -> Iterator[Row]:
    """Prompts with a chosen and a rejected answer."""
    for each in islice(preferences(village), count):
        yield {"prompt": each.prompt, "chosen": each.chosen,
               "rejected": each.rejected}


ROWS: dict[str, Callable[[Village, int], Iterator[Row]]] = {
    "story": story_rows,
    "question": question_rows,
    "instruction": instruction_rows,
    "poem": poem_rows,
    "preference": preference_rows,
}


# %% book/appendix-a4-the-villages-crawl.md#VillageCommand
@dataclass(frozen=True)
class VillageCommand:
    """Make stories, questions, instructions, poems, pairs, or a crawl."""

    kind: str = "story"
    """story, question, instruction, poem, preference, or crawl."""
    count: int = 1
    """How many; of a crawl, the pages."""
    seed: int = 0
    """Another seed makes others; the same seed makes the same."""
    size: str = "village"
    """The village, or the hamlet, which has fewer words."""
    split: str = "train"
    """Train, validation or test; no story is drawn for two of them."""
    out: Path | None = None
    """A file for lines of JSON; for a crawl, a folder."""

    def __call__(self) -> None:
        """Make them."""
        if self.kind not in (*ROWS, "crawl"):
            known = ", ".join((*ROWS, "crawl"))
            raise ValueError(f"no kind {self.kind!r}: take one of {known}")
        if self.count < 1:
            raise ValueError(f"count is {self.count}: make at least one")
        village = Village(self.size, self.seed, self.split)
        if self.kind == "crawl":
            self.crawl(village)
            return
        rows = ROWS[self.kind](village, self.count)
        if self.out is None:
            for row in rows:
                print(*row.values(), sep="\n", end="\n\n")
            return
        self.out.parent.mkdir(parents=True, exist_ok=True)
        with self.out.open("w", encoding="utf-8", newline="\n") as file:
            for row in rows:
                file.write(json.dumps(row, ensure_ascii=False) + "\n")

    def crawl(self, village: Village) -> None:
        """Write a crawl, and say where it is."""
        if self.out is None:
            raise ValueError("a crawl needs a folder: add --out FOLDER")
        paths = write_crawl(
            self.out, village.stories(), pages=self.count, seed=self.seed
        )
        print(*paths, sep="\n")
