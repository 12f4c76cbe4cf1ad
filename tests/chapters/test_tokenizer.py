"""The tests of book/02-tokenization.md.

Tangled from book/02-tokenization.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import codecs
import itertools
import random
from collections import Counter
from unittest import mock

import regex

from llm.bpe import (
    GPT2_PATTERN,
    PATTERN,
    count_pieces,
    cut_stream,
    learn_merges,
    merge_bytes,
)
from llm.tokenizer import train_bpe


# %% book/02-tokenization.md#count_pairs
def count_pairs(words):
    pairs = Counter()
    for symbols, count in words.items():
        for pair in itertools.pairwise(symbols):
            pairs[pair] += count
    return pairs


# %% book/02-tokenization.md#merge_pair
def merge_pair(symbols, pair):
    merged, i = [], 0
    while i < len(symbols):
        if symbols[i : i + 2] == pair:
            merged.append(symbols[i] + symbols[i + 1])
            i += 2
        else:
            merged.append(symbols[i])
            i += 1
    return tuple(merged)


# %% book/02-tokenization.md#spell
def spell(text):
    return tuple(bytes([byte]) for byte in text.encode())


def best_pair(pairs):
    return max(pairs, key=lambda pair: (pairs[pair], pair))


# %% book/02-tokenization.md#train_bpe_naive
def train_bpe_naive(text, num_merges, pattern=PATTERN):
    counts = Counter(regex.findall(pattern, text))
    words = Counter({spell(piece): n for piece, n in counts.items()})
    merges = []
    for _ in range(num_merges):
        pairs = count_pairs(words)
        if not pairs:
            break
        best = best_pair(pairs)
        words = Counter({merge_pair(w, best): n for w, n in words.items()})
        merges.append(best)
    return merges


# %% book/02-tokenization.md#test_same_merges_as_the_naive_trainer
def test_same_merges_as_the_naive_trainer():
    rng = random.Random(0)
    for _ in range(30):
        text = "".join(rng.choices("aab c", k=rng.randrange(200)))
        pieces = Counter(regex.findall(PATTERN, text))
        naive = train_bpe_naive(text, 40)
        assert learn_merges(pieces, 40) == naive
        with mock.patch.dict(learn_merges.__globals__, FEW=0):
            assert learn_merges(pieces, 40) == naive


# %% book/02-tokenization.md#test_cut_stream
def test_cut_stream():
    rng = random.Random(0)
    special = ("<|a|>", "<|a|><|b|>")
    bits = ("a", "'", "ll", " ", "\n", "12", "!", "<|a|>", "<|b|>")
    for pattern in (PATTERN, GPT2_PATTERN):
        split = regex.compile(pattern).findall

        def pieces(parts, split=split):
            return [piece for part in parts for piece in split(part)]

        for _ in range(300):
            text = "".join(rng.choices(bits, k=40))
            whole = cut_stream([text], split, special)
            block = rng.randrange(30)
            letters = cut_stream(text, split, special, block)
            assert pieces(letters) == pieces(whole)


# %% book/02-tokenization.md#test_counting_words_is_counting_pieces
def test_counting_words_is_counting_pieces():
    rng = random.Random(0)
    bits = ["a", "'", "ll", " ", "\n", "12", "!", "\t", "\r", "\0", "S"]
    bits += [" b", "_", "\u0301", "\xa0", "\x1c", "\n ", "  ", "\x85"]
    for pattern in (PATTERN, GPT2_PATTERN):
        split = regex.compile(pattern).findall
        for _ in range(3_000):
            text = "".join(rng.choices(bits, k=rng.randrange(25)))
            counts = count_pieces(text, (), pattern)
            assert counts == Counter(split(text))


# %% book/02-tokenization.md#test_three_ways_to_encode
def test_three_ways_to_encode():
    rng = random.Random(0)
    tokenizer = train_bpe("".join(rng.choices("aab c\u00e9", k=2_000)), 400)
    for _ in range(200):
        text = "".join(rng.choices("aab c\u00e9", k=rng.randrange(60)))
        split = regex.findall(PATTERN, text)
        slow = [
            t
            for piece in split
            for t in merge_bytes(piece.encode(), tokenizer.ranks)
        ]
        ids = tokenizer.encode_ordinary(text)
        assert [tokenizer.vocab[i] for i in ids] == slow
    blank = tokenizer.encode_ordinary(" " * 1_000_000)
    assert sum(len(tokenizer.vocab[i]) for i in blank) == 1_000_000


# %% book/02-tokenization.md#test_streaming_equals_encoding
def test_streaming_equals_encoding():
    tokenizer = train_bpe(
        "we'll see 12345 spaces   here\n\n " * 9, 300, ["<|end|>"]
    )
    text = "we'll <|end|>  see\n \n12345!!\n  x 🦊'll<|end|>" * 20
    for special in ((), ("<|end|>",)):
        whole = tokenizer.encode(text, special)
        for block in (1, 7, 1_000):
            stream = tokenizer.encode_iterable(iter(text), special, block)
            assert list(stream) == whole
    assert tokenizer.encode_batch([text, ""]) == [
        tokenizer.encode(text),
        [],
    ]


# %% book/02-tokenization.md#check_symbols_left
def check_symbols_left(symbols_left):
    """`symbols_left(n, rounds)`: what doubling leaves of a run of n."""
    assert symbols_left(5, 1) == 3
    assert symbols_left(8, 3) == 1
    assert symbols_left(7, 2) == 3
    assert symbols_left(1, 4) == 1
    assert symbols_left(0, 2) == 0


# %% book/02-tokenization.md#check_from_the_right
def check_from_the_right(from_the_right):
    """`from_the_right`: a pattern for the `regex` package."""
    assert regex.findall(from_the_right, "1234567") == ["1", "234", "567"]
    assert regex.findall(from_the_right, "in 1984") == ["1", "984"]
    assert regex.findall(from_the_right, "12, 3456") == ["12", "3", "456"]
    assert regex.findall(from_the_right, "no digits") == []
    assert regex.findall(from_the_right, "1234km") == ["1", "234"]
    for n in (7, 10**6, 2**64):
        groups = regex.findall(from_the_right, str(n))
        assert ",".join(groups) == f"{n:,}"


# %% book/02-tokenization.md#check_unused_tokens
def check_unused_tokens(unused_tokens):
    """`unused_tokens(tokenizer, text)`: merged tokens that never occur."""
    tokenizer = train_bpe("abc " * 9 + "ab", 259)
    merged = {left + right for left, right in tokenizer.merges}
    assert unused_tokens(tokenizer, "") == merged
    text = "the cat sat on the mat, the hat on the cat " * 3
    tokenizer = train_bpe(text, 280)
    unused = unused_tokens(tokenizer, text)
    seen = {tokenizer.decode_bytes([i]) for i in tokenizer.encode(text)}
    assert unused
    assert not unused & seen
    assert all(len(token) > 1 for token in unused)


# %% book/02-tokenization.md#check_cheapest
def check_cheapest(cheapest):
    """`cheapest(rates, n_layers, d_model)`: the size with least work."""
    rates = {32_000: 4.2, 50_257: 4.4}
    assert cheapest(rates, 12, 768) == 32_000
    assert cheapest(rates, 32, 4096) == 50_257
    assert cheapest({2_048: 3.0, 32_000: 4.2}, 4, 128) == 2_048
    assert cheapest({500: 2.0}, 1, 64) == 500


# %% book/02-tokenization.md#check_decode_stream
def check_decode_stream(decode_stream):
    """`decode_stream(tokenizer, ids)`: text as early as it is whole."""
    tokenizer = train_bpe("", 256)
    text = "naïve 🦊 жук"
    parts = list(decode_stream(tokenizer, tokenizer.encode(text)))
    assert "".join(parts) == text
    assert {"🦊", "n"} <= set(parts), "as early as possible"
    broken = tokenizer.encode("🦊")[:2]
    assert "".join(decode_stream(tokenizer, broken)) == "\ufffd"
    assert next(iter(decode_stream(tokenizer, iter(b"\xffab")))) == "\ufffd"
    endless = iter(tokenizer.encode("ab") * 10**6)
    assert next(iter(decode_stream(tokenizer, endless))) == "a"


# %% book/02-tokenization.md#check_fewest
def check_fewest(fewest):
    """`fewest(tokens, word)`: a shortest split of word into tokens."""
    tokens = {bytes([i]) for i in range(256)}
    assert fewest(tokens, b"") == []
    assert len(fewest(tokens, b"abcd")) == 4
    tokens |= {b"ab", b"abc", b"cde", b"bcd", b"de"}
    assert fewest(tokens, b"abcde") in ([b"ab", b"cde"], [b"abc", b"de"])
    assert b"".join(fewest(tokens, b"xxabcdexx")) == b"xxabcdexx"
    assert len(fewest(tokens, b"abcd" * 500)) == 1_000


# %% book/02-tokenization.md#check_fair
def check_fair(fair, texts, vocab_size):
    """`fair(texts, vocab_size)`: a tokenizer kinder to the worst off."""

    def worst(tokenizer):
        return max(len(tokenizer.encode(text)) for text in texts)

    equal = train_bpe("\n".join(texts), vocab_size)
    tokenizer = fair(texts, vocab_size)
    assert len(tokenizer.vocab) <= vocab_size
    assert worst(tokenizer) < worst(equal)


# %% book/02-tokenization.md#symbols_left
def symbols_left(n, rounds):
    """Whole blocks of the last size, and the odd ones of each round."""
    leftovers = 0
    for _ in range(rounds):
        leftovers += n % 2
        n //= 2
    return n + leftovers


def test_symbols_left():
    """The exercise "A run of one letter"."""
    check_symbols_left(symbols_left)


# %% book/02-tokenization.md#from_the_right
from_the_right = r"\p{N}{1,3}(?=(?:\p{N}{3})*(?!\p{N}))"


def test_from_the_right():
    """The exercise "Numbers, from the right"."""
    check_from_the_right(from_the_right)


# %% book/02-tokenization.md#unused_tokens
def unused_tokens(tokenizer, text):
    """The tokens made by merges that encoding the text never produces."""
    seen = {tokenizer.decode_bytes([i]) for i in tokenizer.encode(text)}
    return {a + b for a, b in tokenizer.merges} - seen


def test_unused_tokens():
    """The exercise "Glitch tokens"."""
    check_unused_tokens(unused_tokens)


# %% book/02-tokenization.md#cheapest
def cheapest(rates, n_layers, d_model):
    """The vocabulary size whose model does the least work for a byte."""

    def work_per_byte(size):
        work = 24 * n_layers * d_model**2 + 2 * d_model * size
        return work / rates[size]

    return min(rates, key=work_per_byte)


def test_cheapest():
    """The exercise "32,000 or 50,257?"."""
    check_cheapest(cheapest)


# %% book/02-tokenization.md#decode_stream
def decode_stream(tokenizer, ids):
    """Yield text as soon as its characters are complete."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for i in ids:
        if text := decoder.decode(tokenizer.decode_bytes([i])):
            yield text
    if rest := decoder.decode(b"", final=True):
        yield rest


