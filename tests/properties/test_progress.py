"""Progress in a log file: a line now and then, nothing for quick work."""

from itertools import count

import pytest

from llm.progress import progress


@pytest.mark.parametrize(("seconds", "lines"), [(0.05, 0), (1, 6)])
def test_a_log_file_gets_a_line_every_ten_seconds(seconds, lines, monkeypatch, capsys):
    clock = count(0, seconds)
    monkeypatch.setattr("tqdm.std.time", lambda: next(clock))
    with progress(total=60, desc="reading", unit="B") as bar:
        for _ in range(60):
            bar.update(1)
    printed = capsys.readouterr().err
    assert "\r" not in printed
    shown = printed.splitlines()
    assert abs(len(shown) - lines) <= (2 if lines else 0)
    assert all(line.startswith("reading:") for line in shown)
    if shown:
        assert "60/60" in shown[-1]
