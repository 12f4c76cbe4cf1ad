"""Figures: which scripts run, and what a failure leaves behind."""

import os
import re
from pathlib import Path

import pytest

from literate.__main__ import main

SCRIPT = """\
from pathlib import Path

if __name__ == "__main__":
    Path(__file__).with_suffix(".svg").write_text("<svg>{}</svg>\\n")
"""
PLOT = """\
from pathlib import Path

import matplotlib.pyplot as plt

plt.plot([1, 2])
plt.savefig(Path(__file__).with_suffix(".svg"))
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("book/figures").mkdir(parents=True)
    Path("_toc.yml").write_text("root: book/index\n")
    for name in ("one", "two"):
        Path(f"book/figures/{name}.py").write_text(SCRIPT.format(name))


def draw(capsys: pytest.CaptureFixture[str], *options: str) -> list[str]:
    """The scripts that ran."""
    assert main(["figures", *options]) == 0
    return re.findall(r"(\w+)\.py:", capsys.readouterr().out)


def test_only_what_changed_is_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    assert draw(capsys) == ["one", "two"]
    svg = Path("book/figures/one.svg")
    assert re.fullmatch(r"<svg>one</svg>\n<!-- one.py \w{16} -->\n", svg.read_text())
    assert draw(capsys) == []
    Path("book/figures/two.py").write_text(SCRIPT.format("zwei"))
    assert draw(capsys) == ["two"]
    svg.unlink()
    assert draw(capsys) == ["one"]
    assert draw(capsys, "--force") == ["one", "two"]
    assert sorted(os.listdir("book")) == ["figures"]


def test_style_and_helpers_count_for_all(capsys: pytest.CaptureFixture[str]) -> None:
    draw(capsys)
    Path("book/figures/_help.py").write_text("")
    assert draw(capsys) == ["one", "two"]
    Path("book/figures/matplotlibrc").write_text("lines.linewidth: 3\n")
    assert draw(capsys) == ["one", "two"]


def test_pages_count_for_who_looks_at_them(capsys: pytest.CaptureFixture[str]) -> None:
    script = Path("book/figures/two.py")
    script.write_text(
        "from pathlib import Path\n"
        "for page in Path(__file__).parents[1].glob('*.md'):\n"
        "    Path(__file__).with_name(f'{page.stem}.svg').write_text('<svg/>')\n"
    )
    Path("book/a.md").write_text("")
    Path("book/b.md").write_text("")
    assert draw(capsys) == ["one", "two"]
    Path("book/b.md").unlink()
    assert draw(capsys) == ["two"]
    assert not Path("book/figures/b.svg").exists()
    assert draw(capsys) == []


def test_the_style_is_used_and_bytes_repeat(capsys: pytest.CaptureFixture[str]) -> None:
    Path("book/figures/two.py").write_text(PLOT)
    style = Path("book/figures/matplotlibrc")
    style.write_text("svg.hashsalt: x\nlines.linewidth: 7.5\n")
    draw(capsys)
    first = Path("book/figures/two.svg").read_bytes()
    assert b"stroke-width: 7.5" in first
    draw(capsys, "--force")
    assert Path("book/figures/two.svg").read_bytes() == first


@pytest.mark.parametrize(
    ("source", "status", "message"),
    [
        ("x = 1\n1 / 0\n", 1, "one.py:2: error: ZeroDivisionError: division by zero"),
        ("x =\n", 1, "one.py:1: error: SyntaxError: invalid syntax"),
        ("", 2, "one.py:1: error: it wrote no SVG next to itself"),
    ],
)
def test_a_failure_leaves_the_old_drawing(
    capsys: pytest.CaptureFixture[str], source: str, status: int, message: str
) -> None:
    draw(capsys)
    old = Path("book/figures/one.svg").read_bytes()
    Path("book/figures/one.py").write_text(source)
    assert main(["figures"]) == status
    assert capsys.readouterr().err == f"book/figures/{message}\n"
    assert Path("book/figures/one.svg").read_bytes() == old
    assert sorted(os.listdir("book")) == ["figures"]
