"""What TeX says in its log becomes a sentence and an exit status."""

from pathlib import Path

import pytest
from matplotlib import pyplot as plt

from literate.pdfcheck import faults, main, odd_numbers, unwrapped, warnings

LONG = "book/01-a-language-model-whole:a-very-long-label-that-needs-more-than-one-line"


CASES = {
    "Overfull \\hbox (8.58pt too wide) in paragraph at lines 7--9": (
        "a line sticks out by 8.58 pt in paragraph at lines 7--9"
    ),
    "Missing character: There is no 漢 (U+6F22) in font JetBrains Mono!": (
        "no glyph for 漢 (U+6F22) in JetBrains Mono"
    ),
    "LaTeX Warning: Reference `fig-a' on page 3 undefined on input line 8.": (
        "undefined reference fig-a on page 3"
    ),
    "LaTeX Warning: Hyper reference `a:b' on page xi undefined on input": (
        "undefined reference a:b on page xi"
    ),
    "LaTeX Warning: Label `a' multiply defined.": "the label a is defined twice",
    "x\n./literate.sty:322: LaTeX Error: Oops.": (
        "TeX stopped at ./literate.sty:322: LaTeX Error: Oops."
    ),
}


@pytest.mark.parametrize(("log", "fault"), CASES.items())
def test_faults(log: str, fault: str) -> None:
    assert faults(log) == [fault]
    assert faults(f"{log}\n{log}\n") == [fault]


def test_what_nobody_sees_is_no_fault() -> None:
    assert faults("Overfull \\hbox (0.2pt too wide) in paragraph") == []
    assert faults("Underfull \\hbox (badness 10000) in paragraph") == []


def test_the_page_of_an_overfull_line_is_named() -> None:
    log = "\n[11]\n[12\n\n]\nOverfull \\hbox (9.0pt too wide) detected at line 3\n"
    assert faults(log) == [
        "a line sticks out by 9.0 pt detected at line 3 (after page 12)"
    ]


def test_lines_that_tex_has_broken_are_joined() -> None:
    whole = f"LaTeX Warning: Reference `{LONG}' on page 3 undefined on input line 8."
    broken = "\n".join(whole[i : i + 79] for i in range(0, len(whole), 79))
    assert unwrapped(broken) == whole
    assert faults(broken) == [f"undefined reference {LONG} on page 3"]


def test_a_missing_font_is_a_warning() -> None:
    log = "Literate warning: no font for Thai, boxes are printed instead.\n" * 2
    assert warnings(log) == ["no font for Thai, boxes are printed instead."]
    assert faults(log) == []


def test_exit_status(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pdf = tmp_path / "book.pdf"
    assert main([str(pdf)]) == 2
    (tmp_path / "book.log").write_text("all is well")
    assert main([str(pdf)]) == 1
    assert "there is no PDF" in capsys.readouterr().err
    assert main([]) == 2


def test_a_counter_isn_t_a_number_of_a_chapter(tmp_path: Path) -> None:
    path = tmp_path / "book.pdf"
    figure = plt.figure(figsize=(6, 2))
    figure.text(0.1, 0.5, "Figure 651.2 A hill, beside Table 10.1 and Figure A2.1")
    figure.savefig(path)
    plt.close(figure)
    assert odd_numbers(path) == ["Figure 651.2"]
