"""The tests of book/10-the-training-loop.md.

Tangled from book/10-the-training-loop.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import itertools
import tempfile
from pathlib import Path

from llm.config import preset
from llm.cooking import (
    Recipe,
    WholeDocuments,
    claim,
    make_tokenizer,
    split_texts,
)
from llm.losses import count_targets
from llm.optim import OptimConfig
from llm.shards import END_OF_TEXT, tokenize
from llm.village import Village


# %% book/10-the-training-loop.md#test_texts_are_split_by_their_length
def test_texts_are_split_by_their_length():
    assert split_texts(["abcdefghij"]) == (["abcdefghi"], ["j"])
    train, unseen = split_texts(["ab", "cd", "efghijklmno", "pqrst"])
    assert "".join(train + unseen) == "abcdefghijklmnopqrst"
    assert unseen == ["st"]


# %% book/10-the-training-loop.md#test_what_is_no_runs_stays
def test_what_is_no_runs_stays():
    recipe = Recipe(data="mine", n_documents=1, model=preset("village"),
                    optim=OptimConfig(), batch_size=1, steps=1)
    with tempfile.TemporaryDirectory() as folder:
        mine = Path(folder) / "data" / "mine.txt"
        mine.parent.mkdir()
        mine.write_text("all that I have")
        said = ""
        try:
            claim(Path(folder), recipe, ["a text"])
        except ValueError as error:
            said = str(error)
        assert "name another folder" in said
        assert mine.read_text() == "all that I have"
        assert not (Path(folder) / "recipe.json").exists()


# %% book/10-the-training-loop.md#test_whole_documents
def test_whole_documents():
    hamlet = Village("hamlet").stories()
    texts = [story.text for story in itertools.islice(hamlet, 90)]
    tokenizer = make_tokenizer(texts, 300)
    end = tokenizer.special_tokens[END_OF_TEXT]
    with tempfile.TemporaryDirectory() as folder:
        tokenize(texts, folder, tokenizer)
        dataset = WholeDocuments(Path(folder), 1_000, tokenizer, 8)
        batches = [dataset.rows([i]) for i in range(len(dataset))]
    found = [row for rows in batches for row in rows.tolist()]
    assert all(row[0] == end == row[-1] for row in found)
    told = [tokenizer.decode([i for i in row if i != end]) for row in found]
    assert sorted(told) == sorted(texts)
    asked = sum(count_targets(rows, end) for rows in batches)
    assert asked == sum(len(tokenizer.encode(text)) + 1 for text in texts)
    assert asked > 0.9 * sum(rows[:, 1:].numel() for rows in batches)


def test_documents_that_are_too_long():
    text = "She sells sea shells by the sea shore."
    tokenizer = make_tokenizer([text], 260)
    with tempfile.TemporaryDirectory() as folder:
        tokenize([text], folder, tokenizer)
        dataset = WholeDocuments(Path(folder), 15, tokenizer, 9)
        rows = dataset.rows([0])
    ids, end = tokenizer.encode(text), tokenizer.special_tokens[END_OF_TEXT]
    whole = [end, *ids, end]
    pieces = [whole[at : at + 16] for at in range(0, len(ids) + 1, 15)]
    found = [row[: len(p)].tolist()
             for row, p in zip(rows, sorted(pieces, key=len), strict=True)]
    assert sorted(found) == sorted(pieces)
    assert count_targets(rows, end) == len(ids) + 1