def test_decode_stream():
    """The exercise "Decoding while the tokens come"."""
    check_decode_stream(decode_stream)


# %% book/02-tokenization.md#fewest
def fewest(tokens, word):
    """A shortest split of `word` into members of `tokens`."""
    longest = max(map(len, tokens))
    cost, cut = [0], [0]
    for end in range(1, len(word) + 1):
        starts = range(max(0, end - longest), end)
        n, start = min(
            (cost[start] + 1, start)
            for start in starts
            if word[start:end] in tokens
        )
        cost.append(n)
        cut.append(start)
    split, end = [], len(word)
    while end:
        split.append(word[cut[end] : end])
        end = cut[end]
    return split[::-1]


def test_fewest():
    """The exercise "The fewest tokens"."""
    check_fewest(fewest)


# %% book/02-tokenization.md#fair
def fair(texts, vocab_size, rounds=25):
    """Give one more share to whoever needs most tokens, again and again."""
    shares = [1] * len(texts)
    best, best_worst = None, float("inf")
    for _ in range(rounds):
        pairs = zip(texts, shares, strict=True)
        training = [text for text, n in pairs for _ in range(n)]
        tokenizer = train_bpe("\n".join(training), vocab_size)
        lengths = [len(tokenizer.encode(text)) for text in texts]
        worst = max(lengths)
        if worst < best_worst:
            best, best_worst = tokenizer, worst
        shares[lengths.index(worst)] += 1
    return best


def test_fair():
    """The exercise "A fair vocabulary", on three alphabets."""
    texts = [
        "the old cat sleeps in the red boat and the birds drink tea",
        "старая кошка спит в красной лодке, а птицы пьют чай",
        "η γριά γάτα κοιμάται στην κόκκινη βάρκα και τα πουλιά πίνουν τσάι",
    ]
    check_fair(fair, texts, 290)
