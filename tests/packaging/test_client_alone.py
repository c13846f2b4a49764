"""`pip install tellback`, nothing else: what a host program pays for."""

import json
import subprocess
from pathlib import Path

import pytest

from tellback import __version__


def run(*command: str | Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)


def test_it_pulls_msgspec_and_nothing_else(client: Path) -> None:
    listed = json.loads(run(client / "python", "-m", "pip", "list", "--format", "json").stdout)
    assert {package["name"] for package in listed} - {"pip", "setuptools"} == {"tellback", "msgspec"}


def test_it_imports_and_says_its_version(client: Path) -> None:
    assert run(client / "tellback", "--version").stdout.split()[-1] == __version__
    done = run(client / "python", "-W", "error", "-c", "import tellback; tellback.event('opened', rows=3)")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_what_needs_the_server_says_how_to_get_it(client: Path) -> None:
    done = run(client / "tellback", "serve")
    assert done.returncode == 2
    assert "pip install 'tellback[server]'" in done.stderr
    done = run(client / "tellback", "demo", "--once")
    assert done.returncode == 2
    assert "pip install 'tellback[server]'" in done.stderr


@pytest.mark.parametrize(("program", "wrong"), [("right", ""), ("wrong", "arg-type")])
def test_a_users_program_is_type_checked(client: Path, program: str, wrong: str) -> None:
    import sys

    path = Path(__file__).with_name("programs") / f"{program}.py"
    mypy = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--cache-dir", "/dev/null"]
    done = run(*mypy, "--python-executable", client / "python", path)
    assert (done.returncode == 0) == (not wrong), done.stdout
    assert wrong in done.stdout
