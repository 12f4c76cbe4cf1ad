"""The repository keeps its own promises: links, words, versions, terms, sources."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from literate.pictures import figure_of

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted((ROOT / "book").glob("*.md"))
PROSE = [
    *PAGES,
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))

FORBIDDEN = re.compile(
    r"\b(simply|obviously|leverag\w+|delv(?:e|es|ed|ing)|crucial(?:ly)?"
    r"|seamless(?:ly)?|powerful(?:ly)?|comprehensive(?:ly)?"
    r"|just(?! (?:as|before|after|above|below)\b))\b",
    re.IGNORECASE,
)
UNBRITISH = re.compile(
    r"\b(colors?|colored|behaviors?|neighbors?|neighboring|favorites?|centers?|centered"
    r"|(?:token|optim|normal|initial|maxim|minim|recogn|general|organ|summar|memor|visual)"
    r"is(?:e|es|ed|er|ers|ing|ation|ations))\b",
    re.IGNORECASE,
)
# Written in pieces, so that this file doesn't find itself.
PRIVATE = re.compile(
    "|".join(("/" + "work/", "/" + "opt/", "/" + "root/", "pypi" + r"\.org"))
)


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def without_code(text: str) -> str:
    """A Markdown page's own words, line for line; code becomes blank lines."""
    text = re.sub(
        r"\A---\n.*?\n---\n", lambda m: "\n" * m[0].count("\n"), text, flags=re.S
    )
    rows, stack = [], []
    for row in text.split("\n"):
        fence = re.match(r"\s*(`{3,}|:{3,}|~{3,})\s*(.*)", row)
        inside_code = bool(stack) and not stack[-1][1]
        if fence and not (inside_code and (fence[2] or len(fence[1]) < stack[-1][0])):
            if not fence[2] and stack and len(fence[1]) >= stack[-1][0]:
                stack.pop()
            else:
                words = fence[2].startswith("{") and not fence[2].startswith("{code")
                stack.append((len(fence[1]), words))
            title = re.sub(r"^\{[\w:-]+\}", "", fence[2]) if not inside_code else ""
            rows.append(title if stack and stack[-1][1] else "")
        else:
            rows.append("" if inside_code else row)
    text = "\n".join(rows)
    text = re.sub(r"<!--.*?-->|\$\$.*?\$\$", blank, text, flags=re.S)
    text = re.sub(r"(?m)^:[\w-]+:.*$", "", text)
    return re.sub(r"\]\([^)]*\)|https?://\S+|\$[^$\n]+\$", "]", text)


def blank(match: re.Match[str]) -> str:
    return "\n" * match[0].count("\n")


def words_of(path: Path) -> str:
    """Prose without inline code and roles."""
    return re.sub(
        r"(\{[\w:]+\})?(`+)[^`]+\2", "`", without_code(path.read_text("utf-8"))
    )


def places(pattern: re.Pattern[str], path: Path, text: str) -> list[str]:
    return [
        f"{name(path)}:{text.count(chr(10), 0, found.start()) + 1}: {found[0]!r}"
        for found in pattern.finditer(text)
    ]


def repository_files() -> Iterator[Path]:
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a clone")
    for entry in filter(None, listed.stdout.decode().split("\0")):
        path = ROOT / entry
        if path.is_file() and path.suffix not in (".pdf", ".png", ".woff2"):
            yield path


# --- words --------------------------------------------------------------------------


@pytest.mark.parametrize("path", PROSE, ids=name)
def test_no_forbidden_word(path: Path) -> None:
    assert places(FORBIDDEN, path, words_of(path)) == []


@pytest.mark.parametrize("path", PROSE, ids=name)
def test_spelling_is_oxford(path: Path) -> None:
    assert places(UNBRITISH, path, words_of(path)) == []


@pytest.mark.parametrize("path", PROSE, ids=name)
def test_no_word_twice_in_a_row(path: Path) -> None:
    twice = re.compile(r"\b([a-z]+)(?: +|\n *)\1\b", re.IGNORECASE)
    text = re.sub(r"\*[^*\n]+\*", "*", words_of(path))  # *an an* is an example
    assert places(twice, path, text) == []


def test_no_path_of_somebody_s_machine() -> None:
    found = []
    for path in repository_files():
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        found += places(PRIVATE, path, text)
    assert found == []


# --- links --------------------------------------------------------------------------


def links(path: Path) -> list[str]:
    prose = re.sub(r"^```.*?^```", "", path.read_text("utf-8"), flags=re.M | re.S)
    return re.findall(r"\]\(([^)\s]+)\)", prose)


@pytest.mark.parametrize("path", PROSE, ids=name)
def test_links_to_files_lead_somewhere(path: Path) -> None:
    targets = [link.split("#")[0] for link in links(path) if ":" not in link]
    assert [t for t in targets if t and not (path.parent / t).exists()] == []


def test_first_link_of_the_readme_is_the_book() -> None:
    assert links(ROOT / "README.md")[0] == "the-literate-llm.pdf"


