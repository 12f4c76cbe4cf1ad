"""Watching: saves are noticed once they are over, and a failure doesn't end it."""

import sys
import threading
import time
from pathlib import Path

import pytest

from literate import watch


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("book/figures").mkdir(parents=True)
    Path("book/a.md").write_text("a")
    Path("_toc.yml").write_text("root: a")


def test_a_burst_of_saves_is_one() -> None:
    def save() -> None:
        time.sleep(0.1)
        for text in "abc":
            Path("book/a.md").write_text(text)
            Path("book/.a.md.tmp").write_text(text)
            Path("book/figures/b.svg").write_text(text)
            time.sleep(0.02)
        Path("book/figures/b.py").write_text("")

    thread = threading.Thread(target=save)
    thread.start()
    assert next(watch.saves(0.1)) == ["book/a.md", "book/figures/b.py"]
    thread.join()


def test_steps_end_at_the_first_that_fails(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def step(word: str, status: int) -> list[str]:
        code = f"import sys; print({word!r}); sys.exit({status})"
        return [sys.executable, "-c", code]

    monkeypatch.setattr(watch, "STEPS", (step("one", 0), step("two", 1), step("no", 0)))
    watch.update()
    assert capfd.readouterr().out == "one\ntwo\n-- watching: save a correction\n"
    monkeypatch.setattr(watch, "STEPS", (step("one", 0),))
    watch.update()
    assert capfd.readouterr().out == "one\n-- up to date; watching\n"
