"""Where the book lives: the one place that knows the repository's address."""

import os
import re
import subprocess
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass

import yaml

from literate.book import read

GITHUB = re.compile(r"(?:https://|git@|ssh://git@)github\.com[/:](.+?)(?:\.git)?/?")


@dataclass(frozen=True)
class Repository:
    """An address, and the tag (of a released version) or branch to link to."""

    url: str
    ref: str

    def file(self, path: str) -> str:
        """The page that shows a file of the repository."""
        return f"{self.url}/blob/{self.ref}/{path}"

    def raw(self, path: str) -> str:
        """The bytes of a file, for an image in a notebook."""
        return f"{self.url}/raw/{self.ref}/{path}"

    def colab(self, path: str) -> str:
        """A notebook, opened in Colab."""
        place = self.file(path).removeprefix("https://github.com/")
        return f"https://colab.research.google.com/github/{place}"

    def requirement(self, extras: Sequence[str] = ()) -> str:
        """What `pip install` takes."""
        names = f"[{','.join(extras)}]" if extras else ""
        return f"literate-llm{names} @ git+{self.url}@{self.ref}"


def repository() -> Repository:
    """The environment's address, else GitHub's clone, else that of `_config.yml`."""
    listed = (yaml.safe_load(read("_config.yml")) or {}).get("repository", {})
    url = os.environ.get("LITERATE_REPOSITORY") or _origin() or listed["url"]
    version = tomllib.loads(read("pyproject.toml"))["project"]["version"]
    released = re.fullmatch(r"[\d.]+", version)
    return Repository(
        url.rstrip("/"), f"v{version}" if released else listed.get("branch", "main")
    )


def packages(extras: Sequence[str]) -> list[str]:
    """The distributions that some extras of the package ask for, by name."""
    project = tomllib.loads(read("pyproject.toml"))["project"]
    wanted = [w for e in extras for w in project["optional-dependencies"][e]]
    return [re.split(r"[^\w.-]", want)[0] for want in wanted]


def _origin() -> str | None:
    """The address of the GitHub repository that this is a clone of, if it is one."""
    command = ["git", "remote", "get-url", "origin"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        return None
    found = GITHUB.fullmatch(answer.stdout.strip())
    return f"https://github.com/{found[1]}" if found else None
