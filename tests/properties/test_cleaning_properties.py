"""What must hold for any text and any crawl, whatever is in it."""

import gzip
import io
import random
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm.dedup import (
    MinHash,
    UnionFind,
    clusters,
    first_of_each,
    frequent,
    shingles,
    text_hash,
    words_of,
)
from llm.language_id import SAMPLES, LanguageIdentifier
from llm.quality import (
    QualityClassifier,
    c4_lines,
    c4_page,
    gopher_quality,
    gopher_repetition,
    repeated_characters,
    train_quality,
)
from llm.scrub import Decontaminator, WordList, scrub
from llm.warc import read_members

WORDS = ["the", "mill", "of", "and", "wheel", "...", "#", "•", "{", "12", "é", "🦊"]
texts = st.one_of(
    st.text(max_size=300),
    st.lists(st.sampled_from([*WORDS, "\n", "the mill turns."]), max_size=120).map(
        " ".join
    ),
)


@given(texts)
def test_every_stage_takes_every_text(text):
    for test in (gopher_quality, gopher_repetition, c4_page):
        assert test(text) is None or isinstance(test(text), str)
    lines = text.split("\n")
    assert all(line in lines for line in c4_lines(text).split("\n") if line)
    assert c4_lines(c4_lines(text)) == c4_lines(text)
    scrubbed, found = scrub(text)
    again, more = scrub(scrubbed)
    assert sum(found.values()) > 0 or scrubbed == text
    assert (again, sum(more.values())) == (scrubbed, 0)
    assert MinHash().signature(text).shape == (112,)


@given(st.lists(st.sampled_from("abc"), max_size=40), st.integers(1, 6))
def test_repeated_characters_against_the_definition(words, n):
    covered, seen = set(), set()
    for i in range(len(words) - n + 1):
        run = tuple(words[i : i + n])
        if run in seen:
            covered |= set(range(i, i + n))
        seen.add(run)
    assert repeated_characters(words, n) == sum(len(words[i]) for i in covered)


@given(st.lists(st.integers(0, 9), max_size=50))
def test_first_of_each_against_the_definition(values):
    hashes = np.array(values, np.uint64)
    expected = [values.index(value) for value in values]
    assert first_of_each(hashes).tolist() == expected
    assert frequent(hashes, 2) == {v for v in values if values.count(v) > 2}


@given(st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=30))
def test_union_find_against_a_flood(pairs):
    sets = UnionFind(20)
    for i, j in pairs:
        sets.union(i, j)
    groups = [{i} for i in range(20)]
    for i, j in pairs:
        if groups[i] is not groups[j]:
            groups[i] |= groups[j]
            for member in groups[j]:
                groups[member] = groups[i]
    assert [sets.find(i) for i in range(20)] == [min(group) for group in groups]


@given(st.lists(st.integers(0, 5), min_size=1, max_size=40), st.integers(1, 3))
def test_clusters_join_whoever_shares_a_key(values, bands):
    rng = random.Random(len(values))
    keys = np.array([[v * 7 + rng.randrange(3) for _ in range(bands)] for v in values])
    keys = keys.astype(np.uint64).reshape(len(values), bands)
    first = clusters(len(values), iter(keys.T))
    for i in range(len(values)):
        for j in range(i):
            if (keys[i] == keys[j]).any():
                assert first[i] == first[j]
    assert all(
        first[i] <= i and first[first[i]] == first[i] for i in range(len(values))
    )


@given(st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=30), st.integers(1, 6))
def test_shingles_are_equal_exactly_for_equal_runs(words, n):
    hashes = shingles(words, n).tolist()
    size = max(min(n, len(words)), 1)
    runs = [tuple(words[i : i + size]) for i in range(len(words) - size + 1)] or [()]
    assert len(hashes) == len(runs)
    assert len(set(hashes)) == len(set(runs))
    assert len(set(zip(hashes, runs, strict=True))) == len(set(runs))


