"""The tests of book/03-cleaning-a-crawl.md.

Tangled from book/03-cleaning-a-crawl.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import gzip
import math
import random
import re
import tempfile
from collections import Counter
from html import unescape
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

import numpy as np

from llm.cleaning import CleanOptions, clean
from llm.dedup import MinHash, first_of_each, hash64, shingles, words_of
from llm.ledger import read_rows
from llm.village import Village
from llm.village_crawl import write_crawl
from llm.warc import RecordError, read_members, read_page


# %% book/03-cleaning-a-crawl.md#strip_tags
def strip_tags(markup):
    text = unescape(re.sub(r"<[^>]*>", " ", markup))
    return " ".join(text.split())


# %% book/03-cleaning-a-crawl.md#make_record
def make_record(url, markup, length=None):
    body = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"
    body += markup.encode()
    length = len(body) if length is None else length
    head = (
        "WARC/1.0\r\nWARC-Type: response\r\n"
        f"WARC-Record-ID: <urn:uuid:{uuid5(NAMESPACE_URL, url)}>\r\n"
        f"WARC-Target-URI: {url}\r\n"
        "Content-Type: application/http; msgtype=response\r\n"
        f"Content-Length: {length}\r\n\r\n"
    )
    return head.encode() + body + b"\r\n\r\n"


# %% book/03-cleaning-a-crawl.md#word_scores
def word_scores(found, truth):
    found, truth = Counter(found.split()), Counter(truth.split())
    common = (found & truth).total()
    return common / max(found.total(), 1), common / max(truth.total(), 1)


# %% book/03-cleaning-a-crawl.md#jaccard
def jaccard(one, two, n):
    first, second = (
        set(shingles(words_of(text), n).tolist()) for text in (one, two)
    )
    return len(first & second) / len(first | second)


# %% book/03-cleaning-a-crawl.md#replace_words
def replace_words(text, share, rng):
    words = text.split()
    for i in range(len(words)):
        if rng.random() < share:
            words[i] = f"w{rng.randrange(10**9)}"
    return " ".join(words)


# %% book/03-cleaning-a-crawl.md#wilson
def wilson(k, n, z=3.29):
    centre = (k + z * z / 2) / (n + z * z)
    half = z / (n + z * z) * math.sqrt(k * (n - k) / n + z * z / 4)
    return centre - half, centre + half


# %% book/03-cleaning-a-crawl.md#check_half_found
def check_half_found(half_found):
    """`half_found(bands, rows)`: the similarity with P(s) = 1/2."""
    for bands, rows in ((14, 8), (1, 1), (20, 5), (9, 13)):
        s = half_found(bands, rows)
        assert abs(MinHash(bands, rows).probability(s) - 0.5) < 1e-9
    assert half_found(1, 1) == 0.5


# %% book/03-cleaning-a-crawl.md#check_lost_share
def check_lost_share(lost_share):
    """`lost_share(path)`: bytes in no readable record, from 0 to 1."""
    good = gzip.compress(make_record("https://example.org", "<p>x</p>"))
    liar = gzip.compress(make_record("https://example.org", "y", 10**6))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "crawl.warc.gz"
        for parts, lost in (
            ([good, good], 0),
            ([good, good[:50]], 50),
            ([good, liar, good], len(liar)),
            ([good, b"noise", good], 5),
        ):
            path.write_bytes(b"".join(parts))
            share = lost / path.stat().st_size
            assert abs(lost_share(path) - share) < 1e-9


# %% book/03-cleaning-a-crawl.md#check_scrub_cards
def check_scrub_cards(scrub_cards):
    """`scrub_cards(text)`: the text with `[card]` for card numbers."""
    number = "4111 1111 1111 1111"
    assert scrub_cards(f"Pay with {number}.") == "Pay with [card]."
    assert scrub_cards(number.replace(" ", "-")) == "[card]"
    assert scrub_cards(number.replace(" ", "")) == "[card]"
    assert scrub_cards(f"Card {number} 12/27") == "Card [card] 12/27"
    assert scrub_cards(f"Pay 2 {number} {number}") == "Pay 2 [card] [card]"
    for text in (
        "4111 1111 1111 1112", "in 1998 and 2004", "0306406152",
        "12345678901234567890123", "978-0-306-40615-7",
    ):
        assert scrub_cards(text) == text


# %% book/03-cleaning-a-crawl.md#check_bloom
def check_bloom(bloom):
    """`bloom(size, k)`: a function that says whether a hash is known."""
    seen = bloom(100_000, 7)
    hashes = [hash64(str(i)) for i in range(10_000)]
    early = sum(map(seen, hashes))
    assert early < 60, "hardly any first visit may look like a second"
    assert all(map(seen, hashes)), "no second visit may look like a first"
    others = [hash64(f"other {i}") for i in range(3_000)]
    wrong = sum(bloom(100, 2)(h) for h in others)
    assert wrong == 0, "an empty filter has seen nothing"


# %% book/03-cleaning-a-crawl.md#check_containment
def check_containment(containment, estimated_containment):
    """The share of one text's runs that another has, two ways."""
    story = " ".join(f"s{i}" for i in range(60))
    page = " ".join(f"p{i}" for i in range(300))
    whole = f"{page} {story}"
    assert containment(story, whole, 5) == 1
    assert containment(story, page, 5) == 0
    j = jaccard(story, whole, 5)
    assert j < 0.2
    assert abs(estimated_containment(j, 56, 356) - 1) < 1e-9
    assert estimated_containment(0.0, 56, 296) == 0


