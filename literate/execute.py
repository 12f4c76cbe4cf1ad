"""Execute: run the notebooks whose outputs may no longer be right; verify them all.

Outputs follow from the chapter's code, the files that it makes, the modules of `llm`
that it imports, the files that it reads, and the locked versions. The notebook keeps
the digest of each of these; where one has changed, it is stale. Time and memory are
recorded as it is executed.
"""

import argparse
import ast
import asyncio
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode
from nbval.kernel import CURRENT_ENV_KERNEL_NAME, NbvalKernelspecManager
from tqdm import tqdm

from literate.book import Chapter, LiterateError, read_book
from literate.imports import llm_uses
from literate.plain import Labels, survey
from literate.weave import SET_UP_ID, load, save, select, weave

TIMEOUT = 1800  # seconds, for one cell
SETTINGS = Path(__file__).parent / "ipython"
STYLE = "book/figures/matplotlibrc"
CONFIG = "literate/ipython/profile_default/ipython_kernel_config.py"
THREADS = [
    f"{pool}_NUM_THREADS" for pool in ("OMP", "MKL", "OPENBLAS", "NUMEXPR", "RAYON")
]
FRAME = re.compile(r"Cell In\[(\d+)\], line (\d+)")
Cells = Sequence[NotebookNode]


# --- what is stale ----------------------------------------------------------------


def key(chapter: Chapter) -> dict[str, str]:
    """The digests of all that the chapter's outputs follow from, by name."""
    code = json.dumps([[cell.source, cell.tags] for cell in chapter.cells])
    found = {"code": code.encode()}
    names = [*_declared(chapter), STYLE, CONFIG, "constraints.txt"]
    names += [use for cell in chapter.cells for use in _uses(cell.tree)]
    names += [cell.tangle for cell in chapter.cells if cell.tangle]
    while names:
        name = names.pop()
        if name not in found and Path(name).is_file():
            found[name] = Path(name).read_bytes()
            names += _uses(ast.parse(found[name])) if name.endswith(".py") else []
    said = code.encode() + b"".join(found[name] for name in found if name[-3:] == ".py")
    for path in Path("book/texts").glob("*"):
        if path.name.encode() in said:
            found[path.as_posix()] = path.read_bytes()
    return {n: hashlib.sha256(d).hexdigest()[:16] for n, d in sorted(found.items())}


def _uses(tree: ast.Module) -> list[str]:
    """The modules of the package that code imports, as files."""
    return [name for node in ast.walk(tree) for name, _ in llm_uses(node)]


def _declared(chapter: Chapter) -> list[str]:
    """The files that the front matter says the chapter reads: `inputs: [...]`."""
    found: list[str] = []
    for pattern in chapter.metadata.get("inputs", ()):
        files = [path.as_posix() for path in Path().glob(pattern) if path.is_file()]
        if not files:
            line = chapter.metadata_lines["inputs"]
            raise LiterateError(chapter.path, line, f"no file is {pattern!r}")
        found += files
    return found


def stale(chapter: Chapter) -> list[str]:
    """What has changed since the chapter's notebook was executed, by name."""
    found = load(chapter)
    old = found.metadata.get("literate", {}).get("key") if found else None
    if not old:
        return ["not executed yet"]
    now = key(chapter)
    return sorted(name for name in old.keys() | now if old.get(name) != now.get(name))


# --- one notebook -----------------------------------------------------------------


