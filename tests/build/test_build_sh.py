"""build.sh: what it says when something is missing, and that it leaves no mess."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BASICS = "awk bash cat cksum cp cut date df dirname env expr grep head id ls mkdir"
BASICS += " mktemp mv printf rm sed sort tail tee touch tr uname wc"


@pytest.fixture
def checkout(tmp_path):
    """A folder with build.sh alone, and a PATH that holds the basic tools only."""
    project = tmp_path / "project"
    tools = tmp_path / "bin"
    project.mkdir()
    tools.mkdir()
    for name in ("build.sh", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, project / name)
    for name in BASICS.split():
        tools.joinpath(name).symlink_to(shutil.which(name))
    return project


def tool(checkout, name, script):
    path = checkout.parent / "bin" / name
    path.unlink(missing_ok=True)
    path.write_text("#!/bin/bash\n" + script)
    path.chmod(0o755)
    return path


def build(checkout, *arguments, **variables):
    return subprocess.run(
        ["bash", "./build.sh", *arguments],
        cwd=checkout,
        env={"PATH": str(checkout.parent / "bin"), "HOME": "/nowhere", **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def sentence(result):
    """The one line that build.sh died with."""
    lines = result.stderr.strip().splitlines()
    assert lines, result
    assert lines[-1].startswith("build.sh: "), result.stderr
    assert len(lines) == 1, result.stderr
    return lines[-1]


def test_help_needs_nothing(checkout):
    for word in ("help", "--help", "-h"):
        result = build(checkout, word)
        assert result.returncode == 0
        assert result.stdout.startswith("usage: ./build.sh")
    assert {path.name for path in checkout.iterdir()} == {
        *("build.sh", "pyproject.toml", "constraints.txt"),
    }


def test_every_subcommand_of_the_help_exists(checkout):
    listed = [
        line.split()[0]
        for line in build(checkout, "help").stdout.splitlines()
        if line.startswith("  ") and line[2].isalpha()
    ]
    assert len(listed) >= 14
    for name in listed:
        assert "there is no command" not in build(checkout, name).stderr


def test_unknown_subcommand(checkout):
    result = build(checkout, "pfd")
    assert result.returncode == 2
    assert "pfd" in sentence(result)
    assert "help" in sentence(result)


def test_no_python(checkout):
    result = build(checkout)
    assert result.returncode == 2
    assert "Python 3.11 to 3.13 is needed" in sentence(result)


def test_wrong_python(checkout):
    old = tool(checkout, "python3.9", 'echo "Python 3.9.2"; exit 1\n')
    result = build(checkout, PYTHON=str(old))
    assert result.returncode == 2
    assert "Python 3.9.2" in sentence(result)


def test_python_that_does_not_exist(checkout):
    result = build(checkout, PYTHON="/no/such/python")
    assert result.returncode == 2
    assert "/no/such/python" in sentence(result)


def test_full_disk_before_set_up(checkout):
    tool(checkout, "python3", "exit 0\n")
    tool(checkout, "df", "printf 'a b c d\\nx 1 1 204800 1\\n'\n")
    result = build(checkout)
    assert result.returncode == 2
    assert "only 200 MB are free" in sentence(result)
    assert not (checkout / ".venv").exists()


@pytest.mark.parametrize(
    ("pip_says", "build_says"),
    [
        ("Temporary failure in name resolution", "could not be downloaded"),
        ("OSError: [Errno 28] No space left on device", "the disk is full"),
    ],
)
def test_set_up_that_fails_says_why_and_can_be_repeated(checkout, pip_says, build_says):
    fake_pip = f"""mkdir -p .venv/bin; cat > .venv/bin/pip <<"X"
#!/bin/bash
echo "{pip_says}" >&2; exit 1
X
chmod +x .venv/bin/pip
"""
    tool(checkout, "chmod", f'exec {shutil.which("chmod")} "$@"\n')
    tool(checkout, "df", "printf 'a b c d\\nx 1 1 99999999 1\\n'\n")
    tool(checkout, "python3", f'case "$*" in *venv*) {fake_pip} ;; esac\nexit 0\n')
    for _ in range(2):
        result = build(checkout, "tangle")
        assert result.returncode == 2
        assert build_says in sentence(result)
        assert not (checkout / ".venv" / "ready").exists()


def test_shellcheck_is_content():
    if (linter := shutil.which("shellcheck")) is None:
        pytest.skip("shellcheck is not installed")
    for script in ("build.sh", ".ci/run"):
        subprocess.run([linter, script], cwd=ROOT, check=True)


def test_runs_from_any_folder(tmp_path):
    result = subprocess.run(
        ["bash", str(ROOT / "build.sh"), "help"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        check=False,
    )
    assert result.returncode == 0