# %% book/03-cleaning-a-crawl.md#check_longest_repeat
def check_longest_repeat(longest_repeat):
    """`longest_repeat(texts)`: the longest run of words found twice."""
    assert longest_repeat(["a b c d", "x b c y"]) == ["b", "c"]
    assert longest_repeat(["a b a b a"]) == ["a", "b", "a"]
    assert longest_repeat(["a", "b"]) == []
    rng = random.Random(0)
    words = [f"w{rng.randrange(5_000)}" for _ in range(100_000)]
    words[70_000:70_025] = words[10_000:10_025]
    texts = [" ".join(words[i : i + 500]) for i in range(0, 10**5, 500)]
    found = longest_repeat(texts)
    assert found == words[10_000:10_025]


# %% book/03-cleaning-a-crawl.md#cleaning_score
def cleaning_score(options, seed, pages=500):
    """F1 of the documents kept from a crawl: precision and recall in one."""
    with tempfile.TemporaryDirectory() as place:
        source = Village(seed=seed).stories()
        warc, truth = write_crawl(
            Path(place), source, pages=pages, seed=seed
        )
        clean([warc], Path(place) / "out", options)
        rows = read_rows(truth)
        keep = {row["record_id"] for row in rows if row["keep"]}
        rows = read_rows(Path(place) / "out/documents.jsonl")
        kept = {row["id"] for row in rows}
    return 2 * len(kept & keep) / (len(kept) + len(keep))


def check_options(options, seed=2026):
    """`options`: some that beat the defaults on another crawl."""
    assert cleaning_score(options, seed) > cleaning_score(
        CleanOptions(), seed
    )


# %% book/03-cleaning-a-crawl.md#half_found
def half_found(bands, rows):
    """The similarity at which a pair is found half of the time."""
    return (1 - 0.5 ** (1 / bands)) ** (1 / rows)


def test_half_found():
    """The exercise "Where the step is"."""
    check_half_found(half_found)


# %% book/03-cleaning-a-crawl.md#lost_share
def lost_share(path):
    """The share of a file's bytes that lie in no readable record."""
    lost = 0
    for member in read_members(path):
        try:
            if member.error:
                raise RecordError(member.error)
            read_page(member.data)
        except RecordError:
            lost += member.end - member.offset
    return lost / Path(path).stat().st_size


def test_lost_share():
    """The exercise "How much is lost?"."""
    check_lost_share(lost_share)


# %% book/03-cleaning-a-crawl.md#luhn
def luhn(digits):
    """Whether a row of digits passes the Luhn test."""
    doubled = (
        int(d) * (1 + i % 2) for i, d in enumerate(reversed(digits))
    )
    return sum(d // 10 + d % 10 for d in doubled) % 10 == 0


def scrub_cards(text):
    """Put `[card]` in the place of card numbers."""

    def replace_card(match):
        row = match[0]
        ends = [m.end() for m in re.finditer(r"\d(?!\d)", row)]
        for end in reversed(ends):
            digits = re.sub(r"\D", "", row[:end])
            if 13 <= len(digits) <= 19 and luhn(digits):
                return "[card]" + scrub_cards(row[end:])
        return row[: ends[0]] + scrub_cards(row[ends[0] :])

    return re.sub(r"(?<!\d)\d(?:[ -]?\d){12,}(?!\d)", replace_card, text)


def test_scrub_cards():
    """The exercise "Card numbers"."""
    check_scrub_cards(scrub_cards)


# %% book/03-cleaning-a-crawl.md#bloom
def bloom(size, k):
    """A function that says whether it was probably given a hash before."""
    bits = bytearray(-(-size // 8))

    def seen(value):
        start, step, known = value >> 32, value & 0xFFFFFFFF | 1, True
        for i in range(k):
            byte, bit = divmod((start + i * step) % size, 8)
            known &= bits[byte] >> bit & 1 == 1
            bits[byte] |= 1 << bit
        return known

    return seen


def test_bloom():
    """The exercise "A set that forgets nothing and fits"."""
    check_bloom(bloom)


# %% book/03-cleaning-a-crawl.md#containment
def containment(story, page, n):
    """The share of the runs of n words of `story` that `page` has."""
    first, second = (
        set(shingles(words_of(text), n).tolist()) for text in (story, page)
    )
    return len(first & second) / len(first)


def estimated_containment(j, a, b):
    """The same from a similarity and the numbers of different runs."""
    return j * (a + b) / (1 + j) / a


def test_containment():
    """The exercise "Quoted whole"."""
    check_containment(containment, estimated_containment)


# %% book/03-cleaning-a-crawl.md#repeat_of_length
def repeat_of_length(rows, n):
    """A run of n words that occurs at two places, or None."""
    runs = [shingles(row, n) for row in rows if len(row) >= n]
    if not runs:
        return None
    hashes = np.concatenate(runs)
    again = np.flatnonzero(first_of_each(hashes) != np.arange(len(hashes)))
    if not len(again):
        return None
    at = int(again[0])
    for row in (row for row in rows if len(row) >= n):
        if at <= len(row) - n:
            return row[at : at + n]
        at -= len(row) - n + 1
    return None


def longest_repeat(texts):
    """The longest run of words that occurs at two places."""
    rows = [text.split() for text in texts]
    low, high, best = 0, max(map(len, rows)), []
    while low < high:
        middle = (low + high + 1) // 2
        if found := repeat_of_length(rows, middle):
            low, best = middle, found
        else:
            high = middle - 1
    return best


def test_longest_repeat():
    """The exercise "The longest passage that occurs twice"."""
    check_longest_repeat(longest_repeat)


# %% book/03-cleaning-a-crawl.md#better_options
better_options = CleanOptions(minhash=MinHash(bands=28, rows=4))


def test_better_options():
    """The exercise "Cleaner"."""
    check_options(better_options)
