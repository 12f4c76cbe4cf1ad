"""Clean a large crawl of the village: precision, recall, speed and memory.

    python benchmarks/cleaning.py --pages 35000 --out benchmarks/records

The crawl is made first. Cleaning runs in a process of its own, whose peak memory is
taken. The labels are read afterwards.
"""

import argparse
import itertools
import json
import resource
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
from common import FOLDER, in_a_process, machine, wilson, write_record

from llm.cleaning import CleanOptions, clean
from llm.dedup import MinHash, shingles, words_of
from llm.ledger import funnel, read_rows
from llm.quality import train_quality
from llm.village import Village
from llm.village_crawl import write_crawl
from llm.warc import (
    DropError,
    RecordError,
    extract,
    page_markup,
    read_members,
    read_page,
)


def make_crawl(folder: Path, pages: int, seed: int, exam: Path | None = None) -> Path:
    """A crawl and its labels."""
    items = exam.read_text(encoding="utf-8").splitlines() if exam else []
    stories = Village(seed=seed).stories()
    write_crawl(folder, stories, pages=pages, seed=seed, evaluation=items)
    (path,) = folder.glob("*.warc.gz")
    return path


def texts_of(path: Path, limit: int | None = None) -> dict[str, str]:
    """The extracted texts of a crawl's readable pages, by id."""
    texts = {}
    for member in itertools.islice(read_members(path), limit):
        try:
            if not member.error and (page := read_page(member.data)):
                texts[page.id] = extract(page_markup(page))
        except (RecordError, DropError):
            continue
    return texts


def train(folder: Path) -> tuple[Path, float]:
    """A quality classifier and a limit, from another crawl and its labels."""
    path = folder / "quality.safetensors"
    other = make_crawl(folder / "other", 2_000, seed=101)
    labels = {row["record_id"]: row for row in read_rows(other.parent / "labels.jsonl")}
    good, bad = [], []
    for i, text in texts_of(other).items():
        label = labels[i]
        copied = label["duplicate_of"] or label["near_duplicate_of"]
        if label["language"] == "en":
            (good if label["keep"] or copied else bad).append(text)
    classifier = train_quality(good[::2], bad[::2])
    classifier.save(path)
    return path, float(np.quantile([classifier.score(t) for t in good[1::2]], 0.02))


def examination(folder: Path) -> Path:
    """Stories that nobody trains on, one a line."""
    path = folder / "exam.txt"
    stories = itertools.islice(Village(split="test").stories(), 100)
    path.write_text("\n".join(story.text for story in stories), encoding="utf-8")
    return path


def one_run(
    crawl: str, out: str, quality: str, limit: str, exam: str
) -> dict[str, float]:
    """Clean once, in this process."""
    options = CleanOptions(
        quality=Path(quality),
        min_quality=float(limit),
        evaluation=Path(exam),
        overlap=30,
    )
    start = time.perf_counter()
    clean([Path(crawl)], Path(out), options, shown=True)
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "peak_mb": peak_mb()}


def peak_mb() -> float:
    """The most memory of this process; its parent's doesn't count."""
    status = Path("/proc/self/status")
    if status.exists():
        rows = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(rows["VmHWM"].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def s_curve(labels: dict[str, dict], texts: dict[str, str]) -> list[dict[str, float]]:
    """Pairs that the crawl made, by similarity: the share that shares a band."""
    minhash, groups = MinHash(), defaultdict(list)
    by_url = {label["url"]: i for i, label in labels.items()}
    for i, label in labels.items():
        of = label["near_duplicate_of"]
        other = by_url.get(of, of)
        if not of or i not in texts or other not in texts:
            continue
        one, two = (set(shingles(words_of(texts[k]), 5).tolist()) for k in (i, other))
        similarity = len(one & two) / len(one | two)
        first, second = minhash.keys_of([texts[i], texts[other]])
        groups[int(similarity * 20)].append(
            (minhash.probability(similarity), bool((first == second).any()))
        )
    rows = []
    for group, pairs in sorted(groups.items()):
        found = sum(hit for _, hit in pairs)
        low, high = wilson(found, len(pairs), z=3.29)
        rows.append(
            {
                "similarity": group / 20,
                "pairs": len(pairs),
                "expected": sum(p for p, _ in pairs) / len(pairs),
                "found": found / len(pairs),
                "low": low,
                "high": high,
            }
        )
    return rows


def judge(folder: Path, out: Path) -> dict[str, object]:
    """Precision and recall, of every stage and of all together."""
    labels = {row["record_id"]: row for row in read_rows(folder / "labels.jsonl")}
    where = {row["id"]: row["stage"] for row in read_rows(out / "dropped.jsonl")}
    kept = {row["id"] for row in read_rows(out / "documents.jsonl")}
    keep = {i for i, label in labels.items() if label["keep"]}
    stages = {}
    for stage in dict.fromkeys(where.values()):
        here = {i for i, name in where.items() if name == stage}
        kinds = Counter(labels[i]["kind"] for i in here if i in labels)
        stages[stage] = {
            "dropped": len(here),
            "precision": len(here - keep) / len(here),
            "kinds": dict(kinds.most_common()),
        }
    return {
        "kept": len(kept),
        "precision": len(kept & keep) / len(kept),
        "recall": len(kept & keep) / len(keep),
        "stages": stages,
        "kept_kinds": dict(Counter(labels[i]["kind"] for i in kept).most_common()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pages", type=int, default=35_000)
    parser.add_argument("--out", type=Path, default=FOLDER / "records")
    parser.add_argument("--run", nargs=5, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.run:
        print(json.dumps(one_run(*args.run)))
        return
    with tempfile.TemporaryDirectory() as folder:
        record = measure(args.pages, Path(folder))
    print(json.dumps({k: v for k, v in record.items() if k != "counts"}, indent=1))
    print("written:", write_record("cleaning", record, args.out), file=sys.stderr)


def measure(pages: int, folder: Path) -> dict[str, object]:
    """Make a crawl, clean it, and hold what was kept against the labels."""
    exam = examination(folder)
    crawl = make_crawl(folder / "crawl", pages, 0, exam)
    quality, limit = train(folder)
    out = folder / "clean"
    run = in_a_process(__file__, "--run", crawl, out, quality, limit, exam)
    report = json.loads((out / "report.json").read_text())
    rows = funnel(report)
    labels = {row["record_id"]: row for row in read_rows(crawl.parent / "labels.jsonl")}
    curve = s_curve(labels, texts_of(crawl))
    inside = sum(row["low"] <= row["expected"] <= row["high"] for row in curve)
    return {
        **machine("numpy", "fastwarc", "resiliparse"),
        "pages": pages,
        "file_mb": crawl.stat().st_size / 1e6,
        "html_mb": rows[0][2] / 1e6,
        **run,
        "html_mb_per_s": rows[0][2] / 1e6 / run["seconds"],
        "funnel": [list(row) for row in rows],
        "counts": report["counts"],
        **judge(crawl.parent, out),
        "s_curve": curve,
        "s_curve_groups_inside": f"{inside} of {len(curve)}",
    }


if __name__ == "__main__":
    main()