@contextmanager
def environment(jobs: int) -> Iterator[dict[str, str]]:
    """The same world for every kernel: no user's settings, no clock, no chance.

    IPython and Jupyter get a temporary folder, since they write next to their settings.
    """
    with tempfile.TemporaryDirectory(prefix="literate-") as folder:
        shutil.copytree(SETTINGS, Path(folder, "ipython"))
        threads = str(max(1, (os.cpu_count() or 1) // jobs))
        world = {
            "PYTHONPATH": str(Path.cwd()),
            "PYTHONHASHSEED": "0",
            "PYTHONNOUSERSITE": "1",
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
            "SOURCE_DATE_EPOCH": "0",
            "TZ": "UTC",
            "COLUMNS": "80",
            "MPLBACKEND": "module://matplotlib_inline.backend_inline",
            "MPLCONFIGDIR": str(Path("_build/matplotlib").resolve()),
            "IPYTHONDIR": f"{folder}/ipython",
            "JUPYTER_CONFIG_DIR": f"{folder}/config",
            "JUPYTER_DATA_DIR": f"{folder}/data",
            "JUPYTER_RUNTIME_DIR": f"{folder}/runtime",
        }
        if Path(STYLE).is_file():
            world["MATPLOTLIBRC"] = str(Path(STYLE).resolve())
        yield {**os.environ, **world, **dict.fromkeys(THREADS, threads)}


def run(chapter: Chapter, labels: Labels, world: Mapping[str, str]) -> NotebookNode:
    """Execute a chapter in a kernel of its own: its notebook, with outputs."""
    digests, before = key(chapter), load(chapter)
    notebook = weave(chapter, labels)
    ran: list[NotebookNode] = []
    peaks = [0]
    manager = AsyncKernelManager(
        kernel_name=CURRENT_ENV_KERNEL_NAME,
        kernel_spec_manager=NbvalKernelspecManager(),
        connection_file=f"{world['IPYTHONDIR']}/{chapter.name}.json",
    )

    def on_start(notebook: NotebookNode) -> None:
        watcher = threading.Thread(target=_watch, args=(manager, peaks), daemon=True)
        watcher.start()

    client = NotebookClient(
        notebook,
        manager,
        timeout=TIMEOUT,
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": "notebooks"}},
        on_notebook_start=on_start,
        on_cell_execute=lambda cell, cell_index: ran.append(cell),
    )
    start = time.monotonic()
    try:
        asyncio.run(
            client.async_execute(
                cleanup_kc=True, env=dict(world), stderr=subprocess.DEVNULL
            )
        )
    except CellExecutionError as error:
        raise _failure(chapter, ran, error) from None
    except (TimeoutError, RuntimeError) as error:
        reason = str(error).split("\n")[0]
        raise _error(chapter, ran, reason) from None
    measured = {"seconds": time.monotonic() - start, "peak_mb": max(peaks) / 2**20}
    for count in range(1, len(ran) + 1):
        _settle(chapter, ran[:count])
    old = before.metadata.get("literate", {}) if before else {}
    state = {name: _steady(value, old.get(name)) for name, value in measured.items()}
    notebook.metadata.literate.update(state, key=digests)
    return weave(chapter, labels, notebook)  # which prints the time and the memory


def _watch(manager: AsyncKernelManager, peaks: list[int]) -> None:
    """Note the memory of a kernel and its children until it is gone."""
    with suppress(psutil.Error):
        kernel = psutil.Process(getattr(manager.provisioner, "pid", None))
        while True:
            used = kernel.memory_info().rss
            for child in kernel.children(recursive=True):
                with suppress(psutil.Error):
                    used += child.memory_info().rss
            with suppress(OSError):  # Linux knows what was used between two looks
                status = Path(f"/proc/{kernel.pid}/status").read_text()
                for peak in re.findall(r"VmHWM:\s+(\d+)", status):
                    used = max(used, int(peak) * 1024)
            peaks.append(used)
            time.sleep(0.2)


def _steady(new: float, old: float | None) -> float:
    """Two digits of a measurement; the old value, if the new one is about the same."""
    if old and old / 1.5 < new < old * 1.5:
        return old
    rounded = float(f"{new:.2g}")
    return int(rounded) if rounded >= 10 else rounded


# --- what may be wrong ------------------------------------------------------------


def _place(chapter: Chapter, ran: Cells, row: int = 1) -> tuple[str, int]:
    """A row of the last of some cells, as a line of the chapter."""
    source = ran[-1].metadata.get("literate", {}).get("source") if ran else None
    line = int(source.split(":")[1]) + row - 1 if source else 1
    return chapter.path, line


def _error(chapter: Chapter, ran: Cells, message: str, row: int = 1) -> LiterateError:
    """An error in the last of some cells; the book can be read, so the status is 1."""
    return LiterateError(*_place(chapter, ran, row), message, 1)


def _failure(chapter: Chapter, ran: Cells, error: CellExecutionError) -> LiterateError:
    """The error of the last cell, with its traceback in lines of the chapter."""
    rows = [row for output in ran[-1].outputs for row in output.get("traceback", ())]
    trace = re.sub(r"\x1b\[[\d;]*m", "", "\n".join(rows))
    here = [int(row) for cell, row in FRAME.findall(trace) if int(cell) == len(ran)]

    def at(frame: re.Match[str]) -> str:
        path, line = _place(chapter, ran[: int(frame[1])], int(frame[2]))
        return f"{path}:{line}"

    trace = FRAME.sub(at, trace).replace(f"{Path.cwd()}/", "")
    rows = [f"    {row}" for row in trace.split("\n") if row.strip("- ")][-30:]
    message = "\n".join([f"{error.ename}: {error.evalue}", *rows])
    return _error(chapter, ran, message, here[-1] if here else 1)


def _settle(chapter: Chapter, ran: Cells) -> None:
    """Take from the last cell's outputs what differs by machine, or refuse them."""
    cell = ran[-1]
    if cell.id == SET_UP_ID and cell.outputs:
        raise _error(chapter, ran, "the package is missing: pip install -e .")
    for output in cell.outputs:
        if output.output_type == "error":  # its frames name files of this machine
            output.traceback = [f"{output.ename}: {output.evalue}"]
    said = json.dumps(cell.outputs)
    for folder in {str(Path.cwd()), sys.prefix, str(Path.home())} - {"/"}:
        if f"{folder}/" in said:
            message = f"the output names a folder of this machine, {folder}"
            raise _error(chapter, ran, message)


# --- all notebooks ----------------------------------------------------------------


def execute(
    chapters: Sequence[Chapter], labels: Labels, jobs: int
) -> list[LiterateError]:
    """Execute chapters side by side; each is saved as soon as it is done."""
    Path("notebooks").mkdir(exist_ok=True)
    with environment(jobs) as world, ThreadPoolExecutor(jobs) as pool:
        todo = {pool.submit(run, each, labels, world): each for each in chapters}
        try:
            return list(_finish(todo))
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            while any(future.running() for future in todo):
                for kernel in psutil.Process().children():
                    kernel.kill()
                wait(todo, timeout=0.5)
            raise


def _finish(todo: Mapping[Future[NotebookNode], Chapter]) -> Iterator[LiterateError]:
    """Save what is done, say how it goes, and yield what fails."""
    pending = set(todo)
    with tqdm(total=len(todo), unit="chapter", disable=None) as bar:
        while pending:
            done, pending = wait(pending, timeout=5, return_when=FIRST_COMPLETED)
            for future in done:
                chapter = todo[future]
                bar.update()
                try:
                    notebook = future.result()
                except LiterateError as error:
                    yield error
                    continue
                save(chapter, notebook)
                took = notebook.metadata.literate
                bar.write(f"{chapter.notebook}: {took.seconds} s, {took.peak_mb} MB")
            if bar.disable and not done:
                names = ", ".join(sorted(todo[f].name for f in pending if f.running()))
                print(f"at work on {names}; {len(pending)} to go", flush=True)


def run_execute(args: argparse.Namespace) -> int:
    """Execute what is stale; the exit status is 1 if a cell failed."""
    book = read_book()
    labels = survey(book)
    waiting: list[Chapter] = []
    for chapter in select(book, args.chapters):
        if reasons := ["asked for"] if args.force else stale(chapter):
            print(f"{chapter.path}: {', '.join(reasons)}", flush=True)
            waiting.append(chapter)
        else:
            save(chapter, weave(chapter, labels, load(chapter)))
    if not waiting:
        print("all notebooks are up to date")
        return 0
    try:
        failed = execute(waiting, labels, args.jobs)
    except KeyboardInterrupt:
        print("interrupted: the notebooks that were finished are kept", file=sys.stderr)
        return 130
    for error in failed:
        print(error, file=sys.stderr)
    return max((error.status for error in failed), default=0)


def run_verify(args: argparse.Namespace) -> int:
    """Run nbval over the notebooks, in the world that they were executed in."""
    notebooks = [chapter.notebook for chapter in select(read_book(), args.chapters)]
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--nbval"]
    command += ["--nbval-current-env", "--color=no"]
    if (jobs := min(args.jobs, len(notebooks))) > 1:
        command += ["-n", str(jobs), "--dist", "loadscope"]
    with environment(args.jobs) as world:
        return subprocess.run([*command, *notebooks], env=world).returncode


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the two commands to the command line."""
    to_execute = commands.add_parser(
        "execute",
        help="execute the notebooks that are stale",
        description="Weave and execute the notebooks whose code, imported modules, "
        "input files or locked versions have changed since they were executed.",
    )
    to_execute.add_argument(
        "--force", action="store_true", help="also those up to date"
    )
    to_verify = commands.add_parser(
        "verify",
        help="execute the notebooks again and compare all outputs",
        description="Execute the notebooks again, with nbval, and compare every output "
        "but pictures and those tagged nbval-ignore-output.",
    )
    for parser, command in ((to_execute, run_execute), (to_verify, run_verify)):
        parser.add_argument("chapters", nargs="*", metavar="NN", help="default: all")
        parser.add_argument(
            "--jobs",
            type=lambda text: max(1, int(text)),
            default=os.cpu_count() or 1,
            metavar="N",
            help="how many at once (default: the cores)",
        )
        parser.set_defaults(run=command)
