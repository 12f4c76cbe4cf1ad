"""Execution: what makes a notebook stale, what a run leaves behind, and nbval."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil
import pytest
from nbformat import NotebookNode
from tiny import FRONT, edit, write_book

from literate.__main__ import main
from literate.book import Chapter, LiterateError, read_book
from literate.execute import key, stale
from literate.plain import survey
from literate.weave import save, select, weave

ROOT = Path(__file__).resolve().parents[2]
FRESH = FRONT + "# One\n\n```{code-cell} python\nx = 5\nx\n```\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LITERATE_REPOSITORY", raising=False)
    monkeypatch.chdir(tmp_path)
    write_book(tmp_path)


def chapter(name: str) -> Chapter:
    return select(read_book(), [name])[0]


def notebook(name: str) -> NotebookNode:
    return nbformat.read(f"notebooks/{name}.ipynb", as_version=4)


def outputs(name: str) -> dict[str, list[NotebookNode]]:
    return {c.id: c.outputs for c in notebook(name).cells if c.cell_type == "code"}


def write_one(source: str, tags: str = "") -> None:
    Path("book/01-one.md").write_text(
        f"{FRONT}# One {{numref}}`fig-line`\n\n(fig-line)=\n## S\n\n"
        f"```{{code-cell}} python\n{tags}{source}\n```\n"
    )


def as_if_executed(name: str) -> None:
    """Write a notebook whose outputs pass for up to date."""
    one = chapter(name)
    made = weave(one, survey(read_book()))
    made.metadata.literate.key = key(one)
    save(one, made)


TAGS = ":tags: [remove-input]"

# --- staleness --------------------------------------------------------------------


def test_a_key_names_what_the_outputs_follow_from() -> None:
    assert list(key(chapter("02"))) == [
        "book/texts/small.txt",
        "code",
        "constraints.txt",
        "llm/base.py",
        "llm/words.py",
    ]
    assert list(key(chapter("01"))) == ["code", "constraints.txt"]


@pytest.mark.parametrize(
    ("path", "old", "new", "reasons"),
    [
        ("book/02-two.md", "return 2", "return 3", ["code"]),
        (
            "book/02-two.md",
            "python\nclass",
            "python\n:tags: [remove-input]\n\nclass",
            ["code"],
        ),
        ("book/02-two.md", "# Two", "# Two and a half", []),
        ("book/02-two.md", "See", "Look at", []),
        ("llm/words.py", "def text", "def  text", ["llm/words.py"]),
        ("llm/base.py", "utf-8", "ascii", ["llm/base.py"]),
        ("llm/unused.py", "", "x = 1", []),
        ("book/texts/small.txt", "small", "smaller", ["book/texts/small.txt"]),
        ("constraints.txt", "2.0", "2.1", ["constraints.txt"]),
        ("_config.yml", "main", "trunk", []),
        ("book/01-one.md", "x = 1", "x = 2", []),
    ],
)
def test_stale_is_what_has_changed(
    path: str, old: str, new: str, reasons: list[str]
) -> None:
    assert stale(chapter("02")) == ["not executed yet"]
    as_if_executed("02")
    assert stale(chapter("02")) == []
    edit(path, old, new) if old else Path(path).write_text(new)
    assert stale(chapter("02")) == reasons


def test_the_style_of_figures_counts() -> None:
    as_if_executed("02")
    Path("book/figures").mkdir()
    Path("book/figures/matplotlibrc").write_text("lines.linewidth: 2\n")
    assert stale(chapter("02")) == ["book/figures/matplotlibrc"]


def test_the_files_that_a_chapter_makes_count() -> None:
    edit("book/01-one.md", "python\nx = 1", "python\n:tangle: llm/one.py\n\nx = 1")
    assert "llm/one.py" not in key(chapter("01"))
    Path("llm/one.py").write_text("x = 1\n")
    as_if_executed("01")
    Path("llm/one.py").write_text("x = 2\n")
    assert stale(chapter("01")) == ["llm/one.py"]


def test_declared_inputs_count(tmp_path: Path) -> None:
    Path("runs").mkdir()
    Path("runs/a.json").write_text("1")
    edit(
        "book/01-one.md",
        "mystnb\n---",
        "mystnb\ninputs: [runs/*.json, llm/words.py]\n---",
    )
    found = ["llm/base.py", "llm/words.py", "runs/a.json"]
    assert [name for name in key(chapter("01")) if name in found] == found
    as_if_executed("01")
    Path("runs/b.json").write_text("2")
    assert stale(chapter("01")) == ["runs/b.json"]
    shutil.rmtree("runs")
    with pytest.raises(LiterateError, match=r"01-one.md:3: error: no file is 'runs/"):
        key(chapter("01"))


# --- execution --------------------------------------------------------------------


def test_two_executions_give_the_same_bytes(capsys: pytest.CaptureFixture[str]) -> None:
    def contents() -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        for name in ("01-one", "02-two"):
            made = notebook(name)
            assert {made.metadata.literate.pop(k) > 0 for k in ("seconds", "peak_mb")}
            made.cells = [cell for cell in made.cells if cell.id != "text-0"]
            found[name] = nbformat.writes(made).encode()
        return found

    assert main(["execute", "--jobs", "2"]) == 0
    assert sorted(os.listdir("notebooks")) == ["01-one.ipynb", "02-two.ipynb"]
    first = contents()
    assert outputs("02-two")["02-1"][0].data["text/plain"] == "'a small text'"
    assert outputs("02-two")["02-3"][0].data["text/plain"] == "2"
    assert outputs("01-one")["set-up"] == []
    (drawn,) = outputs("01-one")["01-2"]
    assert set(drawn.data) == {
        "text/plain",
        "image/svg+xml",
        "application/pdf",
        "image/png",
    }
    (raised,) = outputs("01-one")["01-3"]
    assert raised.traceback == ["ZeroDivisionError: division by zero"]
    for word in (b"Date", b"Creator", b"Software", str(Path.cwd()).encode()):
        assert word not in first["01-one"]
    assert "Runs in" in notebook("01-one").cells[2].source

    bytes_before = Path("notebooks/02-two.ipynb").read_bytes()
    capsys.readouterr()
    assert main(["execute"]) == 0
    assert capsys.readouterr().out == "all notebooks are up to date\n"
    assert Path("notebooks/02-two.ipynb").read_bytes() == bytes_before

    assert main(["execute", "--force", "--jobs", "1"]) == 0
    assert contents() == first


def test_an_edit_of_prose_executes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    write_one("import os\nos.getpid() > 0")
    assert main(["execute", "01"]) == 0
    before = outputs("01-one")
    edit("book/01-one.md", "## S", "## S\n\nNew prose.")
    capsys.readouterr()
    assert main(["execute", "01"]) == 0
    assert capsys.readouterr().out == "all notebooks are up to date\n"
    assert outputs("01-one") == before
    assert "New prose." in Path("notebooks/01-one.ipynb").read_text()


def test_a_failing_cell_is_named_and_the_others_finish(
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_one("def deep(x):\n    return 1 / x\n\n\nfor i in range(3):\n    deep(2 - i)")
    assert main(["execute"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("book/01-one.md:12: error: ZeroDivisionError: division by")
    assert "    book/01-one.md:16\n" in error
    assert "    book/01-one.md:12, in deep(x)\n" in error
    assert str(Path.cwd()) not in error
    assert os.listdir("notebooks") == ["02-two.ipynb"]


def test_a_failure_keeps_the_old_notebook(capsys: pytest.CaptureFixture[str]) -> None:
    as_if_executed("02")
    before = Path("notebooks/02-two.ipynb").read_bytes()
    edit("llm/words.py", 'Path("', 'Path("no')
    assert main(["execute", "02"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("book/02-two.md:12: error: FileNotFoundError")
    assert "File llm/words.py:7, in text()" in error
    assert Path("notebooks/02-two.ipynb").read_bytes() == before


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import os\nos._exit(3)", "book/01-one.md:11: error: Kernel died"),
        (
            "import os\nos.getcwd()",
            "book/01-one.md:11: error: the output names",
        ),
        ("1 +", None),
    ],
)
def test_what_else_may_fail(
    source: str, message: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    write_one(source)
    assert main(["execute", "01"]) == (1 if message else 2)
    error = capsys.readouterr().err
    assert error.startswith(message or "book/01-one.md:11: error: SyntaxError")
    assert not Path("notebooks/01-one.ipynb").exists()


def test_a_missing_package_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree("literate_llm-0.1.0.dist-info")
    write_one(
        "import importlib.metadata as m\n"
        "any(d.name == 'literate-llm' for d in m.distributions())"
    )
    status = main(["execute", "01"])
    if status == 0:  # the package is installed in the environment that runs the tests
        assert outputs("01-one")["01-1"][0].data["text/plain"] == "True"
    else:
        assert "the package is missing: pip install -e ." in capsys.readouterr().err


def test_the_users_settings_do_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    profile = home / ".ipython/profile_default"
    kernel = home / ".local/share/jupyter/kernels/python3"
    for folder in (profile / "startup", kernel, home / ".jupyter"):
        folder.mkdir(parents=True)
    (profile / "startup/x.py").write_text("print('from the startup folder')\n")
    (profile / "ipython_config.py").write_text("raise SystemExit('the user')\n")
    spec = {"argv": ["false"], "display_name": "Broken", "language": "python"}
    (kernel / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("HOME", str(home))
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    before = sorted(home.rglob("*"))
    write_one("import sys\nsys.executable")
    edit("book/01-one.md", "sys.executable", f"sys.executable == {sys.executable!r}")
    assert main(["execute", "01"]) == 0
    assert outputs("01-one")["set-up"] == []
    assert outputs("01-one")["01-1"][0].data["text/plain"] == "True"
    assert sorted(home.rglob("*")) == before


SLEEPER = """\
open("started", "w").close()
import time
for _ in range(600):
    time.sleep(0.1)"""


def wait_for(path: str) -> None:
    end = time.monotonic() + 60
    while not Path(path).exists():
        assert time.monotonic() < end, f"{path} never came"
        time.sleep(0.05)


def hear_interrupts() -> None:
    """A shell's background jobs, and all that they start, ignore SIGINT."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)]
)
def test_an_interrupted_run_leaves_whole_files(number: int, status: int) -> None:
    as_if_executed("02")
    before = Path("notebooks/02-two.ipynb").read_bytes()
    Path("book/01-one.md").write_text(FRESH.replace("# One", "(fig-line)=\n# One"))
    edit(
        "book/02-two.md",
        "class Words:",
        f"open('started', 'w')\n{SLEEPER}\nclass Words:",
    )
    command = [sys.executable, "-m", "literate", "execute", "--jobs", "2"]
    Path("temporary").mkdir()
    temporary = str(Path("temporary").resolve())
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": temporary}
    process = subprocess.Popen(
        command,
        env=environment,
        stderr=subprocess.PIPE,
        preexec_fn=hear_interrupts,
    )
    try:
        wait_for("notebooks/started")
        wait_for("notebooks/01-one.ipynb")
        kernels = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(number)
        _, error = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == status
    assert (b"interrupted" in error) == (number == signal.SIGINT)
    assert Path("notebooks/02-two.ipynb").read_bytes() == before
    assert outputs("01-one")["01-1"][0].data["text/plain"] == "5"
    assert sorted(os.listdir("notebooks")) == [
        "01-one.ipynb",
        "02-two.ipynb",
        "started",
    ]
    _, alive = psutil.wait_procs(kernels, timeout=20)
    assert not alive
    assert stale(chapter("01")) == []


# --- nbval ------------------------------------------------------------------------


def test_verify_compares_all_but_pictures(capfd: pytest.CaptureFixture[str]) -> None:
    shutil.copy(ROOT / "conftest.py", ".")
    assert main(["execute"]) == 0
    made = notebook("01-one")
    drawn = next(cell for cell in made.cells if cell.id == "01-2")
    for kind in ("image/svg+xml", "application/pdf", "image/png"):
        drawn.outputs[0].data[kind] = "another picture"
    nbformat.write(made, "notebooks/01-one.ipynb")
    Path("book/texts/small.txt").write_text("another text")
    assert main(["verify", "--jobs", "1"]) == 1
    said = capfd.readouterr().out
    assert "1 failed, 7 passed" in said
    assert "book/02-two.md:10: error: Cell outputs differ" in said
    assert "a small text" in said
