"""Is the printed book in order? What TeX only mutters in its log is an error here.

`python -m literate.pdfcheck _build/latex/the-literate-llm.pdf` reads the log next to
the PDF, and the PDF itself through poppler where that is installed. It prints one
sentence for each fault and exits with 1 if there is one; a font that this machine lacks
is a warning, since other glyphs, or boxes, stand in for it.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

FAULTS = (
    (r"\n(\S+\.(?:tex|sty|cls|aux|toc|ind):\d+: .+)", "TeX stopped at {0}"),
    (
        r"Overfull \\hbox \(([\d.]+)pt too wide\) ?(.*)",
        "a line sticks out by {0} pt {1}",
    ),
    (
        r"Overfull \\vbox \(([\d.]+)pt too high\) ?(.*)",
        "a page is too full by {0} pt {1}",
    ),
    (r"Missing character: There is no (.+?) in font (.+?)!", "no glyph for {0} in {1}"),
    (
        r"(?:Hyper reference|Reference|Citation) `(.+?)' on page (\w+) undefined",
        "undefined reference {0} on page {1}",
    ),
    (r"Label `(.+?)' multiply defined", "the label {0} is defined twice"),
    (r"Font shape `(.+?)' undefined", "no font {0}"),
    (r"LaTeX Warning: (Label\(s\) may have changed)", "{0}: one more run is needed"),
)
WARNING = re.compile(r"Literate warning: (.+)")
TOLERANCE = 0.5  # points; nobody sees less


def unwrapped(log: str) -> str:
    """TeX breaks its log after 79 characters: put the lines together again."""
    lines: list[str] = []
    whole = True
    for line in log.splitlines():
        if whole or not lines:
            lines.append(line)
        else:
            lines[-1] += line
        whole = len(line.encode()) < 79 and len(line) < 79
    return "\n".join(lines)


def faults(log: str) -> list[str]:
    """What is wrong, each fault once, in the order of the log."""
    text = unwrapped(log)
    found: list[tuple[int, str]] = []
    for pattern, sentence in FAULTS:
        for match in re.finditer(pattern, text):
            if pattern.startswith("Overfull") and float(match[1]) < TOLERANCE:
                continue
            page = text.rfind("\n[", 0, match.start())
            near = re.match(r"\n\[(\d+)", text[page:]) if page >= 0 else None
            where = f" (after page {near[1]})" if near and "Overfull" in pattern else ""
            found.append(
                (match.start(), sentence.format(*match.groups()).strip() + where)
            )
    return list(dict.fromkeys(sentence for _, sentence in sorted(found)))


def warnings(log: str) -> list[str]:
    """Fonts that are missing, each once."""
    return list(dict.fromkeys(WARNING.findall(unwrapped(log))))


def loose_fonts(pdf: Path) -> list[str]:
    """Fonts that the PDF names but doesn't hold."""
    if not shutil.which("pdffonts"):
        return []
    table = subprocess.run(
        ["pdffonts", pdf], capture_output=True, text=True, check=True
    )
    rows = [line.split() for line in table.stdout.splitlines()[2:]]
    return [row[0] for row in rows if row[-5] != "yes"]


def odd_numbers(pdf: Path) -> list[str]:
    """Figures and tables numbered by a counter of TeX's, as in "Figure 651.1"."""
    if not shutil.which("pdftotext"):
        return []
    text = subprocess.run(
        ["pdftotext", pdf, "-"], capture_output=True, text=True, check=True
    )
    found = re.findall(r"\b(?:Figure|Table|Equation)\s\d{3,}\.\d+", text.stdout)
    return list(dict.fromkeys(found))


def main(arguments: list[str]) -> int:
    """Check one PDF."""
    if len(arguments) != 1:
        print("usage: python -m literate.pdfcheck FILE.pdf", file=sys.stderr)
        return 2
    pdf = Path(arguments[0])
    log = pdf.with_suffix(".log")
    if not log.is_file():
        print(f"{log}: error: no such file: build the PDF first", file=sys.stderr)
        return 2
    text = log.read_text("utf-8", "replace")
    for sentence in warnings(text):
        print(f"{pdf}: warning: {sentence}", file=sys.stderr)
    problems = faults(text)
    if pdf.is_file():
        problems += [f"the font {name} is not embedded" for name in loose_fonts(pdf)]
        problems += [f"{name} has no chapter's number" for name in odd_numbers(pdf)]
    else:
        problems.append("there is no PDF")
    for sentence in problems:
        print(f"{pdf}: error: {sentence}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
