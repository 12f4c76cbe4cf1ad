"""The tests of book/10-the-training-loop.md.

Tangled from book/10-the-training-loop.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

from llm.cooking import split_texts


# %% book/10-the-training-loop.md#test_texts_are_split_by_their_length
def test_texts_are_split_by_their_length():
    assert split_texts(["abcdefghij"]) == (["abcdefghi"], ["j"])
    train, unseen = split_texts(["ab", "cd", "efghijklmno", "pqrst"])
    assert "".join(train + unseen) == "abcdefghijklmnopqrst"
    assert unseen == ["st"]
