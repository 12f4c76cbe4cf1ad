"""The README's pictures, cut out of what has been built: the PDF and a notebook.

`python -m literate.pictures _build/latex/the-literate-llm.pdf` writes
pictures/pages.png, four pages side by side, and pictures/race.png, a figure of
Appendix E. Needs poppler.
"""

import base64
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt

PICTURES, RACE = Path("pictures"), Path("notebooks/appendix-e-a-race.ipynb")
CAPTIONS = (  # on the pages that are shown
    *("Figure 2.2 Merges", "Figure 5.3 The cube"),
    *("Figure 7.4 The forward pass", "Figure 9.2 Down a valley"),
)
EDGE = 24  # pixels between pages and around them


def pages_of(pdf: Path, captions: tuple[str, ...]) -> list[int]:
    """The pages, from 1, on which captions stand that begin so."""
    text = subprocess.check_output(["pdftotext", "-layout", str(pdf), "-"], text=True)
    pages = [" ".join(page.split()) for page in text.split("\f")]
    found = []
    for caption in captions:
        numbers = [n for n, page in enumerate(pages, 1) if caption in page]
        if not numbers:
            raise ValueError(f"{pdf} has no caption that begins with {caption!r}")
        found.append(numbers[0])
    return found


def draw_pages(pdf: Path, captions: tuple[str, ...], output: Path) -> None:
    """A picture of pages, side by side."""
    images = []
    with tempfile.TemporaryDirectory() as folder:
        for page in pages_of(pdf, captions):
            stem = Path(folder) / str(page)
            command = ["pdftoppm", "-r", "64", "-png", "-singlefile"]
            command += ["-f", str(page), "-l", str(page), str(pdf), str(stem)]
            subprocess.run(command, check=True)
            images.append(plt.imread(stem.with_suffix(".png"))[..., :3])
    height, width, _ = images[0].shape
    sheet = np.full((height + 2 * EDGE, EDGE + len(images) * (width + EDGE), 3), 0.85)
    for i, image in enumerate(images):
        left = EDGE + i * (width + EDGE)
        sheet[EDGE : EDGE + height, left : left + width] = image
    output.parent.mkdir(exist_ok=True)
    plt.imsave(output, sheet)


def figure_of(notebook: Path) -> bytes:
    """The first figure of a notebook, as PNG."""
    for cell in json.loads(notebook.read_text("utf-8"))["cells"]:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                return base64.b64decode(output["data"]["image/png"])
    raise ValueError(f"{notebook} has no figure")


def main() -> None:
    """Write both pictures."""
    draw_pages(Path(sys.argv[1]), CAPTIONS, PICTURES / "pages.png")
    (PICTURES / "race.png").write_bytes(figure_of(RACE))


if __name__ == "__main__":
    main()
