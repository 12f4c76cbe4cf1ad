"""The book's sans serif for matplotlib: a figure's letters match its caption."""

import importlib.util
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
