"""The command llm clean.

Tangled from book/03-cleaning-a-crawl.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

from dataclasses import dataclass
from pathlib import Path

import tyro

from llm.cleaning import CleanOptions, clean
from llm.ledger import funnel

# %% book/03-cleaning-a-crawl.md#CleanCommand
DEFAULTS = CleanOptions()


@dataclass(frozen=True)
class CleanCommand:
    """Clean crawls: WARC files in, documents out."""

    files: tyro.conf.Positional[tuple[Path, ...]]
    """Files ending in .warc.gz."""
    out: Path
    """A folder for documents.jsonl, dropped.jsonl, rejected/, report.json."""
    options: tyro.conf.OmitArgPrefixes[CleanOptions] = DEFAULTS

    def __call__(self) -> None:
        """Clean, and print how much came out of each stage."""
        report = clean(self.files, self.out, self.options, shown=True)
        print(f"{'stage':12}{'documents':>12}{'bytes':>16}")
        for stage, documents, size in funnel(report):
            print(f"{stage:12}{documents:12,}{size:16,}")
        broken = report["counts"].get("broken", 0)
        print(f"{broken:,} broken records are in {self.out.name}/rejected")
