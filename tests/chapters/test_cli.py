"""The tests of book/23-the-whole-road.md.

Tangled from book/23-the-whole-road.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

from llm.cli import main


# %% book/23-the-whole-road.md#test_mistakes_get_a_sentence_and_status_2
def test_mistakes_get_a_sentence_and_status_2():
    assert main(["tokenizer", "show", "nowhere.json"]) == 2
    assert main(["tokenizer", "fly"]) == 2
    assert main(["tokenizer", "decode", "nowhere.json", "1"]) == 2
