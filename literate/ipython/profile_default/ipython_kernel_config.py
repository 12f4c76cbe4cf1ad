"""How kernels draw while the book is executed: SVG, PDF and a small PNG, no dates."""

from IPython.core import pylabtools

from literate.fonts import register

METADATA = {
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    "png": {"Software": None},
}
draw = pylabtools.print_figure


def print_figure(fig, fmt="png", bbox_inches="tight", base64=False, **kwargs):
    """Draw a figure without the metadata that vary from one build to the next."""
    kwargs |= {"metadata": METADATA.get(fmt)} | ({"dpi": 80} if fmt == "png" else {})
    return draw(fig, fmt, bbox_inches, base64, **kwargs)


pylabtools.print_figure = print_figure
register()  # Source Sans Pro, the font of the captions
c = get_config()  # type: ignore[name-defined]
c.InlineBackend.figure_formats = {"svg", "pdf", "png"}
c.InlineBackend.rc = {"svg.hashsalt": "literate"}
c.HistoryManager.enabled = False
c.InteractiveShell.colors = "nocolor"
