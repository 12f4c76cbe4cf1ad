"""The exported tokenizer.json in Hugging Face's libraries, and their trainer."""

import pytest
import tokenizers
from tokenizers import models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from llm.ngram import book_text
from llm.tokenizer import GPT2_PATTERN, PATTERN, byte_letters, train_bpe

from .test_tokenizer_tiktoken import nasty_strings

END = "<|endoftext|>"


@pytest.fixture(scope="module", params=[GPT2_PATTERN, PATTERN], ids=["gpt2", "ours"])
def exported(request, tmp_path_factory):
    tokenizer = train_bpe(book_text(), 800, [END, "<|end|>"], pattern=request.param)
    path = tmp_path_factory.mktemp("export") / "tokenizer.json"
    tokenizer.to_huggingface(path)
    return tokenizer, path


def test_tokenizers_encodes_the_same(exported):
    ours, path = exported
    theirs = tokenizers.Tokenizer.from_file(str(path))
    assert theirs.get_vocab_size() == len(ours.vocab)
    for text in nasty_strings(3_000):
        ids = ours.encode(text, "all")
        assert theirs.encode(text, add_special_tokens=False).ids == ids, repr(text)
        assert theirs.decode(ids, skip_special_tokens=False) == text


def test_transformers_encodes_the_same(exported):
    ours, path = exported
    theirs = PreTrainedTokenizerFast(tokenizer_file=str(path), eos_token=END)
    assert theirs.eos_token_id == ours.special_tokens[END]
    for text in nasty_strings(300):
        assert theirs(text)["input_ids"] == ours.encode(text, "all"), repr(text)


def test_the_trainers_agree_until_a_tie():
    """Equal counts are settled differently, so later merges may differ."""
    ours = train_bpe(book_text(), 2_000, pattern=GPT2_PATTERN)
    theirs = tokenizers.Tokenizer(models.BPE())
    theirs.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=2_000,
        show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    theirs.train_from_iterator([book_text()], trainer)
    number = {letter: byte for byte, letter in enumerate(byte_letters())}
    learned = {bytes(number[c] for c in word) for word in theirs.get_vocab()}
    common = learned & set(ours.vocab.values())
    assert len(common) > 0.9 * 2_000
    first = {ours.vocab[i] for i in range(256, 356)}
    assert len(first & learned) == 100
