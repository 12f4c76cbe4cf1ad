"""What nbval compares in the notebooks, and where a failure is in the book."""

from collections.abc import Generator
from typing import Any

import pytest
from nbval.plugin import IPyNbCell, IPyNbFile

PICTURES = ("image/svg+xml", "application/pdf", "image/png", "image/jpeg")


def pytest_collectstart(collector: pytest.Collector) -> None:
    """Leave out pictures: their bytes vary with the fonts of a machine."""
    if isinstance(collector, IPyNbFile):
        collector.skip_compare = (*collector.skip_compare, *PICTURES)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, Any, Any]:
    """Begin the report of a cell with its line in the chapter."""
    report = yield
    if isinstance(item, IPyNbCell) and report.failed and call.excinfo:
        place = item.cell.metadata.get("literate", {}).get("source", item.nodeid)
        head = f"{place}: error: {call.excinfo.value}"
        report.longrepr = f"{head}\n{report.longreprtext}"
    return report
