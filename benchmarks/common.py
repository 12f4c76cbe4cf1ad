"""What benchmarks share: the machine, processes, medians, intervals, records."""

import importlib.util
import json
import math
import os
import platform
import statistics
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


def machine(*packages: str) -> dict[str, object]:
    """The processor, the system and the versions that a record depends on."""
    cpu = platform.processor()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        lines = [row for row in info.read_text().split("\n") if "model name" in row]
        cpu = lines[0].split(":")[1].strip() if lines else cpu
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "packages": {package: version(package) for package in packages},
        "date": datetime.now(UTC).date().isoformat(),
    }


def in_a_process(script: str, *arguments: object) -> dict[str, float]:
    """Run `script ARGUMENTS` in a new process; it prints one JSON object."""
    done = subprocess.run(
        [sys.executable, script, *map(str, arguments)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TOKENIZERS_PARALLELISM": "true"},
    )
    return json.loads(done.stdout.splitlines()[-1])


def load_module(path: Path) -> Any:
    """Another program's module, from its file."""
    spec = importlib.util.spec_from_file_location(f"peer_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def medians(runs: list[dict[str, float]]) -> dict[str, float]:
    """The median of each figure over several runs."""
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def write_record(name: str, record: dict[str, object], folder: Path) -> Path:
    """Keep a record as JSON; returns where."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n")
    return path


def wilson(hits: int, n: int, z: float) -> tuple[float, float]:
    """The interval of a rate, z standard deviations either way, for `hits` of n."""
    middle = (hits + z * z / 2) / (n + z * z)
    half = z / (n + z * z) * math.sqrt(hits * (n - hits) / n + z * z / 4)
    return middle - half, middle + half