def test_minima_agree_as_often_as_the_sets_overlap():
    rng, minhash = random.Random(0), MinHash(bands=16, rows=8)
    for share in (0.02, 0.1, 0.3):
        errors = []
        for i in range(150):
            words = [f"w{rng.randrange(10**6)}" for _ in range(120)]
            other = [f"x{i}" if rng.random() < share else word for word in words]
            one, two = " ".join(words), " ".join(other)
            same = minhash.signature(one) == minhash.signature(two)
            first, second = (set(shingles(words_of(t), 5).tolist()) for t in (one, two))
            errors.append(same.mean() - len(first & second) / len(first | second))
        spread = np.std(errors) / len(errors) ** 0.5
        assert abs(np.mean(errors)) < 4 * spread


@given(texts)
def test_layout_does_not_count_for_copies(text):
    loud = text.upper() if text.upper().lower() == text.lower() else text
    assert text_hash(text) == text_hash("\n\n " + loud.replace(" ", "  ") + "!")


@pytest.mark.parametrize("language", SAMPLES)
def test_a_language_knows_its_own_sample(language):
    assert LanguageIdentifier().identify(SAMPLES[language]) == language


def test_no_text_is_in_no_language():
    identifier = LanguageIdentifier()
    for text in ("漢字かな交じり文の例", "zzzqqqjjj 77", "🦊🦊🦊"):
        assert identifier.identify(text) == "?"


@given(st.lists(st.sampled_from("abcdefgh"), min_size=20, max_size=40))
def test_an_item_inside_a_text_is_found(words):
    paper = Decontaminator([" ".join(words)])
    assert paper.overlap("x " * 9 + " ".join(words).upper() + ", y" * 9) > 0
    assert paper.overlap(" ".join(words[:12])) == 0
    assert paper.overlap("") == 0


def test_a_word_list_without_words_finds_nothing():
    assert WordList(["", " "]).find("anything") is None
    assert WordList(["mill"]).find("The MILL.") == "mill"
    assert WordList(["mill"]).find("milling") is None


def test_a_classifier_learns_and_is_kept(tmp_path):
    good = [f"the miller {verb} his wheel and sang" for verb in ("turned", "oiled")] * 4
    bad = [f"buy {thing} boots cheap now cheap" for thing in ("red", "new")] * 4
    classifier = train_quality(good, bad)
    assert classifier.score("the baker turned his wheel") > 0.7
    assert classifier.score("cheap boots now") < 0.3
    classifier.save(tmp_path / "quality.safetensors")
    again = QualityClassifier.load(tmp_path / "quality.safetensors")
    assert again.score("wheel") == classifier.score("wheel")
    with pytest.raises(ValueError, match="both kinds"):
        train_quality(good, [])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.binary(max_size=200), min_size=1, max_size=6),
    st.integers(0, 2**32),
    st.integers(0, 3),
)
def test_each_byte_of_a_damaged_file_lies_in_one_member(bodies, seed, blows):
    members = [gzip.compress(b"WARC/1.0\r\n" + body, mtime=0) for body in bodies]
    data, rng = bytearray(b"".join([members[0], *members])), random.Random(seed)
    for _ in range(blows):
        at = rng.randrange(len(members[0]), len(data))
        data[at : at + rng.randrange(4)] = rng.randbytes(rng.randrange(30))
        data.extend(members[0])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "crawl.warc.gz"
        path.write_bytes(data)
        found = list(read_members(path))
        assert [m.offset for m in found] == [0, *(m.end for m in found[:-1])]
        assert found[-1].end == len(data)
        for member in found:
            if not member.error:
                raw = io.BytesIO(bytes(data[member.offset : member.end]))
                assert gzip.GzipFile(fileobj=raw).read() == member.data
        again = [m for m in found[1:2] for m in read_members(path, m.offset)]
        assert again == found[1:]
