"""Where the book lives: the environment, the clone, the configuration, in order."""

import subprocess
from pathlib import Path

import pytest

from literate.repository import repository


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LITERATE_REPOSITORY", raising=False)
    config = "repository:\n  url: https://github.com/some/book/\n  branch: trunk\n"
    Path("_config.yml").write_text(config)
    Path("pyproject.toml").write_text('[project]\nversion = "1.2.3"\n')
    return tmp_path


def origin(url: str) -> None:
    subprocess.run(["git", "init", "-q"], check=True)
    subprocess.run(["git", "remote", "add", "origin", url], check=True)


def test_the_configuration_says() -> None:
    site = repository()
    assert site.url == "https://github.com/some/book"
    assert site.raw("a/b.svg") == "https://github.com/some/book/raw/v1.2.3/a/b.svg"
    assert site.file("a.md") == "https://github.com/some/book/blob/v1.2.3/a.md"
    source = "git+https://github.com/some/book@v1.2.3"
    assert site.requirement() == f"literate-llm @ {source}"
    assert site.requirement(["data", "hf"]) == f"literate-llm[data,hf] @ {source}"
    assert site.colab("notebooks/02.ipynb") == (
        "https://colab.research.google.com/github/some/book/blob/v1.2.3/notebooks/02.ipynb"
    )


def test_between_releases_the_branch_is_meant() -> None:
    Path("pyproject.toml").write_text('[project]\nversion = "1.3.0.dev0"\n')
    assert repository().ref == "trunk"


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/my/fork.git",
        "https://github.com/my/fork/",
        "git@github.com:my/fork.git",
        "ssh://git@github.com/my/fork",
    ],
)
def test_a_clone_from_github_is_a_fork(url: str) -> None:
    origin(url)
    assert repository().url == "https://github.com/my/fork"


def test_a_clone_from_elsewhere_says_nothing() -> None:
    origin("/somewhere/else.git")
    assert repository().url == "https://github.com/some/book"


def test_the_environment_has_the_last_word(monkeypatch: pytest.MonkeyPatch) -> None:
    origin("https://github.com/my/fork")
    monkeypatch.setenv("LITERATE_REPOSITORY", "https://git.example.org/book")
    assert repository().url == "https://git.example.org/book"
