"""The tests of book/appendix-f-how-this-book-builds-itself.md.

Tangled from book/appendix-f-how-this-book-builds-itself.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import builtins
import symtable


# %% book/appendix-f-how-this-book-builds-itself.md#check_honest_cut
def check_honest_cut(honest_cut):
    """Grade an answer to the exercise."""
    cell = "```{code-cell} python\n:tangle: llm/a.py\n\nx = 1\n```\n"
    other = cell.replace("a.py", "b.py").replace("x", "y")
    assert honest_cut(cell) == {"llm/a.py": "x = 1\n"}
    assert honest_cut(cell + cell) == {"llm/a.py": "x = 1\nx = 1\n"}
    assert honest_cut("Text.\n") == {}
    example = f"````markdown\n{other}````\n"
    assert honest_cut(example) == {}, "an example isn't a cell"
    assert honest_cut(example + cell) == {"llm/a.py": "x = 1\n"}


# %% book/appendix-f-how-this-book-builds-itself.md#check_merge
def check_merge(merge):
    """Grade an answer to the exercise."""
    assert merge("a", "a", "a") == "a"
    assert merge("a", "b", "a") == "b", "the book was edited"
    assert merge("a", "a", "b") == "b", "the package was edited"
    assert merge("a", "b", "b") == "b", "both were edited, alike"
    assert merge("a", "b", "c") is None, "a conflict"
    assert merge(None, "b", "b") == "b", "never committed, but no dispute"
    assert merge(None, "b", "c") is None
    assert merge("a", "", "a") == "", "an edit may remove everything"


# %% book/appendix-f-how-this-book-builds-itself.md#check_free_names
def check_free_names(free_names):
    """Grade an answer to the exercise."""
    assert free_names("x = 1") == set()
    assert free_names("print(x)") == {"x"}
    assert free_names("def f(a):\n    b = a\n    return b + c") == {"c"}
    assert free_names("def f():\n    return g()\ndef g(): pass") == set()
    assert free_names("[i for i in range(n)]") == {"n"}
    assert free_names("class A(B):\n    x: C = len(D)") == {"B", "C", "D"}
    assert free_names("import math\nmath.pi") == set()


# %% book/appendix-f-how-this-book-builds-itself.md#honest_cut
def honest_cut(text):
    """The code of each file that top-level cells name."""
    files, fence, lines = {}, None, []
    for row in text.split("\n"):
        ticks = row[: len(row) - len(row.lstrip("`"))]
        if fence is None and len(ticks) >= 3:
            fence, info, lines = ticks, row.strip("`"), []
        elif fence and row == ticks and len(ticks) >= len(fence):
            option, _, name = [*lines, ""][0].partition(": ")
            if info == "{code-cell} python" and option == ":tangle":
                code = "\n".join([*lines[2:], ""])
                files[name] = files.get(name, "") + code
            fence = None
        else:
            lines.append(row)
    return files


def test_honest_cut():
    check_honest_cut(honest_cut)


# %% book/appendix-f-how-this-book-builds-itself.md#merge
def merge(base, book, package):
    """The text that keeps every edit, or None if the edits collide."""
    if book == package or package == base:
        return book
    return package if book == base else None


def test_merge():
    check_merge(merge)


# %% book/appendix-f-how-this-book-builds-itself.md#free_names
def free_names(source):
    """Names that a module uses and neither defines nor finds built in."""
    module = symtable.symtable(source, "module", "exec")
    defined = {s.get_name() for s in module.get_symbols() if s.is_local()}
    used, scopes = set(), [module]
    while scopes:
        scope = scopes.pop()
        scopes += scope.get_children()
        used |= {
            s.get_name()
            for s in scope.get_symbols()
            if s.is_referenced() and s.is_global()
        }
    return used - defined - set(dir(builtins))


def test_free_names():
    check_free_names(free_names)
