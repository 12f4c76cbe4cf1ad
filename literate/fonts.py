"""The book's sans serif for matplotlib: a figure's letters match its caption."""

import importlib.util
import logging
from pathlib import Path


def register() -> None:
    """Tell matplotlib where Source Sans Pro is; without it, it uses DejaVu Sans."""
    package = importlib.util.find_spec("font_source_sans_pro")
    if package is None or package.origin is None:
        return
    from matplotlib import font_manager

    folder = Path(package.origin).parent / "files"
    for weight in ("Regular", "It", "Semibold", "SemiboldIt", "Light"):
        font_manager.fontManager.addfont(str(folder / f"SourceSansPro-{weight}.ttf"))
    logging.getLogger("matplotlib.font_manager").addFilter(is_of_use)


def is_of_use(record: logging.LogRecord) -> bool:
    """False for fonts of formulas that matplotlib looks for and no figure shows."""
    unused = "cursive", "weight bold"
    return not any(name in record.getMessage() for name in unused)