def chapters_with_cells() -> list[str]:
    pages = re.findall(
        r"(?m)^\s*- file: book/(\S+)", (ROOT / "_toc.yml").read_text("utf-8")
    )
    return [
        page
        for page in pages
        if "```{code-cell}" in (ROOT / "book" / f"{page}.md").read_text("utf-8")
    ]


def test_readme_has_a_row_for_every_chapter() -> None:
    targets = links(ROOT / "README.md")
    assert [
        p for p in chapters_with_cells() if f"notebooks/{p}.ipynb" not in targets
    ] == []


def test_readme_opens_every_numbered_chapter_in_colab() -> None:
    """At the tag of this version, since a notebook installs that version."""
    configuration = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
    place = configuration["repository"]["url"].removeprefix("https://github.com/")
    start = f"https://colab.research.google.com/github/{place}/blob/v{version()}"
    targets = links(ROOT / "README.md")
    pages = [page for page in chapters_with_cells() if page[0].isdigit()]
    assert [p for p in pages if f"{start}/notebooks/{p}.ipynb" not in targets] == []


def test_the_benchmark_tables_are_what_the_records_say() -> None:
    benchmarks = ROOT / "benchmarks"
    code = "import readme; print(readme.table(), end='')"
    command = [sys.executable, "-c", code]
    made = subprocess.check_output(command, cwd=benchmarks, text=True)
    text = (ROOT / "README.md").read_text("utf-8")
    _, _, rest = text.partition("<!-- benchmarks:begin -->\n")
    assert rest.partition("<!-- benchmarks:end -->")[0] == made


def test_the_readme_shows_the_figure_of_the_notebook() -> None:
    notebook = ROOT / "notebooks" / "appendix-e-a-race.ipynb"
    assert (ROOT / "pictures" / "race.png").read_bytes() == figure_of(notebook)


def test_the_repository_s_address_is_in_no_page() -> None:
    configuration = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
    address = configuration["repository"]["url"]
    assert [name(p) for p in PAGES if address in p.read_text("utf-8")] == []


# --- versions -----------------------------------------------------------------------


def version() -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    return project["project"]["version"]


def test_versions_agree() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    configuration = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
    changes = re.findall(r"(?m)^## (\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"))
    stated = {
        "CITATION.cff": str(citation["version"]),
        "CITATION.cff, edition": citation["preferred-citation"]["edition"],
        "_config.yml": str(configuration["sphinx"]["config"]["release"]),
        "CHANGELOG.md": changes[0],
    }
    assert stated == dict.fromkeys(stated, version())


# --- terms and sources ---------------------------------------------------------------


def glossary() -> list[str]:
    """The terms, lower case; several terms may share one definition."""
    text = (ROOT / "book" / "glossary.md").read_text("utf-8")
    block = text.split("```{glossary}\n", 1)[1].split("\n```", 1)[0]
    return [
        row.strip().lower()
        for row in block.split("\n")
        if row.strip() and not row.startswith((" ", ":"))
    ]


def test_terms_are_defined_once() -> None:
    terms = glossary()
    assert len(terms) > 5
    assert sorted(terms) == sorted(set(terms))


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_terms_that_are_used_are_defined(path: Path) -> None:
    text = without_code(path.read_text("utf-8"))
    used = re.findall(r"\{term\}`([^`]+)`", text)
    terms = {
        re.sub(r"\s+", " ", (re.search(r"<([^>]+)>$", t) or [0, t])[1]) for t in used
    }
    assert {t for t in terms if t.lower() not in glossary()} == set()


def sources() -> list[str]:
    text = (ROOT / "book" / "references.bib").read_text("utf-8")
    return re.findall(r"(?m)^@\w+\{([^,\s]+),", text)


def test_sources_are_listed_once() -> None:
    keys = sources()
    assert sorted(keys) == sorted(set(keys))


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_sources_that_are_cited_are_listed(path: Path) -> None:
    text = without_code(path.read_text("utf-8"))
    cited = re.findall(r"\{cite(?::\w+)?\}`([^`]+)`", text)
    keys = {key.strip() for group in cited for key in group.split(",")}
    assert keys - set(sources()) == set()


# --- automation ----------------------------------------------------------------------


@pytest.mark.parametrize("path", WORKFLOWS, ids=name)
def test_workflows_ask_for_little(path: Path) -> None:
    workflow = yaml.safe_load(path.read_text("utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    assert "pull_request_target" not in path.read_text("utf-8")
    for job in workflow["jobs"].values():
        assert job["runs-on"]
        for step in job["steps"]:
            assert ("uses" in step) != ("run" in step)
            assert re.fullmatch(
                r"actions/[\w-]+@v\d+", step.get("uses", "actions/x@v1")
            )


def test_workflows_use_commands_that_exist() -> None:
    known = (ROOT / "build.sh").read_text("utf-8")
    for path in WORKFLOWS:
        for command in re.findall(r"\./build\.sh (\w+)", path.read_text("utf-8")):
            assert re.search(rf"(?m)^\s+{command}\b", known), f"{name(path)}: {command}"


def test_hooks_fetch_nothing() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
    assert {entry["repo"] for entry in hooks["repos"]} == {"local"}
