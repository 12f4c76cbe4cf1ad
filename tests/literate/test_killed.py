"""build.sh, killed again and again at any moment: the next run makes all good."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAD = "---\nfile_format: mystnb\nmodules:\n  llm/{0}.py: Numbers\n---\n\n# {1}\n\n"
CODE = """\
```{{code-cell}} python
:tangle: llm/{0}.py

def {0}(n: int) -> int:
    \"\"\"A number.\"\"\"
    return n + {1}
```

```{{code-cell}} python
print({0}(1))
```
"""
TOC = "format: jb-book\nroot: book/index\nchapters:\n"
SHELL = ("bash", "./build.sh", "notebooks")


NAMES = ("one", "two", "three")


def write_chapters(folder: Path, edition: int) -> None:
    """The chapters, whose code depends on the edition."""
    for number, name in enumerate(NAMES, 1):
        code = CODE.format(name, number + edition)
        text = HEAD.format(name, name.title()) + code
        (folder / f"book/0{number}-{name}.md").write_text(text)


def project(folder: Path) -> Path:
    """The tiny book with this repository's build.sh and environment."""
    (folder / "book").mkdir(parents=True)
    (folder / "book/index.md").write_text("# A tiny book\n\nIt counts.\n")
    toc = TOC
    for number, name in enumerate(NAMES, 1):
        toc += f"  - file: book/0{number}-{name}\n"
    write_chapters(folder, 0)
    (folder / "_toc.yml").write_text(toc)
    (folder / "book/references.bib").touch()
    shutil.copy(ROOT / "_config.yml", folder)
    for name in ("build.sh", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "literate" / "ipython", folder / "literate" / "ipython")
    borrow_environment(folder)
    return folder


def borrow_environment(folder: Path) -> None:
    """Links into our environment, and a mark that lets build.sh leave it as it is."""
    (folder / ".venv").mkdir()
    for entry in (ROOT / ".venv").iterdir():
        if entry.name != "ready":
            (folder / ".venv" / entry.name).symlink_to(entry)
    mark = "cat pyproject.toml constraints.txt | cksum; .venv/bin/python --version"
    with (folder / ".venv" / "ready").open("wb") as ready:
        subprocess.run(["bash", "-c", mark], cwd=folder, stdout=ready, check=True)


def made(folder: Path) -> dict[str, bytes]:
    """What was made from the book, by name; no trace of anything half done."""
    places = ("llm", "tests", "notebooks")
    files = [path for place in places for path in (folder / place).rglob("*")]
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in files
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.mark.slow
@pytest.mark.skipif(
    not (ROOT / ".venv" / "ready").is_file(), reason="not set up by ./build.sh"
)
@pytest.mark.skipif(sys.platform == "win32", reason="build.sh needs a Unix shell")
def test_killed_at_any_moment(tmp_path: Path) -> None:
    world = {**os.environ, "JOBS": "1"}
    calm, wild = project(tmp_path / "calm"), project(tmp_path / "wild")
    start = time.monotonic()
    subprocess.run(SHELL, cwd=calm, env=world, check=True, capture_output=True)
    whole = time.monotonic() - start
    chance, killed, edition = random.Random(0), 0, 0
    while killed < 6:
        write_chapters(wild, edition := edition + 1)
        begun = time.monotonic()
        process = subprocess.Popen(
            SHELL,
            cwd=wild,
            env=world,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            process.wait(timeout=chance.uniform(0.1, 0.9) * whole)
            whole = time.monotonic() - begun
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            killed += 1
    write_chapters(wild, 0)
    subprocess.run(SHELL, cwd=wild, env=world, check=True, capture_output=True)
    assert steady(made(wild)) == steady(made(calm))


def steady(files: dict[str, bytes]) -> dict[str, bytes]:
    """Without the lines that say how long a notebook took."""
    return {
        name: b"\n".join(
            line
            for line in data.split(b"\n")
            if b'"seconds"' not in line and b'"peak_mb"' not in line
        )
        for name, data in files.items()
    }
