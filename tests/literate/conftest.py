"""A tiny book to try the tool on."""

from pathlib import Path

import pytest
from counting import write_files

from literate.book import read_book
from literate.tangle import tangle


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tiny book in the current folder, not tangled yet."""
    write_files(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def tangled(tiny: Path) -> Path:
    """The tiny book, tangled."""
    tangle(read_book())
    return tiny
