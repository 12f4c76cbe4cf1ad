"""The wheel alone, in an empty environment outside the repository, runs a chapter."""

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import nbformat
import pytest
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def empty_environment(wheel, tmp_path_factory):
    """A new environment with our wheel, which borrows only the dependencies."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    site = Path(
        subprocess.check_output(
            [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
            text=True,
        ).strip()
    )
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", f"--python={python}", "install", "--quiet"),
            *("--no-deps", "--no-index", "--disable-pip-version-check", wheel),
        ],
        check=True,
    )
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def clean_environment():
    kept = ("PATH", "HOME", "LANG", "TMPDIR")
    return {name: os.environ[name] for name in kept if name in os.environ}


def test_the_wheel_holds_the_package_the_text_and_nothing_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0].split("-")[0] for name in names}
    assert tops == {"llm", "literate_llm"}
    assert any(name.endswith("texts/the-literate-llm.txt") for name in names)
    assert {Path(n).name for n in names if n.startswith("llm/")} == {
        path.name for path in (ROOT / "llm").iterdir() if path.is_file()
    }


def test_import_and_command_line(empty_environment, tmp_path):
    where = subprocess.check_output(
        [empty_environment, "-c", "import llm; print(llm.__file__)"],
        cwd=tmp_path,
        env=clean_environment(),
        text=True,
    )
    assert str(empty_environment.parents[1]) in where
    version = subprocess.check_output(
        [empty_environment.with_name("llm"), "--version"],
        cwd=tmp_path,
        env=clean_environment(),
        text=True,
    )
    assert version.strip().endswith("0.4.0")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("chapter", ["01-a-language-model-whole", "02-tokenization"])
def test_a_notebook_runs_there(empty_environment, tmp_path, chapter, monkeypatch):
    for name in set(os.environ) - set(clean_environment()):
        monkeypatch.delenv(name)
    notebook = nbformat.read(ROOT / "notebooks" / f"{chapter}.ipynb", as_version=4)
    manager = AsyncKernelManager()
    manager.kernel_spec.argv = [
        *(str(empty_environment), "-m", "ipykernel_launcher"),
        *("-f", "{connection_file}"),
    ]
    probe = nbformat.v4.new_code_cell("import llm; print(llm.__file__)")
    notebook.cells.append(probe)
    NotebookClient(
        notebook, km=manager, timeout=200, resources={"metadata": {"path": tmp_path}}
    ).execute(cleanup_kc=True)
    assert str(empty_environment.parents[1]) in notebook.cells[-1].outputs[0].text
