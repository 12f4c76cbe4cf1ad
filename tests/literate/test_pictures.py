"""The README's pictures are cut out of what has been built."""

import base64
import json
from pathlib import Path

import pytest
from matplotlib import pyplot as plt
from matplotlib.backends.backend_pdf import PdfPages

from literate.pictures import draw_pages, figure_of, pages_of


@pytest.fixture
def pdf(tmp_path: Path) -> Path:
    path = tmp_path / "book.pdf"
    with PdfPages(path) as pages:
        for words in ("Figure 1.1 shows it.", "Figure 1.1 A hill", "Figure 1.2 A dale"):
            figure = plt.figure(figsize=(3, 4))
            figure.text(0.1, 0.5, words)
            pages.savefig(figure)
            plt.close(figure)
    return path


def test_pages_are_found_by_their_captions(pdf: Path) -> None:
    assert pages_of(pdf, ("Figure 1.2 A", "Figure 1.1 A hill")) == [3, 2]
    with pytest.raises(ValueError, match="begins with 'Figure 9'"):
        pages_of(pdf, ("Figure 9",))


def test_pages_stand_side_by_side(pdf: Path, tmp_path: Path) -> None:
    output = tmp_path / "new" / "pages.png"
    draw_pages(pdf, ("Figure 1.1 A", "Figure 1.2 A"), output)
    height, width, _ = plt.imread(output).shape
    assert 1.3 < width / height < 1.7


def test_a_figure_is_taken_from_a_notebook(tmp_path: Path) -> None:
    path = tmp_path / "a.ipynb"
    image = base64.b64encode(b"a picture").decode()
    cells = [{}, {"outputs": [{"name": "stdout"}, {"data": {"image/png": image}}]}]
    path.write_text(json.dumps({"cells": cells}))
    assert figure_of(path) == b"a picture"
    path.write_text(json.dumps({"cells": cells[:1]}))
    with pytest.raises(ValueError, match="no figure"):
        figure_of(path)
