"""Named runs, built once and kept.

Tangled from book/10-the-training-loop.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import ast
import contextlib
import dataclasses
import hashlib
import importlib.util
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from llm.budget import RATES, size
from llm.cooking import Recipe, cook
from llm.corpora import cache_folder

# %% book/10-the-training-loop.md#RACE
RACE = "race"  # no recipe: `llm pretrain` plans one that reads letters

RECIPES = {
    "hamlet-small": Recipe(
        data="hamlet", n_documents=4_000, n_validation=150,
        model=size(2, 64, 512, 256), optim=RATES,
        batch_size=8, steps=300, masked=False, whole=True,
    ),
    "village-base": Recipe(
        data="village", n_documents=24_000, n_validation=400,
        model=size(3, 96, 2_048, 256),
        optim=dataclasses.replace(RATES, lr=0.02),  # it's a long run
        batch_size=8, steps=2_650, masked=False, whole=True,
    ),
}


# %% book/10-the-training-loop.md#WithoutStrings
class WithoutStrings(ast.NodeTransformer):
    """Takes out what is only a string, as this line is."""

    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        """The statement, or nothing."""
        return None if isinstance(node.value, ast.Constant) else node


def reached(module: str, found: dict[str, str]) -> dict[str, str]:
    """The code of a module of llm and of all that it imports from llm."""
    spec = importlib.util.find_spec(module)
    if module in found or spec is None or spec.origin is None:
        return found
    tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    found[module] = ast.unparse(WithoutStrings().visit(tree))
    for node in ast.walk(tree):
        name = node.module if isinstance(node, ast.ImportFrom) else None
        if name and name.startswith("llm."):
            reached(name, found)
    return found


def digest(recipe: Recipe) -> str:
    """Eight digits that change with the recipe, and with the code."""
    code = sorted(reached("llm.cooking", {}).items())
    text = json.dumps([recipe.to_dict(), code], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


# %% book/10-the-training-loop.md#locked
@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock, after waiting for it; it ends with the process."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        if sys.platform != "win32":
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def runs_folder() -> Path:
    """Where runs are kept: $LITERATE_RUNS, or in the user's cache."""
    if folder := os.environ.get("LITERATE_RUNS"):
        return Path(folder)
    return cache_folder() / "runs"


def recipe_called(name: str) -> Recipe:
    """The recipe that has a name."""
    if name not in RECIPES:
        known = ", ".join([*RECIPES, RACE])
        raise ValueError(f"no recipe {name!r}: {known}")
    return RECIPES[name]


def folder_of(name: str) -> Path:
    """Where the run of a named recipe is, or will be."""
    return runs_folder() / f"{name}-{digest(recipe_called(name))}"


def get(name: str, show_progress: bool = True) -> Path:
    """The folder of a named run, which is built now if it isn't there.

    Raises:
        ValueError: no recipe has this name.
    """
    recipe, run = recipe_called(name), folder_of(name)
    with locked(run.with_name(f".{run.name}.lock")):
        if not (run / "result.json").exists():
            if show_progress:
                shown = f"building {name}: {recipe.steps:,} steps"
                print(shown, file=sys.stderr)
            often = {"save_every": 200, "evaluate_every": recipe.steps // 5}
            cook(recipe, run, show_progress=show_progress, **often)
    return run
