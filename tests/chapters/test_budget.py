"""The tests of book/10-the-training-loop.md.

Tangled from book/10-the-training-loop.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import itertools
import tempfile
from pathlib import Path

from llm.budget import plan
from llm.checkpoint import load_model
from llm.cooking import cook, split_texts
from llm.data import TokenDataset
from llm.validation import Documents
from llm.village import Village


# %% book/10-the-training-loop.md#check_study
def check_study(study):
    """`study(file, times, folder)`: rows (share, seconds, passes, loss)."""
    hamlet = Village("hamlet")
    texts = [s.text for s in itertools.islice(hamlet.stories(), 200)]
    known = "\n".join(texts)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "text.txt"
        file.write_text(known + known.upper()[: len(known) // 9])
        rows = study(file, (0.2,), Path(folder))
    assert [row[:2] for row in rows] == [(1.0, 0.2), (0.5, 0.2)]
    for _, _, passes, loss in rows:
        assert 0 < passes < 5
        assert loss > 2  # for only what was laid aside is in capitals


# %% book/10-the-training-loop.md#study
def study(file, times, folder):
    (rest,), (aside,) = split_texts([file.read_text()])
    rows = []
    for share, seconds in itertools.product((1.0, 0.5), times):
        part = folder / f"{share}.txt"
        part.write_text(rest[: int(share * len(rest))])
        run = folder / f"run-{share}-{seconds}"
        recipe = plan(str(part), seconds)
        read = cook(recipe, run, show_progress=False)["tokens"]
        model, tokenizer = load_model(run)
        rows_there = TokenDataset(run / "data", 256, tokenizer)
        passes = read / (len(rows_there) * 256)
        judge = Documents([aside], tokenizer, model.config.max_seq_len)
        rows.append((share, seconds, passes, judge(model)["nats_per_byte"]))
    return rows


def test_study():
    """The exercise "Your own text"."""
    check_study(study)
